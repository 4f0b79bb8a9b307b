/* SPDX-License-Identifier: Apache-2.0 */
/* ferry completion bash|zsh|fish: the shells' side; it asks `ferry complete WORDS` for what fits.
 */
#include "option_text.h"
#include "profile.h"

#include <glob.h>
#include <string.h>

static const struct {
    const char *shell;
    const char *script;
} scripts[] = {
    {"bash", "# ferry completion bash: source it, or put it into\n"
             "# ~/.local/share/bash-completion/completions/ferry\n"
             "_ferry() {\n"
             "    local IFS=$'\\n' words cword\n"
             "    _get_comp_words_by_ref -n : words cword 2>/dev/null ||\n"
             "        { words=(\"${COMP_WORDS[@]}\"); cword=$COMP_CWORD; }\n"
             "    COMPREPLY=($(ferry complete -- \"${words[@]:1:cword}\" 2>/dev/null))\n"
             "    declare -F __ltrim_colon_completions >/dev/null &&\n"
             "        __ltrim_colon_completions \"${words[cword]}\"\n"
             "}\n"
             "complete -o default -F _ferry ferry\n"},
    {"zsh", "#compdef ferry\n"
            "# ferry completion zsh: put it into a folder of $fpath as _ferry\n"
            "_ferry() {\n"
            "    local -a fitting\n"
            "    fitting=(\"${(@f)$(ferry complete -- \"${(@)words[2,CURRENT]}\" 2>/dev/null)}\")\n"
            "    if [[ -n $fitting ]]; then compadd -- $fitting; else _files; fi\n"
            "}\n"
            "if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _ferry \"$@\"\n"
            "else compdef _ferry ferry; fi\n"},
    {"fish", "# ferry completion fish: put it into ~/.config/fish/completions/ferry.fish\n"
             "complete -c ferry -a '(ferry complete -- (commandline -opc)[2..] "
             "(commandline -ct) 2>/dev/null)'\n"},
};

static int run_completion(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{0}};

    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    for (size_t i = 0; argc - optind == 1 && i < sizeof scripts / sizeof scripts[0]; i++) {
        if (strcmp(argv[optind], scripts[i].shell) == 0) {
            fputs(scripts[i].script, stdout);
            return CLI_OK;
        }
    }
    return cli_usage(cli, "completion is for bash, zsh or fish: name one of them");
}

/* ---- What fits
 * ------------------------------------------------------------------------------------ */

/* One word of the command line that is being typed. */
struct typed {
    int count;
    char **words; /* the last one is incomplete, perhaps empty */
    const char *last;
};

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void offer(const struct typed *typed, const char *text, size_t len)
{
    if (len >= strlen(typed->last) && begins(text, typed->last)) {
        printf("%.*s\n", (int)len, text);
    }
}

/* Whether the word is one of these options and takes a value. */
static bool takes_value(const char *options, const char *word)
{
    struct option_text option;

    while (option_text_next(&options, &option)) {
        const char *names = option.names;
        size_t len = option.names_len;
        const char *name;
        size_t name_len;
        while (option_text_name(&names, &len, &name, &name_len)) {
            if (strlen(word) == name_len && memcmp(word, name, name_len) == 0) {
                return option_text_has_value(&option);
            }
        }
    }
    return false;
}

static void offer_options(const struct typed *typed, const char *options)
{
    struct option_text option;

    while (option_text_next(&options, &option)) {
        const char *names = option.names;
        size_t len = option.names_len;
        const char *name;
        size_t name_len;
        while (option_text_name(&names, &len, &name, &name_len)) {
            offer(typed, name, name_len);
        }
    }
}

static void offer_ports(const struct typed *typed)
{
    static const char *const patterns[] = {"/dev/ttyACM*", "/dev/ttyUSB*", "/dev/serial/by-id/*"};
    static const char *const kinds[] = {
        "serial:", "raw:", "udp:", "dtls:", "tcp:", "unix:", "ble:"};
    glob_t found;

    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        if (glob(patterns[i], 0, NULL, &found) == 0) {
            for (size_t j = 0; j < found.gl_pathc; j++) {
                offer(typed, found.gl_pathv[j], strlen(found.gl_pathv[j]));
            }
            globfree(&found);
        }
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        offer(typed, kinds[i], strlen(kinds[i]));
    }
}

