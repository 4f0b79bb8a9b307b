/* SPDX-License-Identifier: Apache-2.0 */
/* ferry echo, info, bootloader, console-echo */
#include "ask.h"
#include "image_list.h"

#include "ferry/commands_os.h"

#include <string.h>

static int print_text(const struct cli *cli, struct ferry_bytes payload, const char *key)
{
    static char text[SESSION_PACKET_MAX];
    int len = ferry_answer_text(payload, key, text, sizeof text);
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

struct text {
    const char *data;
    size_t len;
};

static int32_t ask_echo(struct ferry_client *client, const void *context)
{
    const struct text *text = context;
    return ferry_command_echo(client, text->data, text->len, NULL);
}

static int print_echo(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    return print_text(cli, payload, "r");
}

/* Of a packet: the header, a map of one, its key "d", and the length of the text. */
static size_t echo_max(const struct session *session)
{
    return session->client->packet_max - FERRY_SMP_HEADER_SIZE - 1 - 2 - 3;
}

static int run_echo(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "echo", .request = ask_echo, .print = print_echo, .json = print_echo};
    static char joined[8192];

    optind = 0;
    if (cli_getopt(cli, argc, argv, "", &(struct option){0}) != -1) {
        return CLI_USAGE;
    }
    if (optind == argc || !join(argc - optind, argv + optind, joined, sizeof joined)) {
        return cli_usage(cli, "echo needs a TEXT of at most 8 KiB");
    }
    struct text text = {joined, strlen(joined)};
    struct session session;
    int code = session_open(cli, &session);
    if (code == CLI_OK) {
        code = text.len > echo_max(&session)
                   ? cli_fail(cli, CLI_USAGE, "give a shorter one",
                              "the device takes a text of %zu bytes at most, this one has %zu",
                              echo_max(&session), text.len)
                   : ask_in(&session, &ask, &text);
        session_close(&session);
    }
    return code;
}

/* ---- Console echo ------------------------------------------------------------------------ */

static int32_t ask_console(struct ferry_client *client, const void *context)
{
    const bool *on = context;
    return ferry_command_console_echo(client, *on, NULL);
}

static int run_console(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "switch the console's echo", .request = ask_console, .done = "switched"};
    int code = ask_words(cli, argc, argv, 1, 1);
    if (code != CLI_OK) {
        return code;
    }
    bool on = strcmp(argv[optind], "on") == 0;
    if (!on && strcmp(argv[optind], "off") != 0) {
        return cli_usage(cli, "console-echo takes on or off");
    }
    return ask_device(cli, &ask, &on);
}

/* ---- Information -------------------------------------------------------------------------- */

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
        return print_text(session->cli, answer.payload, "output");
    }
    if (answer.error == FERRY_E_REFUSED && !answer.status.grouped &&
        answer.status.rc == FERRY_RC_NOT_SUPPORTED && session_is_bootloader(session, &bootloader)) {
        return print_bootloader(session->cli, &bootloader);
    }
    answer.status.reason = (struct ferry_bytes){NULL, 0}; /* of a packet that is gone */
    return session_fail(session, "read the device's description", &answer);
}

static int run_info(struct cli *cli, int argc, char **argv)
{
    struct session session;
    int code = ask_words(cli, argc, argv, 0, 1);
    code = code == CLI_OK ? session_open(cli, &session) : code;
    if (code == CLI_OK) {
        code = info(&session, optind < argc ? argv[optind] : "a");
        session_close(&session);
    }
    return code;
}

/* ---- Bootloader --------------------------------------------------------------------------- */

static const char *mode_words(int64_t mode)
{
    static const char *const words[] = {
        "single application", "swap with scratch", "overwrite only",
        "swap with move",     "direct-xip",        "direct-xip with revert",
        "RAM load",           "firmware loader",   "single slot, RAM load",
        "swap with offset",
    };
    return mode >= 0 && mode < (int64_t)(sizeof words / sizeof words[0]) ? words[mode] : "unknown";
}

/* Whatever the answer holds, a line each. */
static int print_facts(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    struct ferry_answer_element value;
    struct ferry_answer_items items;
    char name[FERRY_ANSWER_NAME_MAX];
    int64_t mode;
    int rc = ferry_answer_map(payload, NULL, &items);

    while (rc >= 0 && (rc = ferry_answer_next_pair(&items, name, sizeof name, &value)) == 1) {
        cli_printable(name);
        if (strcmp(name, "rc") == 0) {
            continue;
        }
        printf("%s: ", name);
        ask_print_item(&value.item);
        if (strcmp(name, "mode") == 0 && ferry_cbor_to_int(&value.item, &mode) == FERRY_OK) {
            printf(" (%s)", mode_words(mode));
        }
        puts("");
    }
    return rc < 0 ? ask_unreadable(cli, rc) : CLI_OK;
}

static int run_bootloader(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {.what = "read what the bootloader is",
                                   .named = ferry_command_bootloader,
                                   .print = print_facts};
    int code = ask_words(cli, argc, argv, 0, 1);
    return code == CLI_OK ? ask_device(cli, &ask, optind < argc ? argv[optind] : NULL) : code;
}

const struct cli_command cli_os_commands[] = {
    {"echo", "TEXT", "have the device send a text back", "", run_echo},
    {"info", "[FORMAT]", "what the device says it is (letters as in uname; default a)", "",
     run_info},
    {"bootloader", "[QUERY]", "what its bootloader is; QUERY mode: how it installs", "",
     run_bootloader},
    {"console-echo", "ON|OFF", "whether its console echoes what is typed (Mynewt)", "",
     run_console},
    {0},
};
