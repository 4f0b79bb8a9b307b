/* SPDX-License-Identifier: Apache-2.0 */
/* Images that change as one: what both parts of their boot share. Internal to core/boot. */
#ifndef FERRY_CORE_BOOT_SET_H
#define FERRY_CORE_BOOT_SET_H

#include "core/boot/group.h"
#include "core/image/set_record.h"

struct ferry_boot_set_state {
    struct ferry_boot_group group;
    struct ferry_set_record record;
    uint8_t running[FERRY_SET_IMAGES][FERRY_RECORD_DIGEST]; /* in the primary; 0 = none */
};

/* As the functions of group.h: FERRY_OK or FERRY_E_POWER. */

/* Read which image is in each primary. */
FERRY_MUST_CHECK
int ferry_boot_set_look(struct ferry_boot_set_state *set);

/* The store that all of them share. */
struct ferry_store *ferry_boot_set_store(const struct ferry_boot_set_state *set);

/* Whether the strategies take images back. */
bool ferry_boot_set_can_go_back(const struct ferry_boot_set_state *set);

/* The image with the lowest number of a mask; 0 of none. It counts the trials of the record's set.
 */
uint32_t ferry_boot_lowest(uint32_t mask);
void ferry_boot_set_name_leader(struct ferry_boot_set_state *set);

/* The images of a mask whose primary's digest is the one of a list. */
uint32_t ferry_boot_set_alike(const struct ferry_boot_set_state *set, uint32_t mask,
                              const uint8_t digests[FERRY_SET_IMAGES][FERRY_RECORD_DIGEST]);

/* Masks: images of the record's set whose primary holds the new image, and the old one. An image
 * that is both counts as new. */
uint32_t ferry_boot_set_new(const struct ferry_boot_set_state *set);
uint32_t ferry_boot_set_old(const struct ferry_boot_set_state *set);

/* Write the record in another phase. What does not take is not written, and the next boot finds
 * what was before. */
FERRY_MUST_CHECK
int ferry_boot_set_enter(struct ferry_boot_set_state *set, enum ferry_set_phase phase);

/* What runs now stays, and nothing is left to go back to. */
FERRY_MUST_CHECK
int ferry_boot_set_rest(struct ferry_boot_set_state *set);

/* What is known of an image beyond its own trailer: it is confirmed; or it is not, whatever its
 * trailer says. */
typedef void ferry_boot_heed(struct ferry_boot_swap *swap);
ferry_boot_heed ferry_boot_stays;
ferry_boot_heed ferry_boot_on_trial;

/* The images of a mask stay as they are: as confirmed ones, or on trial. */
void ferry_boot_set_stand(struct ferry_boot_set_state *set, uint32_t mask, ferry_boot_heed *heed);

/* Confirm in the trailers what the record has confirmed. */
FERRY_MUST_CHECK
int ferry_boot_set_confirm(struct ferry_boot_set_state *set, uint32_t mask);

/* The digest of the image that comes, or goes back, after it was judged; 0 when it cannot be read.
 */
FERRY_MUST_CHECK
int ferry_boot_set_digest(const struct ferry_boot_swap *swap, uint8_t digest[FERRY_RECORD_DIGEST]);

/* What group.coming asks for comes, all or none (set_come.c); and goes on to come after a cut. A
 * request that is gone meanwhile means that the set was given up; but where nothing can go back,
 * what is not there yet must come. */
FERRY_MUST_CHECK
int ferry_boot_set_come(struct ferry_boot_set_state *set);
FERRY_MUST_CHECK
int ferry_boot_set_go_on(struct ferry_boot_set_state *set);

/* None of what is asked for comes. That is one record as well, so that no request is left behind
 * alone. */
FERRY_MUST_CHECK
int ferry_boot_set_decline(struct ferry_boot_set_state *set);

/* Take the whole set back, all or none (set_back.c): its images that are there, and those of a mask
 * whose primary does not verify; requests that stand are withdrawn. why: what began it, FERRY_OK
 * for a trial that ran out. */
FERRY_MUST_CHECK
int ferry_boot_set_take_back(struct ferry_boot_set_state *set, uint32_t broken, int why);

#endif
