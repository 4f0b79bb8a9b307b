/* SPDX-License-Identifier: Apache-2.0 */
/* The record of the images that change as one, which all of them follow: what the set is doing, and
 * which images were and are of it. Internal to core/image and core/boot.
 *
 * It is kept twice, under two keys, with a number that counts up: a copy that a cut, a worn sector
 * or a flipped bit has spoilt is no copy, and the other one says the same or what was before.
 *
 *   offset  0  format, 1
 *           1  phase
 *           2  images that change, a mask
 *           3  1 = for good
 *           4  number, u32, little-endian
 *           8  count of images
 *           9  for each image 8 bytes of the digest of the one that was, and of the one that is */
#ifndef FERRY_CORE_IMAGE_SET_RECORD_H
#define FERRY_CORE_IMAGE_SET_RECORD_H

#include "core/image/image_record.h"
#include "ferry/set.h"

enum ferry_set_phase {
    FERRY_SET_NONE = 0,       /* there is no record */
    FERRY_SET_REQUESTED = 1,  /* requests are being written, and count when all of them stand */
    FERRY_SET_INSTALLING = 2, /* all were judged: they come, whatever cuts it short */
    FERRY_SET_TRIAL = 3,      /* all are there, and wait to be confirmed */
    FERRY_SET_REVERTING = 4,  /* all go back */
    FERRY_SET_CONFIRMED = 5   /* what runs stays, whatever a trailer says */
};

struct ferry_set_record {
    uint32_t number;
    enum ferry_set_phase phase;
    uint8_t mask;
    bool permanent;
    uint8_t count;
    uint8_t was[FERRY_SET_IMAGES][FERRY_RECORD_DIGEST];
    uint8_t is[FERRY_SET_IMAGES][FERRY_RECORD_DIGEST]; /* or is to be */
};

/* Read the newer copy; without any the phase is NONE.
 *
 * count  images of the device: a record of another number of them is none
 *
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_set_read(const struct ferry_store *store, size_t count, struct ferry_set_record *record);

/* Write both copies, with the next number. One that takes is enough.
 * Returns FERRY_OK or the store's error. */
FERRY_MUST_CHECK
int ferry_set_write(struct ferry_store *store, struct ferry_set_record *record);

/* Write the copy that is missing or older, so that a record which reads now so and now so cannot
 * come and go. Returns FERRY_OK or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_set_make_sure(struct ferry_store *store, const struct ferry_set_record *record);

#endif
