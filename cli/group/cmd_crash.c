/* SPDX-License-Identifier: Apache-2.0 */
/* ferry crash, run test, run list: Mynewt's; other servers mostly refuse them. */
#include "ferry/commands_mynewt.h"
#include "ask.h"

static void tell(const struct cli *cli, const char *kind, bool answered)
{
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "crash", kind);
        cJSON_AddBoolToObject(object, "answered", answered);
        cli_print_json(object);
    } else {
        puts(answered ? "crashing" : "sent; there was no answer, as from a device that crashes");
    }
}

/* The device is gone with its answer, or says that it will be. */
static int crash(struct session *session, const char *kind)
{
    struct ferry_client_answer answer;
    int32_t ticket = ferry_command_crash(session->client, kind, NULL);
    int error = session_ask(session, ticket, &answer);

    if (ticket > 0 && (error == FERRY_OK || error == FERRY_E_TIMEOUT || error == FERRY_E_IO)) {
        tell(session->cli, kind, error == FERRY_OK);
        return CLI_OK;
    }
    return ticket < 0 ? cli_fail_error(session->cli, CLI_USAGE, ticket, "cannot crash the device")
                      : session_fail(session, "crash the device", &answer);
}

static int run_crash(struct cli *cli, int argc, char **argv)
{
    struct session session;
    int code = ask_words(cli, argc, argv, 1, 1);
    code = code == CLI_OK ? session_open(cli, &session) : code;
    if (code == CLI_OK) {
        code = crash(&session, argv[optind]);
        session_close(&session);
    }
    return code;
}

struct test {
    const char *name;
    const char *token;
};

static int32_t ask_test(struct ferry_client *client, const void *context)
{
    const struct test *test = context;
    return ferry_command_run_test(client, test->name, test->token, NULL);
}

static int run_test(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {.what = "run the test", .request = ask_test, .done = "started"};
    struct test test = {"all", ""};
    int code = ask_words(cli, argc, argv, 0, 2);
    if (code != CLI_OK) {
        return code;
    }
    test.name = optind < argc ? argv[optind] : test.name;
    test.token = optind + 1 < argc ? argv[optind + 1] : test.token;
    return ask_device(cli, &ask, &test);
}

static int print_tests(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    return ask_print_texts(cli, payload, "run_list", "available tests");
}

static int run_tests(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "list the tests", .plain = ferry_command_run_list, .print = print_tests};
    int code = ask_words(cli, argc, argv, 0, 0);
    return code == CLI_OK ? ask_device(cli, &ask, NULL) : code;
}

const struct cli_command cli_crash_commands[] = {
    {"run list", "", "the tests that the device can run (Mynewt)", "", run_tests},
    {"run test", "[NAME [TOKEN]]", "start a test, or all; TOKEN comes back in its log (Mynewt)", "",
     run_test},
    {"crash", "KIND", "crash it: div0, jump0, ref0, assert, wdog (Mynewt)", "", run_crash},
    {0},
};
