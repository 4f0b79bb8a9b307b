/* SPDX-License-Identifier: Apache-2.0 */
/* Update, the driving half: steps, their requests, their events. The other half,
 * update_answer.c, decides what follows from an answer. */
#include "core/client/update.h"

#include <string.h>

/* Servers answer a reset and reboot a quarter of a second later: what answers before that is
 * the old image. */
#define RESET_MS 500

/* One question to a device that may not be back yet. */
#define POLL_TIMEOUT_MS 1000

#define PLACE_WAIT_MS 20

/* The boot mode that leads into recovery. */
#define BOOT_MODE_RECOVERY 1

/* How often an upload, or what is asked around it, may be interrupted without getting further. */
#define BREAKS_MAX 16

/* A bootloader that was reset again is left in peace: asking it would hold it where it is. */
#define NUDGE_MS 3000

/* ---- The steps --------------------------------------------------------------------------- */

static int32_t submit_mode(struct ferry_update *update)
{
    return ferry_command_bootloader(update->config.client, "mode", update);
}

static int32_t submit_list(struct ferry_update *update)
{
    return ferry_command_image_list(update->config.client, update);
}

static int32_t submit_erase(struct ferry_update *update)
{
    return ferry_command_image_erase(update->config.client, update->erase_slot, update->slot_size,
                                     update);
}

static int32_t submit_slots(struct ferry_update *update)
{
    return ferry_command_slot_info(update->config.client, update);
}

static int32_t submit_test(struct ferry_update *update)
{
    struct ferry_bytes hash = {update->config.hash, update->config.hash_len};

    return ferry_command_image_state(update->config.client, hash, update->config.permanent, update);
}

/* Should the new image crash now and the old one answer, a confirm that names the new one would
 * install it for good. So the running image is confirmed, whichever it is, where the protocol
 * allows (image 0), and it is sent once: the list is read before it is sent again. */
static int32_t submit_confirm(struct ferry_update *update)
{
    struct ferry_bytes hash = {update->config.hash, update->config.hash_len};
    struct ferry_bytes none = {NULL, 0};
    int32_t ticket = ferry_command_image_state(
        update->config.client, update->config.image == 0 ? none : hash, true, update);

    ferry_client_last_try(update->config.client, ticket);
    return ticket;
}

static int32_t submit_reset(struct ferry_update *update)
{
    return ferry_command_reset(update->config.client, update->config.force_reset, -1, update);
}

static int32_t submit_enter(struct ferry_update *update)
{
    return ferry_command_reset(update->config.client, update->config.force_reset,
                               BOOT_MODE_RECOVERY, update);
}

static int32_t submit_poll(struct ferry_update *update)
{
    static const uint8_t empty_map[] = {0xa0};
    struct ferry_client_command command = {.op = FERRY_SMP_READ,
                                           .group = FERRY_SMP_GROUP_IMAGE,
                                           .id = FERRY_SMP_IMAGE_STATE,
                                           .payload = {empty_map, sizeof empty_map},
                                           .timeout_ms = POLL_TIMEOUT_MS,
                                           .retries = FERRY_CLIENT_ONCE,
                                           .user = update};

    return ferry_client_submit(update->config.client, &command);
}

static const struct {
    const char *name;
    const char *text;
    int32_t (*submit)(struct ferry_update *update); /* NULL: the step is not one request */
} STEPS[] = {
    [FERRY_UPDATE_HELLO] = {"hello", "asking the device for its parameters", NULL},
    [FERRY_UPDATE_MODE] = {"mode", "asking what the bootloader does", submit_mode},
    [FERRY_UPDATE_LIST] = {"list", "reading the list of images", submit_list},
    [FERRY_UPDATE_SPACE] = {"space", "asking how large an image fits", submit_slots},
    [FERRY_UPDATE_ENTER] = {"enter", "resetting the device into its bootloader", submit_enter},
    [FERRY_UPDATE_ERASE] = {"erase", "erasing the image that waits for a reset", submit_erase},
    [FERRY_UPDATE_UPLOAD] = {"upload", "uploading; the device erases its slot first", NULL},
    [FERRY_UPDATE_CHECK] = {"check", "looking whether the device lists the image", submit_list},
    [FERRY_UPDATE_TEST] = {"test", "asking for a test of the image at the next boot", submit_test},
    [FERRY_UPDATE_RESET] = {"reset", "resetting the device", submit_reset},
    [FERRY_UPDATE_AWAY] = {"away", "opening the connection again", NULL},
    [FERRY_UPDATE_RETURN] = {"return", "waiting for the device to come back", submit_poll},
    [FERRY_UPDATE_JUDGE] = {"judge", "the image runs", NULL},
    [FERRY_UPDATE_CONFIRM] = {"confirm", "the image runs; confirming it", submit_confirm},
    [FERRY_UPDATE_PROVE] = {"prove", "reading the list of images back", submit_list},
    [FERRY_UPDATE_END] = {"end", "", NULL},
};

