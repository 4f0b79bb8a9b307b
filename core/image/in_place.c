/* SPDX-License-Identifier: Apache-2.0 */
/* How the slots of in-place strategies stand. [mcuboot-format.md §2.6 "App API"] */
#include "core/image/in_place.h"

#include "core/image/image_record.h"

/* ---- Geometry --------------------------------------------------------------------------- */

int ferry_in_place_check(const struct ferry_slots *slots)
{
    (void)slots;
    return FERRY_OK;
}

uint32_t ferry_in_place_room(const struct ferry_slots *slots, uint32_t slot)
{
    struct ferry_trailer_layout layout;
    uint32_t size = ferry_slots_slot(slots, slot)->size;
    if (ferry_slots_trailer(slots, &layout) != FERRY_OK || size <= layout.swap_info) {
        return 0;
    }
    return size - layout.swap_info;
}

uint32_t ferry_in_place_max_image(const struct ferry_slots *slots)
{
    return ferry_min32(ferry_in_place_room(slots, 0), ferry_in_place_room(slots, 1));
}

/* ---- How a slot stands -------------------------------------------------------------------- */

static const struct ferry_trailer bad_trailer = {
    .magic = FERRY_BAD,
    .image_ok = FERRY_BAD,
    .copy_done = FERRY_BAD,
    .swap_type = FERRY_SWAP_NONE,
    .swap_image = 0,
};

/* Damaged flags count on the safe side:
 * - copy_done: it is written when everything else is, so the image was started;
 * - image_ok of an image that was started: only somebody who wanted to confirm has written there;
 * - image_ok of one that was not: a permanent request that was cut short is a test. */
static enum ferry_standing standing_of(const struct ferry_trailer *trailer)
{
    if (trailer->magic != FERRY_SET) {
        return FERRY_NOT_ASKED;
    }
    if (trailer->image_ok == FERRY_SET) {
        return FERRY_CONFIRMED;
    }
    if (trailer->copy_done == FERRY_UNSET) {
        return FERRY_ASKED;
    }
    return trailer->image_ok == FERRY_BAD ? FERRY_CONFIRMED : FERRY_TRIED;
}

/* Where the trailer does not say it, the store may. Its errors say nothing. */
static int ask_store(const struct ferry_slots *slots, uint32_t slot, struct ferry_in_place *found)
{
    int rc = 0;
    if (found->header == FERRY_OK && found->standing != FERRY_CONFIRMED) {
        rc = ferry_confirmed_read(slots, slot);
    }
    if (rc == 1) {
        found->standing = FERRY_CONFIRMED;
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

int ferry_in_place_look(const struct ferry_slots *slots, uint32_t slot,
                        struct ferry_in_place *found)
{
    const struct ferry_flash *flash = ferry_slots_slot(slots, slot);
    struct ferry_image_header header;
    *found = (struct ferry_in_place){.trailer = bad_trailer, .standing = FERRY_CONFIRMED};
    found->header = ferry_image_read_header(flash, &header);
    if (found->header == FERRY_OK) {
        found->version = header.version;
    }
    if (found->header == FERRY_E_POWER || !slots->strategy->reverts) {
        return found->header == FERRY_E_POWER ? FERRY_E_POWER : FERRY_OK;
    }
    /* An error leaves trailer as it is: bad. */
    if (ferry_trailer_read(flash, slots->max_align, &found->trailer) == FERRY_E_POWER) {
        return FERRY_E_POWER;
    }
    found->standing = standing_of(&found->trailer);
    return ask_store(slots, slot, found);
}

/* ---- Which one is next -------------------------------------------------------------------- */

bool ferry_in_place_may_start(const struct ferry_in_place *found)
{
    return found->header == FERRY_OK &&
           (found->standing == FERRY_ASKED || found->standing == FERRY_CONFIRMED);
}

uint32_t ferry_in_place_newer(const struct ferry_in_place found[2])
{
    return ferry_version_compare(&found[1].version, &found[0].version, true) > 0 ? 1 : 0;
}

/* The one of two that is right, the preferred one when both are; 2 when none is. */
static uint32_t pick(uint32_t preferred, const bool right[2])
{
    if (right[preferred]) {
        return preferred;
    }
    return right[1 - preferred] ? 1 - preferred : 2;
}

uint32_t ferry_in_place_choose(const struct ferry_in_place found[2])
{
    const bool may_start[2] = {ferry_in_place_may_start(&found[0]),
                               ferry_in_place_may_start(&found[1])};
    const bool there[2] = {found[0].header == FERRY_OK, found[1].header == FERRY_OK};
    uint32_t slot = pick(ferry_in_place_newer(found), may_start);
    if (slot > 1) {
        bool older_is_1 = ferry_version_compare(&found[1].version, &found[0].version, true) < 0;
        slot = pick(older_is_1 ? 1 : 0, there);
    }
    return slot;
}
