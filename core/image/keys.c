/* SPDX-License-Identifier: Apache-2.0 */
/* Which keys count now: the product's and the provisioned ones, without the revoked. */
#include "core/image/key_records.h"

#include <string.h>

static int load_revoked(const struct ferry_store *store, struct ferry_keys *keys)
{
    bool gap = false;
    for (uint32_t i = 0; i < FERRY_KEYS_REVOKED; i++) {
        int rc = ferry_key_read_revoked(store, i, keys->hashes[keys->revoked.count]);
        if (rc < 0) {
            return rc;
        }
        if (rc == 1) {
            keys->revoked.count++;
            gap = gap || keys->next != i;
            keys->next = (uint8_t)(i + 1);
        }
    }
    return gap ? FERRY_E_CRC : FERRY_OK;
}

/* One that is revoked too is on its way out. */
static int load_trusted(const struct ferry_store *store, struct ferry_keys *keys)
{
    for (uint32_t i = 0; i < FERRY_KEYS_PROVISIONED; i++) {
        struct ferry_image_key *key = &keys->trusted[keys->trust.key_count];
        int len = ferry_key_read_trusted(store, i, keys->ders[i]);
        if (len < 0) {
            return len;
        }
        *key = (struct ferry_image_key){keys->ders[i], (size_t)len};
        if (len > 0 && !ferry_key_list_has(&keys->revoked, key)) {
            keys->trust.key_count++;
        }
    }
    return FERRY_OK;
}

int ferry_keys_load(const struct ferry_store *store, const struct ferry_image_trust *product,
                    struct ferry_keys *keys)
{
    keys->trust = *product;
    keys->trust.keys = keys->trusted;
    keys->trust.key_count = 0;
    keys->trust.revoked = &keys->revoked;
    keys->revoked = (struct ferry_key_list){.hashes = keys->hashes, .has = ferry_key_list_has};
    keys->next = 0;
    keys->product_count = 0;
    if (product->key_count > FERRY_KEYS_PRODUCT) {
        return FERRY_E_CONFIG;
    }
    for (size_t i = 0; i < product->key_count; i++) {
        keys->trusted[i] = product->keys[i];
    }
    keys->trust.key_count = product->key_count;
    keys->product_count = (uint8_t)product->key_count;
    if (store == NULL) {
        return FERRY_OK;
    }
    int lost = load_revoked(store, keys);
    if (lost != FERRY_OK && lost != FERRY_E_CRC) {
        return lost;
    }
    int rc = load_trusted(store, keys);
    return rc != FERRY_OK ? rc : lost;
}

/* ---- Mending ------------------------------------------------------------------------------ */

/* Where only one copy of a record is left, there are two again. */
static int mend_record(struct ferry_store *store, uint32_t key)
{
    uint8_t record[2][FERRY_STORE_MAX];
    int len[2];
    for (uint32_t copy = 0; copy < 2; copy++) {
        uint16_t at = (uint16_t)(key + copy * FERRY_KEY_COPY);
        len[copy] = ferry_store_get(store, at, record[copy], sizeof record[copy]);
        if (len[copy] < 0 && len[copy] != FERRY_E_NOT_FOUND) {
            return len[copy];
        }
    }
    if ((len[0] > 0) == (len[1] > 0)) {
        return FERRY_OK;
    }
    uint32_t good = len[0] > 0 ? 0 : 1;
    uint16_t lost = (uint16_t)(key + (1 - good) * FERRY_KEY_COPY);
    return ferry_store_put(store, lost, record[good], (size_t)len[good]);
}

static int mend_records(struct ferry_store *store, uint32_t first)
{
    int result = FERRY_OK;
    for (uint32_t i = 0; i < FERRY_KEY_COPY && result != FERRY_E_POWER; i++) {
        int rc = mend_record(store, first + i);
        result = result == FERRY_OK || rc == FERRY_E_POWER ? rc : result;
    }
    return result;
}

int ferry_keys_mend(struct ferry_store *store)
{
    if (store == NULL) {
        return FERRY_OK;
    }
    int rc = mend_records(store, FERRY_STORE_KEY_REVOKED);
    if (rc == FERRY_E_POWER) {
        return rc;
    }
    int trusted = mend_records(store, FERRY_STORE_KEY_TRUSTED);
    return rc != FERRY_OK ? rc : trusted;
}
