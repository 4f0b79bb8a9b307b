/* SPDX-License-Identifier: Apache-2.0 */
/* The records of keys in the store. Integers little-endian.
 *
 *   revoked   format u8 = 1, SHA-256 of the DER key
 *   trusted   format u8 = 1, length u16 of the whole key, first 4 bytes of its SHA-256, a part of
 * it
 *
 * A copy is put under another key of the store. Either is enough: at most one of them was being
 * written when the power failed, and a bit that flips damages one record. */
#include "core/image/key_records.h"

#include <string.h>

#define FORMAT 1

#define REVOKED_SIZE (1 + FERRY_SHA256_SIZE)

enum { AT_LEN = 1, AT_TAG = 3, AT_DATA = 7, TAG_SIZE = 4 };

#define PART_MAX (AT_DATA + FERRY_KEY_PART_SIZE)

_Static_assert(PART_MAX <= FERRY_STORE_MAX, "a part of a key is one record");
_Static_assert(FERRY_KEYS_REVOKED <= FERRY_KEY_COPY, "copies are keys of their own");
_Static_assert(FERRY_KEYS_PROVISIONED *FERRY_KEY_PARTS <= FERRY_KEY_COPY, "so are parts");

/* ---- Copies ------------------------------------------------------------------------------- */

/* Read one copy of a record of this length. Returns 1, 0 or a flash error. */
static int read_copy(const struct ferry_store *store, uint32_t key, uint8_t *record, size_t len)
{
    int rc = ferry_store_get(store, (uint16_t)key, record, len);
    if (rc == FERRY_E_NOT_FOUND || rc == FERRY_E_SPACE) {
        return 0;
    }
    return rc < 0 ? rc : (size_t)rc == len && record[0] == FORMAT;
}

static int read_either(const struct ferry_store *store, uint32_t key, uint8_t *record, size_t len)
{
    int rc = read_copy(store, key, record, len);
    return rc != 0 ? rc : read_copy(store, key + FERRY_KEY_COPY, record, len);
}

static int write_both(struct ferry_store *store, uint32_t key, const uint8_t *record, size_t len)
{
    int rc = ferry_store_put(store, (uint16_t)key, record, len);
    return rc != FERRY_OK ? rc
                          : ferry_store_put(store, (uint16_t)(key + FERRY_KEY_COPY), record, len);
}

/* ---- Revoked ------------------------------------------------------------------------------ */

int ferry_key_read_revoked(const struct ferry_store *store, uint32_t i,
                           uint8_t hash[FERRY_SHA256_SIZE])
{
    uint8_t record[REVOKED_SIZE];
    int rc = read_either(store, FERRY_STORE_KEY_REVOKED + i, record, sizeof record);
    if (rc == 1) {
        memcpy(hash, record + 1, FERRY_SHA256_SIZE);
    }
    return rc;
}

int ferry_key_write_revoked(struct ferry_store *store, uint32_t i,
                            const uint8_t hash[FERRY_SHA256_SIZE])
{
    uint8_t record[REVOKED_SIZE] = {FORMAT};
    memcpy(record + 1, hash, FERRY_SHA256_SIZE);
    return write_both(store, FERRY_STORE_KEY_REVOKED + i, record, sizeof record);
}

/* ---- Trusted ------------------------------------------------------------------------------ */

static uint32_t part_key(uint32_t i, uint32_t part)
{
    return FERRY_STORE_KEY_TRUSTED + i * FERRY_KEY_PARTS + part;
}

/* Bytes of a key in one of its parts; 0 behind the last. */
static size_t part_len(size_t len, uint32_t part)
{
    size_t at = (size_t)part * FERRY_KEY_PART_SIZE;
    return at >= len ? 0 : ferry_min32((uint32_t)(len - at), FERRY_KEY_PART_SIZE);
}

/* The head of all parts of a key. */
static void write_head(uint8_t *record, const uint8_t *der, size_t len)
{
    uint8_t hash[FERRY_SHA256_SIZE];
    ferry_key_hash(der, len, hash);
    record[0] = FORMAT;
    ferry_store_le16(record + AT_LEN, (uint16_t)len);
    memcpy(record + AT_TAG, hash, TAG_SIZE);
}

