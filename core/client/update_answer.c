/* SPDX-License-Identifier: Apache-2.0 */
/* Update, the deciding half: what follows from an answer. */
#include "core/client/update.h"

#include "ferry/slots.h"

#include <string.h>

/* Between two questions to a device that answers, but has not done its work yet. */
#define POLL_MS 200

/* How long after a reset the old image may still be the one that answers, when nothing in its
 * list tells before from after. */
#define OLD_ANSWERS_MS 3000

/* Silent polls until the other SMP version is tried: the new firmware may speak only that. */
#define SILENT_MAX 4

/* How often the new image may fall silent between its return and the proof. */
#define CRASHES_MAX 4

/* ---- The list -------------------------------------------------------------------------------- */

static bool is_wanted(const struct ferry_update *update, const struct ferry_image_state *state)
{
    return state->hash_len == update->config.hash_len &&
           memcmp(state->hash, update->config.hash, state->hash_len) == 0;
}

/* Keep the elements of our image. */
static int read_list(struct ferry_update *update, const struct ferry_client_answer *answer)
{
    int count = ferry_answer_image_list(answer->payload, update->states, FERRY_UPDATE_STATES);
    uint32_t kept = 0;

    for (int i = 0; i < count && i < FERRY_UPDATE_STATES; i++) {
        if (update->states[i].image == update->config.image) {
            update->states[kept++] = update->states[i];
        }
    }
    update->state_count = kept;
    return count < 0 ? count : FERRY_OK;
}

/* The image we want, the running one of equals; NULL when it is not listed. */
static const struct ferry_image_state *find_wanted(const struct ferry_update *update)
{
    const struct ferry_image_state *found = NULL;

    for (uint32_t i = 0; i < update->state_count; i++) {
        if (is_wanted(update, &update->states[i]) && (found == NULL || update->states[i].active)) {
            found = &update->states[i];
        }
    }
    return found;
}

static const struct ferry_image_state *find_running(const struct ferry_update *update)
{
    for (uint32_t i = 0; i < update->state_count; i++) {
        if (update->states[i].active) {
            return &update->states[i];
        }
    }
    return NULL;
}

/* Whether the old image waits in the other slot, to be taken back to. */
static bool keeps_old(const struct ferry_update *update)
{
    const struct ferry_image_state *running = find_running(update);

    if (running == NULL || running->confirmed) {
        return false;
    }
    for (uint32_t i = 0; i < update->state_count; i++) {
        if (!update->states[i].active && update->states[i].confirmed) {
            return true;
        }
    }
    return false;
}

static bool lists_hashes(const struct ferry_update *update)
{
    for (uint32_t i = 0; i < update->state_count; i++) {
        if (update->states[i].hash_len == 0) {
            return false;
        }
    }
    return true;
}

/* ---- Failures ----------------------------------------------------------------------------------
 */

static void fail_answer(struct ferry_update *update, const struct ferry_client_answer *answer)
{
    int error = answer->error;
    struct ferry_smp_words words;

    if (error != FERRY_E_REFUSED) {
        ferry_update_fail(update, error, ferry_error_text(error), ferry_error_remedy(error));
        return;
    }
    update->status = answer->status;
    update->status.reason = (struct ferry_bytes){NULL, 0};
    words = answer->status.grouped ? ferry_smp_group_words(answer->status.group, answer->status.rc)
                                   : ferry_smp_rc_words(answer->status.rc);
    ferry_update_fail(update, error, words.cause, words.remedy);
}

static bool is_rc(const struct ferry_client_answer *answer, int64_t rc)
{
    return answer->error == FERRY_E_REFUSED && !answer->status.grouped && answer->status.rc == rc;
}

/* Read a list that must be there. Returns false when the update failed. */
static bool take_list(struct ferry_update *update, const struct ferry_client_answer *answer)
{
    int rc = answer->error == FERRY_OK ? read_list(update, answer) : FERRY_OK;

    if (answer->error != FERRY_OK) {
        fail_answer(update, answer);
        return false;
    }
    if (rc != FERRY_OK) {
        ferry_update_fail(update, rc, "the device's list of images cannot be read",
                          "read it raw with -v and report it to the device's maker");
        return false;
    }
    return true;
}