const char *ferry_update_step_name(enum ferry_update_step step)
{
    return (size_t)step < sizeof STEPS / sizeof STEPS[0] ? STEPS[step].name : "?";
}

void ferry_update_go(struct ferry_update *update, enum ferry_update_step step)
{
    update->step = step;
    update->announced = false;
    update->asked = false;
    update->wait_until = 0;
}

void ferry_update_finish(struct ferry_update *update, const struct ferry_image_state *found)
{
    update->proof = *found;
    update->done = true;
    update->failed_step = update->step;
    update->error = FERRY_OK;
    update->text = "";
    update->remedy = "";
    ferry_update_go(update, FERRY_UPDATE_END);
}

void ferry_update_fail(struct ferry_update *update, int error, const char *text, const char *remedy)
{
    update->failed_step = update->step;
    update->error = error;
    update->text = text;
    update->remedy = remedy;
    ferry_update_go(update, FERRY_UPDATE_END);
}

void ferry_update_warn(struct ferry_update *update, const char *text, const char *remedy)
{
    update->warning = text;
    update->warning_remedy = remedy;
}

/* ---- Begin and end -------------------------------------------------------------------------- */

int ferry_update_start(struct ferry_update *update, const struct ferry_update_config *config)
{
    if (config->client == NULL || config->read == NULL || config->size == 0) {
        return FERRY_E_CONFIG;
    }
    if (config->hash == NULL || config->hash_len == 0 || config->hash_len > FERRY_STATE_HASH_MAX) {
        return FERRY_E_CONFIG;
    }
    if ((config->align & (config->align - 1)) != 0) {
        return FERRY_E_CONFIG;
    }
    memset(update, 0, sizeof *update);
    update->config = *config;
    update->mode = -1;
    ferry_hello_start(&update->hello, config->client, config->link);
    ferry_update_go(update, FERRY_UPDATE_HELLO);
    return FERRY_OK;
}

void ferry_update_stop(struct ferry_update *update, int error)
{
    if (update->step == FERRY_UPDATE_END) {
        return;
    }
    if (update->step == FERRY_UPDATE_UPLOAD && update->uploaded) {
        ferry_upload_cancel(&update->upload);
    }
    ferry_client_cancel_all(update->config.client);
    update->ticket = 0;
    ferry_update_fail(update, error, ferry_error_text(error), ferry_error_remedy(error));
}

/* ---- What is due ------------------------------------------------------------------------------
 */

static void run_hello(struct ferry_update *update)
{
    int rc = ferry_hello_run(&update->hello);

    if (rc == FERRY_OK) {
        ferry_update_go(update, FERRY_UPDATE_MODE);
    } else if (rc == FERRY_E_TIMEOUT) {
        ferry_update_fail(update, rc, "the device does not answer SMP requests, of version 2 or 1",
                          "check port and baud rate; does its firmware have an SMP server?");
    } else if (rc != FERRY_E_BUSY) {
        ferry_update_fail(update, rc, ferry_error_text(rc), ferry_error_remedy(rc));
    }
}

