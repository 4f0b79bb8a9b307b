/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the store that speak of one image, and the simplest of them: that it is confirmed. */
#include "core/image/image_record.h"

#include <string.h>

#define CONFIRMED_VERSION 1

void ferry_record_head(uint8_t *record, uint8_t version, const uint8_t *digest)
{
    record[0] = version;
    memcpy(record + 1, digest, FERRY_RECORD_DIGEST);
}

int ferry_record_read(const struct ferry_store *store, uint16_t key, uint8_t version,
                      uint8_t *record, size_t len)
{
    if (store == NULL) {
        return 0;
    }
    int rc = ferry_store_get(store, key, record, len);
    if (rc == FERRY_E_NOT_FOUND || rc == FERRY_E_SPACE) {
        return 0;
    }
    if (rc < 0) {
        return rc;
    }
    return (size_t)rc == len && record[0] == version;
}

bool ferry_record_is_of(const uint8_t *record, const uint8_t *digest)
{
    return memcmp(record + 1, digest, FERRY_RECORD_DIGEST) == 0;
}

int ferry_record_digest(const struct ferry_slots *slots, uint32_t slot,
                        uint8_t digest[FERRY_RECORD_DIGEST])
{
    struct ferry_flash_slice view;
    struct ferry_image_info info;
    int rc = ferry_slots_view(slots, slot, &view, NULL);
    if (rc == FERRY_OK) {
        rc = ferry_image_inspect(&view.flash, &info);
    }
    if (rc != FERRY_OK || info.digest_len < FERRY_RECORD_DIGEST) {
        return rc == FERRY_E_POWER ? rc : 0;
    }
    memcpy(digest, info.digest, FERRY_RECORD_DIGEST);
    return 1;
}

/* ---- Confirmed -------------------------------------------------------------------------- */

static uint16_t confirmed_key(const struct ferry_slots *slots)
{
    return (uint16_t)(FERRY_STORE_KEY_CONFIRMED + slots->number);
}

int ferry_confirmed_read(const struct ferry_slots *slots, uint32_t slot)
{
    uint8_t record[FERRY_RECORD_HEAD];
    uint8_t digest[FERRY_RECORD_DIGEST];
    int rc = ferry_record_read(slots->store, confirmed_key(slots), CONFIRMED_VERSION, record,
                               sizeof record);
    if (rc == 1) {
        rc = ferry_record_digest(slots, slot, digest);
    }
    return rc == 1 ? ferry_record_is_of(record, digest) : rc;
}

int ferry_confirmed_write(const struct ferry_slots *slots, uint32_t slot)
{
    uint8_t record[FERRY_RECORD_HEAD];
    uint8_t digest[FERRY_RECORD_DIGEST];
    if (slots->store == NULL) {
        return FERRY_E_STATE;
    }
    int rc = ferry_record_digest(slots, slot, digest);
    if (rc <= 0) {
        return rc < 0 ? rc : FERRY_E_STATE;
    }
    ferry_record_head(record, CONFIRMED_VERSION, digest);
    return ferry_store_put(slots->store, confirmed_key(slots), record, sizeof record);
}

int ferry_confirmed_forget(const struct ferry_slots *slots, uint32_t slot)
{
    int rc = ferry_confirmed_read(slots, slot);
    return rc == 1 ? ferry_store_put(slots->store, confirmed_key(slots), NULL, 0) : rc;
}
