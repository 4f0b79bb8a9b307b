/* SPDX-License-Identifier: Apache-2.0 */
/* An update as it runs: the engine's events, one image after the other. */
#include "cli/device/speed.h"
#include "update_run.h"

#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <time.h>

/* How long a broken wire may stay away. */
#define BROKEN_MS 30000

/* A wire that breaks so soon after it was opened is left in peace for as long. */
#define REST_MS 1000

/* So often it is looked whether the user has given up. */
#define LOOK_MS 200

static volatile sig_atomic_t g_signal;

static void take_signal(int number)
{
    g_signal = number;
}

int update_signal(void)
{
    return g_signal;
}

void update_catch_signals(void)
{
    struct sigaction action = {.sa_handler = take_signal};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

static int read_file(void *context, uint32_t off, uint8_t *buf, size_t len)
{
    const struct image_file *file = context;
    memcpy(buf, file->bytes.data + off, len);
    return FERRY_OK;
}

/* ---- The way there ------------------------------------------------------------------------ */

/* A port that disappears with the reset comes back later, perhaps only after the swap. Returns
 * whether it did. */
static bool reconnect(struct update_run *run, uint32_t wait_ms)
{
    uint64_t end = ferry_connection_now() + wait_ms;
    const struct timespec pause = {.tv_nsec = 200000000};
    int error;

    while ((error = session_reopen(&run->session)) != FERRY_OK) {
        if (error == FERRY_E_CONFIG || ferry_connection_now() >= end || update_signal() != 0) {
            ferry_update_stop(&run->flow, FERRY_E_IO);
            return false;
        }
        nanosleep(&pause, NULL);
    }
    run->reopened_at = ferry_connection_now();
    ferry_update_reconnected(&run->flow, ferry_connection_now());
    return true;
}

static void tell_step(struct update_run *run, const struct ferry_update_event *event)
{
    if (run->progress.begun && event->step != FERRY_UPDATE_UPLOAD) {
        progress_close(&run->progress, run->acked, run->config.size);
        run->progress.begun = false;
        if (run->acked == run->config.size) {
            speed_tell(&run->session, &run->flow.upload);
        }
    }
    if (!run->cli->json && !run->looking) {
        fprintf(stderr, "%-8s %s\n", ferry_update_step_name(event->step), event->text);
    }
}

static void tell_progress(struct update_run *run, const struct ferry_update_event *event)
{
    struct update_item *item = run->item;
    if (event->resumed && item->resumed_at == 0 && event->resumed_at > 0) {
        item->resumed_at = event->resumed_at;
        progress_resume(&run->progress, event->resumed_at, event->total);
    }
    run->acked = event->acked;
    if (event->acked > item->resumed_at) {
        item->uploaded = event->acked - item->resumed_at;
    }
    run->progress.erase_ms = run->flow.upload.config.first_timeout_ms;
    progress_show(&run->progress, event->acked, event->total);
}

/* Once: whose server answers. */
static void tell_recovery(struct update_run *run, const struct ferry_update_event *event)
{
    if (event->recovery && !run->told_recovery) {
        run->told_recovery = true;
        fputs("you are talking to the BOOTLOADER: Ferry's recovery\n", stderr);
    }
}

int update_unlock(struct update_run *run, enum ferry_update_step step)
{
    bool needed = step == FERRY_UPDATE_MODE || step == FERRY_UPDATE_ENTER ||
                  step == FERRY_UPDATE_UPLOAD || step == FERRY_UPDATE_TEST ||
                  step == FERRY_UPDATE_RESET || step == FERRY_UPDATE_CONFIRM;
    struct unlock *unlock = &run->unlock;

    if (unlock->key_path == NULL || !needed) {
        return CLI_OK;
    }
    /* The way into recovery, which has no gate, is asked for the most. */
    unlock->level = step == FERRY_UPDATE_ENTER ? FERRY_ACCESS_SERVICE : FERRY_ACCESS_UPDATE;
    return unlock_renew(&run->session, unlock);
}

/* The images run. The check uses the wire, so that the device is met anew after it. */
static void judge(struct update_run *run)
{
    if (!update_passes(run) && update_signal() == 0) {
        ferry_update_reject(&run->flow);
    }
}

/* Handle all events that are due. Returns an exit code at the end, or below 0 to go on. */
static int handle_events(struct update_run *run)
{
    struct ferry_update_event event;
    int code;
    while (ferry_update_next(&run->flow, ferry_connection_now(), &event)) {
        tell_recovery(run, &event);
        switch (event.kind) {
        case FERRY_UPDATE_STEP:
            tell_step(run, &event);
            code = update_unlock(run, event.step);
            if (code != CLI_OK) {
                return code;
            }
            break;
        case FERRY_UPDATE_PROGRESS:
            tell_progress(run, &event);
            break;
        case FERRY_UPDATE_WARNING:
            if (run->looking) { /* it comes again */
                break;
            }
            fprintf(stderr, "ferry: %s\n  next: %s\n", event.text, event.remedy);
            break;
        case FERRY_UPDATE_RECONNECT:
            (void)reconnect(run, event.wait_ms);
            break;
        case FERRY_UPDATE_READY:
            code = update_look(run, &event);
            if (code != CLI_OK) {
                return code;
            }
            break;
        case FERRY_UPDATE_JUDGE_IT:
            judge(run);
            if (update_signal() != 0) { /* during the check: it stays on trial */
                return update_stopped(run);
            }
            break;
        case FERRY_UPDATE_DONE:
            update_done(run, &event);
            return CLI_OK;
        case FERRY_UPDATE_FAILED:
            progress_end(&run->progress, run->acked, run->config.size);
            return update_signal() != 0 ? update_stopped(run) : update_failed(run, &event);
        }
    }
    return -1;
}

/* Whether the wire is away since the device was reset. */
static bool is_away(const struct update_run *run)
{
    return (run->flow.step >= FERRY_UPDATE_RESET && run->flow.step <= FERRY_UPDATE_RETURN) ||
           run->flow.step == FERRY_UPDATE_ENTER;
}

/* A wire that breaks once the update has begun comes back, perhaps under another name: the device
 * was reset, or pulled out and plugged in again. A radio link is lost for no reason at all, and may
 * be so before. */
static void wire_broke(struct update_run *run)
{
    bool told = !is_away(run);
    if (told && !run->flow.ready && run->config.link != FERRY_LINK_BLE) {
        ferry_update_stop(&run->flow, FERRY_E_IO);
        return;
    }
    if (told) {
        fprintf(stderr,
                "ferry: the connection to %s broke; waiting up to %d s for it to come back\n",
                run->cli->device, BROKEN_MS / 1000);
    }
    if (run->reopened_at != 0 && ferry_connection_now() < run->reopened_at + REST_MS) {
        nanosleep(&(struct timespec){.tv_sec = REST_MS / 1000}, NULL);
    }
    if (reconnect(run, BROKEN_MS) && told) {
        fputs("ferry: it is back, going on\n", stderr);
    }
}

static int run_flow(struct update_run *run)
{
    int error = ferry_update_start(&run->flow, &run->config);
    if (error != FERRY_OK) {
        return cli_fail_error(run->cli, CLI_USAGE, error, "cannot update with %s", run->item->path);
    }
    for (;;) {
        struct ferry_client_answer answer;
        int code = handle_events(run);
        if (code >= 0) {
            return code;
        }
        uint64_t soon = ferry_connection_now() + LOOK_MS;
        uint64_t due = ferry_update_deadline(&run->flow);
        int got = session_step(&run->session, due < soon ? due : soon, &answer);
        if (run->flow.step == FERRY_UPDATE_UPLOAD) {
            progress_silence(&run->progress, run->session.heard_ms);
        }
        if (got == 1) {
            (void)ferry_update_answer(&run->flow, &answer, ferry_connection_now());
        } else if (got < 0) {
            wire_broke(run);
        }
        if (update_signal() != 0) {
            progress_end(&run->progress, run->acked, run->config.size);
            return update_stopped(run);
        }
    }
}

/* ---- One image after the other ------------------------------------------------------------ */

/* A flow with one image; its switches are set by the caller. */
static int run_item(struct update_run *run, struct update_item *item)
{
    struct ferry_update_config *config = &run->config;
    run->item = item;
    run->acked = 0;
    run->progress.begun = false;
    config->client = run->session.client;
    config->link = session_link(&run->session);
    config->read = read_file;
    config->context = &item->file;
    config->size = (uint32_t)item->file.bytes.len;
    config->sha = item->sha;
    config->hash = item->file.info.digest;
    config->version = &item->file.info.header.version;
    config->hash_len = item->file.info.digest_len;
    config->image = item->image;
    config->is_part = run->count > 1;
    if (run->count > 1 && !run->cli->json && !run->looking) {
        fprintf(stderr, "image %u\n", (unsigned)item->image);
    }
    return run_flow(run);
}

/* The first image that waits for a reset, or NULL. */
static struct update_item *find_pending(struct update_run *run)
{
    for (size_t i = 0; i < run->count; i++) {
        if (run->items[i].proved && !run->items[i].proof.active) {
            return &run->items[i];
        }
    }
    return NULL;
}

/* A flow with each image but one. */
static int run_others(struct update_run *run, const struct update_item *one)
{
    int code = CLI_OK;
    for (size_t i = 0; i < run->count && code == CLI_OK; i++) {
        if (&run->items[i] != one) {
            code = run_item(run, &run->items[i]);
        }
    }
    return code;
}

/* Ask for each, the highest number first: an nRF5340 whose application is asked for before its
 * network core skips that. [bundle-format.md §4] */
static int request_all(struct update_run *run)
{
    int code = CLI_OK;
    run->config.test_only = true;
    for (size_t i = run->count; i > 0 && code == CLI_OK; i--) {
        code = run_item(run, &run->items[i - 1]);
    }
    return code;
}

/* See for each what would be done, so that nothing is sent of a set of which one does not fit. */
static int look_at_all(struct update_run *run)
{
    run->config.dry_run = true;
    run->looking = true;
    int code = request_all(run);
    run->looking = false;
    run->config.dry_run = run->dry_run;
    return code;
}

/* All are asked for before the one reset, and run before the first is confirmed. The one with the
 * lowest number is confirmed first: where they are a set, it confirms all. */
static int run_several(struct update_run *run)
{
    struct update_item *waiting;
    int code = look_at_all(run);
    if (code != CLI_OK || run->dry_run) {
        return code;
    }
    code = request_all(run);
    if (code != CLI_OK || run->test_only) {
        return code;
    }
    run->config.test_only = false;
    run->config.no_confirm = true;
    waiting = find_pending(run);
    code = waiting != NULL ? run_item(run, waiting) : CLI_OK;
    run->config.only_prove = true;
    if (code == CLI_OK) {
        code = run_others(run, waiting);
    }
    run->config.no_confirm = false;
    return code != CLI_OK || run->no_confirm ? code : run_others(run, NULL);
}

int update_run_all(struct update_run *run)
{
    run->begin_ms = ferry_connection_now();
    run->config.dry_run = run->dry_run;
    run->config.test_only = run->test_only;
    run->config.no_confirm = run->no_confirm;
    int code = run->count == 1 ? run_item(run, &run->items[0]) : run_several(run);
    if (code == CLI_OK) {
        update_print_end(run);
    }
    return code;
}
