/* SPDX-License-Identifier: Apache-2.0 */
/* Update, after a reset: waiting for the device, seeing what runs, confirming it. */
#include "core/client/update.h"

#include "ferry/slots.h"

/* Between two questions to a device that answers, but has not done its work yet. */
#define POLL_MS 200

/* How long after a reset the old image may still be the one that answers, when nothing in its
 * list tells before from after. */
#define OLD_ANSWERS_MS 3000

/* Silent polls until the other SMP version is tried: the new firmware may speak only that. */
#define SILENT_MAX 4

/* How long a bootloader may answer in place of the image until it is reset once more, and how
 * often anything is. One that listens for a while after each start stays when it is asked. */
#define BOOTLOADER_MS 1500
#define NUDGES_MAX    2

/* How often an image that was rejected is reset. */
#define STARTS_MAX 8

/* How often the new image may fall silent between its return and the proof. */
#define CRASHES_MAX 4

/* Where no image is moved, one that did not confirm itself is erased like one that was refused. */
static bool removes_what_failed(int mode)
{
    return mode == FERRY_MODE_DIRECT_XIP_REVERT || mode == FERRY_MODE_RAM_LOAD;
}

void ferry_update_fail_not_running(struct ferry_update *update)
{
    if (ferry_update_wanted(update) != NULL) {
        ferry_update_fail(update, FERRY_E_REVERTED,
                          "the device runs the old image: the new one did not confirm itself in "
                          "time, crashed, or was refused by the bootloader",
                          "see the boot log for the reason; the new image is still in its slot");
        return;
    }
    ferry_update_fail(update, FERRY_E_NO_IMAGE,
                      removes_what_failed(update->mode)
                          ? "the device runs the old image: the bootloader refused the new one, or "
                            "it ran and did not confirm itself; it was removed"
                          : "the device runs the old image: the bootloader refused the new one and "
                            "removed it",
                      "see the boot log; check key, version and header of the image");
}

static void poll_again(struct ferry_update *update, uint64_t now, uint32_t wait_ms)
{
    update->wait_until = now + wait_ms;
}

/* Returns whether the time to come back is over: the update failed. */
static bool stays_away(struct ferry_update *update, uint64_t now)
{
    if (now < update->return_by) {
        return false;
    }
    ferry_update_fail(update, FERRY_E_TIMEOUT,
                      update->resuming ? "the device fell silent in the middle of the upload"
                                       : "the device did not come back after the reset",
                      "see its boot log; power-cycle it, then look at the list of images");
    return true;
}

void ferry_update_broke_away(struct ferry_update *update, uint64_t now)
{
    if (!stays_away(update, now) && update->wait_until < now + POLL_MS) {
        poll_again(update, now, POLL_MS);
    }
}

static void on_silence(struct ferry_update *update, uint64_t now)
{
    struct ferry_client *client = update->config.client;

    if (stays_away(update, now)) {
        return;
    }
    if (++update->silent % SILENT_MAX == 0) {
        ferry_client_set_version(client, client->version == FERRY_SMP_VERSION_2
                                             ? FERRY_SMP_VERSION_1
                                             : FERRY_SMP_VERSION_2);
    }
    poll_again(update, now, 0);
}

/* What the device did not do until the time was over. */
static const char *missed(const struct ferry_update *update)
{
    if (ferry_update_running(update) == NULL) {
        return "the device stays in its bootloader";
    }
    return update->reverting
               ? "the device still runs the new image, which did not pass: it was not "
                 "taken back"
               : "the device did not start the image, though it is still asked for";
}

/* It answers, but not as it should at the end; that may come. */
static void on_not_yet(struct ferry_update *update, uint64_t now)
{
    if (now < update->return_by) {
        poll_again(update, now, POLL_MS);
        return;
    }
    ferry_update_fail(update, FERRY_E_STATE, missed(update),
                      "see the boot log; power-cycle the device, then look at the list of images");
}

/* Somebody answers after ENTER: the bootloader, or the application again. It is another server:
 * met anew. */
static void on_entered(struct ferry_update *update, uint64_t now)
{
    if (ferry_update_running(update) == NULL || ferry_update_is_loader(update)) {
        update->entering = false;
        ferry_hello_start(&update->hello, update->config.client, update->config.link);
        ferry_update_go(update, FERRY_UPDATE_HELLO);
    } else if (now < update->reset_at + OLD_ANSWERS_MS) {
        poll_again(update, now, POLL_MS);
    } else if (update->breaks > 0 && update->nudges == 0) { /* the request may have been lost */
        update->nudges++;
        ferry_update_go(update, FERRY_UPDATE_ENTER);
    } else {
        ferry_update_fail(update, FERRY_E_UNSUPPORTED,
                          "the device did not stay in its bootloader: its application or its "
                          "bootloader knows no boot mode",
                          "enter recovery by its button or pin, then update again");
    }
}

/* The old image answers, and the new one is still to come: a reset is asked for once, and if that
 * request was lost nobody resets. */
static void on_old_image(struct ferry_update *update, uint64_t now)
{
    if (update->nudges < NUDGES_MAX && now >= update->reset_at + OLD_ANSWERS_MS) {
        update->nudges++;
        ferry_update_go(update, FERRY_UPDATE_RESET);
        return;
    }
    on_not_yet(update, now);
}

/* A bootloader answers in place of the image. */
static void on_bootloader(struct ferry_update *update, uint64_t now)
{
    if (update->bootloader_since == 0) {
        update->bootloader_since = now;
    }
    if (update->nudges < NUDGES_MAX && now >= update->bootloader_since + BOOTLOADER_MS) {
        update->nudges++;
        ferry_update_go(update, FERRY_UPDATE_RESET);
        return;
    }
    on_not_yet(update, now);
}

