/* SPDX-License-Identifier: Apache-2.0 */
/* ferry stat NAME, list, all */
#include "ferry/commands_stat.h"
#include "ask.h"

#include "cli/packet/cbor_json.h"

#include <string.h>

static int print_list(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    return ask_print_texts(cli, payload, "stat_list", "stat groups");
}

static int run_list(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "list the statistics", .plain = ferry_command_stat_list, .print = print_list};
    int code = ask_words(cli, argc, argv, 0, 0);
    return code == CLI_OK ? ask_device(cli, &ask, NULL) : code;
}

/* As mcumgr prints it. */
static int print_stat(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    const char *group = context;
    struct ferry_answer_element value;
    struct ferry_answer_items items;
    char name[FERRY_ANSWER_NAME_MAX];
    bool any = false;
    int rc = ferry_answer_map(payload, "fields", &items);

    if (rc == FERRY_OK) {
        printf("stat group: %s\n", group);
    }
    while (rc >= 0 && (rc = ferry_answer_next_pair(&items, name, sizeof name, &value)) == 1) {
        cli_printable(name);
        if (value.item.kind == FERRY_CBOR_UINT) {
            printf("%10llu %s\n", (unsigned long long)value.item.value, name);
        } else {
            fputs("         ", stdout);
            ask_print_item(&value.item);
            printf(" %s\n", name);
        }
        any = true;
    }
    if (rc >= 0 && !any) {
        puts("    (empty)");
    }
    return rc < 0 ? ask_unreadable(cli, rc) : CLI_OK;
}

static const struct ask ask_stat = {
    .what = "read the statistics", .named = ferry_command_stat, .print = print_stat};

static int run_stat(struct cli *cli, int argc, char **argv)
{
    int code = ask_words(cli, argc, argv, 1, 1);
    return code == CLI_OK ? ask_device(cli, &ask_stat, argv[optind]) : code;
}

/* ---- all ---------------------------------------------------------------------------------- */

/* Read one group into object. One that the device refuses, as a group that does not fit its buffer,
 * is noted. */
static int collect_group(struct session *session, const char *name, cJSON *object)
{
    struct ferry_client_answer answer;
    int32_t ticket = ferry_command_stat(session->client, name, NULL);
    int error = session_ask(session, ticket, &answer);
    if (error == FERRY_E_REFUSED) {
        cJSON_AddItemToArray(cJSON_GetObjectItem(object, "refused"), cJSON_CreateString(name));
        return CLI_REFUSED;
    }
    if (error != FERRY_OK) {
        return ticket < 0
                   ? cli_fail_error(session->cli, CLI_USAGE, ticket, "cannot %s", ask_stat.what)
                   : session_fail(session, ask_stat.what, &answer);
    }
    cJSON *group = cbor_json_read(answer.payload);
    cJSON *fields = cJSON_DetachItemFromObjectCaseSensitive(group, "fields");
    cJSON_Delete(group);
    if (fields == NULL) {
        return ask_unreadable(session->cli, FERRY_E_NOT_FOUND);
    }
    cJSON_AddItemToObject(cJSON_GetObjectItem(object, "stats"), name, fields);
    return CLI_OK;
}

/* All groups of a list, which is a copy: each answer takes the place of the one before. After a
 * refused one it goes on. */
static int read_all(struct session *session, struct ferry_bytes list, cJSON *object)
{
    char name[FERRY_ANSWER_NAME_MAX];
    struct ferry_answer_items items;
    int code = CLI_OK;
    int rc = ferry_answer_list(list, "stat_list", &items);

    while (rc >= 0 && (code == CLI_OK || code == CLI_REFUSED) &&
           (rc = ferry_answer_next_text(&items, name, sizeof name)) == 1) {
        int one = session->cli->json ? collect_group(session, name, object)
                                     : ask_in(session, &ask_stat, name);
        code = one != CLI_OK ? one : code;
    }
    return rc < 0 ? ask_unreadable(session->cli, rc) : code;
}

static int print_all(struct session *session, struct ferry_bytes list)
{
    cJSON *object = cJSON_CreateObject();
    cJSON_AddObjectToObject(object, "stats");
    cJSON_AddArrayToObject(object, "refused");
    int code = read_all(session, list, object);
    if (session->cli->json && (code == CLI_OK || code == CLI_REFUSED)) {
        cli_print_json(object);
    } else {
        cJSON_Delete(object);
    }
    return code;
}

static int run_all(struct cli *cli, int argc, char **argv)
{
    static uint8_t list[SESSION_PACKET_MAX];
    struct ferry_client_answer answer;
    struct session session;
    int code = ask_words(cli, argc, argv, 0, 0);
    code = code == CLI_OK ? session_open(cli, &session) : code;
    if (code != CLI_OK) {
        return code;
    }
    code = session_wait(&session, ferry_command_stat_list(session.client, NULL),
                        "list the statistics", &answer);
    if (code == CLI_OK) {
        size_t len = answer.payload.len < sizeof list ? answer.payload.len : sizeof list;
        memcpy(list, answer.payload.data, len);
        code = print_all(&session, (struct ferry_bytes){list, len});
    }
    session_close(&session);
    return code;
}

const struct cli_command cli_stat_commands[] = {
    {"stat", "NAME", "the counters of one group of statistics", "", run_stat},
    {"stat list", "", "the groups of statistics", "", run_list},
    {"stat all", "", "the counters of all groups of statistics", "", run_all},
    {0},
};
