/* SPDX-License-Identifier: Apache-2.0 */
/* Update: what the list of images says, and answers that say no. */
#include "core/client/update.h"

#include "ferry/slots.h"

#include <string.h>

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
const struct ferry_image_state *ferry_update_wanted(const struct ferry_update *update)
{
    const struct ferry_image_state *found = NULL;

    for (uint32_t i = 0; i < update->state_count; i++) {
        const struct ferry_image_state *state = &update->states[i];
        /* A recovery that knows lists what it would not let run. */
        bool refused = update->recovery && !state->bootable && !state->active;

        if (is_wanted(update, state) && !refused && (found == NULL || state->active)) {
            found = &update->states[i];
        }
    }
    return found;
}

const struct ferry_image_state *ferry_update_running(const struct ferry_update *update)
{
    for (uint32_t i = 0; i < update->state_count; i++) {
        if (update->states[i].active) {
            return &update->states[i];
        }
    }
    return NULL;
}

bool ferry_update_is_loader(const struct ferry_update *update)
{
    const struct ferry_image_state *running = ferry_update_running(update);

    return update->mode == FERRY_MODE_FIRMWARE_LOADER && running != NULL && running->slot == 1;
}

/* Whether the old image waits in the other slot, to be taken back to. */
bool ferry_update_keeps_old(const struct ferry_update *update)
{
    const struct ferry_image_state *running = ferry_update_running(update);

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

bool ferry_update_lists_hashes(const struct ferry_update *update)
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

void ferry_update_fail_answer(struct ferry_update *update, const struct ferry_client_answer *answer)
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

bool ferry_update_is_rc(const struct ferry_client_answer *answer, int64_t rc)
{
    return answer->error == FERRY_E_REFUSED && !answer->status.grouped && answer->status.rc == rc;
}

/* Read a list that must be there. Returns false when the update failed. */
bool ferry_update_take_list(struct ferry_update *update, const struct ferry_client_answer *answer)
{
    int rc = answer->error == FERRY_OK ? read_list(update, answer) : FERRY_OK;

    if (answer->error != FERRY_OK) {
        ferry_update_fail_answer(update, answer);
        return false;
    }
    if (rc != FERRY_OK) {
        ferry_update_fail(update, rc, "the device's list of images cannot be read",
                          "read it raw with -v and report it to the device's maker");
        return false;
    }
    return true;
}
