/* SPDX-License-Identifier: Apache-2.0 */
/* How the slots of in-place strategies stand. [mcuboot-format.md §2.6 "App API"] */
#include "core/image/in_place.h"

#include "core/image/image_record.h"

#include <string.h>

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

#define MARK_SIZE 8

/* That the image was started; that it is confirmed. */
static const uint8_t marks[2][MARK_SIZE] = {{0x5e, 0x31, 0xc4, 0x9a, 0x07, 0xd2, 0x68, 0xb5},
                                            {0xa9, 0xd6, 0x13, 0x74, 0xe8, 0x2d, 0x9b, 0x46}};

/* As the number of an image it stands for a mark: in flash there is room for 15. */
#define MARKED 0xff

static const enum ferry_swap_type mark_types[2] = {FERRY_SWAP_TEST, FERRY_SWAP_PERM};

bool ferry_in_place_is_marked(const struct ferry_trailer *trailer, bool confirmed)
{
    return trailer->swap_image == MARKED && trailer->swap_type == mark_types[confirmed ? 1 : 0];
}

int ferry_in_place_read(const struct ferry_slots *slots, uint32_t slot,
                        struct ferry_trailer *trailer)
{
    const struct ferry_flash *flash = ferry_slots_slot(slots, slot);
    uint8_t found[MARK_SIZE];
    *trailer = bad_trailer;
    int rc = ferry_trailer_read(flash, slots->max_align, trailer);
    if (rc == FERRY_OK) {
        rc = ferry_flash_read(flash, ferry_in_place_room(slots, slot), found, sizeof found);
    }
    for (size_t i = 0; rc == FERRY_OK && i < 2; i++) {
        if (memcmp(found, marks[i], sizeof found) == 0) {
            trailer->swap_image = MARKED;
            trailer->swap_type = (uint8_t)mark_types[i];
        }
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* Damaged flags count on the safe side:
 * - copy_done: it is written when everything else is, so the image was started;
 * - image_ok of an image that was started: only somebody who wanted to confirm has written there;
 * - image_ok of one that was not: a permanent request that was cut short is a test. */
static enum ferry_standing standing_of(const struct ferry_trailer *trailer)
{
    if (ferry_in_place_is_marked(trailer, true)) {
        return FERRY_CONFIRMED;
    }
    if (trailer->magic != FERRY_SET) {
        return FERRY_NOT_ASKED;
    }
    if (trailer->image_ok == FERRY_SET) {
        return FERRY_CONFIRMED;
    }
    if (trailer->copy_done == FERRY_UNSET && !ferry_in_place_is_marked(trailer, false)) {
        return FERRY_ASKED;
    }
    return trailer->image_ok == FERRY_BAD ? FERRY_CONFIRMED : FERRY_TRIED;
}

/* Where the trailer does not say it, the store may. Its errors say nothing. */
static int ask_store(const struct ferry_slots *slots, uint32_t slot,
                     ferry_slots_confirmed *confirmed, struct ferry_in_place *found)
{
    int rc = 0;
    if (confirmed != NULL && found->header == FERRY_OK && found->standing != FERRY_CONFIRMED) {
        rc = confirmed(slots, slot);
    }
    if (rc == 1) {
        found->standing = FERRY_CONFIRMED;
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

int ferry_in_place_look(const struct ferry_slots *slots, uint32_t slot,
                        ferry_slots_confirmed *confirmed, struct ferry_in_place *found)
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
    int rc = ferry_in_place_read(slots, slot, &found->trailer);
    if (rc != FERRY_OK) {
        return rc;
    }
    found->standing = standing_of(&found->trailer);
    return ask_store(slots, slot, confirmed, found);
}

/* ---- Writing trailers --------------------------------------------------------------------- */

int ferry_in_place_is_blank(const struct ferry_slots *slots, uint32_t slot, uint32_t distance)
{
    const struct ferry_flash *flash = ferry_slots_slot(slots, slot);
    uint32_t len = flash->write_size;
    /* The magic alone ends with the slot, whatever its units. */
    if (distance == FERRY_TRAILER_MAGIC_SIZE) {
        len = ferry_align_up(FERRY_TRAILER_MAGIC_SIZE, flash->write_size);
        distance = len;
    }
    int rc = ferry_flash_is_erased(flash, flash->size - distance, len);
    return rc < 0 && rc != FERRY_E_POWER ? 0 : rc;
}

/* Write a field that is unset by write, if its unit is blank.
 * Returns FERRY_OK, FERRY_E_STATE when it is not, or a flash error. */
static int write_field(const struct ferry_slots *slots, uint32_t slot, uint32_t distance,
                       enum ferry_trailer_field field,
                       int (*write)(const struct ferry_flash *slot, uint32_t max_align))
{
    if (field != FERRY_UNSET) {
        return FERRY_OK;
    }
    int rc = ferry_in_place_is_blank(slots, slot, distance);
    if (rc != 1) {
        return rc < 0 ? rc : FERRY_E_STATE;
    }
    rc = write(ferry_slots_slot(slots, slot), slots->max_align);
    return rc == FERRY_E_NOT_ERASED ? FERRY_E_STATE : rc;
}

int ferry_in_place_write(const struct ferry_slots *slots, uint32_t slot,
                         const struct ferry_trailer *trailer, bool ok, bool done)
{
    struct ferry_trailer_layout layout;
    int rc = ferry_slots_trailer(slots, &layout);
    if (rc == FERRY_OK && ok) {
        rc = write_field(slots, slot, layout.image_ok, trailer->image_ok,
                         ferry_trailer_write_image_ok);
    }
    if (rc == FERRY_OK && done) {
        rc = write_field(slots, slot, layout.copy_done, trailer->copy_done,
                         ferry_trailer_write_copy_done);
        rc = rc == FERRY_E_STATE && ok ? FERRY_OK : rc;
    }
    if (rc == FERRY_OK) {
        rc = write_field(slots, slot, layout.magic, trailer->magic, ferry_trailer_write_magic);
    }
    return rc;
}

/* Whether the slot's image reaches into the sector its trailer begins in.
 * Returns 1, 0 or FERRY_E_POWER; 1 also when nobody can say. */
static int reaches_into(const struct ferry_flash *flash, const struct ferry_flash_sector *sector)
{
    struct ferry_image_info info;
    int rc = ferry_image_inspect(flash, &info);
    if (rc == FERRY_E_POWER) {
        return rc;
    }
    if (rc == FERRY_E_MAGIC) {
        return 0;
    }
    return rc != FERRY_OK || info.size > sector->offset;
}

int ferry_in_place_clear(const struct ferry_slots *slots, uint32_t slot, bool with_image)
{
    const struct ferry_flash *flash = ferry_slots_slot(slots, slot);
    struct ferry_flash_sector sector;
    /* Behind the largest image. */
    int rc = ferry_flash_sector_at(flash, ferry_in_place_room(slots, slot), &sector);
    if (rc != FERRY_OK) {
        return rc;
    }
    rc = reaches_into(flash, &sector);
    if (rc == 1 && !with_image) {
        return FERRY_E_STATE;
    }
    if (rc == 1) {
        rc = ferry_flash_erase_dirty(flash, 0, 1);
    }
    return rc != FERRY_OK ? rc
                          : ferry_flash_erase(flash, sector.offset, flash->size - sector.offset);
}

int ferry_in_place_mark(const struct ferry_slots *slots, uint32_t slot, bool confirmed)
{
    const struct ferry_flash *flash = ferry_slots_slot(slots, slot);
    uint32_t offset = ferry_in_place_room(slots, slot);
    struct ferry_trailer trailer;
    int rc = ferry_flash_is_erased(flash, offset, ferry_align_up(MARK_SIZE, flash->write_size));
    if (rc == 1) {
        rc = ferry_flash_program_padded(flash, offset, marks[confirmed ? 1 : 0], MARK_SIZE);
        rc = rc == FERRY_E_NOT_ERASED ? 0 : rc == FERRY_OK ? 1 : rc;
    }
    if (rc == 1) {
        rc = ferry_in_place_read(slots, slot, &trailer);
        return rc != FERRY_OK || ferry_in_place_is_marked(&trailer, confirmed) ? rc : FERRY_E_STATE;
    }
    return rc == 0 ? FERRY_E_STATE : rc;
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

uint32_t ferry_in_place_older(const struct ferry_in_place found[2])
{
    return ferry_version_compare(&found[1].version, &found[0].version, true) < 0 ? 1 : 0;
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
    return slot > 1 ? pick(ferry_in_place_older(found), there) : slot;
}
