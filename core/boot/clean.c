/* SPDX-License-Identifier: Apache-2.0 */
/* Leaving no trap behind: a refused image loses its request, damaged trailers are cleared. */
#include "core/boot/swap.h"

/* ---- Refusal ---------------------------------------------------------------------------- */

/* Whether a swap was begun in the primary's trailer and has not ended. */
static bool is_begun(const struct ferry_trailer *primary)
{
    return primary->magic == FERRY_SET && primary->copy_done == FERRY_UNSET &&
           primary->swap_type != FERRY_SWAP_NONE;
}

/* Erase the trailer of a slot unless its image reaches into it: a damaged trailer is the lesser
 * harm. */
static int clear(const struct ferry_boot_swap *swap, const struct ferry_flash *slot,
                 uint32_t image_end)
{
    uint32_t start = 0;
    int rc = ferry_slots_trailer_start(swap->slots, slot, &start);

    if (rc != FERRY_OK || image_end > start) {
        return rc;
    }
    return ferry_boot_erase_trailer(swap, slot);
}

/* Where the image in a slot ends; 0 when there is none. */
static int find_end(const struct ferry_boot_swap *swap, uint32_t slot, uint32_t *end)
{
    struct ferry_flash_slice view;
    struct ferry_image_info info;
    uint32_t offset = 0;
    int rc = ferry_slots_view(swap->slots, slot, &view, &offset);

    if (rc == FERRY_OK) {
        rc = ferry_image_inspect(&view.flash, &info);
    }
    *end = rc == FERRY_OK ? offset + info.size : 0;
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* Refuse; take is how the request goes. */
static int give_up(const struct ferry_boot_swap *swap, int why,
                   int (*take)(const struct ferry_boot_swap *swap))
{
    /* Other strategies have nothing in the primary's trailer; their image may be there. */
    bool reverts = swap->slots->strategy->reverts;
    struct ferry_trailers trailers;
    uint32_t end = 0;
    int rc = ferry_slots_read_trailers(swap->slots, &trailers);

    /* An old image whose flash does not answer today may be readable tomorrow. */
    if (rc == FERRY_OK && swap->type == FERRY_SWAP_REVERT && why == FERRY_E_FLASH &&
        !trailers.secondary_answers) {
        return FERRY_OK;
    }
    /* Else, with the request gone, the next boot would take the begun swap for the truth. Where the
     * image reaches into the trailer, the swap has ended, for all that its copy_done did not take:
     * its marks say so. */
    if (rc == FERRY_OK && reverts && is_begun(&trailers.primary)) {
        rc = find_end(swap, 0, &end);
        if (rc == FERRY_OK) {
            rc = clear(swap, swap->primary, end);
        }
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    rc = take(swap);
    if (rc == FERRY_E_POWER) {
        return rc;
    }
    /* Nothing is left to revert to: the running image stays, as after MCUboot's FAIL. It comes
     * last: until then the next boot comes here again. So it does where a bit has flipped in the
     * unit, unless the store knows better. */
    if (reverts && trailers.primary.magic == FERRY_SET &&
        trailers.primary.copy_done != FERRY_UNSET && trailers.primary.image_ok == FERRY_UNSET) {
        rc = ferry_boot_set_flag(swap, FERRY_UNSET, FERRY_TRAILER_IMAGE_OK);
        return rc == FERRY_E_NOT_ERASED ? FERRY_OK : rc;
    }
    return FERRY_OK;
}

int ferry_boot_refuse(const struct ferry_boot_swap *swap, int why)
{
    return give_up(swap, why, ferry_boot_empty_secondary);
}

/* ---- Repair ------------------------------------------------------------------------------- */

/* A flag without a magic would make the next request another one than was asked for. */
static bool blocks_requests(const struct ferry_trailer *secondary)
{
    if (secondary->magic == FERRY_BAD) {
        return true;
    }
    return secondary->magic == FERRY_UNSET &&
           (secondary->image_ok != FERRY_UNSET || secondary->copy_done != FERRY_UNSET);
}

/* Also a swap that was begun and cannot be ended any more: see resume_marks() in by_swap.c. Where
 * nothing swaps it is no such thing, but what MCUboot's overwrite copied with the slot. */
static bool blocks_confirm(const struct ferry_trailer *primary, bool swaps)
{
    return primary->magic == FERRY_BAD ||
           (primary->magic == FERRY_SET && primary->image_ok == FERRY_BAD) ||
           (swaps && is_begun(primary));
}

/* Take away the request, and the image with it where it reaches into the trailer. */
static int take_request(const struct ferry_boot_swap *swap)
{
    uint32_t start = 0;
    uint32_t end = 0;
    int rc = find_end(swap, 1, &end);

    if (rc == FERRY_OK) {
        rc = ferry_slots_trailer_start(swap->slots, swap->secondary, &start);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    return end > start ? ferry_boot_empty_secondary(swap)
                       : ferry_boot_erase_trailer(swap, swap->secondary);
}

int ferry_boot_withdraw(const struct ferry_boot_swap *swap, int why)
{
    return give_up(swap, why, take_request);
}

int ferry_boot_repair(const struct ferry_boot_swap *swap, const struct ferry_image_info *running)
{
    struct ferry_trailers trailers;
    uint32_t end = 0;
    int rc = ferry_slots_read_trailers(swap->slots, &trailers);

    /* Without a trailer the primary counts as confirmed. */
    if (rc == FERRY_OK && blocks_confirm(&trailers.primary, swap->slots->strategy->reverts)) {
        rc = clear(swap, swap->primary, running->size);
    }
    if (rc != FERRY_E_POWER && blocks_requests(&trailers.secondary)) {
        rc = find_end(swap, 1, &end);
        if (rc == FERRY_OK) {
            rc = clear(swap, swap->secondary, end);
        }
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}