static void offer_profiles(const struct cli *cli, const struct typed *typed)
{
    const cJSON *one;
    int code;
    cJSON *list = profile_list(cli, &code);

    cJSON_ArrayForEach(one, list)
    {
        const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(one, "name"));
        offer(typed, name, strlen(name));
    }
    cJSON_Delete(list);
}

/* Whether the name of a command begins with these words, blanks between them; *next is the word
 * that follows them then, *len its length (0: the name has no more). */
static bool follows(const char *name, int count, char **words, const char **next, size_t *len)
{
    for (int i = 0; i < count; i++) {
        size_t word = strcspn(name, " ");
        if (word == 0 || strlen(words[i]) != word || memcmp(name, words[i], word) != 0) {
            return false;
        }
        name += word + (name[word] == ' ');
    }
    *next = name;
    *len = strcspn(name, " ");
    return true;
}

/* The next words of all commands that begin so; a word is offered once where they stand together.
 */
static void offer_commands(const struct typed *typed, int count, char **words)
{
    const struct cli_command *c = NULL;
    const char *before = "";
    size_t before_len = 0;

    while ((c = cli_next_command(c)) != NULL) {
        const char *next;
        size_t len;
        if (c->help[0] == '\0' || !follows(c->words, count, words, &next, &len) || len == 0) {
            continue;
        }
        if (len != before_len || memcmp(next, before, len) != 0) {
            offer(typed, next, len);
        }
        before = next;
        before_len = len;
    }
}

/* The command that these words name, or an alias of it. */
static const struct cli_command *named(int count, char **words)
{
    const struct cli_command *c = NULL;
    const char *next;
    size_t len;

    while ((c = cli_next_command(c)) != NULL) {
        if (follows(c->words, count, words, &next, &len) && len == 0) {
            return c;
        }
    }
    for (const struct cli_alias *a = cli_aliases; a->words != NULL; a++) {
        if (follows(a->words, count, words, &next, &len) && len == 0) {
            return cli_command_of(a->stands_for);
        }
    }
    return NULL;
}

/* Leave in words what is neither an option nor an option's value. Returns how many are left.
 * *option is the last word of all that is an option which waits for its value, or NULL. */
static int plain_words(const struct typed *typed, char **words, const char **option)
{
    const struct cli_command *command = NULL;
    int count = 0;

    *option = NULL;
    for (int i = 0; i + 1 < typed->count; i++) {
        const char *word = typed->words[i];
        if (*option != NULL) {
            *option = NULL;
        } else if (word[0] != '-') {
            words[count++] = typed->words[i];
            command = command != NULL ? command : named(count, words);
        } else if ((command != NULL && takes_value(command->options, word)) ||
                   takes_value(cli_global_options, word)) {
            *option = word;
        }
    }
    return count;
}

static bool is(const char *word, const char *name, const char *letter)
{
    return strcmp(word, name) == 0 || strcmp(word, letter) == 0;
}

#define WORDS_MAX 64

static void complete(const struct cli *cli, const struct typed *typed)
{
    char *words[WORDS_MAX];
    const char *option;
    const struct cli_command *command = NULL;
    int count = plain_words(typed, words, &option);

    for (int i = 1; i <= count; i++) {
        const struct cli_command *longer = named(i, words);
        command = longer != NULL ? longer : command;
    }
    if (option != NULL && is(option, "--device", "-d")) {
        offer_ports(typed);
    } else if (option != NULL && is(option, "--conn", "-c")) {
        offer_profiles(cli, typed);
    } else if (option == NULL && typed->last[0] == '-') {
        if (command != NULL) {
            offer_options(typed, command->options);
        }
        offer_options(typed, cli_global_options);
    } else if (option == NULL) {
        offer_commands(typed, count, words);
    }
}

/* Nothing that fits is no error: the shell offers files then. */
static int run_complete(struct cli *cli, int argc, char **argv)
{
    bool dashes = argc > 1 && strcmp(argv[1], "--") == 0;
    struct typed typed = {.count = argc - 1 - dashes, .words = argv + 1 + dashes};

    if (typed.count > 0 && typed.count <= WORDS_MAX) {
        typed.last = typed.words[typed.count - 1];
        complete(cli, &typed);
    }
    return CLI_OK;
}

const struct cli_command cli_completion_commands[] = {
    {"completion", "bash|zsh|fish", "what teaches a shell to complete ferry's words", "",
     run_completion},
    {"complete", "-- WORD ...", "", "", run_complete},
    {0},
};
