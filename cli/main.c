/* SPDX-License-Identifier: Apache-2.0 */
/* `ferry`: find the command, run it, exit with what is true. */
#include "cli.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is too long for its column has a line of its own. */
static void print_command(const struct cli_command *command, FILE *out)
{
    int width = fprintf(out, "  %s %s", command->words, command->arguments);
    fprintf(out, "%s%*s %s\n", width > 35 ? "\n" : "", width > 35 ? 35 : 35 - width, "",
            command->help);
}

static void print_commands(FILE *out)
{
    for (const struct cli_subject *subject = cli_subjects; subject->commands != NULL; subject++) {
        if (subject->title != NULL) {
            fprintf(out, "%s%s:\n", subject > cli_subjects ? "\n" : "", subject->title);
        }
        for (const struct cli_command *c = subject->commands; c->words != NULL; c++) {
            if (c->help[0] != '\0') {
                print_command(c, out);
            }
        }
    }
}

static void print_help(FILE *out)
{
    fputs("ferry: carry firmware to a device and land it safely (SMP, \"mcumgr\")\n\n"
          "usage: ferry [-d URI | -c PROFILE] [--json] [OPTIONS] COMMAND [ARGUMENTS]\n\n",
          out);
    print_commands(out);
    fprintf(out,
            "\n%s\n"
            "  A URI is serial:/dev/ttyACM0?baud=115200 or a bare path; raw:/dev/ttyACM0 without\n"
            "  framing; udp:HOST[:1337], udp:[IPV6][:1337], dtls: likewise; tcp:HOST:PORT or\n"
            "  unix:PATH for a serial line behind a socket; ble:NAME or ble:ADDRESS;\n"
            "  default: the environment's FERRY_DEVICE\n\n"
            "exit codes: 0 done, 1 file or machine, 2 usage, 3 cannot open, 4 no answer,\n"
            "            5 device refused, 6 image does not verify or fit, 7 reverted,\n"
            "            8 some of many devices failed\n",
            cli_global_options);
}

/* Whether the arguments begin with the command's words; *used is how many they are. */
static bool words_match(const char *words, int argc, char **argv, int *used)
{
    int n = 0;
    while (*words != '\0') {
        size_t len = strcspn(words, " ");
        if (n >= argc || strlen(argv[n]) != len || memcmp(argv[n], words, len) != 0) {
            return false;
        }
        words += len + (words[len] == ' ');
        n++;
    }
    *used = n;
    return true;
}

/* The longest name, of a command or an alias, that the arguments begin with; NULL without one.
 * *used is how many words it has. */
static const char *find_name(int argc, char **argv, int *used)
{
    const char *best = NULL;
    int n;
    *used = 0;
    const struct cli_command *c = NULL;
    while ((c = cli_next_command(c)) != NULL) {
        if (words_match(c->words, argc, argv, &n) && n > *used) {
            best = c->words;
            *used = n;
        }
    }
    for (const struct cli_alias *a = cli_aliases; a->words != NULL; a++) {
        if (words_match(a->words, argc, argv, &n) && n > *used) {
            best = a->words;
            *used = n;
        }
    }
    return best;
}

/* Fill command and called. Returns how many words the name has, or 0 for an unknown one. */
static int find_command(struct cli *cli, int argc, char **argv)
{
    int used;
    const char *words = find_name(argc, argv, &used);
    cli->called = words;
    for (const struct cli_alias *a = cli_aliases; a->words != NULL; a++) {
        words = a->words == words ? a->stands_for : words;
    }
    cli->command = words != NULL ? cli_command_of(words) : NULL;
    return cli->command != NULL ? used : 0;
}

/* The commands that begin with a word and have more: `ferry fs`. Returns how many there are. */
static int print_group(const char *word, FILE *out)
{
    const struct cli_command *c = NULL;
    size_t len = strlen(word);
    int count = 0;

    while ((c = cli_next_command(c)) != NULL) {
        if (strncmp(c->words, word, len) == 0 && c->words[len] == ' ' && c->help[0] != '\0') {
            print_command(c, out);
            count++;
        }
    }
    return count;
}

static bool asks_for_help(int argc, char **argv)
{
    return argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

static int unknown_command(const struct cli *cli, int argc, char **argv)
{
    if (asks_for_help(argc, argv) && print_group(argv[0], stdout) > 0) {
        return cli_finish(cli, CLI_OK);
    }
    if (argc == 1 && print_group(argv[0], stderr) > 0) {
        return cli_fail(cli, CLI_USAGE, "give one of these", "%s is the beginning of a command",
                        argv[0]);
    }
    return cli_fail(cli, CLI_USAGE, "run `ferry --help` for the list", "unknown command '%s%s%s'",
                    argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
}

/* Whoever closed a standard stream gets an error when it is used; without this the next file opened
 * would take its place, and text would be written into that. */
static void keep_streams(void)
{
    static const int against[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int fd = 0; fd < 3; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", against[fd]) != fd) {
            exit(CLI_FAILED);
        }
    }
}

/* OpenSSL without its tables of old names and of error texts, which nothing here looks into and
 * which take as long to fill as an image takes to hash. (Old PEM files name their cipher by such a
 * name: see key_read.c.) Nor does it clean up at the end, where the process takes all with it; keys
 * are wiped when they are freed. */
static void start_crypto(void)
{
    (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ADD_ALL_CIPHERS |
                                  OPENSSL_INIT_NO_ADD_ALL_DIGESTS |
                                  OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS | OPENSSL_INIT_NO_ATEXIT,
                              NULL);
}

/* Options are wrong by CLI_USAGE; of one that names a profile the file may be. */
static int wrong_options(const struct cli *cli, int code)
{
    return code == CLI_USAGE && cli->profile_code != CLI_OK ? cli->profile_code : code;
}

int main(int argc, char **argv)
{
    static const struct option help[] = {{"version", no_argument, NULL, 1}, {0}};
    struct cli cli = {.device = getenv("FERRY_DEVICE")};

    keep_streams();
    start_crypto();
    if (cli.device != NULL && cli.device[0] == '\0') {
        cli.device = NULL;
    }

    int option;
    while ((option = cli_getopt(&cli, argc, argv, "+", help)) != -1) {
        if (option == 'h') {
            print_help(stdout);
            return cli_finish(&cli, CLI_OK);
        }
        if (option == 1) {
            cli_print_version();
            return cli_finish(&cli, CLI_OK);
        }
        return wrong_options(&cli, CLI_USAGE);
    }
    argc -= optind;
    argv += optind;
    if (argc == 0 && cli.json) {
        return cli_fail(&cli, CLI_USAGE, "see `ferry --help`", "which command?");
    }
    if (argc == 0) {
        print_help(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[0], "help") == 0) {
        print_help(stdout);
        return cli_finish(&cli, CLI_OK);
    }
    int used = find_command(&cli, argc, argv);
    if (used == 0) {
        return unknown_command(&cli, argc, argv);
    }
    int code = cli.command->run(&cli, argc - used + 1, argv + used - 1);
    return cli_finish(&cli, wrong_options(&cli, code));
}
