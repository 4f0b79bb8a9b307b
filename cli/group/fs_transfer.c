/* SPDX-License-Identifier: Apache-2.0 */
/* ferry fs download and fs upload: a file is moved, compared by its hash, and only then called
 * done. */
#include "fs_transfer.h"
#include "cli/device/file_proof.h"
#include "cli/device/progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A transfer of either direction. */
struct transfer {
    struct session *session;
    const char *label;  /* "upload" */
    const char *remote; /* name on the device */
    const char *local;  /* path here, "-" among them */
    char what[160];     /* "upload config.json" */
    struct progress progress;
    struct cli_buffer bytes; /* of the file */
    uint32_t total;          /* download: told by the device */
    uint32_t done;
    uint32_t begun_at; /* upload: the device had so much */
    uint64_t begun_ms;
    double seconds;
    union {
        struct ferry_file_upload up;
        struct ferry_file_download down;
    };
};

/* Larger files are not kept in memory. */
#define DOWNLOAD_MAX (1u << 30)

static void begin(struct transfer *t, struct session *session, const char *label,
                  const char *remote, const char *local)
{
    t->session = session;
    t->label = label;
    t->remote = remote;
    t->local = local;
    snprintf(t->what, sizeof t->what, "%s %.140s", label, remote);
    progress_init(&t->progress, label, session->cli->json);
}

/* ---- Names
 * --------------------------------------------------------------------------------------- */

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

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
    const char *name = last_part(remote);
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

/* ---- Failures -----------------------------------------------------------------------------------
 */

static int gone(const struct transfer *t)
{
    return cli_fail(t->session->cli, CLI_NO_ANSWER, "plug it in again, then run the same command",
                    "cannot %s: the connection to %s broke at %u of %u bytes", t->what,
                    t->session->cli->device, (unsigned)t->done, (unsigned)t->total);
}

static int failed(const struct transfer *t, const struct ferry_file_event *event)
{
    struct ferry_client_answer answer = {.error = event->error, .status = event->status};
    int code = event->error == FERRY_E_TIMEOUT ? CLI_NO_ANSWER
               : event->error == FERRY_E_FULL  ? CLI_FAILED
                                               : CLI_REFUSED;

    if (event->error == FERRY_E_REFUSED) {
        return session_fail(t->session, t->what, &answer);
    }
    return cli_fail_why(t->session->cli, code, event->text, event->remedy,
                        "cannot %s: it stopped at %u of %u bytes", t->what, (unsigned)event->done,
                        (unsigned)event->total);
}

/* What the comparison in the end says. Returns CLI_OK when nothing speaks against it. */
static int judge(const struct transfer *t, const struct file_proof_result *proof)
{
    const struct cli *cli = t->session->cli;
    bool up = t->label[0] == 'u';

    if (proof->verdict == FILE_PROOF_FAILED) {
        return proof->answer.error == FERRY_E_IO
                   ? gone(t)
                   : session_fail(t->session, "compare the file with the device's", &proof->answer);
    }
    if (proof->verdict != FILE_PROOF_DIFFERS) {
        return CLI_OK;
    }
    if (up && t->bytes.len == 0) {
        return cli_fail(cli, CLI_VERIFY, "give the file at least one byte, or another name",
                        "%s: the device's file still has %u bytes; its server does not empty files",
                        t->what, (unsigned)proof->hash.len);
    }
    if (proof->hash.len != t->bytes.len) {
        return cli_fail(cli, CLI_VERIFY,
                        up ? "is its file system full? Make room there, or use another one; then "
                             "upload again"
                           : "transfer it again when nothing writes to it",
                        "%s: the device's file has %u bytes, not %u", t->what,
                        (unsigned)proof->hash.len, (unsigned)t->bytes.len);
    }
    return cli_fail(cli, CLI_VERIFY,
                    up ? "upload again with --restart; if it stays, its file system fails"
                       : "transfer it again when nothing writes to it",
                    "%s: the device's file has another content than was transferred", t->what);
}

/* ---- The flow -----------------------------------------------------------------------------------
 */

static bool flow_next(struct transfer *t, bool up, struct ferry_file_event *event)
{
    uint64_t now = ferry_connection_now();

    return up ? ferry_file_upload_next(&t->up, now, event)
              : ferry_file_download_next(&t->down, now, event);
}

/* Take what the flow reports. Returns whether it is over; code is what became of it. */
static bool flow_over(struct transfer *t, bool up, int *code)
{
    struct ferry_file_event event;

    while (flow_next(t, up, &event)) {
        t->total = event.total;
        if (event.kind == FERRY_FILE_WARNING) {
            fprintf(stderr, "ferry: %s\n%s%s%s", event.text, event.remedy[0] ? "  next: " : "",
                    event.remedy, event.remedy[0] ? "\n" : "");
        } else if (event.kind == FERRY_FILE_PROGRESS) {
            t->done = event.done;
            progress_show(&t->progress, event.done, event.total);
        } else {
            if (event.total > 0) {
                progress_end(&t->progress, event.done, event.total);
            }
            *code = event.kind == FERRY_FILE_DONE ? CLI_OK : failed(t, &event);
            return true;
        }
    }
    return false;
}

