/* SPDX-License-Identifier: Apache-2.0 */
/* ferry storage erase */
#include "ferry/commands_settings.h"
#include "ask.h"

static void tell(const struct cli *cli, bool answered)
{
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddBoolToObject(object, "erased", 1);
        cJSON_AddBoolToObject(object, "answered", answered);
        cli_print_json(object);
    } else {
        puts(answered
                 ? "erased"
                 : "erased, by the looks of it: the device went without an answer, and is back");
    }
}

/* Whether the device answers again: some reset in place of the answer. */
static bool is_back(struct session *session)
{
    struct ferry_client_answer answer;
    int error = session_ask(session, ferry_command_params(session->client, NULL), &answer);
    return error == FERRY_OK || error == FERRY_E_REFUSED;
}

static int erase(struct session *session)
{
    struct ferry_client_answer answer;
    int32_t ticket = ferry_command_erase_storage(session->client, session->cli->timeout_ms, NULL);
    int error = session_ask(session, ticket, &answer);

    if (ticket < 0) {
        return cli_fail_error(session->cli, CLI_USAGE, ticket, "cannot erase the storage");
    }
    if (error == FERRY_OK || (error == FERRY_E_TIMEOUT && is_back(session))) {
        tell(session->cli, error == FERRY_OK);
        return CLI_OK;
    }
    return error == FERRY_E_IO ? session_gone(session, "erase the storage")
                               : session_fail(session, "erase the storage", &answer);
}

static int run_erase(struct cli *cli, int argc, char **argv)
{
    struct session session;
    int code = ask_words(cli, argc, argv, 0, 0);
    code = code == CLI_OK ? session_open(cli, &session) : code;
    if (code == CLI_OK) {
        code = erase(&session);
        session_close(&session);
    }
    return code;
}

const struct cli_command cli_basic_commands[] = {
    {"storage erase", "", "erase what the application stored: all settings (no question is asked)",
     "", run_erase},
    {0},
};
