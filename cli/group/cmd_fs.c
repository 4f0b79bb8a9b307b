/* SPDX-License-Identifier: Apache-2.0 */
/* ferry fs stat, hash, types, close; the transfers are in fs_transfer.c. */
#include "cli/device/file_proof.h"
#include "fs_transfer.h"

#include <string.h>

#define TYPES_MAX 32

/* What runs once the device is open. */
typedef int (*asker)(struct session *session, const struct ferry_file_hash_request *request);

static int in_session(struct cli *cli, asker ask, const struct ferry_file_hash_request *request)
{
    struct session session;
    int code = session_open(cli, &session);

    if (code == CLI_OK) {
        code = ask(&session, request);
        session_close(&session);
    }
    return code;
}

/* A command without options and with so many arguments. */
static int run_simple(struct cli *cli, int argc, char **argv, int count, asker ask)
{
    static const struct option own[] = {{0}};
    struct ferry_file_hash_request request = {0};

    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    if (argc - optind != count || (count > 0 && argv[optind][0] == '\0')) {
        return cli_usage(cli, "wrong number of arguments");
    }
    request.name = count > 0 ? argv[optind] : "";
    return in_session(cli, ask, &request);
}

static int unreadable(const struct session *session, const char *what, int error)
{
    return cli_fail_error(session->cli, CLI_NO_ANSWER, error,
                          "cannot %s: the answer cannot be read", what);
}

/* ---- stat ----------------------------------------------------------------------------------- */

static int ask_stat(struct session *session, const struct ferry_file_hash_request *request)
{
    struct ferry_client_answer answer;
    uint32_t size = 0;
    char what[160];

    snprintf(what, sizeof what, "read the size of %s", request->name);
    int code = session_wait(
        session, ferry_command_file_status(session->client, request->name, NULL), what, &answer);
    if (code != CLI_OK) {
        return code;
    }
    int error = ferry_answer_file_status(answer.payload, &size);
    if (error != FERRY_OK) {
        return unreadable(session, what, error);
    }
    if (session->cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "name", request->name);
        cJSON_AddNumberToObject(object, "len", size);
        cli_print_json(object);
    } else {
        printf("%s: %u bytes\n", request->name, (unsigned)size);
    }
    return CLI_OK;
}

static int run_stat(struct cli *cli, int argc, char **argv)
{
    return run_simple(cli, argc, argv, 1, ask_stat);
}

/* ---- hash ----------------------------------------------------------------------------------- */

static void print_hash(const struct cli *cli, const char *name, struct ferry_file_hash *hash)
{
    char text[2 * FERRY_FILE_HASH_MAX + 1];

    if (cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddStringToObject(object, "name", name);
        file_hash_json(object, hash);
        cli_print_json(object);
        return;
    }
    cli_printable(hash->type);
    file_hash_text(hash, text);
    printf("%s: %s\n", hash->type[0] != '\0' ? hash->type : "hash", text);
    if (hash->offset != 0) {
        printf("of %u bytes from %u on\n", (unsigned)hash->len, (unsigned)hash->offset);
    } else {
        printf("of %u bytes\n", (unsigned)hash->len);
    }
}

static int ask_hash(struct session *session, const struct ferry_file_hash_request *asked)
{
    struct ferry_file_hash_request request = *asked;
    struct ferry_client_answer answer;
    struct ferry_file_hash hash;
    char what[160];

    snprintf(what, sizeof what, "hash %s", request.name);
    /* How long it may take is known from the size; a device that does not tell is given less. */
    int error = file_size(session, request.name, &request.expected, &answer);
    if (error == FERRY_E_IO) {
        return session_gone(session, what);
    }
    int code = session_wait(session, ferry_command_file_hash(session->client, &request, NULL), what,
                            &answer);
    if (code != CLI_OK) {
        return code;
    }
    error = ferry_answer_file_hash(answer.payload, &hash);
    if (error != FERRY_OK) {
        return unreadable(session, what, error);
    }
    print_hash(session->cli, request.name, &hash);
    return CLI_OK;
}

