/* SPDX-License-Identifier: Apache-2.0 */
/* ferry decode: what packets are in a capture, and what is wrong with those that are none. */
#include "cbor_json.h"
#include "cli/cli.h"
#include "plain.h"
#include "scan.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of a byte string that are shown for people, unless all are wanted. */
#define SHOWN 24

struct decode {
    const struct cli *cli;
    enum scan_form form;
    bool whole;
    size_t packets;
    size_t damaged;
    size_t text_bytes;
};

/* ---- For people ------------------------------------------------------------------------------ */

static void print_place(const struct scan_found *found)
{
    const char *arrow = found->way[0] == 't' ? "-> " : found->way[0] == 'r' ? "<- " : "";

    printf("%s %-6zu ", found->place, found->at);
    if (found->from[0] != '\0') {
        printf("%s > %s ", found->from, found->to);
    } else {
        fputs(arrow, stdout);
    }
}

static void print_line(const struct decode *decode, const struct scan_found *found)
{
    char *line = packet_line(found->view, decode->whole ? 0 : SHOWN);

    print_place(found);
    puts(line != NULL ? line : "");
    cJSON_free(line);
}

/* Text that goes on in the next find ends with no line feed. */
static void print_text(const struct scan_found *found)
{
    char *text = plain_text(found->bytes);

    if (text != NULL) {
        text[strcspn(text, "\n")] = '\0';
        print_place(found);
        printf("| %s\n", text);
    }
    free(text);
}

static void print_damage(const struct decode *decode, const struct scan_found *found)
{
    size_t len = decode->whole || found->bytes.len < SHOWN ? found->bytes.len : SHOWN;
    char *hex = malloc(2 * len + 1);

    print_place(found);
    printf("DAMAGED: %s", found->why);
    if (hex != NULL && len > 0) {
        cli_hex(found->bytes.data, len, hex);
        printf(": %s%s", hex, len < found->bytes.len ? "\xe2\x80\xa6" : "");
    }
    putchar('\n');
    free(hex);
}

/* ---- For machines ---------------------------------------------------------------------------- */

static void add_hex(cJSON *object, struct ferry_bytes bytes)
{
    char *hex = malloc(2 * bytes.len + 1);

    if (hex != NULL) {
        cli_hex(bytes.data, bytes.len, hex);
        cJSON_AddStringToObject(object, "hex", hex);
    }
    free(hex);
}

static void add_place(cJSON *object, const struct scan_found *found)
{
    cJSON_AddNumberToObject(object, found->place, (double)found->at);
    if (found->time >= 0) {
        cJSON_AddNumberToObject(object, strcmp(found->place, "line") == 0 ? "t" : "time",
                                found->time);
    }
    if (found->way[0] != '\0') {
        cJSON_AddStringToObject(object, "dir", found->way);
    }
    if (found->from[0] != '\0') {
        cJSON_AddStringToObject(object, "from", found->from);
        cJSON_AddStringToObject(object, "to", found->to);
    }
}

static void print_object(const struct scan_found *found)
{
    cJSON *object = cJSON_CreateObject();
    char *text;

    add_place(object, found);
    switch (found->kind) {
    case SCAN_PACKET:
        packet_add_json(object, found->view);
        break;
    case SCAN_TEXT:
        text = cbor_json_utf8(found->bytes);
        cJSON_AddStringToObject(object, "text", text != NULL ? text : "");
        free(text);
        break;
    case SCAN_DAMAGE:
        cJSON_AddStringToObject(object, "problem", found->why);
        add_hex(object, found->bytes);
        break;
    }
    cli_print_json_line(object);
}

/* ---- Both ------------------------------------------------------------------------------------ */

static void count(struct decode *decode, const struct scan_found *found)
{
    bool bad = found->kind == SCAN_DAMAGE ||
               (found->kind == SCAN_PACKET && found->view->problem[0] != '\0');

    decode->damaged += bad;
    decode->packets += found->kind == SCAN_PACKET && !bad;
    decode->text_bytes += found->kind == SCAN_TEXT ? found->bytes.len : 0;
}

static void take(void *context, const struct scan_found *found)
{
    struct decode *decode = context;

    count(decode, found);
    if (decode->cli->json) {
        print_object(found);
    } else if (found->kind == SCAN_PACKET) {
        print_line(decode, found);
    } else if (found->kind == SCAN_TEXT) {
        print_text(found);
    } else {
        print_damage(decode, found);
    }
}

