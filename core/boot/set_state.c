/* SPDX-License-Identifier: Apache-2.0 */
/* Images that change as one: what is there, what the record says, and what follows for each image.
 */
#include "core/boot/set.h"

#include <string.h>

/* ---- What is there ------------------------------------------------------------------------- */

int ferry_boot_set_look(struct ferry_boot_set_state *set)
{
    for (uint32_t i = 0; i < set->group.count; i++) {
        int rc = ferry_record_digest(set->group.swaps[i].slots, 0, set->running[i]);

        if (rc < 0) {
            return rc;
        }
        if (rc == 0) {
            memset(set->running[i], 0, sizeof(set->running[i]));
        }
    }
    return FERRY_OK;
}

uint32_t ferry_boot_set_alike(const struct ferry_boot_set_state *set, uint32_t mask,
                              const uint8_t digests[FERRY_SET_IMAGES][FERRY_RECORD_DIGEST])
{
    static const uint8_t none[FERRY_RECORD_DIGEST];
    uint32_t found = 0;

    for (uint32_t i = 0; i < set->group.count; i++) {
        if (ferry_boot_in(mask, i) && memcmp(set->running[i], none, sizeof(none)) != 0 &&
            memcmp(set->running[i], digests[i], sizeof(none)) == 0) {
            found |= 1U << i;
        }
    }
    return found;
}

uint32_t ferry_boot_set_new(const struct ferry_boot_set_state *set)
{
    return ferry_boot_set_alike(set, set->record.mask, set->record.is);
}

uint32_t ferry_boot_set_old(const struct ferry_boot_set_state *set)
{
    return ferry_boot_set_alike(set, set->record.mask, set->record.was) & ~ferry_boot_set_new(set);
}

/* ---- The record ------------------------------------------------------------------------------ */

struct ferry_store *ferry_boot_set_store(const struct ferry_boot_set_state *set)
{
    return set->group.config->images[0].slots.store;
}

int ferry_boot_set_enter(struct ferry_boot_set_state *set, enum ferry_set_phase phase)
{
    set->record.phase = phase;

    int rc = ferry_set_write(ferry_boot_set_store(set), &set->record);

    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

int ferry_boot_set_rest(struct ferry_boot_set_state *set)
{
    set->record.mask = 0;
    memcpy(set->record.was, set->running, sizeof(set->running));
    memcpy(set->record.is, set->running, sizeof(set->running));
    return ferry_boot_set_enter(set, FERRY_SET_CONFIRMED);
}

void ferry_boot_stays(struct ferry_boot_swap *swap)
{
    swap->type = swap->type == FERRY_SWAP_REVERT ? FERRY_SWAP_NONE : swap->type;
}

void ferry_boot_on_trial(struct ferry_boot_swap *swap)
{
    swap->type = swap->type == FERRY_SWAP_NONE ? FERRY_SWAP_REVERT : swap->type;
}

void ferry_boot_set_stand(struct ferry_boot_set_state *set, uint32_t mask, ferry_boot_heed *heed)
{
    for (uint32_t i = 0; i < set->group.count; i++) {
        if (ferry_boot_in(mask, i)) {
            set->group.swaps[i].heed = heed;
            set->group.swaps[i].type = FERRY_SWAP_NONE;
        }
    }
}

uint32_t ferry_boot_lowest(uint32_t mask)
{
    uint32_t number = 0;

    while (mask >> number > 1 && !ferry_boot_in(mask, number)) {
        number++;
    }
    return number;
}

void ferry_boot_set_name_leader(struct ferry_boot_set_state *set)
{
    for (uint32_t i = 0; i < set->group.count; i++) {
        set->group.swaps[i].follows = i != ferry_boot_lowest(set->record.mask);
    }
}

/* A trailer that does not take it leaves the record to say so. */
int ferry_boot_set_confirm(struct ferry_boot_set_state *set, uint32_t mask)
{
    for (uint32_t i = 0; i < set->group.count; i++) {
        struct ferry_boot_swap swap = set->group.swaps[i];
        int rc = FERRY_OK;

        swap.heed = NULL;
        if (ferry_boot_in(mask, i)) {
            rc = ferry_boot_decide(&swap);
        }
        if (rc == FERRY_OK && ferry_boot_in(mask, i) && swap.type == FERRY_SWAP_REVERT) {
            swap.type = FERRY_SWAP_PERM;
            rc = ferry_boot_end(&swap);
        }
        if (rc == FERRY_E_POWER) {
            return rc;
        }
    }
    ferry_boot_set_stand(set, mask, ferry_boot_stays);
    return FERRY_OK;
}

int ferry_boot_set_digest(const struct ferry_boot_swap *swap, uint8_t digest[FERRY_RECORD_DIGEST])
{
    const struct ferry_slots *slots = swap->slots;
    uint32_t at =
        swap->backwards ? ferry_slots_old_offset(slots) : ferry_slots_upload_offset(slots);
    struct ferry_flash_slice view;
    struct ferry_image_info info;
    int rc = ferry_slots_secondary_at(slots, at, &view);

    memset(digest, 0, FERRY_RECORD_DIGEST);
    if (rc == FERRY_OK) {
        rc = ferry_image_inspect(&view.flash, &info);
    }
    if (rc == FERRY_OK && info.digest_len >= FERRY_RECORD_DIGEST) {
        memcpy(digest, info.digest, FERRY_RECORD_DIGEST);
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}
