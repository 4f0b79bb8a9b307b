/* SPDX-License-Identifier: Apache-2.0 */
/* The record store: what must outlive a boot. Append-only records, each with a CRC and written
 * by one program operation, in an area of its own of at least two sectors. The newest record of a
 * key counts. When a sector is full, the live records move to the next one, whose header is
 * written last, so that a cut at any moment leaves the old state or the new one.
 *
 * One bit of the area that flips at rest costs at most one record, which then reads as it was
 * before: what must not be lost is put under two keys. */
#ifndef FERRY_STORE_H
#define FERRY_STORE_H

#include "ferry/flash.h"

/* Largest content of one record, bytes. */
#define FERRY_STORE_MAX 128

/* Keys below 0x100 are Ferry's own; an application uses 0x100 .. 0xfffe. */
#define FERRY_STORE_KEY_WHY          0x0001 /* + image number: ferry/why.h */
#define FERRY_STORE_KEY_TRIAL        0x0010 /* + image number: ferry/trial.h */
#define FERRY_STORE_KEY_CONFIRMED    0x0020 /* + image number: a confirm whose unit is bad */
#define FERRY_STORE_KEY_COUNTER      0x0030 /* + image number: security counter and lowest version */
#define FERRY_STORE_KEY_SET          0x0040 /* the images that change as one */
#define FERRY_STORE_KEY_REVOKED      0x0050 /* .. 0x006f: keys that verify nothing any more */
#define FERRY_STORE_KEY_COUNTER_TWIN 0x0080 /* + image number: the same as _COUNTER again */
#define FERRY_STORE_KEY_NOTED        0x0090 /* + image number: what it will be once confirmed */
#define FERRY_STORE_KEY_TRUSTED      0x00b0 /* .. 0x00cf: keys that were provisioned later */
#define FERRY_STORE_KEY_UPLOAD       0x00d0 /* the upload that goes on after a reset */

/* State of an open store; do not rely on the contents. */
struct ferry_store {
    const struct ferry_flash *flash;
    uint32_t sector;   /* index of the active sector */
    uint32_t sequence; /* of the active sector */
    uint32_t end;      /* where the next record goes, offset in the sector */
};

/* Open the store in flash and find its newest sector. Writes nothing; an area without any valid
 * sector opens as empty.
 *
 * flash  at least two sectors, each of at least 256 bytes; must outlive store. Of larger sectors
 *        only as many bytes are used as the smallest one has
 *
 * Returns FERRY_OK, FERRY_E_CONFIG, or a flash error. */
FERRY_MUST_CHECK
int ferry_store_open(struct ferry_store *store, const struct ferry_flash *flash);

/* Read the newest record of key (1 .. 0xfffe).
 * Returns its length; FERRY_E_NOT_FOUND; FERRY_E_SPACE when cap is too small; flash errors. */
FERRY_MUST_CHECK
int ferry_store_get(const struct ferry_store *store, uint16_t key, void *data, size_t cap);

/* Write a record, unless the newest one of key has the same content (then nothing is written).
 * len 0 .. FERRY_STORE_MAX; len 0 removes the key.
 * Returns FERRY_OK; FERRY_E_RANGE; FERRY_E_FULL when the live records fill a whole sector (never
 * for len 0); flash errors (then the old record or the new one counts). After an error the store
 * may be used on. */
FERRY_MUST_CHECK
int ferry_store_put(struct ferry_store *store, uint16_t key, const void *data, size_t len);

#endif
