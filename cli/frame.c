/* SPDX-License-Identifier: Apache-2.0 */
/* Options and messages all commands share. */
#include "cli.h"
#include "cli/tool/profile.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum {
    OPTION_JSON = 0x1000,
    OPTION_PASSWORD_FILE,
    OPTION_UNLOCK,
    OPTION_TRACE,
    OPTION_TEXT,
    OPTION_CONN_TYPE,
    OPTION_CONN_STRING,
    OPTION_PORT,
    OPTION_IP
};

static const struct option global_options[] = {
    {"device", required_argument, NULL, 'd'},
    {"conn", required_argument, NULL, 'c'},
    {"json", no_argument, NULL, OPTION_JSON},
    {"timeout", required_argument, NULL, 't'},
    {"tries", required_argument, NULL, 'r'},
    {"password-file", required_argument, NULL, OPTION_PASSWORD_FILE},
    {"unlock", required_argument, NULL, OPTION_UNLOCK},
    {"trace", required_argument, NULL, OPTION_TRACE},
    {"text", required_argument, NULL, OPTION_TEXT},
    {"verbose", no_argument, NULL, 'v'},
    {"loglevel", required_argument, NULL, 'l'},
    {"conntype", required_argument, NULL, OPTION_CONN_TYPE},
    {"connstring", required_argument, NULL, OPTION_CONN_STRING},
    {"port", required_argument, NULL, OPTION_PORT},
    {"ip", required_argument, NULL, OPTION_IP},
    {"help", no_argument, NULL, 'h'},
};

const char cli_global_options[] =
    "  -d, --device URI     the device\n"
    "  -c, --conn PROFILE   the device of a profile (`ferry profile`, or ~/.mcumgr.cp.json)\n"
    "      --json           results as JSON on standard output\n"
    "  -t, --timeout S      seconds to wait for an answer (default: computed from the line)\n"
    "  -r, --tries N        send a request up to N times, 2 to 255 (default: 4)\n"
    "      --unlock KEY     unlock a locked device by this key first; `update`: and again after\n"
    "                       its reset\n"
    "      --password-file FILE\n"
    "                       the password of an encrypted key is the file's first line; else the\n"
    "                       environment's FERRY_KEY_PASSWORD; else it is asked for\n"
    "      --trace FILE     write all packets and text to FILE, for `ferry replay FILE`\n"
    "      --text FILE      append what the device's console prints to FILE\n"
    "  -v, --verbose        say more, and show that text; twice: every packet\n"
    "  -h, --help           this text; after a command: its options\n"
    "      --conntype TYPE, --connstring TEXT, -l LEVEL\n"
    "                       as mcumgr takes them: serial, dev=/dev/ttyACM0,baud=115200\n"
    "      --port PORT, --ip HOST\n"
    "                       as smpmgr takes them\n";

#define GLOBALS     (sizeof global_options / sizeof global_options[0])
#define OPTIONS_MAX 96

/* The command's options first: getopt takes the first of equal names. */
static void merge_options(struct option *all, const struct option *own)
{
    size_t n = 0;
    for (; own->name != NULL; own++) {
        assert(n + GLOBALS + 1 < OPTIONS_MAX);
        all[n++] = *own;
    }
    memcpy(&all[n], global_options, sizeof global_options);
    all[n + GLOBALS] = (struct option){0};
}

/* Letters of the command, then those of the frame that it does not use itself. */
static void merge_shorts(char *all, size_t cap, const char *own)
{
    static const char *const letters[] = {"d:", "c:", "t:", "r:", "l:", "v", "h"};
    size_t signs = own[0] == '+';
    size_t len = (size_t)snprintf(all, cap, "%.*s:%s", (int)signs, own, own + signs);

    for (size_t i = 0; i < sizeof letters / sizeof letters[0]; i++) {
        if (strchr(own, letters[i][0]) == NULL) {
            len += (size_t)snprintf(all + len, cap - len, "%s", letters[i]);
        }
    }
}

static bool set_timeout(struct cli *cli, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds > 0 && seconds <= 86400)) {
        return false;
    }
    cli->timeout_ms = (uint32_t)(seconds * 1000.0);
    return true;
}

