/* SPDX-License-Identifier: Apache-2.0 */
/* Test, confirm and revert of the strategies whose images run where they were uploaded: each slot
 * has a trailer that speaks for its own image. [mcuboot-format.md §2.6 "App API"] */
#include "core/image/image_record.h"
#include "core/image/in_place.h"
#include "ferry/trial.h"

#include <string.h>

static uint32_t other_of(const struct ferry_slots *slots)
{
    return slots->active == 0 ? 1 : 0;
}

/* ---- What is next ----------------------------------------------------------------------- */

static int look_at_both(const struct ferry_slots *slots, struct ferry_in_place found[2])
{
    int rc = ferry_in_place_look(slots, 0, ferry_confirmed_read, &found[0]);
    return rc != FERRY_OK ? rc : ferry_in_place_look(slots, 1, ferry_confirmed_read, &found[1]);
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
    /* It runs, so it was started, whatever its trailer could take. */
    if (found[slots->active].standing == FERRY_ASKED) {
        found[slots->active].standing = FERRY_TRIED;
    }
    *next = (struct ferry_slots_next){slots->active, FERRY_SWAP_NONE};
    if (ferry_in_place_choose(found) == other_of(slots)) {
        *next = (struct ferry_slots_next){(uint8_t)other_of(slots), type_of(slots, found)};
    }
    return FERRY_OK;
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
    return !permanent &&
           (trailer->image_ok == FERRY_SET || trailer->copy_done == FERRY_SET ||
            ferry_in_place_is_marked(trailer, true) || ferry_in_place_is_marked(trailer, false));
}

static bool is_asked(const struct ferry_trailer *trailer, bool permanent)
{
    if (trailer->magic != FERRY_SET) {
        return false;
    }
    if (permanent) {
        return trailer->image_ok == FERRY_SET;
    }
    return !is_in_the_way(trailer, false);
}

/* Whether the store has trials of the image in a slot. Returns 1, 0 or FERRY_E_POWER. */
static int has_trials(const struct ferry_slots *slots, uint32_t slot)
{
    uint8_t digest[FERRY_RECORD_DIGEST];
    struct ferry_trial trial;
    int rc = ferry_record_digest(slots, slot, digest);
    if (rc == 1) {
        rc = ferry_trial_read(slots, digest, &trial);
        rc = rc == FERRY_OK ? trial.boots > 0 : rc;
    }
    return rc < 0 && rc != FERRY_E_POWER ? 0 : rc;
}

/* What an earlier confirm or earlier trials of the same image left would decide this request. A
 * store that cannot be read decides nothing. Returns FERRY_OK, or an error of a store that can be
 * read and takes no records. */
static int forget_past(const struct ferry_slots *slots, uint32_t slot)
{
    if (slots->store == NULL) {
        return FERRY_OK;
    }
    int rc = ferry_confirmed_read(slots, slot);
    rc = rc == 1 ? ferry_confirmed_forget(slots, slot) : (rc == FERRY_E_POWER ? rc : FERRY_OK);
    if (rc == FERRY_OK) {
        rc = has_trials(slots, slot);
    }
    return rc == 1 ? ferry_trial_forget(slots) : rc;
}

static const struct ferry_trailer unset = {FERRY_UNSET, FERRY_UNSET, FERRY_UNSET, FERRY_SWAP_NONE,
                                           0};

/* Whether what is unset can be written, now or later. Returns 1, 0 or FERRY_E_POWER. */
static int takes_fields(const struct ferry_slots *slots, uint32_t slot,
                        const struct ferry_trailer *trailer)
{
    struct ferry_trailer_layout layout;
    int rc = ferry_slots_trailer(slots, &layout);
    rc = rc == FERRY_OK ? 1 : rc;
    if (rc == 1) {
        rc = ferry_in_place_is_blank(slots, slot, layout.swap_info);
    }
    if (rc == 1 && trailer->image_ok == FERRY_UNSET) {
        rc = ferry_in_place_is_blank(slots, slot, layout.image_ok);
    }
    if (rc == 1 && trailer->copy_done == FERRY_UNSET) {
        rc = ferry_in_place_is_blank(slots, slot, layout.copy_done);
    }
    if (rc == 1 && trailer->magic == FERRY_UNSET) {
        rc = ferry_in_place_is_blank(slots, slot, layout.magic);
    }
    return rc;
}

/* Write a request. A trailer in which it would not be what was asked for, or that would not take
 * what is written later, is cleared first; so is one that turns out to take nothing. That of an
 * image that reaches into it only takes what it can. */
