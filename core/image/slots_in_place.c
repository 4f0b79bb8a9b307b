/* SPDX-License-Identifier: Apache-2.0 */
/* Test, confirm and revert of the strategies whose images run where they were uploaded: each slot
 * has a trailer that speaks for its own image. [mcuboot-format.md §2.6 "App API"]
 *
 * Fields are written in the order image_ok, copy_done, magic: until the magic nothing is asked
 * for, and copy_done without image_ok would be a test that failed. */
#include "core/image/image_record.h"
#include "core/image/in_place.h"
#include "ferry/trial.h"

static uint32_t other_of(const struct ferry_slots *slots)
{
    return slots->active == 0 ? 1 : 0;
}

/* ---- What is next ----------------------------------------------------------------------- */

static int look_at_both(const struct ferry_slots *slots, struct ferry_in_place found[2])
{
    int rc = ferry_in_place_look(slots, 0, &found[0]);
    return rc != FERRY_OK ? rc : ferry_in_place_look(slots, 1, &found[1]);
}

static enum ferry_swap_type type_of(const struct ferry_slots *slots,
                                    const struct ferry_in_place found[2])
{
    uint32_t other = other_of(slots);
    if (found[slots->active].header == FERRY_OK && ferry_in_place_newer(found) != other) {
        return FERRY_SWAP_REVERT;
    }
    return found[other].standing == FERRY_ASKED ? FERRY_SWAP_TEST : FERRY_SWAP_PERM;
}

static int next_boot(const struct ferry_slots *slots, struct ferry_slots_next *next)
{
    struct ferry_in_place found[2];
    int rc = look_at_both(slots, found);
    if (rc != FERRY_OK) {
        return rc;
    }
    *next = (struct ferry_slots_next){slots->active, FERRY_SWAP_NONE};
    if (ferry_in_place_choose(found) == other_of(slots)) {
        *next = (struct ferry_slots_next){(uint8_t)other_of(slots), type_of(slots, found)};
    }
    return FERRY_OK;
}

/* ---- Writing ---------------------------------------------------------------------------- */