static void run_request(struct ferry_update *update, uint64_t now)
{
    int32_t ticket;

    if (update->ticket != 0 || now < update->wait_until) {
        return;
    }
    ticket = STEPS[update->step].submit(update);
    if (ticket > 0) {
        update->ticket = ticket;
    } else if (ticket == FERRY_E_BUSY) {
        update->wait_until = now + PLACE_WAIT_MS;
    } else {
        ferry_update_fail(update, ticket, "a request does not fit the device's buffers",
                          "give the device larger buffers");
    }
}

static void begin_upload(struct ferry_update *update)
{
    const struct ferry_update_config *config = &update->config;
    struct ferry_upload_config upload = {.client = config->client,
                                         .read = config->read,
                                         .context = config->context,
                                         .size = config->size,
                                         .sha = config->sha,
                                         .hash = config->hash,
                                         .hash_len = config->hash_len,
                                         .image = config->image,
                                         .upgrade = config->no_downgrade,
                                         .window = update->hello.window,
                                         .probe = !update->hello.has_params,
                                         .link = update->hello.link,
                                         .align = config->align,
                                         .slot_size = update->slot_size};
    int rc;

    if (config->window != 0 && config->window < upload.window) {
        upload.window = config->window;
    }
    update->worked = true;
    update->uploaded = true;
    rc = ferry_upload_start(&update->upload, &upload);
    if (rc != FERRY_OK) {
        ferry_update_fail(update, rc, ferry_error_text(rc), ferry_error_remedy(rc));
    }
}

/* A bad radio link breaks often, and each time the device has more than before: that has an end by
 * itself. Returns whether there were too many breaks. */
static bool count_break(struct ferry_update *update)
{
    uint32_t acked = update->uploaded ? update->upload.acked : 0;

    if (acked > update->broke_at) {
        update->broke_at = acked;
        update->breaks = 0;
    }
    return ++update->breaks > BREAKS_MAX;
}

/* Silence in the middle of an upload: the device may have been reset, and the link have nothing
 * that tells. It is waited for, and met anew. */
static bool waits_for_device(struct ferry_update *update, const struct ferry_upload_event *from,
                             uint64_t now)
{
    if (from->error != FERRY_E_TIMEOUT || from->acked == 0 || count_break(update)) {
        return false;
    }
    ferry_update_warn(update, "the device fell silent in the middle of the upload; waiting for it",
                      "look at its power and its log");
    update->resuming = true;
    update->silent = 0;
    update->return_by = now + ferry_update_return_ms(update);
    ferry_update_go(update, FERRY_UPDATE_RETURN);
    return true;
}

static void note_resumed(struct ferry_update *update, const struct ferry_upload_event *from)
{
    if (from->resumed && !update->resumed) {
        update->resumed = true;
        update->resumed_at = from->acked;
    }
}

/* An event of the upload becomes one of the update; its end moves the update on.
 * Returns whether there is an event to report. */
static bool pass_on(struct ferry_update *update, const struct ferry_upload_event *from,
                    struct ferry_update_event *event, uint64_t now)
{
    note_resumed(update, from);
    event->resumed = update->resumed;
    event->resumed_at = update->resumed_at;
    event->sent = from->sent;
    event->acked = from->acked;
    event->total = from->total;
    event->text = from->text;
    event->remedy = from->remedy;
    switch (from->kind) {
    case FERRY_UPLOAD_PROGRESS:
        event->kind = FERRY_UPDATE_PROGRESS;
        return true;
    case FERRY_UPLOAD_WARNING:
        event->kind = FERRY_UPDATE_WARNING;
        return true;
    case FERRY_UPLOAD_DONE:
        ferry_update_go(update, FERRY_UPDATE_CHECK);
        return false;
    case FERRY_UPLOAD_FAILED:
        if (waits_for_device(update, from, now)) {
            return false;
        }
        update->status = from->status;
        ferry_update_fail(update, from->error, from->text, from->remedy);
        return false;
    }
    return false;
}

static bool run_upload(struct ferry_update *update, uint64_t now, struct ferry_update_event *event)
{
    struct ferry_upload_event from;

    while (update->step == FERRY_UPDATE_UPLOAD && ferry_upload_next(&update->upload, now, &from)) {
        if (pass_on(update, &from, event, now)) {
            return true;
        }
    }
    return false;
}

