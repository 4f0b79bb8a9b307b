/* SPDX-License-Identifier: Apache-2.0 */
/* ferry reset */
#include "cli/device/session.h"

/* The answer to a reset may be lost because the device went too soon: then it is silent for a
 * moment, or its connection breaks. Returns whether it went. */
static bool went(struct session *session)
{
    struct ferry_client_answer answer;
    int32_t ticket = ferry_command_params(session->client, NULL);
    int got;

    do {
        got = session_step(session, ferry_connection_now() + 10000, &answer);
    } while (ticket > 0 && got == 1 && answer.ticket != ticket);
    return got < 0 || (got == 1 && (answer.error == FERRY_E_TIMEOUT || answer.tries > 1));
}

static int reset(struct session *session, bool force, int boot_mode)
{
    struct ferry_client_answer answer;
    int32_t ticket = ferry_command_reset(session->client, force, boot_mode, NULL);
    if (ticket < 0) {
        return cli_fail_error(session->cli, CLI_USAGE, ticket, "cannot reset");
    }
    int got = session_step(session, ferry_connection_now() + 10000, &answer);
    if (got == 1 && answer.error == FERRY_E_REFUSED) {
        return session_fail(session, "reset", &answer);
    }
    bool answered = got == 1 && answer.error == FERRY_OK;
    if (!answered && got >= 0 && !went(session)) {
        return cli_fail(session->cli, CLI_NO_ANSWER, "send it again: ferry reset",
                        "the reset was not answered, and the device did not go");
    }
    if (session->cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddBoolToObject(object, "reset", 1);
        cJSON_AddBoolToObject(object, "answered", answered);
        cli_print_json(object);
    } else {
        puts(answered ? "resetting" : "the device went without an answer, as some do");
    }
    return CLI_OK;
}

static int run_reset(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"force", no_argument, NULL, 'f'},
                                        {"boot-mode", required_argument, NULL, 'b'},
                                        {"bootmode", required_argument, NULL, 'b'},
                                        {"recovery", no_argument, NULL, 'r'},
                                        {0}};
    struct session session;
    bool force = false;
    uint32_t mode = 0;
    bool have_mode = false;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "f", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        if (option == 'b' && cli_number(optarg, 255, &mode) != FERRY_OK) {
            return cli_usage(cli, "--boot-mode takes a number from 0 to 255");
        }
        if (option == 'r') {
            mode = 1;
        }
        have_mode = have_mode || option == 'b' || option == 'r';
        force = force || option == 'f';
    }
    if (optind != argc) {
        return cli_usage(cli, "reset takes no argument");
    }
    int code = session_open(cli, &session);
    if (code != CLI_OK) {
        return code;
    }
    code = reset(&session, force, have_mode ? (int)mode : -1);
    session_close(&session);
    return code;
}

const struct cli_command cli_reset_commands[] = {
    {"reset", "[--recovery]", "reset the device",
     "      --recovery       and stay in the bootloader (boot mode 1)\n"
     "  -f, --force          also when the application is busy\n"
     "      --boot-mode N    0 normal, 1 serial recovery, others by product\n",
     run_reset},
    {0},
};