static int finish(const struct decode *decode, const char *path)
{
    const char *name = scan_form_name(decode->form);

    if (decode->cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON *summary = cJSON_AddObjectToObject(object, "summary");

        cJSON_AddStringToObject(summary, "form", name);
        cJSON_AddNumberToObject(summary, "packets", (double)decode->packets);
        cJSON_AddNumberToObject(summary, "damaged", (double)decode->damaged);
        cJSON_AddNumberToObject(summary, "text_bytes", (double)decode->text_bytes);
        cli_print_json_line(object);
    } else {
        printf("%s: %zu packet%s, %zu damaged, %zu bytes of text\n", name, decode->packets,
               decode->packets == 1 ? "" : "s", decode->damaged, decode->text_bytes);
    }
    if (decode->damaged > 0) {
        return cli_fail(decode->cli, CLI_VERIFY,
                        "check the line, or how the capture was made, at the places named above",
                        "%zu of %zu packets in %s are damaged", decode->damaged,
                        decode->packets + decode->damaged,
                        cli_is_stream(path) ? "standard input" : path);
    }
    return CLI_OK;
}

static int nothing_found(const struct cli *cli, const char *path)
{
    return cli_fail(cli, CLI_VERIFY,
                    "give a console's bytes, packets, hex, a pcap file or a trace; or say which it "
                    "is, by --console, --bare, --hex",
                    "no SMP packet in %s", cli_is_stream(path) ? "standard input" : path);
}

static int decode_file(struct cli *cli, struct decode *decode, struct scan *scan, const char *path)
{
    struct cli_buffer buffer = {NULL, 0};
    int code = cli_read_file(cli, path, &buffer);
    struct ferry_bytes bytes = {buffer.data, buffer.len};

    if (code != CLI_OK) {
        return code;
    }
    cli->lines = true;
    if (decode->form == SCAN_NOTHING) {
        decode->form = scan_guess(bytes);
    }
    if (decode->form == SCAN_NOTHING) {
        code = nothing_found(cli, path);
    } else {
        scan_run(scan, decode->form, bytes);
        code = finish(decode, path);
    }
    cli_buffer_free(&buffer);
    return code;
}

enum { OPTION_PORT = 1, OPTION_WHOLE, OPTION_FORM };

static int run_decode(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"console", no_argument, NULL, OPTION_FORM + SCAN_CONSOLE},
                                        {"bare", no_argument, NULL, OPTION_FORM + SCAN_BARE},
                                        {"raw", no_argument, NULL, OPTION_FORM + SCAN_BARE},
                                        {"hex", no_argument, NULL, OPTION_FORM + SCAN_HEX},
                                        {"pcap", no_argument, NULL, OPTION_FORM + SCAN_PCAP},
                                        {"port", required_argument, NULL, OPTION_PORT},
                                        {"whole", no_argument, NULL, OPTION_WHOLE},
                                        {0}};
    struct decode decode = {.cli = cli, .form = SCAN_NOTHING};
    struct scan scan;
    uint32_t port = FERRY_SMP_UDP_PORT;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        if (option == OPTION_PORT && (cli_number(optarg, UINT16_MAX, &port) != 0 || port == 0)) {
            return cli_usage(cli, "--port takes a number from 1 to 65535");
        }
        if (option == OPTION_WHOLE) {
            decode.whole = true;
        } else if (option >= OPTION_FORM) {
            decode.form = (enum scan_form)(option - OPTION_FORM);
        }
    }
    if (argc - optind > 1) {
        return cli_usage(cli, "decode takes at most one FILE; without one, standard input");
    }
    scan_init(&scan, take, &decode);
    scan.port = (uint16_t)port;
    return decode_file(cli, &decode, &scan, argv[optind] != NULL ? argv[optind] : "-");
}

const struct cli_command cli_decode_commands[] = {
    {"decode", "[FILE|-]", "the packets in a capture, a trace or hex digits",
     "      --console        the bytes of a serial console (what it is, is guessed otherwise)\n"
     "      --bare           packets back to back, without framing; --raw is the same\n"
     "      --hex            hexadecimal digits of either\n"
     "      --pcap           a capture of the network\n"
     "      --port N         the UDP port of SMP in it (1337)\n"
     "      --whole          do not shorten byte strings and texts\n",
     run_decode},
    {0},
};
