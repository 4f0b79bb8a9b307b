/* SPDX-License-Identifier: Apache-2.0 */
/* Where uploads go in recovery.
 *
 * The number of an image means: wherever no good image is lost. The numbers behind those name a
 * slot, as MCUboot's direct upload has them: 2n + 1 is the primary of image n and 2n + 2 its
 * secondary. Those that are the number of an image, too, are found at 2 * images more. [smp.md §4]
 */
#include "core/recovery/recovery.h"

static uint32_t image_count(const struct ferry_recovery *recovery)
{
    return recovery->config->boot->image_count;
}

/* ---- Numbers ------------------------------------------------------------------------------- */

static uint32_t number(void *context, const struct ferry_image_place *place)
{
    uint32_t count = image_count(context);
    uint32_t direct = 2U * place->image + place->slot + 1;

    return direct >= count ? direct : direct + 2 * count;
}

/* The direct number behind an upload's, or 0. */
static uint32_t direct_of(uint32_t count, uint64_t number)
{
    if (number <= 2U * count) {
        return (uint32_t)number;
    }
    return number - 2U * count < count ? (uint32_t)number - 2U * count : 0;
}

/* ---- Where no good image is lost --------------------------------------------------------------
 */

static bool is_linked_to(const struct ferry_recovery *recovery, uint32_t image, uint32_t slot,
                         const struct ferry_image_header *header)
{
    return recovery->slots[image].strategy->in_place &&
           (header->flags & FERRY_IMAGE_ROM_FIXED) != 0 &&
           header->load_address == recovery->addresses[2 * image + slot];
}

/* An image on trial is the lesser one: the other slot has the one that was confirmed. */
static uint32_t free_slot(const struct ferry_recovery *recovery, uint32_t image,
                          const struct ferry_image_header *header)
{
    const struct ferry_boot_image_report *report = &recovery->report.images[image];

    if (recovery->slots[image].secondary == NULL) {
        return 0;
    }
    /* Only the boot decrypts, on the way to the primary. */
    if (recovery->slots[image].strategy->own_primary ||
        (ferry_recovery_is_encrypted(header) && !recovery->slots[image].strategy->in_place)) {
        return 1;
    }
    if (!ferry_recovery_runs(recovery, image)) {
        return is_linked_to(recovery, image, 1, header) ? 1 : 0;
    }
    return report->next == FERRY_SWAP_REVERT ? report->slot : 1U - report->slot;
}

static bool place(void *context, uint64_t number, const struct ferry_image_header *header,
                  struct ferry_image_place *place)
{
    struct ferry_recovery *recovery = context;
    uint32_t count = image_count(recovery);

    recovery->by_number = number >= count;
    if (!recovery->by_number) {
        place->image = (uint8_t)number;
        place->slot = (uint8_t)free_slot(recovery, place->image, header);
        return true;
    }

    uint32_t direct = direct_of(count, number);

    if (direct == 0) {
        return false;
    }
    place->image = (uint8_t)((direct - 1) / 2);
    place->slot = (uint8_t)((direct - 1) % 2);

    const struct ferry_slots *slots = &recovery->slots[place->image];

    return ferry_slots_slot(slots, place->slot) != NULL &&
           (place->slot == 1 || !slots->strategy->own_primary);
}

/* ---- Before a slot is changed ------------------------------------------------------------------
 */

/* What the next boot would swap with an image that is about to be replaced. One that cannot be
 * withdrawn is installed later: it verifies, or nothing happens. */
static int withdraw(const struct ferry_slots *slots)
{
    struct ferry_slots_next next;
    int rc = FERRY_OK;

    if (ferry_slots_next_boot(slots, &next) == FERRY_OK && next.slot == 1 &&
        next.type != FERRY_SWAP_REVERT) {
        rc = ferry_slots_cancel(slots);
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* A swap that failed half way has left records in scratch. */
static int clear_scratch(const struct ferry_recovery *recovery, const struct ferry_flash *scratch)
{
    struct ferry_flash_sector sector = {0, 0, 0};
    int rc = FERRY_OK;

    while (rc == FERRY_OK && sector.offset + sector.size < scratch->size) {
        rc = ferry_flash_sector_at(scratch, sector.offset + sector.size, &sector);
        if (rc == FERRY_OK) {
            rc = ferry_flash_erase_dirty(scratch, sector.offset, sector.size);
        }
        recovery->image_config.feed(recovery->image_config.context);
    }
    return rc;
}

static int release(void *context, const struct ferry_image_place *place)
{
    struct ferry_recovery *recovery = context;
    const struct ferry_slots *slots = &recovery->slots[place->image];

    ferry_recovery_forget(recovery, place->image);
    if (place->slot != 0 || slots->strategy->in_place) {
        return FERRY_OK;
    }

    int rc = withdraw(slots);

    return rc == FERRY_OK && slots->scratch != NULL ? clear_scratch(recovery, slots->scratch) : rc;
}

/* ---- The rules
 * ----------------------------------------------------------------------------------- */

static void settle(void *context)
{
    ferry_recovery_settle(context);
}

static bool may_run(void *context, const struct ferry_image_place *place)
{
    return ferry_recovery_judge(context, place) == FERRY_OK;
}

const struct ferry_image_bootloader ferry_recovery_rules = {
    .settle = settle,
    .place = place,
    .number = number,
    .may_run = may_run,
    .release = release,
    .accept = ferry_recovery_accept,
    .set_state = ferry_recovery_set_state,
};
