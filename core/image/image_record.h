/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the store that speak of one image: they begin with a version and the first bytes of
 * its digest, so that what was said of another image counts for nothing. Internal to core/image. */
#ifndef FERRY_IMAGE_RECORD_H
#define FERRY_IMAGE_RECORD_H

#include "ferry/slots.h"

#define FERRY_RECORD_DIGEST 8 /* bytes of the digest that name an image */
#define FERRY_RECORD_HEAD   (1 + FERRY_RECORD_DIGEST)

/* Begin a record: its version and the image it speaks of. */
void ferry_record_head(uint8_t *record, uint8_t version, const uint8_t *digest);

/* Read the record of a key that has exactly this version and length, whatever its image.
 * Returns 1; 0 when there is no store, no such record or one of another form; or a flash error. */
FERRY_MUST_CHECK
int ferry_record_read(const struct ferry_store *store, uint16_t key, uint8_t version,
                      uint8_t *record, size_t len);

/* Whether a record speaks of the image with this digest. */
bool ferry_record_is_of(const uint8_t *record, const uint8_t *digest);

/* Read the digest that names the image in a slot, from the place where the slot's image begins.
 * Returns 1; 0 when there is no image with a digest there; or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_record_digest(const struct ferry_slots *slots, uint32_t slot,
                        uint8_t digest[FERRY_RECORD_DIGEST]);

/* ---- A confirm that the trailer could not take (FERRY_STORE_KEY_CONFIRMED) ------------- */

/* Whether the store says that the image in a slot is confirmed.
 * Returns 1, 0 (also without a store), or a flash error. */
FERRY_MUST_CHECK
int ferry_confirmed_read(const struct ferry_slots *slots, uint32_t slot);

/* Say so. Returns FERRY_OK; FERRY_E_STATE without a store or without an image; store errors. */
FERRY_MUST_CHECK
int ferry_confirmed_write(const struct ferry_slots *slots, uint32_t slot);

/* Take it back for the image in a slot, which is to be tried anew; writes nothing when there is
 * nothing to take back. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_confirmed_forget(const struct ferry_slots *slots, uint32_t slot);

#endif
