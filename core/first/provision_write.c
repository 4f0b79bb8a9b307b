/* SPDX-License-Identifier: Apache-2.0 */
/* Making the provision data of a new device. A file of its own: devices carry none of it. */
#include "core/first/provision.h"

#include <string.h>

#define KEY_SIZE (4U + FERRY_FIRST_KEY_HASH)

static bool hash_suits(const uint8_t *hash)
{
    for (size_t i = 0; i < FERRY_FIRST_KEY_HASH; i += 2) {
        if (ferry_load_le16(hash + i) == 0xffffU) {
            return false;
        }
    }
    return true;
}

static uint8_t *write_keys(const uint8_t *hashes, uint32_t count, uint8_t *at)
{
    ferry_store_le32(at, count);
    at += 4;
    for (uint32_t i = 0; i < count; i++) {
        ferry_store_le32(at, FERRY_FIRST_TOKEN | i << 24);
        memcpy(at + 4, hashes + (size_t)i * FERRY_FIRST_KEY_HASH, FERRY_FIRST_KEY_HASH);
        at += KEY_SIZE;
    }
    return at;
}

/* One collection with the first stage's counter, all slots free. */
static uint8_t *write_counter(const struct ferry_first_kind *kind, uint16_t slots, uint8_t *at)
{
    ferry_store_le16(at, 1);
    ferry_store_le16(at + 2, 1);
    ferry_store_le16(at + 4, 1);
    ferry_store_le16(at + 6, slots);
    memset(at + 8, 0xff, (size_t)slots * kind->word);
    return at + 8 + (size_t)slots * kind->word;
}

int ferry_first_provision_write(const struct ferry_first_kind *kind, const uint32_t addresses[2],
                                const uint8_t *hashes, uint32_t count, uint16_t slots,
                                uint8_t *page, size_t cap)
{
    size_t fixed = FERRY_FIRST_KEYS_AT(kind);
    size_t size =
        fixed + (size_t)count * KEY_SIZE + (slots > 0 ? 8U : 0U) + (size_t)slots * kind->word;

    if (count == 0 || count > FERRY_FIRST_KEYS || slots % 2 != 0) {
        return FERRY_E_RANGE;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!hash_suits(hashes + (size_t)i * FERRY_FIRST_KEY_HASH)) {
            return FERRY_E_RANGE;
        }
    }
    if (size > cap) {
        return FERRY_E_SPACE;
    }
    memset(page, 0xff, fixed - 12); /* life cycle and implementation id are written elsewhere */
    ferry_store_le32(page + fixed - 12, addresses[0]);
    ferry_store_le32(page + fixed - 8, addresses[1]);
    uint8_t *at = write_keys(hashes, count, page + fixed - 4);
    at = slots > 0 ? write_counter(kind, slots, at) : at;
    return (int)(at - page);
}
