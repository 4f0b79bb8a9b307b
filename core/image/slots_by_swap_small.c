/* SPDX-License-Identifier: Apache-2.0 */
/* Test and confirm of the strategies that move images, for small applications: trailers are read
 * once and exactly, as MCUboot's own application code reads them.
 * [mcuboot-format.md §2.6 "Swap type", "App API"] */
#include "ferry/slots_small.h"

#include <string.h>

/* ---- Reading -------------------------------------------------------------------------------- */

/* What a trailer says, as bits: those of the flags are their places. */
enum {
    MAGIC = 1,
    IMAGE_OK = 1 << FERRY_TRAILER_IMAGE_OK,
    COPY_DONE = 1 << FERRY_TRAILER_COPY_DONE
};

/* What cannot be read says nothing. */
static uint32_t read_trailer(const struct ferry_slots *slots, const struct ferry_flash *slot)
{
    uint8_t magic[FERRY_TRAILER_MAGIC_SIZE];
    uint8_t found[FERRY_TRAILER_MAGIC_SIZE];
    uint32_t bits = 0;
    ferry_trailer_magic(slots->max_align, magic);
    if (ferry_flash_read(slot, slot->size - FERRY_TRAILER_MAGIC_SIZE, found, sizeof found) ==
            FERRY_OK &&
        memcmp(found, magic, sizeof found) == 0) {
        bits = MAGIC;
    }
    for (uint32_t place = FERRY_TRAILER_IMAGE_OK; place <= FERRY_TRAILER_COPY_DONE; place++) {
        uint32_t distance =
            ferry_trailer_distance(slots->max_align, (enum ferry_trailer_place)place);
        if (ferry_flash_read(slot, slot->size - distance, found, 1) == FERRY_OK &&
            found[0] == FERRY_TRAILER_FLAG) {
            bits |= 1U << place;
        }
    }
    return bits;
}

static int next_boot(const struct ferry_slots *slots, struct ferry_slots_next *next)
{
    uint32_t asked = read_trailer(slots, slots->secondary);
    next->slot = 1;
    if ((asked & MAGIC) != 0) {
        next->type = (asked & IMAGE_OK) != 0 ? FERRY_SWAP_PERM : FERRY_SWAP_TEST;
    } else if (slots->strategy->reverts &&
               read_trailer(slots, slots->primary) == (MAGIC | COPY_DONE)) {
        next->type = FERRY_SWAP_REVERT;
    } else {
        *next = (struct ferry_slots_next){0, FERRY_SWAP_NONE};
    }
    return FERRY_OK;
}

/* ---- Where things are ----------------------------------------------------------------------- */

/* Bytes of a trailer: the fields, and a unit for each state of each sector. */
static uint32_t trailer_size(const struct ferry_slots *slots)
{
    const struct ferry_strategy_traits *strategy = slots->strategy;
    uint32_t unit = ferry_max32(slots->primary->write_size, slots->secondary->write_size);
    uint32_t fields = ferry_trailer_distance(
        slots->max_align,
        (enum ferry_trailer_place)(FERRY_TRAILER_SWAP_INFO + 1 + strategy->tlv_sizes));
    return fields + slots->max_sectors * strategy->sector_states * unit;
}

uint32_t ferry_slots_small_trailer(const struct ferry_slots *slots, const struct ferry_flash *slot)
{
    struct ferry_flash_sector sector;
    int rc = ferry_flash_sector_at(slot, slot->size - trailer_size(slots), &sector);
    return rc == FERRY_OK ? sector.offset : 0;
}

/* A header at sector 0 decides: who uses two places erases it when what is there no longer counts.
 */
int ferry_slots_glance(const struct ferry_slots *slots, uint32_t slot,
                       struct ferry_image_info *info, uint32_t *at)
{
    const struct ferry_strategy_traits *strategy = slots->strategy;
    const struct ferry_flash *flash = ferry_slots_slot(slots, slot);
    int rc = ferry_image_glance(flash, 0, info);
    *at = 0;
    if (rc == FERRY_E_MAGIC && slot == 1 && strategy->upload_sector != strategy->old_sector) {
        *at = flash->runs[0].size;
        rc = ferry_image_glance(flash, *at, info);
    }
    return rc;
}

/* ---- Writing -------------------------------------------------------------------------------- */

/* Whether the last `distance` bytes of a slot were never written. */
static bool is_blank(const struct ferry_flash *slot, uint32_t distance)
{
    return ferry_flash_is_erased(slot, slot->size - distance, distance) == 1;
}