static void fail_not_running(struct ferry_update *update)
{
    if (find_wanted(update) != NULL) {
        ferry_update_fail(update, FERRY_E_REVERTED,
                          "the device runs the old image: the new one did not confirm itself in "
                          "time, crashed, or was refused by the bootloader",
                          "see the boot log for the reason; the new image is still in its slot");
        return;
    }
    ferry_update_fail(update, FERRY_E_NO_IMAGE,
                      "the device runs the old image: the bootloader refused the new one and "
                      "removed it",
                      "see the boot log; check key, version and header of the image");
}

/* ---- Before the upload
 * ---------------------------------------------------------------------------- */

static void on_mode(struct ferry_update *update, const struct ferry_client_answer *answer,
                    uint64_t now)
{
    bool no_downgrade;

    (void)now;
    /* Many servers do not have it; then the list tells enough. */
    if (answer->error != FERRY_OK ||
        ferry_answer_mode(answer->payload, &update->mode, &no_downgrade) != FERRY_OK) {
        update->mode = -1;
    }
    if (update->mode == FERRY_MODE_OVERWRITE) {
        ferry_update_warn(update, "the bootloader overwrites the old image: there is no way back",
                          "");
    }
    ferry_update_go(update, FERRY_UPDATE_LIST);
}

static void on_running(struct ferry_update *update, const struct ferry_image_state *wanted)
{
    if (wanted->confirmed) {
        ferry_update_finish(update, wanted);
        return;
    }
    if (update->config.no_confirm || update->config.test_only) {
        if (!update->config.is_part) {
            ferry_update_warn(update,
                              "the image runs but is not confirmed: the next reset takes it back",
                              "confirm it when it has proved itself");
        }
        ferry_update_finish(update, wanted);
        return;
    }
    ferry_update_go(update, FERRY_UPDATE_CONFIRM);
}

/* The image is stored and does not run. */
static void on_stored(struct ferry_update *update, const struct ferry_image_state *wanted)
{
    /* Serial recovery writes to where images run: nothing is to be asked for. */
    bool in_place = wanted->active || (find_running(update) == NULL && wanted->slot == 0);

    if (!in_place && !wanted->pending) {
        ferry_update_go(update, FERRY_UPDATE_TEST);
        return;
    }
    update->expects_pending = wanted->pending;
    if (update->config.test_only) {
        ferry_update_finish(update, wanted);
        return;
    }
    ferry_update_go(update, FERRY_UPDATE_RESET);
}

/* Whether the version is known not to be newer than the running one. */
static bool is_downgrade(const struct ferry_update *update)
{
    const struct ferry_image_state *running = find_running(update);
    struct ferry_version now;

    return update->config.no_downgrade && update->config.version != NULL && running != NULL &&
           ferry_version_parse(running->version, &now) == FERRY_OK &&
           ferry_version_compare(update->config.version, &now, false) <= 0;
}

/* Somebody asked for the image for good before: then there is no test, and no way back. */
static bool is_beyond_test(const struct ferry_update *update,
                           const struct ferry_image_state *wanted)
{
    bool swaps = update->mode == FERRY_MODE_SWAP_SCRATCH || update->mode == FERRY_MODE_SWAP_MOVE ||
                 update->mode == FERRY_MODE_SWAP_OFFSET;

    return swaps && wanted->pending && wanted->permanent;
}