/* Run it to its end. Returns an enum cli_exit. */
static int run_flow(struct transfer *t, bool up)
{
    int code = CLI_OK;

    t->progress.begun = true; /* the first chunk's time counts, too */
    t->progress.begin_ms = ferry_connection_now();
    t->progress.begin_done = t->begun_at;
    t->begun_ms = t->progress.begin_ms;
    while (!flow_over(t, up, &code)) {
        struct ferry_client_answer answer;
        uint64_t deadline =
            up ? ferry_file_upload_deadline(&t->up) : ferry_file_download_deadline(&t->down);
        int got = session_step(t->session, deadline, &answer);

        if (got < 0 && !session_hold_on(t->session)) {
            return gone(t);
        }
        if (got == 1 && up) {
            (void)ferry_file_upload_answer(&t->up, &answer, ferry_connection_now());
        } else if (got == 1) {
            (void)ferry_file_download_answer(&t->down, &answer, ferry_connection_now());
        }
    }
    t->seconds = (double)(ferry_connection_now() - t->begun_ms) / 1000.0;
    return code;
}

/* ---- Results ------------------------------------------------------------------------------------
 */

static void add_speed(cJSON *object, const struct transfer *t)
{
    double bytes = (double)t->bytes.len - t->begun_at;

    cJSON_AddNumberToObject(object, "seconds", t->seconds);
    cJSON_AddNumberToObject(object, "bytes_per_second",
                            t->seconds > 0.001 ? (double)(int64_t)(bytes / t->seconds) : 0);
}

static void print_json(const struct transfer *t, const struct file_proof_result *proof, bool there)
{
    cJSON *object = cJSON_CreateObject();

    cJSON_AddStringToObject(object, "name", t->remote);
    cJSON_AddStringToObject(object, "file", t->local);
    if (proof->hash.type[0] != '\0') {
        file_hash_json(object, &proof->hash);
    } else {
        cJSON_AddNumberToObject(object, "len", (double)t->bytes.len);
    }
    cJSON_AddBoolToObject(object, "verified", proof->verdict == FILE_PROOF_SAME);
    if (t->label[0] == 'u') {
        cJSON_AddBoolToObject(object, "already_there", there);
        cJSON_AddNumberToObject(object, "resumed_at", there ? 0 : t->begun_at);
    }
    add_speed(object, t);
    cli_print_json_to(cli_text(t->session->cli, t->local), object);
}

static void print_done(const struct transfer *t, const struct file_proof_result *proof, bool there)
{
    FILE *out = cli_text(t->session->cli, t->local);
    char text[2 * FERRY_FILE_HASH_MAX + 1];

    if (t->session->cli->json) {
        print_json(t, proof, there);
        return;
    }
    fprintf(out, "%s%sed: %s, %u bytes\n", there ? "already " : "", t->label,
            t->label[0] == 'u' ? t->remote : t->local, (unsigned)t->bytes.len);
    if (proof->hash.type[0] != '\0') {
        file_hash_text(&proof->hash, text);
        fprintf(out, "%s: %s, as the device computes it\n", proof->hash.type, text);
    } else if (proof->verdict == FILE_PROOF_NO_HASH) {
        fputs("not compared: the device computes no hash of files\n", out);
    }
}

/* ---- Download -----------------------------------------------------------------------------------
 */

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

    int code = run_flow(t, false);

    if (code != CLI_OK) {
        return code;
    }
    t->bytes.len = t->total;
    file_proof(t->session, t->remote, (struct ferry_bytes){t->bytes.data, t->bytes.len}, true,
               &proof);
    code = judge(t, &proof);
    if (code == CLI_OK) {
        code = cli_write_file(t->session->cli, t->local, t->bytes.data, t->bytes.len, 0666);
    }
    if (code == CLI_OK) {
        print_done(t, &proof, false);
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
        begin(&t, &session, "download", remote, path);
        code = download(&t);
        cli_buffer_free(&t.bytes);
        session_close(&session);
    }
    return code;
}

/* ---- Upload -------------------------------------------------------------------------------------
 */

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
        return gone(t);
    }
    if (error == FERRY_E_TIMEOUT) {
        return session_fail(t->session, t->what, &answer);
    }
    if (error != FERRY_OK || size == 0 || size > t->bytes.len) {
        return CLI_OK;
    }
    file_proof(t->session, t->remote, (struct ferry_bytes){t->bytes.data, size}, false, proof);
    if (proof->verdict == FILE_PROOF_FAILED) {
        return judge(t, proof);
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
    return run_flow(t, true);
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
        code = judge(t, &proof);
    }
    if (code == CLI_OK) {
        print_done(t, &proof, there);
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
    int n = snprintf(name, cap, "%s%s", given, folder ? last_part(local) : "");

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
        begin(&t, &session, "upload", name, local);
        t.total = (uint32_t)t.bytes.len;
        code = upload(&t, restart);
        session_close(&session);
    }
    cli_buffer_free(&t.bytes);
    return code;
}
