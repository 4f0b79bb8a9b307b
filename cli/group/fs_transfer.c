/* SPDX-License-Identifier: Apache-2.0 */
/* Transfers of files, what both directions share: the flow, the comparison, what is told. */
#include "fs_transfer.h"
#include "cli/device/remedy.h"

#include <string.h>

void transfer_begin(struct transfer *t, struct session *session, const char *label,
                    const char *remote, const char *local)
{
    t->session = session;
    t->label = label;
    t->remote = remote;
    t->local = local;
    snprintf(t->what, sizeof t->what, "%s %.140s", label, remote);
    progress_init(&t->progress, label, session->cli->json);
}

const char *transfer_last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

/* ---- Failures ------------------------------------------------------------------------------- */

int transfer_gone(const struct transfer *t)
{
    if (session_link(t->session) == FERRY_LINK_BLE) {
        char why[sizeof t->session->unopened];
        snprintf(why, sizeof why, "%s", t->session->unopened);
        const char *next = remedy_cut(why);
        return cli_fail_why(t->session->cli, CLI_NO_ANSWER, why,
                            next[0] != '\0' ? next : "come nearer, then run the same command",
                            "cannot %s: the radio link to %s was lost at %u of %u bytes", t->what,
                            t->session->cli->device, (unsigned)t->done, (unsigned)t->total);
    }
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
int transfer_judge(const struct transfer *t, const struct file_proof_result *proof)
{
    const struct cli *cli = t->session->cli;
    bool up = t->label[0] == 'u';

    if (proof->verdict == FILE_PROOF_FAILED) {
        return proof->answer.error == FERRY_E_IO
                   ? transfer_gone(t)
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

/* ---- The flow ------------------------------------------------------------------------------- */

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
int transfer_run(struct transfer *t, bool up)
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
        uint64_t soon = ferry_connection_now() + PROGRESS_LOOK_MS;
        int got = session_step(t->session, deadline < soon ? deadline : soon, &answer);
        progress_silence(&t->progress, t->session->heard_ms);

        if (got < 0 && !session_hold_on(t->session)) {
            return transfer_gone(t);
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

/* ---- Results -------------------------------------------------------------------------------- */

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

void transfer_print(const struct transfer *t, const struct file_proof_result *proof, bool there)
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