static void on_list(struct ferry_update *update, const struct ferry_client_answer *answer,
                    uint64_t now)
{
    const struct ferry_image_state *wanted;

    (void)now;
    if (!take_list(update, answer)) {
        return;
    }
    wanted = find_wanted(update);
    if (wanted != NULL && wanted->active) {
        on_running(update, wanted);
        return;
    }
    if (update->config.only_prove) {
        fail_not_running(update);
        return;
    }
    if (keeps_old(update)) {
        ferry_update_fail(
            update, FERRY_E_STATE,
            "the running image is not confirmed, and the other slot keeps the old "
            "one for the revert",
            "confirm the running image, or reset the device to take the old one back");
        return;
    }
    if (is_downgrade(update)) {
        ferry_update_fail(update, FERRY_E_DOWNGRADE,
                          "the version is not newer than the one that runs",
                          "raise the version when signing, or allow the downgrade");
        return;
    }
    if (wanted != NULL && is_beyond_test(update, wanted)) {
        ferry_update_fail(update, FERRY_E_STATE,
                          "the image is asked for for good already: it cannot be tested, and "
                          "would not be taken back",
                          "reset the device if that is wanted; else erase the slot, then update");
        return;
    }
    /* A recovery starts only what is in slot 0: elsewhere it is of no use. */
    if (wanted != NULL && (find_running(update) != NULL || wanted->slot == 0)) {
        on_stored(update, wanted);
        return;
    }
    ferry_update_go(update, FERRY_UPDATE_SPACE);
}

/* What an upload to a slot may be: the whole image's limit, else the slot. 0 = not known. */
static uint32_t slot_limit(const struct ferry_slot_info *slot)
{
    if (slot->max_image_size != 0 && slot->max_image_size < slot->size) {
        return slot->max_image_size;
    }
    return slot->size;
}

/* The slot an upload goes to says so; else it is the second one, or the only one. */
static const struct ferry_slot_info *find_target(const struct ferry_update *update,
                                                 const struct ferry_slot_info *slots, int count)
{
    const struct ferry_slot_info *found = NULL;

    for (int i = 0; i < count && i < FERRY_UPDATE_STATES; i++) {
        if (slots[i].image != update->config.image || slots[i].error != 0) {
            continue;
        }
        if (slots[i].has_upload_id && slots[i].upload_id == update->config.image) {
            return &slots[i];
        }
        found = &slots[i];
    }
    return found;
}

static void on_space(struct ferry_update *update, const struct ferry_client_answer *answer,
                     uint64_t now)
{
    struct ferry_slot_info slots[FERRY_UPDATE_STATES];
    const struct ferry_slot_info *target = NULL;
    int count = 0;

    (void)now;
    if (answer->error == FERRY_OK) {
        count = ferry_answer_slot_info(answer->payload, slots, FERRY_UPDATE_STATES);
        target = find_target(update, slots, count);
    }
    if (target != NULL && target->size != 0) {
        update->slot_size = target->size;
        update->limit = slot_limit(target);
    }
    if (update->limit != 0 && update->config.size > update->limit) {
        ferry_update_fail(update, FERRY_E_TOO_LARGE, ferry_error_text(FERRY_E_TOO_LARGE),
                          ferry_error_remedy(FERRY_E_TOO_LARGE));
        return;
    }
    ferry_update_go(update, FERRY_UPDATE_UPLOAD);
}

/* ---- From the upload to the reset
 * ---------------------------------------------------------------------- */

static void on_check(struct ferry_update *update, const struct ferry_client_answer *answer,
                     uint64_t now)
{
    const struct ferry_image_state *wanted;

    (void)now;
    if (!take_list(update, answer)) {
        return;
    }
    wanted = find_wanted(update);
    if (wanted != NULL) {
        on_stored(update, wanted);
        return;
    }
    if (!lists_hashes(update)) {
        ferry_update_go(update, FERRY_UPDATE_TEST);
        return;
    }
    ferry_update_fail(update, FERRY_E_MISMATCH,
                      "all bytes are there, but the device does not list the image: it does not "
                      "accept it",
                      "check that the file is a signed image for this device");
}

/* Whether a server refuses a test since the image stands where old ones are kept, and nothing was
 * uploaded yet. Version 1 has only one word for it. */
static bool is_kept_elsewhere(const struct ferry_update *update,
                              const struct ferry_client_answer *answer)
{
    bool invalid_slot = answer->error == FERRY_E_REFUSED && answer->status.grouped &&
                        answer->status.group == FERRY_SMP_GROUP_IMAGE && answer->status.rc == 14;

    return !update->worked && (invalid_slot || is_rc(answer, FERRY_RC_INVALID));
}

