/* SPDX-License-Identifier: Apache-2.0 */
/* Images that run where they were uploaded: how each slot stands, and which one is next. Used by
 * the application's side and by the bootloader, so that both say the same. Internal to core/. */
#ifndef FERRY_IN_PLACE_H
#define FERRY_IN_PLACE_H

#include "ferry/slots.h"

/* check and max_image of the traits: any pair of slots will do, since nothing moves; each slot
 * takes an image up to swap_info, so both take what the smaller one does. */
FERRY_MUST_CHECK
int ferry_in_place_check(const struct ferry_slots *slots);
uint32_t ferry_in_place_max_image(const struct ferry_slots *slots);

/* Largest image one slot (0, 1) takes, bytes; 0 when none fits. */
uint32_t ferry_in_place_room(const struct ferry_slots *slots, uint32_t slot);

/* How the image of a slot stands. Without reverts every image is CONFIRMED. */
enum ferry_standing {
    FERRY_NOT_ASKED, /* no good magic: an upload nobody asked for, or a damaged request */
    FERRY_ASKED,     /* a test, not started yet */
    FERRY_TRIED,     /* started, and not confirmed */
    FERRY_CONFIRMED  /* or asked for permanently */
};

struct ferry_in_place {
    int header; /* FERRY_OK, or why there is no image */
    struct ferry_version version;
    struct ferry_trailer trailer; /* all FERRY_BAD when it cannot be read, and without reverts */
    enum ferry_standing standing;
};

/* Read the trailer of a slot and its mark, if there is one. All of it is BAD when nothing can be
 * read. Returns FERRY_OK or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_in_place_read(const struct ferry_slots *slots, uint32_t slot,
                        struct ferry_trailer *trailer);

/* Look at a slot. A flash error is what is found, no end.
 *
 * confirmed  asked where the trailer does not say it; may be NULL
 *
 * Returns FERRY_OK or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_in_place_look(const struct ferry_slots *slots, uint32_t slot,
                        ferry_slots_confirmed *confirmed, struct ferry_in_place *found);

/* ---- Writing trailers --------------------------------------------------------------------- */

/* Whether the unit of a field, distance before the end of a slot, can be programmed: nothing but
 * erased bytes. Returns 1; 0, also when it cannot be read; or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_in_place_is_blank(const struct ferry_slots *slots, uint32_t slot, uint32_t distance);

/* Write what is still unset of image_ok (if ok), copy_done (if done) and the magic, in this order:
 * until the magic nothing is asked for, and copy_done without image_ok would be a test that failed.
 * A copy_done that is spoilt by a bit is left out when image_ok makes it meaningless.
 * Returns FERRY_OK; FERRY_E_STATE when a cut or a flipped bit has spoilt a unit; or a flash
 * error. */
FERRY_MUST_CHECK
int ferry_in_place_write(const struct ferry_slots *slots, uint32_t slot,
                         const struct ferry_trailer *trailer, bool ok, bool done);

/* Erase the trailer of a slot, also where it reads as erased: it may not take a program.
 *
 * with_image  even if its image goes with it. That one's header goes first then, so that no cut
 *             leaves half an image with a request
 *
 * Returns FERRY_OK; FERRY_E_STATE when the image is in the way; or a flash error. */
FERRY_MUST_CHECK
int ferry_in_place_clear(const struct ferry_slots *slots, uint32_t slot, bool with_image);

/* Say in another place of the trailer what a spoilt unit of it should: that the image is
 * confirmed, or that it was started. The place is swap_info, which in place nothing else is kept in
 * and no image reaches into; the mark fills it, so that noise does not look like it.
 * Returns FERRY_OK; FERRY_E_STATE when that is spoilt, too; or a flash error. */
FERRY_MUST_CHECK
int ferry_in_place_mark(const struct ferry_slots *slots, uint32_t slot, bool confirmed);

/* Whether a trailer that ferry_in_place_read() gave has such a mark. */
bool ferry_in_place_is_marked(const struct ferry_trailer *trailer, bool confirmed);

/* ---- Choosing ----------------------------------------------------------------------------- */

/* Whether the image in a slot may be started without more ado: there is one, and it was asked for
 * or is confirmed. */
bool ferry_in_place_may_start(const struct ferry_in_place *found);

/* The slot with the higher version, build number included; of equal ones slot 0. */
uint32_t ferry_in_place_newer(const struct ferry_in_place found[2]);

/* The slot with the lower version; of equal ones slot 0. */
uint32_t ferry_in_place_older(const struct ferry_in_place found[2]);

/* The slot that starts next: the newest image that may start. When none may, the oldest image
 * there is: what was there before a test that failed, and before an upload nobody asked for.
 * Returns 0, 1, or 2 when there is no image. */
uint32_t ferry_in_place_choose(const struct ferry_in_place found[2]);

#endif
