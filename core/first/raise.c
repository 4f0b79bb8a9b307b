/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the provision data: bits move one way only, and nothing is ever erased. */
#include "core/first/provision.h"

#include <string.h>

/* Copies of a counter's value: two that are left when a bit of the third flips. */
#define COPIES 3

/* Program a few bytes inside write units whose other bytes stay as they are. */
static int write_bits(const struct ferry_flash *flash, uint32_t offset, const uint8_t *bytes,
                      uint32_t len)
{
    uint8_t unit[2 * FERRY_FLASH_WRITE_MAX];
    uint32_t begin = offset - offset % flash->write_size;
    uint32_t end = ferry_align_up(offset + len, flash->write_size);
    int rc = ferry_flash_read(flash, begin, unit, end - begin);

    if (rc == FERRY_E_FLASH) {
        memset(unit, flash->erased_value, sizeof(unit));
        rc = FERRY_OK;
    }
    if (rc == FERRY_OK) {
        memcpy(unit + (offset - begin), bytes, len);
        rc = ferry_flash_program(flash, begin, unit, end - begin);
    }
    return rc;
}

int ferry_first_revoke_below(struct ferry_first_provision *provision, uint32_t index)
{
    int written = 0;

    for (uint32_t i = 0; i < index && i < provision->key_count; i++) {
        struct ferry_first_key *key = &provision->keys[i];
        uint8_t token[4];

        if (key->done) {
            continue;
        }
        ferry_store_le32(token, FERRY_FIRST_TOKEN_REVOKED | i << 24);
        int rc = write_bits(provision->flash, key->offset, token, 2);
        if (rc != FERRY_OK) {
            return rc;
        }
        key->revoked = true;
        key->done = true;
        written++;
    }
    return written;
}

int ferry_first_has_room(const struct ferry_first_provision *provision, uint32_t version)
{
    if (provision->slots == 0 || version <= ferry_first_lowest(provision)) {
        return FERRY_OK;
    }
    return provision->slot_count - provision->used >= COPIES ? FERRY_OK : FERRY_E_USED_UP;
}

/* One more copy in the next free slot; what does not take it is used up. */
static int write_copy(struct ferry_first_provision *provision, uint32_t value)
{
    uint32_t at = provision->slots + provision->used * provision->kind->word;
    uint8_t raw[4] = {0, 0, 0xff, 0xff};
    uint8_t back[4];

    ferry_store_le16(raw, (uint16_t)~value);
    provision->used++;
    int rc = write_bits(provision->flash, at, raw, provision->kind->word);
    if (rc == FERRY_OK) {
        rc = ferry_flash_read(provision->flash, at, back, provision->kind->word);
    }
    if (rc == FERRY_OK && memcmp(raw, back, provision->kind->word) == 0) {
        provision->copies++;
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

int ferry_first_raise(struct ferry_first_provision *provision, uint32_t version, uint32_t slot)
{
    uint32_t value = version << 1 | (slot == 0 ? 1 : 0);
    bool higher = version > ferry_first_lowest(provision);
    int rc = FERRY_OK;

    /* The very value may stand there in too few copies: the power failed. */
    if (provision->slots == 0 ||
        (!higher && (value != provision->value || provision->copies >= COPIES))) {
        return 0;
    }
    if (higher) {
        provision->value = value;
        provision->copies = 0;
    }
    while (rc == FERRY_OK && provision->copies < COPIES) {
        if (provision->used == provision->slot_count) {
            return provision->copies >= COPIES - 1 ? (int)higher : FERRY_E_USED_UP;
        }
        rc = write_copy(provision, value);
    }
    return rc == FERRY_OK ? (int)higher : rc;
}
