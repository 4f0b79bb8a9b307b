/* SPDX-License-Identifier: Apache-2.0 */
/* ferry image corelist, coredownload, coreerase: Mynewt's; other servers mostly refuse them. */
#include "ferry/commands_mynewt.h"
#include "ask.h"

#include <stdlib.h>
#include <string.h>

/* ---- corelist, coreerase ------------------------------------------------------------------- */

static int tell_core(const struct cli *cli, bool present)
{
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddBoolToObject(object, "core", present);
        cli_print_json(object);
    } else {
        puts(present ? "Corefile present" : "No corefiles");
    }
    return CLI_OK;
}

/* "There is none" comes as an error. */
static int list_cores(struct session *session)
{
    struct ferry_client_answer answer = {0};
    int error = session_ask(session, ferry_command_core_list(session->client, NULL), &answer);
    bool none =
        error == FERRY_E_REFUSED && !answer.status.grouped && answer.status.rc == FERRY_RC_NO_ENTRY;
    if (error == FERRY_OK || none) {
        return tell_core(session->cli, !none);
    }
    return error == FERRY_E_IO ? session_gone(session, "look for a core file")
                               : session_fail(session, "look for a core file", &answer);
}

static int run_list(struct cli *cli, int argc, char **argv)
{
    struct session session;
    int code = ask_words(cli, argc, argv, 0, 0);
    code = code == CLI_OK ? session_open(cli, &session) : code;
    if (code == CLI_OK) {
        code = list_cores(&session);
        session_close(&session);
    }
    return code;
}

static int run_erase(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "erase the core file", .plain = ferry_command_core_erase, .done = "erased"};
    int code = ask_words(cli, argc, argv, 0, 0);
    return code == CLI_OK ? ask_device(cli, &ask, NULL) : code;
}

/* ---- coredownload ---------------------------------------------------------------------------- */

struct download {
    const char *path;
    uint32_t offset; /* the first byte wanted */
    uint32_t most;   /* bytes wanted; 0: all */
    struct cli_buffer data;
};

/* Add the bytes of a piece. Returns false without memory or above the largest file. */
static bool add_piece(struct download *download, struct ferry_bytes piece)
{
    if (piece.len > CLI_FILE_MAX - download->data.len) {
        return false;
    }
    uint8_t *larger = realloc(download->data.data, download->data.len + piece.len);
    if (larger == NULL) {
        return false;
    }
    memcpy(larger + download->data.len, piece.data, piece.len);
    download->data.data = larger;
    download->data.len += piece.len;
    return true;
}

/* Ask for one piece. *end: there is no more. */
static int load_piece(struct session *session, struct download *download, bool *end)
{
    struct ferry_client_answer answer;
    struct ferry_core_piece piece;
    uint32_t off = download->offset + (uint32_t)download->data.len;
    int code = session_wait(session, ferry_command_core_load(session->client, off, NULL),
                            "read the core file", &answer);
    if (code != CLI_OK) {
        return code;
    }
    int error = ferry_answer_core(answer.payload, &piece);
    if (error != FERRY_OK || piece.off != off) {
        return ask_unreadable(session->cli, error != FERRY_OK ? error : FERRY_E_RANGE);
    }
    size_t wanted = download->most > 0 ? download->most - download->data.len : piece.data.len;
    piece.data.len = piece.data.len < wanted ? piece.data.len : wanted;
    *end = piece.data.len == 0 || (piece.has_len && off + piece.data.len >= piece.len) ||
           (download->most > 0 && piece.data.len == wanted);
    if (piece.data.len > 0 && !add_piece(download, piece.data)) {
        return cli_fail(session->cli, CLI_FAILED, "give --bytes", "the core file is too large");
    }
    return CLI_OK;
}

static int load(struct session *session, struct download *download)
{
    bool end = false;
    int code = CLI_OK;
    while (code == CLI_OK && !end) {
        code = load_piece(session, download, &end);
    }
    return code == CLI_OK ? cli_write_file(session->cli, download->path, download->data.data,
                                           download->data.len, 0666)
                          : code;
}

static int tell_download(const struct cli *cli, const struct download *download)
{
    FILE *text = cli_text(cli, download->path);
    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "file", download->path);
        ask_add_number(object, "len", download->data.len);
        cli_print_json_to(text, object);
    } else {
        fprintf(text, "%s: %zu bytes\n", download->path, download->data.len);
    }
    return CLI_OK;
}

static int run_download(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {
        {"offset", required_argument, NULL, 'o'}, {"bytes", required_argument, NULL, 'n'}, {0}};
    struct download download = {0};
    struct session session;
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "n:", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        if (cli_number(optarg, CLI_FILE_MAX, option == 'n' ? &download.most : &download.offset) !=
            FERRY_OK) {
            return cli_usage(cli, "--offset and --bytes take numbers up to 64 MiB");
        }
    }
    if (argc - optind != 1) {
        return cli_usage(cli, "coredownload needs one FILE");
    }
    download.path = argv[optind];
    cli->piped = cli_is_stream(download.path);
    int code = session_open(cli, &session);
    if (code == CLI_OK) {
        code = load(&session, &download);
        session_close(&session);
    }
    code = code == CLI_OK ? tell_download(cli, &download) : code;
    cli_buffer_free(&download.data);
    return code;
}

const struct cli_command cli_core_commands[] = {
    {"image corelist", "", "whether the device kept the core file of a crash (Mynewt)", "",
     run_list},
    {"image coredownload", "FILE", "fetch it",
     "      --offset N       from this byte on\n"
     "  -n, --bytes N        so many bytes at most\n",
     run_download},
    {"image coreerase", "", "erase it", "", run_erase},
    {0},
};
