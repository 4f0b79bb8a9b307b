/* SPDX-License-Identifier: Apache-2.0 */
/* ferry echo, reset, params, info */
#include "image_list.h"

#include <string.h>

static int print_text(const struct cli *cli, const struct ferry_client_answer *answer,
                      const char *key)
{
    static char text[SESSION_PACKET_MAX];
    int len = ferry_answer_text(answer->payload, key, text, sizeof text);
    if (len < 0) {
        return cli_fail_error(cli, CLI_NO_ANSWER, len, "the answer has no \"%s\"", key);
    }
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, key, text);
        cli_print_json(object);
    } else {
        cli_printable(text);
        puts(text);
    }
    return CLI_OK;
}

/* Words of the command line joined by blanks. Returns false when they do not fit. */
static bool join(int argc, char **argv, char *out, size_t cap)
{
    size_t len = 0;
    for (int i = 0; i < argc; i++) {
        int n = snprintf(out + len, cap - len, "%s%s", i > 0 ? " " : "", argv[i]);
        if (n < 0 || (size_t)n >= cap - len) {
            return false;
        }
        len += (size_t)n;
    }
    return true;
}

static int run_echo(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{0}};
    static char text[8192];
    struct session session;
    struct ferry_client_answer answer;

    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    if (optind == argc || !join(argc - optind, argv + optind, text, sizeof text)) {
        return cli_usage(cli, "echo needs a TEXT of at most 8 KiB");
    }
    int code = session_open(cli, &session);
    if (code != CLI_OK) {
        return code;
    }
    code = session_wait(&session, ferry_command_echo(session.client, text, strlen(text), NULL),
                        "echo", &answer);
    if (code == CLI_OK) {
        code = print_text(cli, &answer, "r");
    }
    session_close(&session);
    return code;
}

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
                                        {"recovery", no_argument, NULL, 'r'},
                                        {0}};
    struct session session;
    bool force = false;
    uint32_t mode = 0;
    bool have_mode = false;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "", own)) != -1) {
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

static int run_params(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{0}};
    struct session session;
    struct ferry_client_answer answer;
    struct ferry_params params;

    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    if (optind != argc) {
        return cli_usage(cli, "params takes no argument");
    }
    int code = session_open(cli, &session);
    if (code != CLI_OK) {
        return code;
    }
    code = session_wait(&session, ferry_command_params(session.client, NULL), "read the parameters",
                        &answer);
    if (code == CLI_OK && ferry_answer_params(answer.payload, &params) != FERRY_OK) {
        code = cli_fail(cli, CLI_NO_ANSWER, "check the device's firmware",
                        "the answer cannot be read");
    }
    if (code == CLI_OK && cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddNumberToObject(object, "buf_size", params.buf_size);
        cJSON_AddNumberToObject(object, "buf_count", params.buf_count);
        cli_print_json(object);
    } else if (code == CLI_OK) {
        printf("buf_size: %u\nbuf_count: %u\n", (unsigned)params.buf_size,
               (unsigned)params.buf_count);
    }
    session_close(&session);
    return code;
}

/* A bootloader knows no os/7, but what it is can be told. */
static int print_bootloader(const struct cli *cli, const struct session_bootloader *bootloader)
{
    session_tell_bootloader(bootloader);
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        session_add_bootloader(object, bootloader);
        cJSON_AddNumberToObject(object, "mode", bootloader->mode);
        cli_print_json(object);
    } else if (bootloader->is_ferry) {
        printf("Ferry bootloader, recovery by %s, mode %d\n", bootloader->way,
               (int)bootloader->mode);
    } else {
        puts("MCUboot serial recovery");
    }
    return CLI_OK;
}

/* Whether no listed image is active: an application is one itself. */
static bool nothing_runs(struct session *session)
{
    struct image_list list;
    struct ferry_client_answer answer;
    int32_t ticket = ferry_command_image_list(session->client, NULL);

    do {
        if (ticket <= 0 || session_step(session, ferry_connection_now() + 10000, &answer) != 1) {
            return false;
        }
    } while (answer.ticket != ticket);

    int count = answer.error == FERRY_OK
                    ? ferry_answer_image_list(answer.payload, list.states, IMAGE_LIST_MAX)
                    : -1;
    for (int i = 0; i < count && i < IMAGE_LIST_MAX; i++) {
        if (list.states[i].active) {
            return false;
        }
    }
    return count >= 0;
}

static int info(struct session *session, const char *format)
{
    struct session_bootloader bootloader = {.found = false};
    struct ferry_client_answer answer;
    int32_t ticket = ferry_command_info(session->client, format, NULL);

    if (ticket < 0) {
        return cli_fail_error(session->cli, CLI_USAGE, ticket, "cannot ask for %s", format);
    }
    do {
        if (session_step(session, ferry_connection_now() + 3600000, &answer) < 0) {
            return session_gone(session, "read the device's description");
        }
    } while (answer.ticket != ticket);
    if (answer.error == FERRY_OK) {
        return print_text(session->cli, &answer, "output");
    }
    if (answer.error == FERRY_E_REFUSED && !answer.status.grouped &&
        answer.status.rc == FERRY_RC_NOT_SUPPORTED && nothing_runs(session)) {
        session_find_bootloader(session, &bootloader);
    }
    if (bootloader.found) {
        return print_bootloader(session->cli, &bootloader);
    }
    answer.status.reason = (struct ferry_bytes){NULL, 0}; /* of a packet that is gone */
    return session_fail(session, "read the device's description", &answer);
}

static int run_info(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{0}};
    struct session session;

    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    if (argc - optind > 1) {
        return cli_usage(cli, "info takes at most one FORMAT");
    }
    int code = session_open(cli, &session);
    if (code != CLI_OK) {
        return code;
    }
    code = info(&session, optind < argc ? argv[optind] : "a");
    session_close(&session);
    return code;
}

const struct cli_command cli_os_commands[] = {
    {"echo", "TEXT", "have the device send a text back", "", run_echo},
    {"reset", "[--recovery]", "reset the device",
     "      --recovery       and stay in the bootloader (boot mode 1)\n"
     "      --force          also when the application is busy\n"
     "      --boot-mode N    0 normal, 1 serial recovery, others by product\n",
     run_reset},
    {"params", "", "the device's SMP buffers", "", run_params},
    {"info", "[FORMAT]", "what the device says it is (letters as in uname; default a)", "",
     run_info},
    {0},
};
