/* SPDX-License-Identifier: Apache-2.0 */
/* ferry man: the manual pages, made from the same table as the help. */
#include "option_text.h"

#include "cli/cli.h"

#include <errno.h>
#include <string.h>

#define PAGE_NAME_MAX 64

/* ---- roff
 * ----------------------------------------------------------------------------------------- */

/* A letter of running text. */
static void put_letter(FILE *out, char c, bool line_begins)
{
    if (c == '\\') {
        fputs("\\e", out);
    } else if (c == '-') {
        fputs("\\-", out);
    } else if (line_begins && (c == '.' || c == '\'')) {
        fprintf(out, "\\&%c", c);
    } else {
        fputc(c, out);
    }
}

/* Text whose lines flow: breaks and indentation become blanks. Ends the line. */
static void put_flow(FILE *out, const char *text, size_t len)
{
    bool blank = false; /* is due before the next letter */
    bool begins = true;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == ' ' || text[i] == '\n') {
            blank = !begins;
            continue;
        }
        if (blank) {
            fputc(' ', out);
        }
        put_letter(out, text[i], begins);
        begins = false;
        blank = false;
    }
    fputc('\n', out);
}

static void put_text(FILE *out, const char *text)
{
    put_flow(out, text, strlen(text));
}

static void put_options(FILE *out, const char *options)
{
    struct option_text option;

    while (option_text_next(&options, &option)) {
        fputs(".TP\n.B ", out);
        put_flow(out, option.names, option.names_len);
        put_flow(out, option.help, option.help_len);
    }
}

static void put_begin(FILE *out, const char *name, const char *help)
{
    fprintf(out, ".TH %s 1 \"\" \"ferry " CLI_VERSION "\"\n.SH NAME\n", name);
    fprintf(out, "%s \\- ", name);
    put_text(out, help);
    fputs(".SH SYNOPSIS\n", out);
}

/* ---- Pages
 * ---------------------------------------------------------------------------------------- */

/* "ferry-image-upload" */
static void page_name(const struct cli_command *command, char *out, size_t cap)
{
    snprintf(out, cap, "ferry-%s", command->words);
    for (; *out != '\0'; out++) {
        *out = *out == ' ' ? '-' : *out;
    }
}

static void put_command(FILE *out, const struct cli_command *command)
{
    char name[PAGE_NAME_MAX];

    page_name(command, name, sizeof name);
    put_begin(out, name, command->help);
    fprintf(out, ".B ferry %s\n", command->words);
    put_text(out, command->arguments);
    fputs(".SH DESCRIPTION\n", out);
    put_text(out, command->help);
    for (const struct cli_alias *a = cli_aliases; a->words != NULL; a++) {
        if (strcmp(a->stands_for, command->words) == 0) {
            fprintf(out, ".PP\nAlso called\n.BR \"ferry %s\" .\n", a->words);
        }
    }
    if (command->options[0] != '\0') {
        fputs(".SH OPTIONS\n", out);
        put_options(out, command->options);
    }
    fputs(".SH SEE ALSO\n.BR ferry (1),\nwhich has the options and exit codes of all commands, and "
          "docs/CLI.md.\n",
          out);
}

static const struct {
    const char *word;
    const char *means;
} uris[] =
    {
        {"serial:/dev/ttyACM0?baud=115200",
         "a serial console, SMP framed between log text; or a bare path"},
        {"raw:/dev/ttyACM0?baud=115200", "a serial line of bare packets"},
        {"udp:HOST[:PORT]", "UDP, port 1337 unless told; IPv6 in brackets"},
        {"dtls:HOST[:PORT]",
         "the same in DTLS 1.2, with the keys of the profile or the environment"},
        {"ble:NAME, ble:AA:BB:CC:DD:EE:FF", "Bluetooth LE; ?adapter=hci1"},
        {"tcp:HOST:PORT, unix:PATH",
         "a stream behind which a serial line stands; ?framing=raw, ?baud=N"},
},
  exits[] =
      {
          {"0", "done; where a device was asked, the device said so"},
          {"1", "a file could not be read or written, or the machine failed"},
          {"2", "the command line is wrong, or names something that is not there"},
          {"3", "the port or socket cannot be opened"},
          {"4", "the device does not answer, or the connection broke"},
          {"5", "the device refused"},
          {"6", "an image does not verify, does not fit, or is a downgrade"},
          {"7", "the device went back to the old image"},
          {"8", "some of many devices failed"},
},
  variables[] =
      {
          {"FERRY_DEVICE", "the device, where neither -d nor -c names one"},
          {"FERRY_KEY_PASSWORD", "the password of an encrypted key"},
          {"FERRY_BLE_PASSKEY", "what a Bluetooth device shows when it is paired, six digits"},
          {"FERRY_DTLS_PSK_IDENTITY, FERRY_DTLS_PSK_FILE",
           "of dtls: devices: who we are, and the file of that key in hexadecimal digits; or "
           "FERRY_DTLS_PSK, the digits"},
          {"FERRY_DTLS_CA, FERRY_DTLS_CERT, FERRY_DTLS_KEY",
           "files of certificates in PEM: who signed the device's; our own, and its key"},
          {"FERRY_DTLS_NAME", "the name in the device's certificate, where it is not the URI's"},
          {"XDG_CONFIG_HOME", "ferry/profiles.json in it has the profiles; else ~/.config"},
},
  files[] = {
      {"~/.config/ferry/profiles.json", "profiles of `ferry profile`"},
      {"~/.mcumgr.cp.json", "profiles of mcumgr, read too"},
};