/* The length of key number i, by its first part: a record of any length.
 * Returns it, 0 when there is none, or a flash error. */
static int read_len(const struct ferry_store *store, uint32_t i)
{
    uint8_t record[FERRY_STORE_MAX];
    for (uint32_t copy = 0; copy < 2; copy++) {
        uint32_t key = part_key(i, 0) + copy * FERRY_KEY_COPY;
        int rc = ferry_store_get(store, (uint16_t)key, record, sizeof record);
        if (rc < 0 && rc != FERRY_E_NOT_FOUND) {
            return rc;
        }
        if (rc > AT_DATA && record[0] == FORMAT) {
            return ferry_load_le16(record + AT_LEN);
        }
    }
    return 0;
}

/* One part, from the copy that is of the same key as the first part was. Returns 1, 0 or an error.
 */
static int read_part(const struct ferry_store *store, uint32_t i, uint32_t part, size_t len,
                     uint8_t *der)
{
    uint8_t record[PART_MAX];
    size_t size = part_len(len, part);
    for (uint32_t copy = 0; copy < 2; copy++) {
        uint32_t key = part_key(i, part) + copy * FERRY_KEY_COPY;
        int rc = read_copy(store, key, record, AT_DATA + size);
        if (rc < 0) {
            return rc;
        }
        if (rc == 1 && ferry_load_le16(record + AT_LEN) == len) {
            memcpy(der + (size_t)part * FERRY_KEY_PART_SIZE, record + AT_DATA, size);
            return 1;
        }
    }
    return 0;
}

/* Whether the first part says that the whole is this key. Returns 1, 0 or a flash error. */
static int is_of(const struct ferry_store *store, uint32_t i, const uint8_t *der, size_t len)
{
    uint8_t wanted[AT_DATA];
    uint8_t record[PART_MAX];
    int rc = read_either(store, part_key(i, 0), record, AT_DATA + part_len(len, 0));
    write_head(wanted, der, len);
    return rc == 1 ? memcmp(record, wanted, sizeof wanted) == 0 : rc;
}

int ferry_key_read_trusted(const struct ferry_store *store, uint32_t i, uint8_t *der)
{
    int len = read_len(store, i);
    if (len <= 0 || len > FERRY_KEY_MAX) {
        return len < 0 ? len : 0;
    }
    int rc = 1;
    for (uint32_t part = 0; rc == 1 && part_len((size_t)len, part) > 0; part++) {
        rc = read_part(store, i, part, (size_t)len, der);
    }
    if (rc == 1) {
        rc = is_of(store, i, der, (size_t)len);
    }
    return rc == 1 ? len : rc;
}

/* Put one copy of all parts, or remove it (len 0). */
static int put_parts(struct ferry_store *store, uint32_t first, const uint8_t *der, size_t len)
{
    uint8_t record[PART_MAX];
    int rc = FERRY_OK;
    write_head(record, der, len);
    for (uint32_t part = 0; part < FERRY_KEY_PARTS && rc == FERRY_OK; part++) {
        size_t size = part_len(len, part);
        if (size > 0) {
            memcpy(record + AT_DATA, der + (size_t)part * FERRY_KEY_PART_SIZE, size);
        }
        rc =
            ferry_store_put(store, (uint16_t)(first + part), record, size > 0 ? AT_DATA + size : 0);
    }
    return rc;
}

int ferry_key_write_trusted(struct ferry_store *store, uint32_t i, const uint8_t *der, size_t len)
{
    int rc = put_parts(store, part_key(i, 0), der, len);
    return rc != FERRY_OK ? rc : put_parts(store, part_key(i, 0) + FERRY_KEY_COPY, der, len);
}

int ferry_key_remove_trusted(struct ferry_store *store, uint32_t i)
{
    static const uint8_t nothing[1] = {0};
    return ferry_key_write_trusted(store, i, nothing, 0);
}
