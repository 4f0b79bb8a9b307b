/* SPDX-License-Identifier: Apache-2.0 */
/* ferry shell exec */
#include "ferry/commands_shell.h"
#include "ask.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Without sequences that colour or move, and without the CR of CR LF. In place. */
static void plain(char *text)
{
    char *out = text;
    for (const char *in = text; *in != '\0';) {
        if (in[0] == '\x1b' && in[1] == '[') {
            in += 2 + strspn(in + 2, "0123456789;?");
            in += *in != '\0';
        } else if (in[0] == '\r' && in[1] == '\n') {
            in++;
        } else {
            *out++ = *in++;
        }
    }
    *out = '\0';
    cli_printable(text);
}

static void print_output(char *text, size_t len, bool raw)
{
    if (raw) {
        fwrite(text, 1, len, stdout);
        return;
    }
    plain(text);
    len = strlen(text);
    fputs(text, stdout);
    if (len > 0 && text[len - 1] != '\n') {
        puts("");
    }
}

/* A command that failed is told on standard error; with --json in the object, too. */
static int verdict(const struct cli *cli, const struct ferry_shell_result *result, cJSON *object)
{
    struct cli quiet = *cli;
    char what[96];
    const char *next = result->ret == -8 ? "see its help for the commands it has" : NULL;

    if (result->ret == 0) {
        return CLI_OK;
    }
    snprintf(what, sizeof what, "the command returned %" PRId64 "%s", result->ret,
             result->ret == -8 ? ": there is no such command" : "");
    if (object != NULL) {
        cJSON *error = cJSON_AddObjectToObject(object, "error");
        cJSON_AddStringToObject(error, "what", what);
        cJSON_AddStringToObject(error, "why", "");
        cJSON_AddStringToObject(error, "next", next != NULL ? next : "");
        cJSON_AddNumberToObject(error, "exit", CLI_REFUSED);
    }
    quiet.json = false;
    return cli_fail(&quiet, CLI_REFUSED, next, "%s", what);
}

static int tell(const struct cli *cli, const struct ferry_shell_result *result, bool raw)
{
    size_t len;
    char *text = ask_copy(&result->output, &len);
    if (text == NULL) {
        return ask_unreadable(cli, FERRY_E_FORMAT);
    }
    cJSON *object = NULL;
    if (cli->json) {
        object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "o", text);
        ask_add_signed(object, "ret", result->ret);
    } else {
        print_output(text, len, raw);
    }
    int code = verdict(cli, result, object);
    if (object != NULL) {
        cli_print_json(object);
    }
    free(text);
    return code;
}

static int execute(struct session *session, const char *const *words, size_t count, bool raw)
{
    struct ferry_client_answer answer;
    struct ferry_shell_result result;
    int32_t ticket =
        ferry_command_shell(session->client, words, count, session->cli->timeout_ms, NULL);
    int error = session_ask(session, ticket, &answer);

    if (ticket < 0) {
        return cli_fail_error(session->cli, CLI_USAGE, ticket, "cannot send the command");
    }
    if (error == FERRY_E_IO) {
        return session_gone(session, "run the command");
    }
    if ((error == FERRY_OK || error == FERRY_E_REFUSED) &&
        ferry_answer_shell(answer.payload, &result) == FERRY_OK) {
        return tell(session->cli, &result, raw);
    }
    return error == FERRY_OK ? ask_unreadable(session->cli, FERRY_E_NOT_FOUND)
                             : session_fail(session, "run the command", &answer);
}

static int run_exec(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"raw", no_argument, NULL, 'r'}, {0}};
    struct session session;
    bool raw = false;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "+", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        raw = true;
    }
    if (optind == argc) {
        return cli_usage(cli, "which command?");
    }
    int code = session_open(cli, &session);
    if (code == CLI_OK) {
        code = execute(&session, (const char *const *)&argv[optind], (size_t)(argc - optind), raw);
        session_close(&session);
    }
    return code;
}

const struct cli_command cli_shell_commands[] = {
    {"shell exec", "COMMAND ...", "run a line in the device's shell; options stand before COMMAND",
     "      --raw            its output as it is, colours and control characters too\n", run_exec},
    {0},
};