#define PUT_TABLE(out, title, table)                                                               \
    do {                                                                                           \
        fputs(".SH " title "\n", out);                                                             \
        for (size_t i = 0; i < sizeof(table) / sizeof((table)[0]); i++) {                          \
            fputs(".TP\n.B ", out);                                                                \
            put_text(out, (table)[i].word);                                                        \
            put_text(out, (table)[i].means);                                                       \
        }                                                                                          \
    } while (0)

static void put_commands(FILE *out)
{
    fputs(".SH COMMANDS\n", out);
    for (const struct cli_subject *subject = cli_subjects; subject->commands != NULL; subject++) {
        if (subject->title != NULL) {
            fputs(".SS ", out);
            put_text(out, subject->title);
        }
        for (const struct cli_command *c = subject->commands; c->words != NULL; c++) {
            if (c->help[0] != '\0') {
                fprintf(out, ".TP\n.B %s\n", c->words);
                put_text(out, c->help);
            }
        }
    }
}

static void put_main(FILE *out)
{
    put_begin(out, "ferry", "carry firmware to a device and land it safely");
    fputs(".B ferry\n[\\-d URI | \\-c PROFILE] [OPTIONS] COMMAND [ARGUMENTS]\n.SH DESCRIPTION\n",
          out);
    put_text(out,
             "A client of SMP (the Simple Management Protocol, \"mcumgr\") and a tool for MCUboot "
             "images. Each command has a page of its own: ferry-image-upload(1), say.");
    put_commands(out);
    fputs(".SH OPTIONS\nThey stand before or after the command.\n", out);
    put_options(out, cli_global_options);
    PUT_TABLE(out, "DEVICES", uris);
    PUT_TABLE(out, "EXIT STATUS", exits);
    PUT_TABLE(out, "ENVIRONMENT", variables);
    PUT_TABLE(out, "FILES", files);
}

/* ---- Command line
 * ------------------------------------------------------------------------------------ */

static int write_page(const struct cli *cli, const char *folder, const char *name,
                      const struct cli_command *command)
{
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/%s.1", folder, name);
    FILE *out = len > 0 && (size_t)len < sizeof path ? fopen(path, "w") : NULL;

    if (out == NULL) {
        return cli_fail_why(cli, CLI_FAILED, strerror(errno), "make the folder first",
                            "cannot write %s", path);
    }
    if (command != NULL) {
        put_command(out, command);
    } else {
        put_main(out);
    }
    bool written = !ferror(out);
    if (fclose(out) != 0 || !written) {
        return cli_fail_why(cli, CLI_FAILED, strerror(errno), "make room", "cannot write %s", path);
    }
    return CLI_OK;
}

static int write_all(const struct cli *cli, const char *folder)
{
    const struct cli_command *c = NULL;
    int code = write_page(cli, folder, "ferry", NULL);

    while (code == CLI_OK && (c = cli_next_command(c)) != NULL) {
        char name[PAGE_NAME_MAX];
        page_name(c, name, sizeof name);
        code = c->help[0] != '\0' ? write_page(cli, folder, name, c) : CLI_OK;
    }
    return code;
}

/* The command that the words name, or NULL. */
static const struct cli_command *command_named(int count, char **words)
{
    char name[256] = "";

    for (int i = 0; i < count; i++) {
        size_t len = strlen(name);
        snprintf(name + len, sizeof name - len, "%s%s", i > 0 ? " " : "", words[i]);
    }
    return cli_command_of(name);
}

static int run_man(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"all", required_argument, NULL, 'a'}, {0}};
    const char *folder = NULL;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        folder = optarg;
    }
    if (folder != NULL) {
        return optind == argc ? write_all(cli, folder)
                              : cli_usage(cli, "--all takes a folder only");
    }
    if (optind == argc) {
        put_main(stdout);
        return CLI_OK;
    }
    const struct cli_command *command = command_named(argc - optind, argv + optind);
    if (command == NULL) {
        return cli_usage(cli, "there is no such command");
    }
    put_command(stdout, command);
    return CLI_OK;
}

const struct cli_command cli_man_commands[] = {
    {"man", "[COMMAND]", "a manual page: ferry man image upload | man -l -",
     "      --all DIR        write all pages into a folder: ferry.1, ferry-update.1, …\n", run_man},
    {0},
};