/* Read a trailer; what cannot be read is damaged. Returns FERRY_OK or FERRY_E_POWER. */
static int read_trailer(const struct ferry_slots *slots, uint32_t slot,
                        struct ferry_trailer *trailer)
{
    *trailer = (struct ferry_trailer){FERRY_BAD, FERRY_BAD, FERRY_BAD, FERRY_SWAP_NONE, 0};
    int rc = ferry_trailer_read(ferry_slots_slot(slots, slot), slots->max_align, trailer);
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* Write what is still unset of a request, or of a confirm. */
static int write_fields(const struct ferry_slots *slots, uint32_t slot,
                        const struct ferry_trailer *trailer, bool for_good)
{
    const struct ferry_flash *flash = ferry_slots_slot(slots, slot);
    int rc = FERRY_OK;
    if (for_good && trailer->image_ok == FERRY_UNSET) {
        rc = ferry_trailer_write_image_ok(flash, slots->max_align);
    }
    if (rc == FERRY_OK && for_good && trailer->copy_done == FERRY_UNSET) {
        rc = ferry_trailer_write_copy_done(flash, slots->max_align);
    }
    if (rc == FERRY_OK && trailer->magic == FERRY_UNSET) {
        rc = ferry_trailer_write_magic(flash, slots->max_align);
    }
    return rc;
}

/* The sector the trailer of a slot begins in: behind the largest image. */
static int trailer_start(const struct ferry_slots *slots, uint32_t slot,
                         struct ferry_flash_sector *sector)
{
    return ferry_flash_sector_at(ferry_slots_slot(slots, slot), ferry_in_place_room(slots, slot),
                                 sector);
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

/* Erase the trailer of a slot; with_image: even if its image goes with it. That one's header goes
 * first then, so that no cut leaves half an image with a request.
 * Returns FERRY_OK; FERRY_E_STATE when the image is in the way; or a flash error. */
static int clear(const struct ferry_slots *slots, uint32_t slot, bool with_image)
{
    const struct ferry_flash *flash = ferry_slots_slot(slots, slot);
    struct ferry_flash_sector sector;
    int rc = trailer_start(slots, slot, &sector);
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
    return rc != FERRY_OK
               ? rc
               : ferry_flash_erase_dirty(flash, sector.offset, flash->size - sector.offset);
}

/* ---- Requests ----------------------------------------------------------------------------- */

/* Whether a trailer stands in the way of a request, which then would not be what was asked for:
 * damage, or for a test flags that cannot be taken back. */
static bool is_in_the_way(const struct ferry_trailer *trailer, bool permanent)
{
    if (trailer->magic == FERRY_BAD || trailer->image_ok == FERRY_BAD ||
        trailer->copy_done == FERRY_BAD) {
        return true;
    }
    return !permanent && (trailer->image_ok == FERRY_SET || trailer->copy_done == FERRY_SET);
}

static bool is_asked(const struct ferry_trailer *trailer, bool permanent)
{
    if (trailer->magic != FERRY_SET) {
        return false;
    }
    if (permanent) {
        return trailer->image_ok == FERRY_SET;
    }
    return trailer->image_ok == FERRY_UNSET && trailer->copy_done == FERRY_UNSET;
}

/* What an earlier confirm or earlier trials of the same image left would decide this request. */
static int forget_past(const struct ferry_slots *slots, uint32_t slot)
{
    uint8_t digest[FERRY_RECORD_DIGEST];
    struct ferry_trial trial;
    if (slots->store == NULL) {
        return FERRY_OK;
    }
    int rc = ferry_confirmed_forget(slots, slot);
    if (rc == FERRY_OK) {
        rc = ferry_record_digest(slots, slot, digest);
    }
    if (rc == 1) {
        rc = ferry_trial_read(slots, digest, &trial);
        return rc == FERRY_OK && trial.boots > 0 ? ferry_trial_forget(slots) : rc;
    }
    return rc;
}

static int set_pending(const struct ferry_slots *slots, bool permanent)
{
    uint32_t slot = other_of(slots);
    struct ferry_trailer trailer;
    int rc = read_trailer(slots, slot, &trailer);
    if (rc != FERRY_OK || is_asked(&trailer, permanent)) {
        return rc;
    }
    if (trailer.magic == FERRY_SET && trailer.image_ok == FERRY_SET) {
        return FERRY_E_STATE;
    }
    rc = permanent ? FERRY_OK : forget_past(slots, slot);
    if (rc == FERRY_OK && is_in_the_way(&trailer, permanent)) {
        rc = clear(slots, slot, false);
        trailer = (struct ferry_trailer){FERRY_UNSET, FERRY_UNSET, FERRY_UNSET, FERRY_SWAP_NONE, 0};
    }
    return rc != FERRY_OK ? rc : write_fields(slots, slot, &trailer, permanent);
}

/* Pending is what the next boot would start, or a test that was asked for in vain: of a version
 * that is not newer. Without reverts there is no request to erase but the image itself. */
static int cancel(const struct ferry_slots *slots)
{
    uint32_t slot = other_of(slots);
    struct ferry_in_place found[2];
    int rc = look_at_both(slots, found);
    if (rc != FERRY_OK) {
        return rc;
    }
    bool asked = slots->strategy->reverts && found[slot].standing == FERRY_ASKED;
    /* Without an image in the slot that runs, the other one is all there is. */
    bool chosen = found[slots->active].header == FERRY_OK && ferry_in_place_choose(found) == slot &&
                  type_of(slots, found) != FERRY_SWAP_REVERT;
    if (!asked && !chosen) {
        return FERRY_OK;
    }
    if (!slots->strategy->reverts) {
        rc = ferry_flash_erase_dirty(ferry_slots_slot(slots, slot), 0, 1);
    }
    return rc != FERRY_OK ? rc : clear(slots, slot, true);
}

/* ---- Confirm ------------------------------------------------------------------------------ */

static bool is_confirmed(const struct ferry_trailer *trailer)
{
    return trailer->magic == FERRY_SET && trailer->image_ok == FERRY_SET;
}

static int confirm(const struct ferry_slots *slots)
{
    struct ferry_trailer trailer;
    int rc = read_trailer(slots, slots->active, &trailer);
    if (rc != FERRY_OK || is_confirmed(&trailer)) {
        return rc;
    }
    /* Behind a damaged magic no flag would count. */
    int written = FERRY_OK;
    if (trailer.magic != FERRY_BAD) {
        written = write_fields(slots, slots->active, &trailer, true);
    }
    rc = written == FERRY_E_POWER ? written : read_trailer(slots, slots->active, &trailer);
    if (rc != FERRY_OK || is_confirmed(&trailer)) {
        return rc;
    }
    if (slots->store != NULL && slots->strategy->reverts) {
        return ferry_confirmed_write(slots, slots->active);
    }
    /* Without reverts nobody looks at the flags. */
    if (written == FERRY_OK && !slots->strategy->reverts) {
        return FERRY_OK;
    }
    return written != FERRY_OK ? written : FERRY_E_STATE;
}

const struct ferry_slots_state ferry_slots_in_place = {
    .next = next_boot, .set_pending = set_pending, .confirm = confirm, .cancel = cancel};
