/* SPDX-License-Identifier: Apache-2.0 */
/* The records of keys in the store, each twice. Internal to core/image. */
#ifndef FERRY_CORE_IMAGE_KEY_RECORDS_H
#define FERRY_CORE_IMAGE_KEY_RECORDS_H

#include "ferry/keys.h"

/* A provisioned key is put in parts, since it may be larger than a record. */
#define FERRY_KEY_PARTS     4
#define FERRY_KEY_PART_SIZE (FERRY_KEY_MAX / FERRY_KEY_PARTS)

/* The second copy of a record is so many keys of the store behind the first. */
#define FERRY_KEY_COPY 16

/* Revocation number i. read: 1 = it is there, 0 = it is not, or a flash error. write: FERRY_OK or
 * an error of the store. */
FERRY_MUST_CHECK
int ferry_key_read_revoked(const struct ferry_store *store, uint32_t i,
                           uint8_t hash[FERRY_SHA256_SIZE]);
FERRY_MUST_CHECK
int ferry_key_write_revoked(struct ferry_store *store, uint32_t i,
                            const uint8_t hash[FERRY_SHA256_SIZE]);

/* Provisioned key number i: der gets its bytes, room for FERRY_KEY_MAX. read: its length, 0 = it is
 * not there, or a flash error. write: FERRY_OK or an error of the store; remove: the same, all of
 * it, also of half a key. */
FERRY_MUST_CHECK
int ferry_key_read_trusted(const struct ferry_store *store, uint32_t i, uint8_t *der);
FERRY_MUST_CHECK
int ferry_key_write_trusted(struct ferry_store *store, uint32_t i, const uint8_t *der, size_t len);
FERRY_MUST_CHECK
int ferry_key_remove_trusted(struct ferry_store *store, uint32_t i);

#endif
