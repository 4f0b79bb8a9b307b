/* SPDX-License-Identifier: Apache-2.0 */
/* The record of the images that change as one. */
#include "core/image/set_record.h"

#include <string.h>

#define FORMAT 1

enum { AT_FORMAT, AT_PHASE, AT_MASK, AT_PERMANENT, AT_NUMBER, AT_COUNT = 8, AT_DIGESTS = 9 };

#define DIGESTS    (2 * FERRY_RECORD_DIGEST)
#define RECORD_MAX (AT_DIGESTS + FERRY_SET_IMAGES * DIGESTS)
#define COPIES     2

_Static_assert(RECORD_MAX <= FERRY_STORE_MAX, "a set is one record");

static size_t size_of(size_t count)
{
    return AT_DIGESTS + count * DIGESTS;
}

static void encode(const struct ferry_set_record *record, uint8_t raw[RECORD_MAX])
{
    raw[AT_FORMAT] = FORMAT;
    raw[AT_PHASE] = (uint8_t)record->phase;
    raw[AT_MASK] = record->mask;
    raw[AT_PERMANENT] = record->permanent ? 1 : 0;
    ferry_store_le32(raw + AT_NUMBER, record->number);
    raw[AT_COUNT] = record->count;
    for (uint32_t i = 0; i < record->count; i++) {
        uint8_t *at = raw + AT_DIGESTS + i * DIGESTS;

        memcpy(at, record->was[i], FERRY_RECORD_DIGEST);
        memcpy(at + FERRY_RECORD_DIGEST, record->is[i], FERRY_RECORD_DIGEST);
    }
}

/* Whether the fields hold what this format knows. */
static bool is_sound(const uint8_t raw[RECORD_MAX], size_t count)
{
    return raw[AT_FORMAT] == FORMAT && raw[AT_PHASE] > FERRY_SET_NONE &&
           raw[AT_PHASE] <= FERRY_SET_CONFIRMED && raw[AT_COUNT] == count &&
           raw[AT_MASK] >> count == 0 && raw[AT_PERMANENT] <= 1;
}

static void decode(const uint8_t raw[RECORD_MAX], struct ferry_set_record *record)
{
    memset(record, 0, sizeof *record);
    record->phase = (enum ferry_set_phase)raw[AT_PHASE];
    record->mask = raw[AT_MASK];
    record->permanent = raw[AT_PERMANENT] == 1;
    record->number = ferry_load_le32(raw + AT_NUMBER);
    record->count = raw[AT_COUNT];
    for (uint32_t i = 0; i < record->count; i++) {
        const uint8_t *at = raw + AT_DIGESTS + i * DIGESTS;

        memcpy(record->was[i], at, FERRY_RECORD_DIGEST);
        memcpy(record->is[i], at + FERRY_RECORD_DIGEST, FERRY_RECORD_DIGEST);
    }
}

/* Read one copy. Returns 1, 0 when there is none, or an error. */
static int read_copy(const struct ferry_store *store, uint32_t copy, size_t count,
                     struct ferry_set_record *record)
{
    uint8_t raw[RECORD_MAX];
    int len = ferry_store_get(store, (uint16_t)(FERRY_STORE_KEY_SET + copy), raw, sizeof raw);

    if (len == FERRY_E_NOT_FOUND || len == FERRY_E_SPACE) {
        return 0;
    }
    if (len < 0) {
        return len;
    }
    if ((size_t)len != size_of(count) || !is_sound(raw, count)) {
        return 0;
    }
    decode(raw, record);
    return 1;
}

int ferry_set_read(const struct ferry_store *store, size_t count, struct ferry_set_record *record)
{
    int why = FERRY_OK;

    memset(record, 0, sizeof *record);
    record->count = (uint8_t)count;
    if (count > FERRY_SET_IMAGES) {
        return FERRY_E_RANGE;
    }
    for (uint32_t copy = 0; copy < COPIES; copy++) {
        struct ferry_set_record found;
        int rc = read_copy(store, copy, count, &found);

        if (rc == FERRY_E_POWER) {
            return rc;
        }
        why = rc < 0 ? rc : why;
        if (rc == 1 && (record->phase == FERRY_SET_NONE || found.number > record->number)) {
            *record = found;
        }
    }
    return record->phase == FERRY_SET_NONE ? why : FERRY_OK;
}

/* Returns FERRY_OK when a copy at least holds the record. */
static int write_copies(struct ferry_store *store, const struct ferry_set_record *record)
{
    uint8_t raw[RECORD_MAX];
    int result = FERRY_E_FLASH;

    encode(record, raw);
    for (uint32_t copy = 0; copy < COPIES; copy++) {
        int rc = ferry_store_put(store, (uint16_t)(FERRY_STORE_KEY_SET + copy), raw,
                                 size_of(record->count));

        if (rc == FERRY_E_POWER) {
            return rc;
        }
        result = copy == 0 || rc == FERRY_OK ? rc : result;
    }
    return result;
}

int ferry_set_write(struct ferry_store *store, struct ferry_set_record *record)
{
    record->number++;
    return write_copies(store, record);
}

int ferry_set_make_sure(struct ferry_store *store, const struct ferry_set_record *record)
{
    int rc = record->phase == FERRY_SET_NONE ? FERRY_OK : write_copies(store, record);

    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}
