/* SPDX-License-Identifier: Apache-2.0 */
/* Update, the deciding half: what follows from an answer. */
#include "core/client/update.h"

#include "ferry/slots.h"

/* How long a bootloader may take to answer. */
#define ENTER_MS 20000

/* ---- Before the upload
 * ---------------------------------------------------------------------------- */

static bool is_recovery(struct ferry_bytes payload)
{
    char way[2];

    return ferry_answer_text(payload, "recovery", way, sizeof way) >= 0;
}

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
    update->recovery = answer->error == FERRY_OK && is_recovery(answer->payload);
    if (update->recovery) {
        ferry_update_warn(update,
                          "the bootloader's recovery answers: what it takes is installed for good, "
                          "without a test",
                          "nothing, if that is meant");
    } else if (update->mode == FERRY_MODE_OVERWRITE) {
        ferry_update_warn(update, "the bootloader overwrites the old image: there is no way back",
                          "nothing, if that is meant");
    }
    ferry_update_go(update, FERRY_UPDATE_LIST);
}

static void judge(struct ferry_update *update, const struct ferry_image_state *wanted)
{
    update->proof = *wanted;
    ferry_update_go(update, FERRY_UPDATE_JUDGE);
}

void ferry_update_on_running(struct ferry_update *update, const struct ferry_image_state *wanted)
{
    if (wanted->confirmed) {
        if (update->was_reset) {
            judge(update, wanted);
        } else {
            ferry_update_finish(update, wanted);
        }
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
    judge(update, wanted);
}

/* The image is stored and does not run. */
static void on_stored(struct ferry_update *update, const struct ferry_image_state *wanted)
{
    /* Serial recovery writes to where images run: nothing is to be asked for. */
    bool in_place = wanted->active || (ferry_update_running(update) == NULL && wanted->slot == 0);

    bool asked_for = wanted->pending && (wanted->permanent || !update->config.permanent);

    if (!in_place && !asked_for) {
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

/* Whether the version is known not to be newer than the running one. A loader's own says nothing of
 * the image that it is there to replace. */
static bool is_downgrade(const struct ferry_update *update)
{
    const struct ferry_image_state *running = ferry_update_running(update);
    struct ferry_version now;

    for (uint32_t i = 0; i < update->state_count && ferry_update_is_loader(update); i++) {
        running = update->states[i].slot == 0 ? &update->states[i] : running;
    }

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

    return swaps && wanted->pending && wanted->permanent && !update->config.permanent;
}

static void on_list(struct ferry_update *update, const struct ferry_client_answer *answer,
                    uint64_t now)
{
    const struct ferry_image_state *wanted;

    (void)now;
    if (!ferry_update_take_list(update, answer)) {
        return;
    }
    wanted = ferry_update_wanted(update);
    if (wanted != NULL && wanted->active) {
        ferry_update_on_running(update, wanted);
        return;
    }
    if (update->config.only_prove) {
        ferry_update_fail_not_running(update);
        return;
    }
    if (ferry_update_keeps_old(update)) {
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
    if (wanted != NULL && ferry_update_running(update) != NULL && is_beyond_test(update, wanted)) {
        ferry_update_fail(update, FERRY_E_STATE,
                          "the image is asked for for good already: it cannot be tested, and "
                          "would not be taken back",
                          "reset the device if that is wanted; else erase the slot, then update");
        return;
    }
    /* A recovery starts what is in slot 0 or asked for: elsewhere it is of no use. */
    if (wanted != NULL &&
        (ferry_update_running(update) != NULL || wanted->slot == 0 || wanted->pending)) {
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

/* Whether the upload has to go through recovery. A server that runs from elsewhere takes uploads
 * into the only slot, and says so. */
static bool needs_recovery(const struct ferry_update *update, const struct ferry_slot_info *target)
{
    const struct ferry_image_state *running = ferry_update_running(update);
    bool only_slot =
        update->mode == FERRY_MODE_SINGLE && (target == NULL || !target->has_upload_id);
    bool loader_wanted = update->mode == FERRY_MODE_FIRMWARE_LOADER && running != NULL &&
                         !ferry_update_is_loader(update);

    return !update->recovery && running != NULL && !ferry_update_is_loader(update) &&
           (update->config.recovery || only_slot || loader_wanted);
}

/* Whether another image waits for a reset in the slot that is not running; erase_slot is its. */
static bool find_pending(struct ferry_update *update)
{
    for (uint32_t i = 0; i < update->state_count; i++) {
        const struct ferry_image_state *state = &update->states[i];

        if (state->pending && !state->active) {
            update->erase_slot = (int32_t)(2 * state->image + state->slot);
            return true;
        }
    }
    return false;
}

static void on_space(struct ferry_update *update, const struct ferry_client_answer *answer,
                     uint64_t now)
{
    struct ferry_slot_info slot;
    const struct ferry_slot_info *target = NULL;

    (void)now;
    if (answer->error == FERRY_OK &&
        ferry_answer_slot_target(answer->payload, update->config.image, &slot) == 1) {
        target = &slot;
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
    if (needs_recovery(update, target)) {
        ferry_update_go(update, FERRY_UPDATE_ENTER);
    } else if (update->config.erase_pending && find_pending(update)) {
        ferry_update_go(update, FERRY_UPDATE_ERASE);
    } else {
        ferry_update_go(update, FERRY_UPDATE_UPLOAD);
    }
}

static void on_erase(struct ferry_update *update, const struct ferry_client_answer *answer,
                     uint64_t now)
{
    (void)now;
    update->worked = true;
    if (answer->error != FERRY_OK) {
        ferry_update_fail_answer(update, answer);
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
    if (!ferry_update_take_list(update, answer)) {
        return;
    }
    wanted = ferry_update_wanted(update);
    if (wanted != NULL) {
        on_stored(update, wanted);
        return;
    }
    if (!ferry_update_lists_hashes(update)) {
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

    return !update->worked && (invalid_slot || ferry_update_is_rc(answer, FERRY_RC_INVALID));
}

/* Where the slot alone decides what runs a server may have no states, or refuse to change them: the
 * list after the reset is the proof. (C21, C22) */
static bool has_no_states(const struct ferry_update *update,
                          const struct ferry_client_answer *answer)
{
    bool by_slot =
        update->mode == FERRY_MODE_DIRECT_XIP || update->mode == FERRY_MODE_FIRMWARE_LOADER;

    return ferry_update_is_rc(answer, FERRY_RC_NOT_SUPPORTED) ||
           (by_slot && answer->error == FERRY_E_REFUSED && update->uploaded);
}

static void on_test(struct ferry_update *update, const struct ferry_client_answer *answer,
                    uint64_t now)
{
    const struct ferry_image_state *wanted;

    (void)now;
    if (has_no_states(update, answer) && !update->config.test_only) {
        update->stateless = true;
        ferry_update_go(update, FERRY_UPDATE_RESET);
        return;
    }
    if (is_kept_elsewhere(update, answer)) {
        ferry_update_go(update, FERRY_UPDATE_SPACE);
        return;
    }
    if (!ferry_update_take_list(update, answer)) {
        return;
    }
    update->worked = true;
    wanted = ferry_update_wanted(update);
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

uint32_t ferry_update_return_ms(const struct ferry_update *update)
{
    if (update->config.return_ms != 0) {
        return update->config.return_ms;
    }
    return ferry_client_swap_ms(update->slot_size);
}

/* Whether the device resets. The link may be gone before the answer got out: no answer is as good
 * as one. */
static bool resets(struct ferry_update *update, const struct ferry_client_answer *answer)
{
    if (answer->error != FERRY_E_REFUSED) {
        return true;
    }
    ferry_update_fail_answer(update, answer);
    if (ferry_update_is_rc(answer, FERRY_RC_BUSY)) {
        update->text = "the device refuses the reset: it is busy";
        update->remedy = "try again later, or force the reset";
    }
    return false;
}

void ferry_update_was_reset(struct ferry_update *update, uint64_t now)
{
    update->reset_at = now;
    if (update->step == FERRY_UPDATE_ENTER) {
        update->entering = true;
        update->return_by = now + ENTER_MS;
        return;
    }
    update->worked = true;
    update->was_reset = !update->reverting;
    update->bootloader_since = 0;
    if (update->nudges == 0) {
        update->return_by = now + ferry_update_return_ms(update);
    }
}

static void on_reset(struct ferry_update *update, const struct ferry_client_answer *answer,
                     uint64_t now)
{
    if (!resets(update, answer)) {
        return;
    }
    ferry_update_was_reset(update, now);
    ferry_update_go(update, FERRY_UPDATE_AWAY);
}

/* ---- The way through recovery
 * ------------------------------------------------------------------- */

static void on_enter(struct ferry_update *update, const struct ferry_client_answer *answer,
                     uint64_t now)
{
    if (!resets(update, answer)) {
        return;
    }
    ferry_update_was_reset(update, now);
    ferry_update_go(update, FERRY_UPDATE_AWAY);
}

/* ---- Answers
 * ---------------------------------------------------------------------------------------------- */

typedef void answer_handler(struct ferry_update *update, const struct ferry_client_answer *answer,
                            uint64_t now);

static answer_handler *const HANDLERS[] = {
    [FERRY_UPDATE_MODE] = on_mode,
    [FERRY_UPDATE_LIST] = on_list,
    [FERRY_UPDATE_SPACE] = on_space,
    [FERRY_UPDATE_ENTER] = on_enter,
    [FERRY_UPDATE_ERASE] = on_erase,
    [FERRY_UPDATE_CHECK] = on_check,
    [FERRY_UPDATE_TEST] = on_test,
    [FERRY_UPDATE_RESET] = on_reset,
    [FERRY_UPDATE_RETURN] = ferry_update_on_return,
    [FERRY_UPDATE_CONFIRM] = ferry_update_on_confirm,
    [FERRY_UPDATE_PROVE] = ferry_update_on_prove,
    [FERRY_UPDATE_END] = NULL,
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
