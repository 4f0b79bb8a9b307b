/* SPDX-License-Identifier: Apache-2.0 */
/* The heads of the store's sectors, and heads that lost a bit. Internal to core/store. */
#ifndef FERRY_CORE_STORE_HEAD_H
#define FERRY_CORE_STORE_HEAD_H

#include "ferry/store.h"

/* Magic u32, sequence u32, crc16 of both. */
#define FERRY_STORE_HEAD_SIZE 10U

/* Where a sector begins, in the area; the index is always one that exists. */
uint32_t ferry_store_sector_start(const struct ferry_flash *flash, uint32_t index);

/* len bytes and their crc16: whether they are good, or were but for one bit, which is then set
 * right, and *mended is true. */
FERRY_MUST_CHECK
bool ferry_store_mend(uint8_t *bytes, size_t len, bool *mended);

/* Write the head of an erased sector. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_store_write_head(const struct ferry_flash *flash, uint32_t index, uint32_t sequence);

/* Read it. *sequence is 0 when the sector has no valid head, or an unsteady one.
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_store_read_head(const struct ferry_flash *flash, uint32_t index, uint32_t *sequence,
                          bool *mended);

#endif
