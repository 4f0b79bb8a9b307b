/* SPDX-License-Identifier: Apache-2.0 */
/* Which slot's image runs, where nothing moves. */
#include "core/boot/select.h"

#include <string.h>

/* ---- Choosing ------------------------------------------------------------------------------- */

static int look(const struct ferry_boot_swap *swap, struct ferry_boot_slots *slots)
{
    ferry_slots_confirmed *confirmed = swap->memory != NULL ? swap->memory->is_confirmed : NULL;

    memset(slots, 0, sizeof(*slots));
    slots->examined = 2;
    for (uint32_t slot = 0; slot < 2; slot++) {
        int rc = ferry_in_place_look(swap->slots, slot, confirmed, &slots->found[slot]);

        if (rc != FERRY_OK) {
            return rc;
        }
        slots->why[slot] = slots->found[slot].header;
    }
    return FERRY_OK;
}

/* Whether it can be the turn of an image. One that was tried has a turn where trials are counted:
 * how many are left is asked when it is about to start. */
static bool has_turn(const struct ferry_boot_swap *swap, const struct ferry_in_place *found)
{
    bool counted = ferry_boot_counts_trials(swap);

    return ferry_in_place_may_start(found) ||
           (found->header == FERRY_OK && found->standing == FERRY_TRIED && counted);
}

/* Examine the image of a slot, unless it was the last one. Returns FERRY_OK, or why not. */
static int examine(const struct ferry_boot_swap *swap, const struct ferry_boot_select *select,
                   uint32_t slot, struct ferry_boot_slots *slots,
                   struct ferry_boot_image_report *report, struct ferry_verdict *verdict)
{
    if (slots->examined == slot) {
        return FERRY_OK;
    }
    bool asked = slots->found[slot].standing == FERRY_ASKED;

    slots->why[slot] = select->examine(swap, slot, asked, &report->info, verdict);
    slots->examined = slots->why[slot] == FERRY_OK ? slot : 2;
    return slots->why[slot];
}

/* As examine(), and beside the image of the other slot where that one is confirmed: the store knows
 * of it only if the application said so. Only an image that may run itself is a measure. */
static int examine_beside(const struct ferry_boot_swap *swap,
                          const struct ferry_boot_select *select, uint32_t slot,
                          struct ferry_boot_slots *slots, struct ferry_boot_image_report *report,
                          struct ferry_verdict *verdict)
{
    uint32_t other = 1 - slot;
    int rc = examine(swap, select, slot, slots, report, verdict);

    if (rc != FERRY_OK || select->revert == NULL || slots->refused[other] ||
        slots->found[other].header != FERRY_OK || slots->found[other].standing != FERRY_CONFIRMED) {
        return rc;
    }

    int why = ferry_boot_admit_beside(swap, slot, &report->info);

    if (why == FERRY_OK || why == FERRY_E_POWER) {
        return why;
    }
    rc = examine(swap, select, other, slots, report, verdict);
    if (rc == FERRY_OK) {
        slots->why[slot] = why;
        return why;
    }
    return rc == FERRY_E_POWER ? rc : examine(swap, select, slot, slots, report, verdict);
}

/* Whether the image of a slot may run, and may start now. Returns 1, 0 or FERRY_E_POWER. */
static int try_slot(const struct ferry_boot_swap *swap, const struct ferry_boot_select *select,
                    uint32_t slot, struct ferry_boot_slots *slots,
                    struct ferry_boot_image_report *report, struct ferry_verdict *verdict)
{
    int rc = examine_beside(swap, select, slot, slots, report, verdict);

    if (rc != FERRY_OK) {
        slots->refused[slot] = true;
        return rc == FERRY_E_POWER ? rc : 0;
    }
    return select->revert == NULL ? 1 : select->revert->admit(swap, slot, slots, report);
}

/* The newest first. Sets *slot to 2 when none is left.
 * Returns FERRY_OK or FERRY_E_POWER. */
static int choose(const struct ferry_boot_swap *swap, const struct ferry_boot_select *select,
                  struct ferry_boot_slots *slots, struct ferry_boot_image_report *report,
                  struct ferry_verdict *verdict, uint32_t *slot)
{
    uint32_t newest = ferry_in_place_newer(slots->found);

    for (uint32_t i = 0; i < 2; i++) {
        *slot = i == 0 ? newest : 1 - newest;
        if (has_turn(swap, &slots->found[*slot])) {
            int rc = try_slot(swap, select, *slot, slots, report, verdict);

            if (rc != 0) {
                return rc < 0 ? rc : FERRY_OK;
            }
        }
    }
    *slot = 2;
    return FERRY_OK;
}

