/* SPDX-License-Identifier: Apache-2.0 */
/* The heads of the store's sectors, and heads that lost a bit. */
#include "core/store/store_head.h"

#include "ferry/crc.h"

#include <string.h>

#define MAGIC 0x31535246U /* "FRS1" */

/* A head that the power left half written may read now so and now so. */
#define LOOKS 8

uint32_t ferry_store_sector_start(const struct ferry_flash *flash, uint32_t index)
{
    struct ferry_flash_sector sector;

    return ferry_flash_sector(flash, index, &sector) == FERRY_OK ? sector.offset : 0;
}

static bool is_good(const uint8_t *bytes, size_t len)
{
    return ferry_load_le16(bytes + len) == ferry_crc16(0, bytes, len);
}

bool ferry_store_mend(uint8_t *bytes, size_t len, bool *mended)
{
    *mended = !is_good(bytes, len);
    if (!*mended) {
        return true;
    }
    for (size_t bit = 0; bit < 8 * (len + 2); bit++) {
        uint8_t mask = (uint8_t)(1U << bit % 8);

        bytes[bit / 8] ^= mask;
        if (is_good(bytes, len)) {
            return true;
        }
        bytes[bit / 8] ^= mask;
    }
    return false;
}

int ferry_store_write_head(const struct ferry_flash *flash, uint32_t index, uint32_t sequence)
{
    uint8_t head[FERRY_STORE_HEAD_SIZE];

    ferry_store_le32(head, MAGIC);
    ferry_store_le32(head + 4, sequence);
    ferry_store_le16(head + 8, ferry_crc16(0, head, 8));
    return ferry_flash_program_padded(flash, ferry_store_sector_start(flash, index), head,
                                      sizeof(head));
}

int ferry_store_read_head(const struct ferry_flash *flash, uint32_t index, uint32_t *sequence,
                          bool *mended)
{
    uint8_t head[FERRY_STORE_HEAD_SIZE];
    uint8_t again[FERRY_STORE_HEAD_SIZE];
    uint32_t start = ferry_store_sector_start(flash, index);
    int rc = ferry_flash_read(flash, start, head, sizeof(head));

    *sequence = 0;
    for (int look = 1; look < LOOKS && rc == FERRY_OK; look++) {
        rc = ferry_flash_read(flash, start, again, sizeof(again));
        if (rc == FERRY_OK && memcmp(again, head, sizeof(head)) != 0) {
            return FERRY_OK;
        }
    }
    if (rc == FERRY_OK && ferry_store_mend(head, FERRY_STORE_HEAD_SIZE - 2U, mended) &&
        ferry_load_le32(head) == MAGIC) {
        *sequence = ferry_load_le32(head + 4);
    }
    return rc;
}
