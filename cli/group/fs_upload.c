/* SPDX-License-Identifier: Apache-2.0 */
/* ferry fs upload */
#include "fs_transfer.h"

#include "ferry/probe.h"

#include <string.h>

/* ---- Upload --------------------------------------------------------------------------------- */

static int give(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    const struct cli_buffer *bytes = context;

    memcpy(buf, bytes->data + off, len);
    return FERRY_OK;
}

/* Look whether the device has the file, or the beginning of it: an upload that was interrupted.
 * begun_at is how much that is, and *there whether it is all of it. Returns an enum cli_exit. */
static int look(struct transfer *t, struct file_proof_result *proof, bool *there)
{
    struct ferry_client_answer answer;
    uint32_t size = 0;
    int error = file_size(t->session, t->remote, &size, &answer);

    if (error == FERRY_E_IO) {
        return transfer_gone(t);
    }
    if (error == FERRY_E_TIMEOUT) {
        return session_fail(t->session, t->what, &answer);
    }
    if (error != FERRY_OK || size == 0 || size > t->bytes.len) {
        return CLI_OK;
    }
    file_proof(t->session, t->remote, (struct ferry_bytes){t->bytes.data, size}, false, proof);
    if (proof->verdict == FILE_PROOF_FAILED) {
        return transfer_judge(t, proof);
    }
    if (proof->verdict == FILE_PROOF_SAME) {
        t->begun_at = size;
        *there = size == t->bytes.len;
    }
    return CLI_OK;
}

static void tell_resumed(const struct transfer *t)
{
    if (t->begun_at > 0 && !t->session->cli->json) {
        fprintf(stderr, "continuing at %u %%: the device has the first %u bytes\n",
                (unsigned)((uint64_t)t->begun_at * 100 / t->bytes.len), (unsigned)t->begun_at);
    }
}

/* Below this the echoes cost more than larger packets save. */
#define PROBE_MIN 16384

/* A device that does not tell its buffers is asked by echoes how large packets may be. Returns an
 * enum cli_exit. */
static int find_packet_size(struct transfer *t)
{
    struct ferry_connection_facts facts;
    struct ferry_client_answer answer;
    struct ferry_probe probe;

    ferry_connection_facts(t->session->connection, &facts);
    if (facts.has_params || t->bytes.len - t->begun_at < PROBE_MIN) {
        return CLI_OK;
    }
    ferry_probe_start(&probe, t->session->client, facts.link);
    while (ferry_probe_run(&probe) == FERRY_E_BUSY) {
        int got = session_step(t->session, FERRY_CLIENT_NEVER, &answer);

        if (got < 0) {
            ferry_probe_cancel(&probe);
            return transfer_gone(t);
        }
        if (got == 1) {
            (void)ferry_probe_answer(&probe, &answer);
        }
    }
    return CLI_OK;
}

static int send_file(struct transfer *t)
{
    struct ferry_file_upload_config config = {.client = t->session->client,
                                              .name = t->remote,
                                              .read = give,
                                              .context = &t->bytes,
                                              .size = (uint32_t)t->bytes.len,
                                              .start = t->begun_at,
                                              .window = t->session->window};
    int error = ferry_file_upload_start(&t->up, &config);

    if (error != FERRY_OK) {
        return cli_fail_error(t->session->cli, CLI_USAGE, error, "cannot %s", t->what);
    }
    int code = find_packet_size(t);

    return code == CLI_OK ? transfer_run(t, true) : code;
}

static int upload(struct transfer *t, bool restart)
{
    struct file_proof_result proof;
    bool there = false;
    int code = restart || t->bytes.len == 0 ? CLI_OK : look(t, &proof, &there);

    if (code == CLI_OK && !there) {
        tell_resumed(t);
        code = send_file(t);
        if (code != CLI_OK) {
            return code;
        }
        file_proof(t->session, t->remote, (struct ferry_bytes){t->bytes.data, t->bytes.len}, true,
                   &proof);
        code = transfer_judge(t, &proof);
    }
    if (code == CLI_OK) {
        transfer_print(t, &proof, there);
    }
    return code;
}

/* A name that ends with a slash is a folder. Returns an enum cli_exit. */
static int remote_name(const struct cli *cli, const char *local, const char *given, char *name,
                       size_t cap)
{
    size_t len = strlen(given);
    bool folder = len > 0 && given[len - 1] == '/';

    if (len == 0 || (folder && cli_is_stream(local))) {
        return cli_usage(cli, "upload needs a name for the file on the device");
    }
    int n = snprintf(name, cap, "%s%s", given, folder ? transfer_last_part(local) : "");

    return n > 0 && (size_t)n < cap
               ? CLI_OK
               : cli_fail(cli, CLI_USAGE, "most devices take 64 bytes", "the name is too long");
}

int fs_run_upload(struct cli *cli, int argc, char **argv)
{
    static const struct option own[] = {{"restart", no_argument, NULL, 'r'}, {0}};
    struct transfer t = {0};
    struct session session;
    bool restart = false;
    char name[1024];
    int option;

    optind = 0;
    while ((option = cli_getopt(cli, argc, argv, "", own)) != -1) {
        if (option == '?') {
            return CLI_USAGE;
        }
        restart = restart || option == 'r';
    }
    if (argc - optind != 2) {
        return cli_usage(cli, "upload needs a FILE and its name on the device");
    }
    const char *local = argv[optind];
    int code = remote_name(cli, local, argv[optind + 1], name, sizeof name);

    code = code == CLI_OK ? cli_read_file(cli, local, &t.bytes) : code;
    if (code != CLI_OK) {
        return code;
    }
    code = session_open(cli, &session);
    if (code == CLI_OK) {
        transfer_begin(&t, &session, "upload", name, local);
        t.total = (uint32_t)t.bytes.len;
        code = upload(&t, restart);
        session_close(&session);
    }
    cli_buffer_free(&t.bytes);
    return code;
}
