/* SPDX-License-Identifier: Apache-2.0 */
/* ferry raw: any command of any group, its map as JSON. */
#include "cbor_json.h"
#include "cli/device/session.h"
#include "packet_names.h"

#include <stdlib.h>
#include <string.h>

struct raw {
    struct ferry_client_command command;
    char what[80]; /* in words, for messages */
};

/* ---- The request ----------------------------------------------------------------------------- */

/* "offset 14, at: …" */
static int bad_json(const struct cli *cli, const char *text, size_t where)
{
    char near[24];

    snprintf(near, sizeof near, "%.20s", text + where);
    cli_printable(near);
    return cli_fail(cli, CLI_USAGE, "give a map, such as '{\"d\": \"hello\"}'",
                    near[0] != '\0' ? "this is no JSON, near character %zu: %s"
                                    : "this is no JSON: it ends at character %zu%s",
                    where + 1, near);
}

static int cannot_send(const struct cli *cli, int error)
{
    const char *why = error == FERRY_E_FORMAT
                          ? "a key comes twice, or h'…' has no pairs of hexadecimal digits"
                          : ferry_error_text(error);

    return cli_fail_why(cli, CLI_USAGE, why, ferry_error_remedy(error), "cannot send this JSON");
}

/* The map in text as CBOR; buffer.data is the caller's to free. */
static int encode(const struct cli *cli, const char *text, struct cli_buffer *cbor)
{
    struct ferry_cbor_writer writer;
    size_t where;
    cJSON *json = cbor_json_parse(text, &where);

    if (json == NULL) {
        return bad_json(cli, text, where);
    }
    if (!cJSON_IsObject(json)) {
        cJSON_Delete(json);
        return cli_fail(cli, CLI_USAGE, "give a map, such as '{\"d\": \"hello\"}'",
                        "a command's arguments are a map");
    }
    cbor->data = malloc(UINT16_MAX);
    ferry_cbor_writer_init(&writer, cbor->data, cbor->data != NULL ? UINT16_MAX : 0);
    int error = cbor_json_write(json, &writer);
    int len = error == FERRY_OK ? ferry_cbor_writer_result(&writer) : error;
    cJSON_Delete(json);
    if (len < 0) {
        return cannot_send(cli, len);
    }
    cbor->len = (size_t)len;
    return CLI_OK;
}

/* The argument, or standard input for "-"; without one an empty map. */
static int take_map(const struct cli *cli, const char *argument, struct cli_buffer *cbor)
{
    struct cli_buffer input = {NULL, 0};

    if (argument == NULL || !cli_is_stream(argument)) {
        return encode(cli, argument != NULL ? argument : "{}", cbor);
    }
    int code = cli_read_file(cli, argument, &input);
    if (code != CLI_OK) {
        return code;
    }
    char *text = malloc(input.len + 1);
    if (text != NULL) {
        memcpy(text, input.data, input.len);
        text[input.len] = '\0';
        code = encode(cli, text, cbor);
    }
    free(text);
    cli_buffer_free(&input);
    return text != NULL ? code : cli_fail(cli, CLI_FAILED, "free some memory", "no memory");
}

static int take_numbers(const struct cli *cli, char **argv, struct raw *raw)
{
    char list[200];

    if (!packet_group_number(argv[0], &raw->command.group)) {
        packet_group_list(list, sizeof list);
        return cli_fail_why(cli, CLI_USAGE, list, "use one of these, or a number up to 65535",
                            "there is no group '%s'", argv[0]);
    }
    if (!packet_command_number(raw->command.group, argv[1], &raw->command.id)) {
        return cli_fail(cli, CLI_USAGE, "give the command's number, up to 255",
                        "group %s has no command '%s'", argv[0], argv[1]);
    }
    snprintf(raw->what, sizeof raw->what, "%s %.32s/%.32s",
             raw->command.op == FERRY_SMP_WRITE ? "write" : "read", argv[0], argv[1]);
    return CLI_OK;
}