/* The image was rejected: the old one is to run. A device may give an image several starts. */
static void on_reverting(struct ferry_update *update, const struct ferry_image_state *wanted,
                         uint64_t now)
{
    bool still = wanted != NULL && wanted->active;

    if (still && wanted->confirmed) {
        ferry_update_fail(update, FERRY_E_STATE,
                          "the new image did not pass, but has confirmed itself: it runs for good",
                          "update with an image that is good");
    } else if (still && update->nudges < STARTS_MAX && now >= update->reset_at + OLD_ANSWERS_MS) {
        update->nudges++;
        ferry_update_go(update, FERRY_UPDATE_RESET);
    } else if (still) {
        on_not_yet(update, now);
    } else {
        ferry_update_fail(
            update, FERRY_E_REVERTED,
            "the new image did not pass; the device went back to the old one",
            "find out why it does not pass; nothing is left to be done on the device");
    }
}

/* What waited in the slot was not sent by this update, and the bootloader refused it. A signature
 * is not part of the hash: what has the same one may have been stored with a wrong one. */
static bool uploads_again(struct ferry_update *update)
{
    if (ferry_update_wanted(update) != NULL || update->uploaded || update->again) {
        return false;
    }
    update->again = true;
    ferry_update_warn(update,
                      "the bootloader refused the image that was in the slot already; it is sent "
                      "again",
                      "");
    ferry_update_go(update, FERRY_UPDATE_SPACE);
    return true;
}

static void on_returned(struct ferry_update *update, uint64_t now)
{
    const struct ferry_image_state *wanted = ferry_update_wanted(update);
    const struct ferry_image_state *running = ferry_update_running(update);

    if (update->entering) {
        on_entered(update, now);
        return;
    }
    if (update->resuming) { /* it may be another server */
        update->resuming = false;
        ferry_hello_start(&update->hello, update->config.client, update->config.link);
        ferry_update_go(update, FERRY_UPDATE_HELLO);
        return;
    }
    if (update->reverting && running != NULL) {
        on_reverting(update, wanted, now);
        return;
    }
    if (wanted != NULL && wanted->active) {
        ferry_update_on_running(update, wanted);
        return;
    }
    if (running != NULL && running->hash_len == 0) {
        ferry_update_fail(update, FERRY_E_UNSUPPORTED,
                          "the device lists no hashes: what runs cannot be proved",
                          "look at the version in the list of images");
        return;
    }
    if (running == NULL) {
        on_bootloader(update, now);
        return;
    }
    if (wanted != NULL && wanted->pending) {
        on_old_image(update, now);
        return;
    }
    if (!update->expects_pending && now < update->reset_at + OLD_ANSWERS_MS) {
        poll_again(update, now, POLL_MS);
        return;
    }
    if (!uploads_again(update)) {
        ferry_update_fail_not_running(update);
    }
}

void ferry_update_on_return(struct ferry_update *update, const struct ferry_client_answer *answer,
                            uint64_t now)
{
    if (answer->error == FERRY_E_TIMEOUT) {
        on_silence(update, now);
        return;
    }
    if (ferry_update_is_rc(answer, FERRY_RC_TOO_OLD) ||
        ferry_update_is_rc(answer, FERRY_RC_TOO_NEW)) {
        ferry_client_set_version(update->config.client, ferry_update_is_rc(answer, FERRY_RC_TOO_OLD)
                                                            ? FERRY_SMP_VERSION_2
                                                            : FERRY_SMP_VERSION_1);
    }
    if (answer->error != FERRY_OK && now < update->return_by) {
        poll_again(update, now, POLL_MS);
        return;
    }
    if (ferry_update_take_list(update, answer)) {
        on_returned(update, now);
    }
}

/* The new image fell silent after it ran: it may have crashed, and the bootloader takes the old
 * one back. Wait for that. */
void ferry_update_look_again(struct ferry_update *update, uint64_t now)
{
    if (++update->crashes > CRASHES_MAX) {
        ferry_update_fail(update, FERRY_E_TIMEOUT,
                          "the new image runs, but falls silent again and "
                          "again",
                          "see its log; it is not confirmed, so the next reset takes it back");
        return;
    }
    update->return_by = now + ferry_update_return_ms(update);
    update->silent = 0;
    ferry_update_go(update, FERRY_UPDATE_RETURN);
}

void ferry_update_on_confirm(struct ferry_update *update, const struct ferry_client_answer *answer,
                             uint64_t now)
{
    if (answer->error == FERRY_E_TIMEOUT) {
        ferry_update_look_again(update, now);
        return;
    }
    if (ferry_update_is_rc(answer, FERRY_RC_NOT_SUPPORTED)) {
        update->stateless = true;
    } else if (answer->error != FERRY_OK) {
        ferry_update_fail_answer(update, answer);
        return;
    }
    update->worked = true;
    ferry_update_go(update, FERRY_UPDATE_PROVE);
}

void ferry_update_on_prove(struct ferry_update *update, const struct ferry_client_answer *answer,
                           uint64_t now)
{
    const struct ferry_image_state *wanted;

    if (answer->error == FERRY_E_TIMEOUT) {
        ferry_update_look_again(update, now);
        return;
    }
    if (!ferry_update_take_list(update, answer)) {
        return;
    }
    wanted = ferry_update_wanted(update);
    if (wanted == NULL || !wanted->active) {
        ferry_update_fail_not_running(update);
        return;
    }
    if (!wanted->confirmed && !update->stateless) {
        ferry_update_fail(update, FERRY_E_STATE,
                          "the image runs, but the device does not list it as confirmed",
                          "confirm it, or the next reset takes it back");
        return;
    }
    ferry_update_finish(update, wanted);
}
