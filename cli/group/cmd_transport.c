/* SPDX-License-Identifier: Apache-2.0 */
/* ferry transport list, status, modes, config, connect, disconnect */
#include "ferry/commands_transport.h"
#include "ask.h"

#include <string.h>

#define PARAMETERS_MAX 16

struct question {
    uint32_t transport;
    uint32_t mode;
    bool has_mode;
    bool all;
    struct ferry_transport_parameter parameters[PARAMETERS_MAX];
    size_t count;
};

/* ---- Printing ------------------------------------------------------------------------------ */

/* The pairs of a map in one line. Returns 0, or an error. */
static int print_pairs(struct ferry_bytes map)
{
    struct ferry_answer_element value;
    struct ferry_answer_items items;
    char name[FERRY_ANSWER_NAME_MAX];
    const char *between = "";
    int rc = ferry_answer_map(map, NULL, &items);

    while (rc >= 0 && (rc = ferry_answer_next_pair(&items, name, sizeof name, &value)) == 1) {
        cli_printable(name);
        printf("%s%s: ", between, name);
        ask_print_item(&value.item);
        between = ", ";
    }
    puts("");
    return rc;
}

static int print_status(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    int rc = print_pairs(payload);
    return rc < 0 ? ask_unreadable(cli, rc) : CLI_OK;
}

/* A line for each map of the answer's list. */
static int print_rows(const struct cli *cli, struct ferry_bytes payload, const char *key)
{
    struct ferry_answer_element row;
    struct ferry_answer_items items;
    int rc = ferry_answer_list(payload, key, &items);

    while (rc >= 0 && (rc = ferry_answer_next(&items, &row)) == 1) {
        rc = print_pairs(row.whole);
    }
    return rc < 0 ? ask_unreadable(cli, rc) : CLI_OK;
}

static int print_list(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    return print_rows(cli, payload, "transports");
}

static int print_modes(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    return print_rows(cli, payload, "modes");
}

static int print_config(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    return print_rows(cli, payload, "configs");
}

/* ---- Asking -------------------------------------------------------------------------------- */

static int32_t ask_modes(struct ferry_client *client, const void *context)
{
    const struct question *question = context;
    return ferry_command_transport_modes(client, question->transport, NULL);
}

static int32_t ask_config(struct ferry_client *client, const void *context)
{
    const struct question *question = context;
    return ferry_command_transport_config(client, question->transport, question->mode, NULL);
}

static int32_t ask_connect(struct ferry_client *client, const void *context)
{
    const struct question *question = context;
    return ferry_command_transport_connect(client, question->transport,
                                           question->has_mode ? (int32_t)question->mode : -1,
                                           question->parameters, question->count, NULL);
}

static int32_t ask_disconnect(struct ferry_client *client, const void *context)
{
    const struct question *question = context;
    return ferry_command_transport_disconnect(
        client, question->all ? -1 : (int64_t)question->transport, NULL);
}

/* KEY=VALUE; the word is cut at its sign. */
static bool read_parameter(char *word, struct ferry_transport_parameter *parameter)
{
    uint32_t number = 0;
    char *sign = strchr(word, '=');
    if (sign == NULL || sign == word) {
        return false;
    }
    *sign = '\0';
    *parameter =
        (struct ferry_transport_parameter){.key = word, .kind = FERRY_CBOR_TEXT, .text = sign + 1};
    bool yes = strcmp(sign + 1, "true") == 0;
    if (yes || strcmp(sign + 1, "false") == 0) {
        parameter->kind = FERRY_CBOR_BOOL;
        parameter->number = yes;
    } else if (cli_number(sign + 1, UINT32_MAX, &number) == FERRY_OK) {
        parameter->kind = FERRY_CBOR_UINT;
        parameter->number = number;
    }
    return true;
}

/* ID, then a number for the mode, then KEY=VALUE. */
static int read_words(struct cli *cli, int argc, char **argv, struct question *question)
{
    int at = optind;
    question->all = strcmp(argv[at], "all") == 0;
    if (!question->all && cli_number(argv[at], UINT32_MAX, &question->transport) != FERRY_OK) {
        return cli_usage(cli, "ID is a number: see `ferry transport list`");
    }
    if (++at < argc && strchr(argv[at], '=') == NULL) {
        if (cli_number(argv[at++], INT32_MAX, &question->mode) != FERRY_OK) {
            return cli_usage(cli, "MODE is a number: see `ferry transport modes`");
        }
        question->has_mode = true;
    }
    for (; at < argc; at++) {
        if (question->count == PARAMETERS_MAX ||
            !read_parameter(argv[at], &question->parameters[question->count++])) {
            return cli_usage(cli, "what a transport is told is KEY=VALUE");
        }
    }
    return CLI_OK;
}

/* least and most: words of the command line. */
static int run(struct cli *cli, int argc, char **argv, int least, int most, const struct ask *ask)
{
    struct question question = {0};
    int code = ask_words(cli, argc, argv, least, most);
    if (code == CLI_OK && least > 0) {
        code = read_words(cli, argc, argv, &question);
    }
    if (code == CLI_OK && question.all && ask->request != ask_disconnect) {
        return cli_usage(cli, "ID is a number: see `ferry transport list`");
    }
    return code == CLI_OK ? ask_device(cli, ask, &question) : code;
}

static int run_list(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "list the transports", .plain = ferry_command_transport_list, .print = print_list};
    return run(cli, argc, argv, 0, 0, &ask);
}

static int run_status(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {.what = "read the transports' state",
                                   .plain = ferry_command_transport_status,
                                   .print = print_status};
    return run(cli, argc, argv, 0, 0, &ask);
}

static int run_modes(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "list the modes", .request = ask_modes, .print = print_modes};
    return run(cli, argc, argv, 1, 1, &ask);
}

static int run_config(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "list the parameters", .request = ask_config, .print = print_config};
    return run(cli, argc, argv, 2, 2, &ask);
}

static int run_connect(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "connect the transport", .request = ask_connect, .done = "connected"};
    return run(cli, argc, argv, 1, PARAMETERS_MAX + 2, &ask);
}

static int run_disconnect(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "disconnect the transport", .request = ask_disconnect, .done = "disconnected"};
    return run(cli, argc, argv, 1, 1, &ask);
}

const struct cli_command cli_transport_commands[] = {
    {"transport list", "", "over what it can forward requests to another device (Zephyr)", "",
     run_list},
    {"transport status", "", "what of it is supported, and whether it forwards", "", run_status},
    {"transport modes", "ID", "the modes of a transport", "", run_modes},
    {"transport config", "ID MODE", "what a mode is to be told", "", run_config},
    {"transport connect", "ID [MODE] [KEY=VALUE ...]", "have it forward what comes on this wire",
     "", run_connect},
    {"transport disconnect", "ID|all", "have it answer itself again", "", run_disconnect},
    {0},
};