/* ---- The answer ------------------------------------------------------------------------------ */

/* What has no map, or more than one, is shown as bytes. */
static cJSON *answer_json(const struct ferry_client_answer *answer)
{
    struct ferry_cbor_reader reader;
    int error;

    if (answer->payload.len == 0) {
        return NULL;
    }
    ferry_cbor_reader_init(&reader, answer->payload);
    cJSON *json = cbor_json_next(&reader, &error);
    if (cJSON_IsObject(json)) {
        return json;
    }
    cJSON_Delete(json);

    char *text = cbor_json_bytes(answer->payload.data, answer->payload.len);
    json = text != NULL ? cJSON_CreateString(text) : NULL;
    free(text);
    return json;
}

static void print_answer(const cJSON *json)
{
    char *text = cbor_json_print(json, true);

    puts(text != NULL ? text : "{}");
    cJSON_free(text);
}

/* A refusal's map is shown as well. */
static int show(struct cli *cli, struct session *session, const char *what,
                const struct ferry_client_answer *answer)
{
    cJSON *json = answer_json(answer);
    int code = CLI_OK;

    if (json != NULL && (answer->error == FERRY_OK || !cli->json)) {
        print_answer(json);
    }
    if (answer->error != FERRY_OK) {
        cli->answer = json;
        code = session_fail(session, what, answer);
        cli->answer = NULL;
    }
    cJSON_Delete(json);
    return code;
}

static int ask(struct cli *cli, const struct raw *raw)
{
    struct session session;
    struct ferry_client_answer answer = {.error = FERRY_OK};
    int code = session_open(cli, &session);

    if (code != CLI_OK) {
        return code;
    }
    int32_t ticket = ferry_client_submit(session.client, &raw->command);
    int error = session_ask(&session, ticket, &answer);
    if (ticket == FERRY_E_SPACE) {
        code = cli_fail(cli, CLI_USAGE, "send less at once; `ferry params` shows the buffers",
                        "cannot %s: the map has %zu bytes, more than a packet takes here",
                        raw->what, raw->command.payload.len);
    } else if (ticket < 0) {
        code = cli_fail_error(cli, CLI_FAILED, ticket, "cannot %s", raw->what);
    } else if (error == FERRY_E_IO) {
        code = session_gone(&session, raw->what);
    } else {
        code = show(cli, &session, raw->what, &answer);
    }
    session_close(&session);
    return code;
}

static int run_raw(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"read", no_argument, NULL, 'r'},
                                        {"write", no_argument, NULL, 'w'},
                                        {"once", no_argument, NULL, 'o'},
                                        {0}};
    struct raw raw = {.command.op = FERRY_SMP_READ};
    struct cli_buffer cbor = {NULL, 0};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "rw", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        if (option == 'o') {
            raw.command.retries = FERRY_CLIENT_ONCE;
        } else {
            raw.command.op = option == 'w' ? FERRY_SMP_WRITE : FERRY_SMP_READ;
        }
    }
    if (argc - optind < 2 || argc - optind > 3) {
        return cli_usage(cli, "raw needs a GROUP, the ID of a command, and at most one map");
    }
    int code = take_numbers(cli, argv + optind, &raw);
    if (code == CLI_OK) {
        code = take_map(cli, argv[optind + 2], &cbor);
    }
    if (code == CLI_OK) {
        raw.command.payload = (struct ferry_bytes){cbor.data, cbor.len};
        code = ask(cli, &raw);
    }
    free(cbor.data);
    return code;
}

const struct cli_command cli_raw_commands[] = {
    {"raw", "GROUP ID [JSON|-]", "any command by number or name, its map as JSON",
     "  -r, --read           read (the default)\n"
     "  -w, --write          write\n"
     "      --once           do not send it again when no answer comes\n",
     run_raw},
    {0},
};