static int run_hash(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"type", required_argument, NULL, 't'},
                                        {"offset", required_argument, NULL, 'o'},
                                        {"length", required_argument, NULL, 'l'},
                                        {0}};
    struct ferry_file_hash_request request = {0};
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "t:", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        if (option == 't') {
            request.type = optarg;
        } else if (cli_number(optarg, UINT32_MAX, option == 'o' ? &request.offset : &request.len) !=
                       FERRY_OK ||
                   (option == 'l' && request.len == 0)) {
            return cli_usage(cli, option == 'o' ? "--offset takes a number of bytes"
                                                : "--length takes a number of bytes above 0");
        }
    }
    if (argc - optind < 1 || argc - optind > 2 || argv[optind][0] == '\0') {
        return cli_usage(cli, "hash needs the name of a file on the device");
    }
    request.name = argv[optind];
    request.type = argc - optind == 2 ? argv[optind + 1] : request.type;
    return in_session(cli, ask_hash, &request);
}

/* ---- types ---------------------------------------------------------------------------------- */

static void print_types(const struct cli *cli, struct ferry_file_type *types, int count)
{
    cJSON *object = cli->json ? cJSON_CreateObject() : NULL;
    cJSON *map = object != NULL ? cJSON_AddObjectToObject(object, "types") : NULL;

    for (int i = 0; i < count; i++) {
        cli_printable(types[i].name);
        if (map != NULL) {
            cJSON *type = cJSON_AddObjectToObject(map, types[i].name);
            cJSON_AddNumberToObject(type, "format", types[i].format);
            cJSON_AddNumberToObject(type, "size", types[i].size);
        } else {
            printf("%s: %u bytes%s\n", types[i].name, (unsigned)types[i].size,
                   types[i].format == 0 ? ", a number" : "");
        }
    }
    if (object != NULL) {
        cli_print_json(object);
    }
}

static int ask_types(struct session *session, const struct ferry_file_hash_request *request)
{
    const char *what = "list the kinds of hashes";
    struct ferry_file_type types[TYPES_MAX];
    struct ferry_client_answer answer;

    (void)request;
    int code =
        session_wait(session, ferry_command_file_types(session->client, NULL), what, &answer);
    if (code != CLI_OK) {
        return code;
    }
    int count = ferry_answer_file_types(answer.payload, types, TYPES_MAX);
    if (count < 0) {
        return unreadable(session, what, count);
    }
    print_types(session->cli, types, count < TYPES_MAX ? count : TYPES_MAX);
    return CLI_OK;
}

static int run_types(struct cli *cli, int argc, char **argv)
{
    return run_simple(cli, argc, argv, 0, ask_types);
}

/* ---- close ---------------------------------------------------------------------------------- */

static int ask_close(struct session *session, const struct ferry_file_hash_request *request)
{
    struct ferry_client_answer answer;

    (void)request;
    int code = session_wait(session, ferry_command_file_close(session->client, NULL),
                            "close the file", &answer);
    if (code == CLI_OK && session->cli->json) {
        cJSON *object = cJSON_CreateObject();
        cJSON_AddBoolToObject(object, "closed", 1);
        cli_print_json(object);
    } else if (code == CLI_OK) {
        puts("closed");
    }
    return code;
}

static int run_close(struct cli *cli, int argc, char **argv)
{
    return run_simple(cli, argc, argv, 0, ask_close);
}

const struct cli_command cli_fs_commands[] = {
    {"fs download", "NAME [FILE|-]", "read a file of the device, and compare it", "",
     fs_run_download},
    {"fs upload", "FILE|- NAME", "write a file to the device, and compare it",
     "      --restart        send all of it, whatever part of it the device has\n", fs_run_upload},
    {"fs stat", "NAME", "the size of a file on the device", "", run_stat},
    {"fs hash", "NAME [TYPE]", "the hash of a file, computed by the device",
     "  -t, --type TYPE      sha256, crc32, … (`ferry fs types`); else the device's own choice\n"
     "      --offset N       of the first byte\n"
     "      --length N       of so many bytes; else to the end\n",
     run_hash},
    {"fs types", "", "the hashes of files that the device computes", "", run_types},
    {"fs close", "", "have the device close the file it has open for a transfer", "", run_close},
    {0},
};
