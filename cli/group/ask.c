/* SPDX-License-Identifier: Apache-2.0 */
#include "ask.h"

#include "cli/packet/cbor_json.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int ask_words(struct cli *cli, int argc, char **argv, int least, int most)
{
    static const struct option own[] = {{0}};
    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    int count = argc - optind;
    return count >= least && count <= most ? CLI_OK : cli_usage(cli, "wrong number of arguments");
}

/* ---- Asking ------------------------------------------------------------------------------ */

static int32_t submit(struct ferry_client *client, const struct ask *ask, const void *context)
{
    if (ask->plain != NULL) {
        return ask->plain(client, NULL);
    }
    return ask->named != NULL ? ask->named(client, context, NULL) : ask->request(client, context);
}

int ask_in(struct session *session, const struct ask *ask, const void *context)
{
    struct ferry_client_answer answer;
    int code = session_wait(session, submit(session->client, ask, context), ask->what, &answer);
    return code == CLI_OK ? ask_print(session->cli, ask, answer.payload, context) : code;
}

int ask_device(struct cli *cli, const struct ask *ask, const void *context)
{
    struct session session;
    int code = session_open(cli, &session);
    if (code == CLI_OK) {
        code = ask_in(&session, ask, context);
        session_close(&session);
    }
    return code;
}

/* ---- Printing ---------------------------------------------------------------------------- */

/* The answer as it is, without the success that some servers write into it. */
static int print_payload(const struct cli *cli, struct ferry_bytes payload)
{
    struct ferry_cbor_reader reader;
    int error = FERRY_OK;

    ferry_cbor_reader_init(&reader, payload);
    cJSON *object = cbor_json_next(&reader, &error);
    if (object == NULL) {
        return ask_unreadable(cli, error);
    }
    cJSON_DeleteItemFromObjectCaseSensitive(object, "rc");
    char *text = cbor_json_print(object, true);
    puts(text != NULL ? text : "{}");
    cJSON_free(text);
    cJSON_Delete(object);
    return CLI_OK;
}

int ask_print(const struct cli *cli, const struct ask *ask, struct ferry_bytes payload,
              const void *context)
{
    if (ask->done != NULL) {
        return ask_done(cli, ask->done);
    }
    if (cli->json && ask->json == NULL) {
        return print_payload(cli, payload);
    }
    return cli->json ? ask->json(cli, payload, context) : ask->print(cli, payload, context);
}

int ask_done(const struct cli *cli, const char *done)
{
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddBoolToObject(object, done, 1);
        cli_print_json(object);
    } else {
        puts(done);
    }
    return CLI_OK;
}

int ask_unreadable(const struct cli *cli, int error)
{
    return cli_fail_error(cli, CLI_NO_ANSWER, error, "the answer cannot be read");
}

int ask_print_texts(const struct cli *cli, struct ferry_bytes payload, const char *key,
                    const char *title)
{
    struct ferry_answer_items items;
    char name[FERRY_ANSWER_NAME_MAX];
    bool any = false;
    int rc = ferry_answer_list(payload, key, &items);

    printf("%s:\n", title);
    while (rc >= 0 && (rc = ferry_answer_next_text(&items, name, sizeof name)) == 1) {
        cli_printable(name);
        printf("    %s\n", name);
        any = true;
    }
    if (rc >= 0 && !any) {
        puts("    (none)");
    }
    return rc < 0 ? ask_unreadable(cli, rc) : CLI_OK;
}

void ask_print_item(const struct ferry_cbor_item *item)
{
    char text[FERRY_ANSWER_NAME_MAX];
    int64_t number;

    if (item->kind == FERRY_CBOR_UINT) {
        printf("%" PRIu64, item->value);
    } else if (ferry_cbor_to_int(item, &number) == FERRY_OK) {
        printf("%" PRId64, number);
    } else if (item->kind == FERRY_CBOR_BOOL) {
        fputs(item->value != 0 ? "true" : "false", stdout);
    } else if (ferry_answer_copy_text(item, text, sizeof text) >= 0) {
        cli_printable(text);
        fputs(text, stdout);
    } else {
        fputs("?", stdout);
    }
}

void ask_add_number(cJSON *object, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    cJSON_AddRawToObject(object, key, text);
}

void ask_add_signed(cJSON *object, const char *key, int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    cJSON_AddRawToObject(object, key, text);
}

/* ---- Strings ------------------------------------------------------------------------------ */

/* How many bytes behind this first one of a character there must be; -1 for none that may stand. */
static int more_bytes(uint8_t first)
{
    if (first < 0x80) {
        return first >= ' ' && first != 0x7f                     ? 0
               : first == '\t' || first == '\n' || first == '\r' ? 0
                                                                 : -1;
    }
    return first >= 0xc2 && first < 0xe0   ? 1
           : (first & 0xf0) == 0xe0        ? 2
           : first >= 0xf0 && first < 0xf5 ? 3
                                           : -1;
}

bool ask_is_text(struct ferry_bytes bytes)
{
    for (size_t at = 0; at < bytes.len;) {
        int more = more_bytes(bytes.data[at]);
        if (more < 0 || (size_t)more >= bytes.len - at) {
            return false;
        }
        if (bytes.data[at] == 0xc2 && bytes.data[at + 1] < 0xa0) {
            return false; /* a control character */
        }
        for (at++; more > 0; more--, at++) {
            if ((bytes.data[at] & 0xc0) != 0x80) {
                return false;
            }
        }
    }
    return true;
}

char *ask_copy(const struct ferry_cbor_item *item, size_t *len)
{
    if (item->kind != FERRY_CBOR_TEXT && item->kind != FERRY_CBOR_BYTES) {
        return NULL;
    }
    char *copy = malloc(item->bytes.len + 1);
    int copied = copy == NULL ? -1 : ferry_cbor_copy(item, (uint8_t *)copy, item->bytes.len);
    if (copied < 0) {
        free(copy);
        return NULL;
    }
    copy[copied] = '\0';
    *len = (size_t)copied;
    return copy;
}