/* Rather than nothing: an image that verifies though it is not its turn. Returns as choose(). */
static int choose_any(const struct ferry_boot_swap *swap, const struct ferry_boot_select *select,
                      struct ferry_boot_slots *slots, struct ferry_boot_image_report *report,
                      struct ferry_verdict *verdict, uint32_t *slot)
{
    uint32_t oldest = ferry_in_place_older(slots->found);

    for (uint32_t i = 0; i < 2; i++) {
        *slot = i == 0 ? oldest : 1 - oldest;
        if (slots->why[*slot] == FERRY_OK) {
            int rc = examine(swap, select, *slot, slots, report, verdict);

            if (rc == FERRY_OK || rc == FERRY_E_POWER) {
                report->reason = FERRY_E_STATE;
                return rc;
            }
        }
    }
    *slot = 2;
    return FERRY_OK;
}

/* ---- The other slot ---------------------------------------------------------------------------
 */

/* Make a slot empty for everyone who looks. Both ends are tried: each of them alone keeps an image
 * from its turn. Returns FERRY_OK, FERRY_E_POWER or the first flash error. */
static int empty(const struct ferry_boot_swap *swap, uint32_t slot)
{
    const struct ferry_flash *flash = ferry_slots_slot(swap->slots, slot);
    int rc = ferry_boot_erase(swap, flash, 0, 1);

    if (rc == FERRY_E_POWER) {
        return rc;
    }

    int trailer = ferry_boot_erase_trailer(swap, flash);

    return rc == FERRY_OK || trailer == FERRY_E_POWER ? trailer : rc;
}

/* Whether the image of a slot was taken back for the one that runs: it is not older, and started as
 * often as it may. */
static bool is_taken_back(const struct ferry_boot_slots *slots, uint32_t slot)
{
    const struct ferry_in_place *found = slots->found;

    return slots->why[slot] == FERRY_OK &&
           ferry_version_compare(&found[slot].version, &found[1 - slot].version, true) >= 0 &&
           (slots->spent[slot] || slots->found[slot].standing == FERRY_TRIED);
}

/* Whether a slot without an image has a trailer all the same: emptying it was cut. */
static bool is_left_over(const struct ferry_in_place *found)
{
    const struct ferry_trailer *trailer = &found->trailer;

    return found->header != FERRY_OK && found->header != FERRY_E_FLASH &&
           (trailer->magic != FERRY_UNSET || trailer->copy_done != FERRY_UNSET ||
            trailer->image_ok != FERRY_UNSET);
}

static void report_refusal(const struct ferry_boot_slots *slots, uint32_t slot, int why,
                           struct ferry_boot_image_report *report)
{
    report->action = FERRY_BOOT_REFUSED;
    report->reason = why;
    report->refused = slots->found[slot].version;
}

/* An image runs: the other one goes if it was refused or taken back. What could not be read today
 * may be readable tomorrow. Returns FERRY_OK or FERRY_E_POWER. */
static int settle_other(const struct ferry_boot_swap *swap, const struct ferry_boot_select *select,
                        uint32_t slot, struct ferry_boot_slots *slots,
                        struct ferry_boot_image_report *report)
{
    int rc = 1;

