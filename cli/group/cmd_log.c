/* SPDX-License-Identifier: Apache-2.0 */
/* ferry log show, clear, list, module_list, level_list */
#include "ask.h"
#include "log_print.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- show ---------------------------------------------------------------------------------- */

/* What one answer held. */
struct page {
    size_t count;
    uint64_t highest; /* index; with count above 0 */
    uint64_t next_index;
};

static int read_page(struct session *session, const struct ferry_log_question *question,
                     struct log_print *print, struct page *page)
{
    struct ferry_client_answer answer;
    struct ferry_log_reader reader;
    struct ferry_log_entry entry;
    int code = session_wait(session, ferry_command_log_show(session->client, question, NULL),
                            "read the log", &answer);
    if (code != CLI_OK) {
        return code;
    }
    *page = (struct page){0};
    int rc = ferry_answer_log(answer.payload, &reader, &page->next_index);
    while (rc >= 0 && (rc = ferry_answer_next_entry(&reader, &entry)) == 1) {
        if (log_print_entry(print, &entry) != CLI_OK) {
            return ask_unreadable(session->cli, FERRY_E_TYPE);
        }
        page->highest =
            page->count == 0 || entry.index > page->highest ? entry.index : page->highest;
        page->count++;
    }
    return rc < 0 ? ask_unreadable(session->cli, rc) : CLI_OK;
}

/* Answer by answer until one is empty, or does not lead on. */
static int read_log(struct session *session, struct ferry_log_question *question,
                    struct log_print *print, uint64_t *next_index)
{
    struct page page = {0};
    int code;
    do {
        code = read_page(session, question, print, &page);
        *next_index = page.next_index;
        if (code != CLI_OK || page.count == 0 || question->ts < 0 ||
            page.highest < question->index || page.highest >= UINT32_MAX) {
            break;
        }
        question->index = (uint32_t)page.highest + 1;
    } while (true);
    return code;
}

static int show(struct session *session, struct ferry_log_question *question)
{
    cJSON *object = cJSON_CreateObject();
    struct log_print print = {.json = session->cli->json};
    uint64_t next_index = 0;

    print.logs = cJSON_AddArrayToObject(object, "logs");
    int code = read_log(session, question, &print, &next_index);
    if (code == CLI_OK && print.json) {
        ask_add_number(object, "next_index", next_index);
        cli_print_json(object);
        return CLI_OK;
    }
    if (code == CLI_OK && !print.any) {
        puts("(no log entries retrieved)");
    }
    cJSON_Delete(object);
    return code;
}

/* [NAME [INDEX|last [TS]]], as mcumgr has it. */
static int read_question(struct cli *cli, int argc, char **argv,
                         struct ferry_log_question *question)
{
    int code = ask_words(cli, argc, argv, 0, 3);
    if (code != CLI_OK) {
        return code;
    }
    char **words = argv + optind;
    int count = argc - optind;
    question->name = count > 0 && words[0][0] != '\0' ? words[0] : NULL;
    if (count == 2 && strcmp(words[1], "last") == 0) {
        question->ts = -1;
        return CLI_OK;
    }
    if (count > 1 && cli_number(words[1], UINT32_MAX, &question->index) != FERRY_OK) {
        return cli_usage(cli, "MIN-INDEX is a number, or last");
    }
    if (count > 2) {
        char *end;
        errno = 0;
        question->ts = strtoll(words[2], &end, 0);
        if (end == words[2] || *end != '\0' || errno != 0) {
            return cli_usage(cli, "MIN-TIMESTAMP is a number of microseconds");
        }
    }
    return CLI_OK;
}

static int run_show(struct cli *cli, int argc, char **argv)
{
    struct ferry_log_question question = {0};
    struct session session;
    int code = read_question(cli, argc, argv, &question);
    code = code == CLI_OK ? session_open(cli, &session) : code;
    if (code == CLI_OK) {
        code = show(&session, &question);
        session_close(&session);
    }
    return code;
}

/* ---- The rest ------------------------------------------------------------------------------- */

static int run_clear(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "clear the log", .named = ferry_command_log_clear, .done = "cleared"};
    int code = ask_words(cli, argc, argv, 0, 1);
    return code == CLI_OK ? ask_device(cli, &ask, optind < argc ? argv[optind] : NULL) : code;
}

static int print_list(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    return ask_print_texts(cli, payload, "log_list", "available logs");
}

static int run_list(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "list the logs", .plain = ferry_command_log_list, .print = print_list};
    int code = ask_words(cli, argc, argv, 0, 0);
    return code == CLI_OK ? ask_device(cli, &ask, NULL) : code;
}

/* context: the key of the map, and what is listed, in two texts. */
static int print_numbers(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    const char *const *texts = context;
    struct ferry_answer_element value;
    struct ferry_answer_items items;
    char name[FERRY_ANSWER_NAME_MAX];
    int rc = ferry_answer_map(payload, texts[0], &items);

    if (rc == FERRY_OK) {
        printf("available %s:\n", texts[1]);
    }
    while (rc >= 0 && (rc = ferry_answer_next_pair(&items, name, sizeof name, &value)) == 1) {
        cli_printable(name);
        printf("    %s (", name);
        ask_print_item(&value.item);
        puts(")");
    }
    return rc < 0 ? ask_unreadable(cli, rc) : CLI_OK;
}

static int run_modules(struct cli *cli, int argc, char **argv)
{
    static const char *const texts[] = {"module_map", "modules"};
    static const struct ask ask = {
        .what = "list the modules", .plain = ferry_command_log_modules, .print = print_numbers};
    int code = ask_words(cli, argc, argv, 0, 0);
    return code == CLI_OK ? ask_device(cli, &ask, texts) : code;
}

static int run_levels(struct cli *cli, int argc, char **argv)
{
    static const char *const texts[] = {"level_map", "levels"};
    static const struct ask ask = {
        .what = "list the levels", .plain = ferry_command_log_levels, .print = print_numbers};
    int code = ask_words(cli, argc, argv, 0, 0);
    return code == CLI_OK ? ask_device(cli, &ask, texts) : code;
}

const struct cli_command cli_log_commands[] = {
    {"log show", "[NAME [MIN-INDEX|last [MIN-TIMESTAMP]]]", "the entries of all logs, or of one",
     "", run_show},
    {"log clear", "[NAME]", "clear all logs, or one", "", run_clear},
    {"log list", "", "the names of the logs", "", run_list},
    {"log module_list", "", "the numbers of the modules that write logs", "", run_modules},
    {"log level_list", "", "the numbers of the levels", "", run_levels},
    {0},
};