static void print_command_help(const struct cli *cli)
{
    const struct cli_command *command = cli->command;
    printf("usage: ferry %s%s%s\n%s\n", cli->called, command->arguments[0] != '\0' ? " " : "",
           command->arguments, command->help);
    for (const struct cli_alias *a = cli_aliases; a->words != NULL; a++) {
        if (strcmp(a->stands_for, command->words) == 0) {
            printf("also called: %s\n", a->words);
        }
    }
    if (command->options[0] != '\0') {
        printf("\n%s", command->options);
    }
    puts("\nglobal options: -d URI, -c PROFILE, --json, -t S, -r N, --trace FILE, --text FILE,\n"
         "                --unlock KEY, --password-file FILE, -v (see `ferry --help`)");
}

/* Tries of each request. */
static bool set_tries(struct cli *cli, const char *text)
{
    uint32_t tries;
    if (cli_number(text, UINT8_MAX, &tries) != FERRY_OK || tries == 0) {
        return false;
    }
    cli->retries = (uint8_t)(tries - 1);
    return true;
}

/* After a message returns false. */
static bool wrong_value(const struct cli *cli, const char *name, const char *next)
{
    (void)cli_fail(cli, CLI_USAGE, next, "--%s %s cannot be read", name, optarg);
    return false;
}

/* Handle one option that is not the command's. Returns false when it is wrong. */
static bool global_option(struct cli *cli, int option)
{
    switch (option) {
    case 'd':
        cli->device = optarg;
        return true;
    case OPTION_JSON:
        cli->json = true;
        return true;
    case 'v':
        cli->verbose++;
        return true;
    case OPTION_PASSWORD_FILE:
        cli->password_file = optarg;
        return true;
    case OPTION_UNLOCK:
        cli->unlock_path = optarg;
        return true;
    case OPTION_TRACE:
        cli->trace_path = optarg;
        return true;
    case OPTION_TEXT:
        cli->text_path = optarg;
        return true;
    case 't':
        return set_timeout(cli, optarg) ||
               wrong_value(cli, "timeout", "give seconds above 0, such as --timeout 5");
    case 'r':
        return set_tries(cli, optarg) || wrong_value(cli, "tries", "give a number from 1 to 255");
    case 'l':
        cli->verbose = strcmp(optarg, "debug") == 0 || strcmp(optarg, "trace") == 0 ? 2 : 0;
        return true;
    case 'c':
        return profile_use(cli, optarg);
    case OPTION_CONN_TYPE:
        cli->conn_type = optarg;
        return profile_use_mcumgr(cli);
    case OPTION_CONN_STRING:
        cli->conn_string = optarg;
        return profile_use_mcumgr(cli);
    case OPTION_PORT:
    case OPTION_IP:
        return profile_use_smpmgr(cli, option == OPTION_PORT ? "serial" : "udp", optarg);
    default:
        return false;
    }
}

static bool is_own(int option, const char *shorts, const struct option *own)
{
    if (option == '?' || option == ':') {
        return false;
    }
    if (option < 0x100 && strchr(shorts, option) != NULL) {
        return true;
    }
    for (; own->name != NULL; own++) {
        if (own->val == option) {
            return true;
        }
    }
    return false;
}

static bool has_word(int argc, char **argv, const char *word)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], word) == 0) {
            return true;
        }
    }
    return false;
}

/* An option that nobody knows, or that lacks its value. */
static void tell_wrong_option(const struct cli *cli, int option, char **argv)
{
    char letter[3] = {'-', (char)optopt, '\0'};
    bool is_letter = optopt > ' ' && optopt < 0x7f && strncmp(argv[optind - 1], "--", 2) != 0;
    char next[128];

    snprintf(next, sizeof next, "see `ferry %s%s--help`", cli->called != NULL ? cli->called : "",
             cli->called != NULL ? " " : "");
    (void)cli_fail(cli, CLI_USAGE, next,
                   option == ':' ? "option '%s' needs a value" : "unknown option '%s'",
                   is_letter ? letter : argv[optind - 1]);
}

/* An option that is not the command's. A --json that stands further on counts for what is wrong
 * with it. After a message returns false. */