static int erase_trailer(const struct ferry_slots *slots, const struct ferry_flash *slot)
{
    uint32_t start = ferry_slots_small_trailer(slots, slot);
    return ferry_flash_erase(slot, start, slot->size - start);
}

/* Erase a trailer unless the image in its slot would go with it. What cannot be measured is no
 * image in the secondary, and may be anywhere in the primary, since it runs. Returns FERRY_OK,
 * FERRY_E_STATE or a flash error. */
static int clear(const struct ferry_slots *slots, uint32_t number)
{
    const struct ferry_flash *slot = ferry_slots_slot(slots, number);
    struct ferry_image_info info;
    uint32_t at;
    int rc = ferry_slots_glance(slots, number, &info, &at);
    bool measured = rc == FERRY_OK || rc == FERRY_E_NOT_FOUND;
    bool shared = measured ? at + info.size > ferry_slots_small_trailer(slots, slot) : number == 0;
    return shared ? FERRY_E_STATE : erase_trailer(slots, slot);
}

/* Write image_ok where it takes it. Returns FERRY_OK, FERRY_E_NOT_ERASED or a flash error. */
static int write_image_ok(const struct ferry_slots *slots, const struct ferry_flash *slot)
{
    uint32_t at = slot->size - ferry_trailer_distance(slots->max_align, FERRY_TRAILER_IMAGE_OK);
    if (ferry_flash_is_erased(slot, at, slot->write_size) != 1) {
        return FERRY_E_NOT_ERASED;
    }
    return ferry_trailer_write_image_ok(slot, slots->max_align);
}

/* Make room for a request: a flag cannot be taken back, and the records of an old swap could be
 * taken for those of the one to come. Where the image shares the trailer's sector there is nothing
 * but the fields. */
static int make_blank(const struct ferry_slots *slots)
{
    if (is_blank(slots->secondary, trailer_size(slots))) {
        return FERRY_OK;
    }
    int rc = clear(slots, 1);
    return rc == FERRY_E_STATE &&
                   is_blank(slots->secondary,
                            ferry_trailer_distance(slots->max_align, FERRY_TRAILER_SWAP_INFO))
               ? FERRY_OK
               : rc;
}

static int set_pending(const struct ferry_slots *slots, bool permanent)
{
    const struct ferry_flash *slot = slots->secondary;
    uint32_t asked = read_trailer(slots, slot);
    if ((asked & MAGIC) != 0 && permanent == ((asked & IMAGE_OK) != 0)) {
        return FERRY_OK;
    }
    if ((asked & MAGIC) != 0 && !permanent) {
        return FERRY_E_STATE;
    }
    if ((asked & MAGIC) != 0 && write_image_ok(slots, slot) == FERRY_OK) {
        return FERRY_OK;
    }
    int rc = make_blank(slots);
    if (rc == FERRY_OK && permanent) {
        rc = ferry_trailer_write_image_ok(slot, slots->max_align);
    }
    return rc == FERRY_OK ? ferry_trailer_write_magic(slot, slots->max_align) : rc;
}

/* The image goes with its request where they share a sector: what is left of it does not verify. */
static int cancel(const struct ferry_slots *slots)
{
    const struct ferry_flash *slot = slots->secondary;
    return is_blank(slot, ferry_trailer_distance(slots->max_align, FERRY_TRAILER_IMAGE_OK))
               ? FERRY_OK
               : erase_trailer(slots, slot);
}

/* Without a magic there was no swap: whatever runs is for good. A flag that does not take it is
 * erased with its trailer, which says the same. */
static int confirm(const struct ferry_slots *slots)
{
    const struct ferry_flash *slot = slots->primary;
    if (is_blank(slot, FERRY_TRAILER_MAGIC_SIZE) || (read_trailer(slots, slot) & IMAGE_OK) != 0) {
        return FERRY_OK;
    }
    int rc = write_image_ok(slots, slot);
    if (rc == FERRY_OK && (read_trailer(slots, slot) & IMAGE_OK) == 0) {
        rc = FERRY_E_FLASH;
    }
    return rc == FERRY_OK ? FERRY_OK : clear(slots, 0);
}

const struct ferry_slots_state ferry_slots_by_swap_small = {
    .next = next_boot, .set_pending = set_pending, .confirm = confirm, .cancel = cancel};