static void on_test(struct ferry_update *update, const struct ferry_client_answer *answer,
                    uint64_t now)
{
    const struct ferry_image_state *wanted;

    (void)now;
    if (is_rc(answer, FERRY_RC_NOT_SUPPORTED) && !update->config.test_only) {
        update->stateless = true;
        ferry_update_go(update, FERRY_UPDATE_RESET);
        return;
    }
    if (is_kept_elsewhere(update, answer)) {
        ferry_update_go(update, FERRY_UPDATE_SPACE);
        return;
    }
    if (!take_list(update, answer)) {
        return;
    }
    update->worked = true;
    wanted = find_wanted(update);
    if (wanted != NULL && !wanted->pending) {
        ferry_update_fail(update, FERRY_E_STATE,
                          "the device took the request for a test, but does not list the image as "
                          "pending",
                          "look at the list of images; reset the device and try again");
        return;
    }
    update->expects_pending = wanted != NULL;
    if (update->config.test_only && wanted != NULL) {
        ferry_update_finish(update, wanted);
        return;
    }
    ferry_update_go(update, FERRY_UPDATE_RESET);
}

static uint32_t return_ms(const struct ferry_update *update)
{
    if (update->config.return_ms != 0) {
        return update->config.return_ms;
    }
    return ferry_client_swap_ms(update->slot_size);
}

static void on_reset(struct ferry_update *update, const struct ferry_client_answer *answer,
                     uint64_t now)
{
    if (is_rc(answer, FERRY_RC_BUSY)) {
        fail_answer(update, answer);
        update->text = "the device refuses the reset: it is busy";
        update->remedy = "try again later, or force the reset";
        return;
    }
    /* The link may be gone before the answer got out: no answer is as good as one. */
    if (answer->error == FERRY_E_REFUSED) {
        fail_answer(update, answer);
        return;
    }
    update->worked = true;
    update->reset_at = now;
    update->return_by = now + return_ms(update);
    ferry_update_go(update, FERRY_UPDATE_AWAY);
}

/* ---- After the reset
 * -------------------------------------------------------------------------------------- */

static void poll_again(struct ferry_update *update, uint64_t now, uint32_t wait_ms)
{
    update->wait_until = now + wait_ms;
}

static void on_silence(struct ferry_update *update, uint64_t now)
{
    struct ferry_client *client = update->config.client;

    if (now >= update->return_by) {
        ferry_update_fail(update, FERRY_E_TIMEOUT, "the device did not come back after the reset",
                          "see its boot log; power-cycle it, then look at the list of images");
        return;
    }
    if (++update->silent % SILENT_MAX == 0) {
        ferry_client_set_version(client, client->version == FERRY_SMP_VERSION_2
                                             ? FERRY_SMP_VERSION_1
                                             : FERRY_SMP_VERSION_2);
    }
    poll_again(update, now, 0);
}

/* It answers, but not as it should at the end; that may come. */
static void on_not_yet(struct ferry_update *update, uint64_t now)
{
    if (now < update->return_by) {
        poll_again(update, now, POLL_MS);
        return;
    }
    ferry_update_fail(update, FERRY_E_STATE,
                      find_running(update) == NULL
                          ? "the device stays in its bootloader"
                          : "the device did not start the image, though it is still asked for",
                      "see the boot log; power-cycle the device, then look at the list of images");
}

static void on_returned(struct ferry_update *update, uint64_t now)
{
    const struct ferry_image_state *wanted = find_wanted(update);
    const struct ferry_image_state *running = find_running(update);

    if (wanted != NULL && wanted->active) {
        on_running(update, wanted);
        return;
    }
    if (running != NULL && running->hash_len == 0) {
        ferry_update_fail(update, FERRY_E_UNSUPPORTED,
                          "the device lists no hashes: what runs cannot be proved",
                          "look at the version in the list of images");
        return;
    }
    if (running == NULL || (wanted != NULL && wanted->pending)) {
        on_not_yet(update, now);
        return;
    }
    if (!update->expects_pending && now < update->reset_at + OLD_ANSWERS_MS) {
        poll_again(update, now, POLL_MS);
        return;
    }
    fail_not_running(update);
}