    if (slots->refused[slot]) {
        report_refusal(slots, slot, slots->why[slot], report);
        rc = slots->why[slot] != FERRY_E_FLASH ? empty(swap, slot) : rc;
    } else if (slots->unrecorded[slot]) {
        report_refusal(slots, slot, FERRY_E_FLASH, report);
    } else if (select->revert != NULL && is_taken_back(slots, slot)) {
        report->action = FERRY_BOOT_REVERTED;
        report->reason = FERRY_OK;
        rc = empty(swap, slot);
    } else if (select->revert != NULL && is_left_over(&slots->found[slot])) {
        rc = ferry_boot_erase_trailer(swap, ferry_slots_slot(swap->slots, slot));
    }
    if (rc == FERRY_OK) {
        slots->found[slot].header = FERRY_E_MAGIC;
        slots->why[slot] = FERRY_E_MAGIC;
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* Whether the next boot would take the image of a slot back, once its trials are used up. */
static bool is_on_trial(const struct ferry_boot_slots *slots, uint32_t slot)
{
    struct ferry_in_place then[2] = {slots->found[0], slots->found[1]};

    if (then[slot].standing == FERRY_CONFIRMED || then[slot].standing == FERRY_NOT_ASKED ||
        slots->why[1 - slot] != FERRY_OK) {
        return false;
    }
    then[slot].standing = FERRY_TRIED;
    return ferry_in_place_choose(then) != slot;
}

/* ---- The verdict and its slot --------------------------------------------------------------- */

/* A verdict is bound to the flash that was verified, and let loose by the one that is to run: if
 * they are two, it is valid no more. To verify one slot and start the other takes more than one
 * instruction. */
static void bind(struct ferry_verdict *verdict, const struct ferry_flash *flash)
{
    uint32_t id = (uint32_t)(uintptr_t)flash;

    verdict->valid ^= id;
    verdict->check ^= id;
}

/* ---- The boot ---------------------------------------------------------------------------------
 */

/* No image may run. */
static int stop(const struct ferry_boot_slots *slots, struct ferry_boot_image_report *report)
{
    uint32_t newest = ferry_in_place_newer(slots->found);
    uint32_t slot = slots->refused[newest] ? newest : 1 - newest;

    if (!slots->refused[slot]) {
        slot = slots->why[0] == FERRY_E_MAGIC ? 1 : 0;
    }
    report_refusal(slots, slot, slots->why[slot], report);
    report->action = FERRY_BOOT_STOPPED;
    memset(&report->info, 0, sizeof(report->info));
    return slots->why[0] == FERRY_E_FLASH || slots->why[1] == FERRY_E_FLASH ? FERRY_E_FLASH
                                                                            : FERRY_E_NO_IMAGE;
}

static int stop_at_power(struct ferry_boot_image_report *report)
{
    report->action = FERRY_BOOT_STOPPED;
    report->reason = FERRY_E_POWER;
    return FERRY_E_POWER;
}

int ferry_boot_in_place(const struct ferry_boot_swap *swap, const struct ferry_boot_select *select,
                        struct ferry_boot_image_report *report, struct ferry_verdict *verdict)
{
    struct ferry_boot_slots slots;
    uint32_t slot = 2;
    int rc = look(swap, &slots);

    report->action = FERRY_BOOT_RAN;
    if (rc == FERRY_OK) {
        rc = choose(swap, select, &slots, report, verdict, &slot);
    }
    if (rc == FERRY_OK && slot > 1) {
        rc = choose_any(swap, select, &slots, report, verdict, &slot);
    }
    if (rc == FERRY_OK && slot > 1) {
        return stop(&slots, report);
    }
    if (rc == FERRY_OK) {
        rc = settle_other(swap, select, 1 - slot, &slots, report);
    }
    if (rc == FERRY_OK && select->revert != NULL) {
        rc = select->revert->settled(swap, slot, &slots);
    }
    if (rc == FERRY_OK) {
        rc = ferry_boot_keep_least(swap, &report->info,
                                   slots.found[slot].standing == FERRY_CONFIRMED);
    }
    if (rc != FERRY_OK) {
        return stop_at_power(report);
    }
    report->slot = (uint8_t)slot;
    if (select->in_slot) {
        bind(verdict, ferry_slots_slot(swap->slots, report->slot));
    }
    report->next = is_on_trial(&slots, slot) ? FERRY_SWAP_REVERT : FERRY_SWAP_NONE;
    return FERRY_OK;
}

/* ---- In the slot ------------------------------------------------------------------------------
 */

int ferry_boot_examine_slot(const struct ferry_boot_swap *swap, uint32_t slot, bool asked,
                            struct ferry_image_info *info, struct ferry_verdict *verdict)
{
    const struct ferry_image_header *header = &info->header;
    const struct ferry_flash *flash = ferry_slots_slot(swap->slots, slot);
    int rc = ferry_boot_verify(swap, flash, info, verdict);

    if (rc == FERRY_OK && info->size > ferry_in_place_room(swap->slots, slot)) {
        rc = FERRY_E_TOO_LARGE;
    }
    if (rc == FERRY_OK && (header->flags & FERRY_IMAGE_ROM_FIXED) != 0 &&
        header->load_address != swap->image->addresses[slot]) {
        rc = FERRY_E_ADDRESS;
    }
    if (rc == FERRY_OK) {
        rc = ferry_boot_admit(swap, flash, info, slot, asked);
    }
    if (rc != FERRY_OK) {
        *verdict = (struct ferry_verdict){0, 0};
    }
    bind(verdict, flash);
    return rc;
}
