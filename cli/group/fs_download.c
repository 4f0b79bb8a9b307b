/* SPDX-License-Identifier: Apache-2.0 */
/* ferry fs download */
#include "fs_transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Larger files are not kept in memory. */
#define DOWNLOAD_MAX (1u << 30)

/* ---- Names ---------------------------------------------------------------------------------- */

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Where a download goes: the path given, in a folder that was given, or here; under the file's own
 * name then. Returns an enum cli_exit. */
static int local_name(const struct cli *cli, const char *remote, const char *given, char *path,
                      size_t cap)
{
    const char *name = transfer_last_part(remote);
    bool folder = given != NULL && !cli_is_stream(given) && is_folder(given);
    int len;

    if (given != NULL && !folder) {
        len = snprintf(path, cap, "%s", given);
    } else if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return cli_fail(cli, CLI_USAGE, "give a path for it, or - for standard output",
                        "the name %s says not what to call the file here", remote);
    } else {
        len = snprintf(path, cap, "%s%s%s", folder ? given : "", folder ? "/" : "", name);
    }
    return len > 0 && (size_t)len < cap
               ? CLI_OK
               : cli_fail(cli, CLI_USAGE, "give a shorter path", "the path is too long");
}

/* A folder that cannot take the file is told before a long download, not after it. */
static int check_local(const struct cli *cli, const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    int len = slash == NULL ? 1 : slash == path ? 1 : (int)(slash - path);

    if (cli_is_stream(path)) {
        return CLI_OK;
    }
    snprintf(folder, sizeof folder, "%.*s", len, slash == NULL ? "." : path);
    if (access(folder, W_OK | X_OK) != 0 && access(path, W_OK) != 0) {
        return cli_fail(cli, CLI_FAILED, "check the folder and its permissions",
                        "cannot write %s: %s", path, strerror(errno));
    }
    return CLI_OK;
}

/* ---- Download ------------------------------------------------------------------------------- */

static int keep(void *context, uint32_t off, const uint8_t *data, size_t len, uint32_t total)
{
    struct cli_buffer *bytes = context;
    size_t needed = off + len;

    if (needed > bytes->len) {
        size_t cap = needed > DOWNLOAD_MAX / 2 ? DOWNLOAD_MAX : needed * 2;
        uint8_t *larger = NULL;

        cap = cap > total ? total : cap;
        if (needed <= cap) {
            larger = realloc(bytes->data, cap);
        }
        if (larger == NULL) {
            return FERRY_E_FULL;
        }
        bytes->data = larger;
        bytes->len = cap;
    }
    memcpy(bytes->data + off, data, len);
    return FERRY_OK;
}

static int download(struct transfer *t)
{
    struct ferry_file_download_config config = {.client = t->session->client,
                                                .name = t->remote,
                                                .write = keep,
                                                .context = &t->bytes,
                                                .window = t->session->window};
    struct file_proof_result proof;
    int error = ferry_file_download_start(&t->down, &config);

    if (error != FERRY_OK) {
        return cli_fail_error(t->session->cli, CLI_USAGE, error, "cannot %s", t->what);
    }

    int code = transfer_run(t, false);

    if (code != CLI_OK) {
        return code;
    }
    t->bytes.len = t->total;
    file_proof(t->session, t->remote, (struct ferry_bytes){t->bytes.data, t->bytes.len}, true,
               &proof);
    code = transfer_judge(t, &proof);
    if (code == CLI_OK) {
        code = cli_write_file(t->session->cli, t->local, t->bytes.data, t->bytes.len, 0666);
    }
    if (code == CLI_OK) {
        transfer_print(t, &proof, false);
    }
    return code;
}

int fs_run_download(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{0}};
    struct transfer t = {0};
    struct session session;
    char path[4096];

    optind = 0;
    if (cli_getopt(cli, argc, argv, "", own) != -1) {
        return CLI_USAGE;
    }
    if (argc - optind < 1 || argc - optind > 2 || argv[optind][0] == '\0') {
        return cli_usage(cli, "download needs the name of a file on the device");
    }
    const char *remote = argv[optind];
    int code =
        local_name(cli, remote, argc - optind == 2 ? argv[optind + 1] : NULL, path, sizeof path);

    cli->piped = code == CLI_OK && cli_is_stream(path);
    code = code == CLI_OK ? check_local(cli, path) : code;
    code = code == CLI_OK ? session_open(cli, &session) : code;
    if (code == CLI_OK) {
        transfer_begin(&t, &session, "download", remote, path);
        code = download(&t);
        cli_buffer_free(&t.bytes);
        session_close(&session);
    }
    return code;
}