static void on_return(struct ferry_update *update, const struct ferry_client_answer *answer,
                      uint64_t now)
{
    if (answer->error == FERRY_E_TIMEOUT) {
        on_silence(update, now);
        return;
    }
    if (is_rc(answer, FERRY_RC_TOO_OLD) || is_rc(answer, FERRY_RC_TOO_NEW)) {
        ferry_client_set_version(update->config.client, is_rc(answer, FERRY_RC_TOO_OLD)
                                                            ? FERRY_SMP_VERSION_2
                                                            : FERRY_SMP_VERSION_1);
    }
    if (answer->error != FERRY_OK && now < update->return_by) {
        poll_again(update, now, POLL_MS);
        return;
    }
    if (take_list(update, answer)) {
        on_returned(update, now);
    }
}

/* The new image fell silent after it ran: it may have crashed, and the bootloader takes the old
 * one back. Wait for that. */
static void on_crash(struct ferry_update *update, uint64_t now)
{
    if (++update->crashes > CRASHES_MAX) {
        ferry_update_fail(update, FERRY_E_TIMEOUT,
                          "the new image runs, but falls silent again and "
                          "again",
                          "see its log; it is not confirmed, so the next reset takes it back");
        return;
    }
    update->return_by = now + return_ms(update);
    update->silent = 0;
    ferry_update_go(update, FERRY_UPDATE_RETURN);
}

static void on_confirm(struct ferry_update *update, const struct ferry_client_answer *answer,
                       uint64_t now)
{
    if (answer->error == FERRY_E_TIMEOUT) {
        on_crash(update, now);
        return;
    }
    if (is_rc(answer, FERRY_RC_NOT_SUPPORTED)) {
        update->stateless = true;
    } else if (answer->error != FERRY_OK) {
        fail_answer(update, answer);
        return;
    }
    update->worked = true;
    ferry_update_go(update, FERRY_UPDATE_PROVE);
}

static void on_prove(struct ferry_update *update, const struct ferry_client_answer *answer,
                     uint64_t now)
{
    const struct ferry_image_state *wanted;

    if (answer->error == FERRY_E_TIMEOUT) {
        on_crash(update, now);
        return;
    }
    if (!take_list(update, answer)) {
        return;
    }
    wanted = find_wanted(update);
    if (wanted == NULL || !wanted->active) {
        fail_not_running(update);
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

/* ---- Answers
 * ---------------------------------------------------------------------------------------------- */

typedef void answer_handler(struct ferry_update *update, const struct ferry_client_answer *answer,
                            uint64_t now);

static answer_handler *const HANDLERS[] = {
    [FERRY_UPDATE_MODE] = on_mode,     [FERRY_UPDATE_LIST] = on_list,
    [FERRY_UPDATE_SPACE] = on_space,   [FERRY_UPDATE_CHECK] = on_check,
    [FERRY_UPDATE_TEST] = on_test,     [FERRY_UPDATE_RESET] = on_reset,
    [FERRY_UPDATE_RETURN] = on_return, [FERRY_UPDATE_CONFIRM] = on_confirm,
    [FERRY_UPDATE_PROVE] = on_prove,   [FERRY_UPDATE_END] = NULL,
};

bool ferry_update_answer(struct ferry_update *update, const struct ferry_client_answer *answer,
                         uint64_t now)
{
    if (update->step == FERRY_UPDATE_HELLO) {
        return ferry_hello_answer(&update->hello, answer);
    }
    if (update->step == FERRY_UPDATE_UPLOAD) {
        return ferry_upload_answer(&update->upload, answer, now);
    }
    if (update->ticket == 0 || answer->ticket != update->ticket) {
        return false;
    }
    update->ticket = 0;
    HANDLERS[update->step](update, answer, now);
    return true;
}