static bool take_global(struct cli *cli, int option, int argc, char **argv)
{
    bool json = cli->json;

    cli->json = json || has_word(argc, argv, "--json");
    if (option == '?' || option == ':') {
        tell_wrong_option(cli, option, argv);
        return false;
    }
    if (!global_option(cli, option)) {
        return false;
    }
    cli->json = json || option == OPTION_JSON;
    return true;
}

int cli_getopt(struct cli *cli, int argc, char **argv, const char *shorts, const struct option *own)
{
    struct option all[OPTIONS_MAX];
    char all_shorts[64];

    opterr = 0; /* what is wrong is told here, in our form */
    merge_options(all, own);
    merge_shorts(all_shorts, sizeof all_shorts, shorts);
    for (;;) {
        int option = getopt_long(argc, argv, all_shorts, all, NULL);
        if (option == -1 || is_own(option, shorts, own)) {
            return option;
        }
        if (option == 'h' && cli->command == NULL) {
            return option;
        }
        if (option == 'h') {
            print_command_help(cli);
            exit(cli_finish(cli, CLI_OK));
        }
        if (!take_global(cli, option, argc, argv)) {
            return '?';
        }
    }
}

/* Told what the user is told; NULL = nobody. One run of the program has one record. */
static void (*listener)(int exit_code, const char *what);

void cli_listen(void (*heard)(int exit_code, const char *what))
{
    listener = heard;
}

static void report(const struct cli *cli, int exit_code, const char *what, const char *why,
                   const char *next)
{
    if (listener != NULL) {
        listener(exit_code, what);
    }
    if (cli->told != NULL) {
        const struct cli_failure failure = {.exit_code = exit_code,
                                            .what = what,
                                            .why = why != NULL ? why : "",
                                            .next = next != NULL ? next : ""};
        cli->told(cli->told_context, &failure);
        return;
    }
    fflush(stdout);
    fprintf(stderr, "ferry: %s\n", what);
    if (why != NULL && why[0] != '\0') {
        fprintf(stderr, "  why:  %s\n", why);
    }
    if (next != NULL && next[0] != '\0') {
        fprintf(stderr, "  next: %s\n", next);
    }
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON *error = cJSON_AddObjectToObject(object, "error");
        cJSON_AddStringToObject(error, "what", what);
        cJSON_AddStringToObject(error, "why", why != NULL ? why : "");
        cJSON_AddStringToObject(error, "next", next != NULL ? next : "");
        cJSON_AddNumberToObject(error, "exit", exit_code);
        if (cli->answer != NULL) {
            cJSON_AddItemToObject(object, "answer", cJSON_Duplicate(cli->answer, 1));
        }
        if (cli->lines) {
            cli_print_json_line(object);
        } else {
            cli_print_json_to(cli->piped ? stderr : stdout, object);
        }
    }
}

int cli_fail(const struct cli *cli, int exit_code, const char *next, const char *format, ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    report(cli, exit_code, what, NULL, next);
    return exit_code;
}

int cli_fail_why(const struct cli *cli, int exit_code, const char *why, const char *next,
                 const char *format, ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    report(cli, exit_code, what, why, next);
    return exit_code;
}

int cli_fail_error(const struct cli *cli, int exit_code, int error, const char *format, ...)
{
    char what[512];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    report(cli, exit_code, what, ferry_error_text(error), ferry_error_remedy(error));
    return exit_code;
}

int cli_finish(const struct cli *cli, int exit_code)
{
    int code = exit_code;

    if (fflush(stdout) != 0 || ferror(stdout)) {
        code = exit_code == CLI_OK ? CLI_FAILED : exit_code;
        code = cli_fail(cli, code, "make room or fix the pipe", "cannot write the output");
    }
    if (listener != NULL) {
        listener(code, NULL);
    }
    return code;
}

int cli_usage(const struct cli *cli, const char *why)
{
    char next[256];
    snprintf(next, sizeof next, "usage: ferry %s%s%s (and `ferry %s --help`)", cli->called,
             cli->command->arguments[0] != '\0' ? " " : "", cli->command->arguments, cli->called);
    report(cli, CLI_USAGE, why, NULL, next);
    return CLI_USAGE;
}
