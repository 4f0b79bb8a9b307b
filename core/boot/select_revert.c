/* SPDX-License-Identifier: Apache-2.0 */
/* What strategies in place add to take an image back: copy_done says that it was started, the
 * store counts how often. [mcuboot-format.md §2.6 "App API", loader] */
#include "core/boot/select.h"

/* A write that fails is tried so often. */
#define TRIES 2

/* Say in the trailer that the image was started. Read back, for it is what the rollback hangs on.
 * Returns 1 when the trailer says so, 0 when it does not, or FERRY_E_POWER. */
static int note_start(const struct ferry_boot_swap *swap, uint32_t slot,
                      struct ferry_trailer *trailer)
{
    const struct ferry_flash *flash = ferry_slots_slot(swap->slots, slot);
    uint32_t align = swap->slots->max_align;

    if (trailer->magic != FERRY_SET) {
        return 1;
    }
    for (int i = 0; i < TRIES && trailer->copy_done == FERRY_UNSET; i++) {
        int rc = ferry_in_place_write(swap->slots, slot, trailer, false, true);

        if (rc != FERRY_E_POWER) {
            (void)ferry_boot_noted(swap, flash, flash->size - swap->layout.copy_done, rc);
            rc = ferry_trailer_read(flash, align, trailer);
        }
        if (rc == FERRY_E_POWER) {
            return rc;
        }
    }
    return trailer->copy_done != FERRY_UNSET;
}

/* The same in another place, where a cut or a flipped bit has spoilt the unit of copy_done. */
static int note_start_elsewhere(const struct ferry_boot_swap *swap, uint32_t slot)
{
    int rc = ferry_in_place_mark(swap->slots, slot, false);

    if (rc == FERRY_E_POWER) {
        return rc;
    }
    return rc == FERRY_OK;
}

/* Count the start. Returns 1 = counted; 0 = used up; FERRY_E_POWER; or FERRY_E_UNSUPPORTED when
 * nothing counts, or the store does not take it. */
static int count_start(const struct ferry_boot_swap *swap, const struct ferry_image_info *info)
{
    const struct ferry_boot_config *config = swap->config;

    if (!ferry_boot_counts_trials(swap)) {
        return FERRY_E_UNSUPPORTED;
    }

    int rc = swap->memory->trial_next(swap->slots, info->digest, config->cause, config->trials);

    return rc >= 0 || rc == FERRY_E_POWER ? rc : FERRY_E_UNSUPPORTED;
}

/* A start that is recorded neither in the trailer nor in the store could never be taken back. */
static int admit(const struct ferry_boot_swap *swap, uint32_t slot, struct ferry_boot_slots *slots,
                 struct ferry_boot_image_report *report)
{
    struct ferry_in_place *found = &slots->found[slot];
    bool is_new = found->trailer.magic == FERRY_SET && found->trailer.copy_done == FERRY_UNSET;
    int noted = note_start(swap, slot, &found->trailer);

    if (noted == FERRY_E_POWER) {
        return noted;
    }
    if (found->standing == FERRY_CONFIRMED) {
        report->action = is_new && noted == 1 ? FERRY_BOOT_UPGRADED : FERRY_BOOT_RAN;
        return 1;
    }

    int counted = count_start(swap, &report->info);

    if (counted == FERRY_E_POWER) {
        return counted;
    }
    slots->spent[slot] = counted == 0;
    if (counted == FERRY_E_UNSUPPORTED && found->standing == FERRY_ASKED) {
        counted = noted == 1 ? 1 : note_start_elsewhere(swap, slot);
        slots->unrecorded[slot] = counted == 0;
    } else if (counted == FERRY_E_UNSUPPORTED) {
        counted = 0;
        slots->spent[slot] = true;
    }
    if (counted == 1 && is_new) {
        report->action = FERRY_BOOT_TESTING;
    }
    return counted;
}

/* Whether a slot has, or may have, an image that was started and not confirmed. */
static bool is_unconfirmed(const struct ferry_boot_slots *slots, uint32_t slot)
{
    const struct ferry_in_place *found = &slots->found[slot];

    return found->header == FERRY_E_FLASH ||
           (found->header == FERRY_OK && (found->standing == FERRY_TRIED || slots->spent[slot]));
}

/* With nothing unconfirmed left, what was counted is history; else it is why the other image does
 * not run. */
static int settled(const struct ferry_boot_swap *swap, uint32_t slot,
                   const struct ferry_boot_slots *slots)
{
    if (!ferry_boot_counts_trials(swap) || slots->found[slot].standing != FERRY_CONFIRMED ||
        is_unconfirmed(slots, 1 - slot)) {
        return FERRY_OK;
    }

    int rc = swap->memory->trial_forget(swap->slots);

    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

const struct ferry_boot_revert ferry_boot_revert = {.admit = admit, .settled = settled};