/* The device is reset: when it may be asked whether it is back. */
static void await_return(struct ferry_update *update, uint64_t now)
{
    uint32_t quiet = update->nudges > 0 ? NUDGE_MS : RESET_MS;

    ferry_update_go(update, FERRY_UPDATE_RETURN);
    if (now < update->reset_at + quiet) {
        update->wait_until = update->reset_at + quiet;
    }
}

/* Returns whether the update failed: a wire that opens and breaks at once has no end otherwise. */
static bool breaks_too_often(struct ferry_update *update)
{
    if (!count_break(update)) {
        return false;
    }
    ferry_update_fail(update, FERRY_E_IO, "the connection breaks again and again",
                      "check cable and power of the device");
    return true;
}

/* The connection broke in the middle of the upload. Whoever answers now may be another server. */
static void meet_anew(struct ferry_update *update)
{
    if (!breaks_too_often(update)) {
        ferry_hello_start(&update->hello, update->config.client, update->config.link);
        ferry_update_go(update, FERRY_UPDATE_HELLO);
    }
}

void ferry_update_reconnected(struct ferry_update *update, uint64_t now)
{
    if (update->step == FERRY_UPDATE_END) {
        return;
    }
    ferry_client_cancel_all(update->config.client);
    update->ticket = 0;
    update->silent = 0;
    switch (update->step) {
    case FERRY_UPDATE_AWAY:
        await_return(update, now);
        break;
    case FERRY_UPDATE_HELLO:
    case FERRY_UPDATE_UPLOAD:
        meet_anew(update);
        break;
    case FERRY_UPDATE_ENTER:
        update->breaks++;
        /* fall through */
    case FERRY_UPDATE_RESET: /* the port went with the device, before the answer */
        ferry_update_was_reset(update, now);
        await_return(update, now);
        break;
    case FERRY_UPDATE_CONFIRM: /* never again before the list was read */
        ferry_update_look_again(update, now);
        break;
    case FERRY_UPDATE_RETURN:
        ferry_update_broke_away(update, now);
        break;
    case FERRY_UPDATE_JUDGE:
        break;
    default: /* the request is made again */
        (void)breaks_too_often(update);
        break;
    }
}

void ferry_update_reject(struct ferry_update *update)
{
    if (update->step != FERRY_UPDATE_JUDGE) {
        return;
    }
    update->reverting = true;
    update->nudges = 0;
    if (update->proof.confirmed) {
        ferry_update_fail(update, FERRY_E_STATE,
                          "the new image does not pass, and the device has no way back: it runs "
                          "for good",
                          "update with an image that is good");
        return;
    }
    ferry_update_go(update, FERRY_UPDATE_RESET);
}

uint64_t ferry_update_deadline(const struct ferry_update *update)
{
    if (!update->announced) {
        return 0;
    }
    if (update->step == FERRY_UPDATE_UPLOAD) {
        return ferry_upload_deadline(&update->upload);
    }
    if (update->step == FERRY_UPDATE_JUDGE) {
        return 0;
    }
    if (STEPS[update->step].submit == NULL || update->ticket != 0) {
        return FERRY_CLIENT_NEVER;
    }
    return update->wait_until;
}

/* ---- Events ------------------------------------------------------------------------------------
 */

static void fill(const struct ferry_update *update, struct ferry_update_event *event)
{
    memset(event, 0, sizeof *event);
    event->step = update->step;
    event->text = "";
    event->remedy = "";
    event->total = update->config.size;
    event->recovery = update->recovery;
    event->resumed = update->resumed;
    event->resumed_at = update->resumed_at;
    event->running = ferry_update_running(update);
}

static void fill_end(const struct ferry_update *update, struct ferry_update_event *event)
{
    event->kind = update->done ? FERRY_UPDATE_DONE : FERRY_UPDATE_FAILED;
    event->step = update->failed_step;
    event->text = update->text;
    event->remedy = update->remedy;
    event->error = update->error;
    event->status = update->status;
    event->limit = update->limit;
    event->already = update->done && !update->worked && !update->config.dry_run;
    event->rejected = !update->done && update->reverting;
    event->proof = update->done && update->proof.hash_len > 0 ? &update->proof : NULL;
}