static int request(const struct ferry_slots *slots, uint32_t slot,
                   const struct ferry_trailer *trailer, bool permanent)
{
    bool damaged = is_in_the_way(trailer, permanent);
    int rc = damaged ? 0 : takes_fields(slots, slot, trailer);
    if (rc == 1) {
        rc = ferry_in_place_write(slots, slot, trailer, permanent, permanent);
        if (rc != FERRY_E_STATE) {
            return rc;
        }
        damaged = true;
    }
    if (rc == FERRY_E_POWER) {
        return rc;
    }
    rc = ferry_in_place_clear(slots, slot, false);
    if (rc != FERRY_OK && (rc != FERRY_E_STATE || damaged)) {
        return rc;
    }
    return ferry_in_place_write(slots, slot, rc == FERRY_OK ? &unset : trailer, permanent,
                                permanent);
}

/* A magic that may not read right tomorrow is cleared, unless its image would go with it. */
static int make_firm(const struct ferry_slots *slots, uint32_t slot, struct ferry_trailer *trailer)
{
    int rc = ferry_trailer_magic_is_firm(ferry_slots_slot(slots, slot), slots->max_align);
    if (rc != 0) {
        return rc == 1 ? FERRY_OK : rc;
    }
    rc = ferry_in_place_clear(slots, slot, false);
    if (rc == FERRY_OK) {
        *trailer = unset;
    }
    return rc == FERRY_E_STATE ? FERRY_OK : rc;
}

static int set_pending(const struct ferry_slots *slots, bool permanent)
{
    uint32_t slot = other_of(slots);
    struct ferry_trailer trailer;
    int rc = ferry_in_place_read(slots, slot, &trailer);
    if (rc == FERRY_OK && trailer.magic == FERRY_SET) {
        rc = make_firm(slots, slot, &trailer);
    }
    if (rc != FERRY_OK || is_asked(&trailer, permanent)) {
        return rc;
    }
    if (trailer.magic == FERRY_SET && trailer.image_ok == FERRY_SET) {
        return FERRY_E_STATE;
    }
    rc = permanent ? FERRY_OK : forget_past(slots, slot);
    return rc != FERRY_OK ? rc : request(slots, slot, &trailer, permanent);
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
    return rc != FERRY_OK ? rc : ferry_in_place_clear(slots, slot, true);
}

/* ---- Confirm ------------------------------------------------------------------------------ */

/* Whether the trailer says for good that the image is confirmed; reads it. Returns 1, 0 or
 * FERRY_E_POWER. */
static int is_confirmed(const struct ferry_slots *slots, struct ferry_trailer *trailer)
{
    int rc = ferry_in_place_read(slots, slots->active, trailer);
    if (rc != FERRY_OK || ferry_in_place_is_marked(trailer, true)) {
        return rc != FERRY_OK ? rc : 1;
    }
    if (trailer->magic != FERRY_SET || trailer->image_ok != FERRY_SET) {
        return 0;
    }
    /* A magic that is only near to it may not stand another flipped bit, and the confirm must. */
    return ferry_trailer_magic_is_firm(ferry_slots_slot(slots, slots->active), slots->max_align);
}

/* Set the flags. Returns FERRY_OK, or why they cannot be set. */
static int set_flags(const struct ferry_slots *slots, const struct ferry_trailer *trailer)
{
    /* Behind a damaged magic no flag would count, and a damaged flag takes none. */
    if (trailer->magic == FERRY_BAD || trailer->image_ok == FERRY_BAD) {
        return FERRY_E_STATE;
    }
    return ferry_in_place_write(slots, slots->active, trailer, true, true);
}

/* Where the flags do not hold the store says it; without one, another place of the trailer. */
static int confirm(const struct ferry_slots *slots)
{
    struct ferry_trailer trailer;
    int confirmed = is_confirmed(slots, &trailer);
    int rc = FERRY_OK;
    if (confirmed == 0) {
        rc = set_flags(slots, &trailer);
        confirmed = rc == FERRY_E_POWER ? rc : is_confirmed(slots, &trailer);
    }
    if (confirmed != 0) {
        return confirmed < 0 ? confirmed : FERRY_OK;
    }
    /* Without reverts nobody looks at the flags. */
    if (!slots->strategy->reverts) {
        return rc == FERRY_E_STATE ? FERRY_OK : rc;
    }
    rc = ferry_confirmed_write(slots, slots->active);
    return rc == FERRY_OK || rc == FERRY_E_POWER ? rc
                                                 : ferry_in_place_mark(slots, slots->active, true);
}

const struct ferry_slots_state ferry_slots_in_place = {
    .next = next_boot, .set_pending = set_pending, .confirm = confirm, .cancel = cancel};