/* Whether a step changes something on the device, or follows such a change. */
static bool is_a_change(enum ferry_update_step step)
{
    return step == FERRY_UPDATE_ENTER || step == FERRY_UPDATE_ERASE ||
           step == FERRY_UPDATE_UPLOAD || step == FERRY_UPDATE_TEST || step == FERRY_UPDATE_RESET ||
           step == FERRY_UPDATE_JUDGE || step == FERRY_UPDATE_CONFIRM;
}

/* Before the first change: the caller may look for itself. */
static void be_ready(struct ferry_update *update, struct ferry_update_event *event)
{
    update->ready = true;
    event->kind = FERRY_UPDATE_READY;
    event->limit = update->limit;
    if (update->config.dry_run) {
        const struct ferry_image_state none = {0};

        ferry_update_finish(update, &none);
    }
}

static const char *text_of(const struct ferry_update *update, enum ferry_update_step step)
{
    if (step == FERRY_UPDATE_RESET && update->reverting) {
        return "it does not pass: resetting the device, which takes the old image back";
    }
    if (step == FERRY_UPDATE_TEST && update->config.permanent) {
        return "asking for the image for good, from the next boot on";
    }
    return STEPS[step].text;
}

/* A step's own event, once. */
static bool announce(struct ferry_update *update, struct ferry_update_event *event)
{
    if (update->announced) {
        return false;
    }
    if (!update->ready && is_a_change(update->step)) {
        be_ready(update, event);
        return true;
    }
    update->announced = true;
    if (update->step == FERRY_UPDATE_JUDGE) { /* it has an event of its own */
        return false;
    }
    if (update->step == FERRY_UPDATE_END) {
        fill_end(update, event);
        return true;
    }
    if (update->step == FERRY_UPDATE_UPLOAD) {
        begin_upload(update);
    }
    event->kind = FERRY_UPDATE_STEP;
    event->text = text_of(update, event->step);
    return true;
}

/* The caller is asked once. Unless it has rejected the image, this goes on. */
static bool run_judge(struct ferry_update *update, struct ferry_update_event *event)
{
    if (!update->asked) {
        update->asked = true;
        event->kind = FERRY_UPDATE_JUDGE_IT;
        event->proof = &update->proof;
        return true;
    }
    if (update->proof.confirmed) {
        const struct ferry_image_state found = update->proof;

        ferry_update_finish(update, &found);
    } else {
        ferry_update_go(update, FERRY_UPDATE_CONFIRM);
    }
    return false;
}

static bool ask_reconnect(struct ferry_update *update, uint64_t now,
                          struct ferry_update_event *event)
{
    if (update->asked) {
        return false;
    }
    update->asked = true;
    event->kind = FERRY_UPDATE_RECONNECT;
    event->text = STEPS[FERRY_UPDATE_AWAY].text;
    event->wait_ms = now < update->return_by ? (uint32_t)(update->return_by - now) : 0;
    return true;
}

static bool run_step(struct ferry_update *update, uint64_t now, struct ferry_update_event *event)
{
    switch (update->step) {
    case FERRY_UPDATE_END:
        return false;
    case FERRY_UPDATE_HELLO:
        run_hello(update);
        return false;
    case FERRY_UPDATE_UPLOAD:
        return run_upload(update, now, event);
    case FERRY_UPDATE_AWAY:
        return ask_reconnect(update, now, event);
    case FERRY_UPDATE_JUDGE:
        return run_judge(update, event);
    default:
        run_request(update, now);
        return false;
    }
}

bool ferry_update_next(struct ferry_update *update, uint64_t now, struct ferry_update_event *event)
{
    for (;;) {
        fill(update, event);
        if (update->warning != NULL) {
            event->kind = FERRY_UPDATE_WARNING;
            event->text = update->warning;
            event->remedy = update->warning_remedy;
            update->warning = NULL;
            return true;
        }
        if (announce(update, event) || run_step(update, now, event)) {
            return true;
        }
        /* A step that ended in here has a successor, or an end, to report. */
        if (update->announced) {
            return false;
        }
    }
}
