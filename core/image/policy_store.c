/* SPDX-License-Identifier: Apache-2.0 */
/* What may run at least, in the store: two records of the same content, the higher of which counts,
 * so that what happens to one of them takes nothing back; and a note of what the image on trial
 * will demand. */
#include "core/image/image_record.h"
#include "ferry/policy.h"

#define VERSION 1

/* Both records, behind their version; integers are little-endian. */
enum { AT_COUNTER = 1, AT_MAJOR = 5, AT_MINOR, AT_REVISION, AT_BUILD = 9, RECORD_SIZE = 13 };

/* The note: version and digest, and the same. */
enum { AT_NOTED = FERRY_RECORD_HEAD, NOTE_SIZE = FERRY_RECORD_HEAD + RECORD_SIZE - AT_COUNTER };

static const uint16_t keys[2] = {FERRY_STORE_KEY_COUNTER, FERRY_STORE_KEY_COUNTER_TWIN};

static uint16_t key_of(uint16_t first, const struct ferry_slots *slots)
{
    return (uint16_t)(first + slots->number);
}

/* ---- The bytes ---------------------------------------------------------------------------- */

static void encode(const struct ferry_policy_least *least, uint8_t *at)
{
    ferry_store_le32(at, least->counter);
    at[AT_MAJOR - AT_COUNTER] = least->version.major;
    at[AT_MINOR - AT_COUNTER] = least->version.minor;
    ferry_store_le16(at + AT_REVISION - AT_COUNTER, least->version.revision);
    ferry_store_le32(at + AT_BUILD - AT_COUNTER, least->version.build);
}

static struct ferry_policy_least decode(const uint8_t *at)
{
    return (struct ferry_policy_least){.version = {at[AT_MAJOR - AT_COUNTER],
                                                   at[AT_MINOR - AT_COUNTER],
                                                   ferry_load_le16(at + AT_REVISION - AT_COUNTER),
                                                   ferry_load_le32(at + AT_BUILD - AT_COUNTER)},
                                       .counter = ferry_load_le32(at)};
}

/* ---- What may run at least ---------------------------------------------------------------- */

/* Read one of the two. Returns 1, 0 when it is not there, or a flash error. */
static int load(const struct ferry_slots *slots, uint16_t key, struct ferry_policy_least *least)
{
    uint8_t record[RECORD_SIZE];
    int rc = ferry_record_read(slots->store, key_of(key, slots), VERSION, record, sizeof record);
    if (rc == 1) {
        *least = decode(record + AT_COUNTER);
    }
    return rc;
}

/* One of the two is enough; an error counts only where neither can be read. */
static int read(const struct ferry_slots *slots, struct ferry_policy_least *least)
{
    int found = FERRY_OK;
    *least = (struct ferry_policy_least){.counter = 0};
    for (size_t i = 0; i < 2; i++) {
        struct ferry_policy_least one;
        int rc = load(slots, keys[i], &one);
        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (rc == 1) {
            ferry_policy_raise(least, &one);
            found = 1;
        } else if (rc < 0 && found == FERRY_OK) {
            found = rc;
        }
    }
    return found == 1 ? FERRY_OK : found;
}

static int raise(const struct ferry_slots *slots, const struct ferry_policy_least *least)
{
    struct ferry_policy_least now;
    uint8_t record[RECORD_SIZE] = {VERSION};
    if (slots->store == NULL) {
        return FERRY_OK;
    }
    int rc = read(slots, &now);
    if (rc == FERRY_OK) {
        ferry_policy_raise(&now, least);
        encode(&now, record + AT_COUNTER);
    }
    /* Each of them on its own, also where one does not take it. */
    int result = rc;
    for (size_t i = 0; rc == FERRY_OK && i < 2; i++) {
        int put = ferry_store_put(slots->store, key_of(keys[i], slots), record, sizeof record);
        rc = put == FERRY_E_POWER ? put : rc;
        result = put != FERRY_OK ? put : result;
    }
    return result;
}

/* ---- The image on trial ------------------------------------------------------------------- */

static int note(const struct ferry_slots *slots, const uint8_t *digest,
                const struct ferry_policy_least *least)
{
    uint8_t record[NOTE_SIZE];
    if (slots->store == NULL) {
        return FERRY_OK;
    }
    ferry_record_head(record, VERSION, digest);
    encode(least, record + AT_NOTED);
    return ferry_store_put(slots->store, key_of(FERRY_STORE_KEY_NOTED, slots), record,
                           sizeof record);
}

static int confirmed(const struct ferry_slots *slots, uint32_t slot)
{
    uint8_t record[NOTE_SIZE];
    uint8_t digest[FERRY_RECORD_DIGEST];
    int rc = ferry_record_read(slots->store, key_of(FERRY_STORE_KEY_NOTED, slots), VERSION, record,
                               sizeof record);
    if (rc == 1) {
        rc = ferry_record_digest(slots, slot, digest);
    }
    if (rc != 1 || !ferry_record_is_of(record, digest)) {
        return rc < 0 ? rc : FERRY_OK;
    }
    const struct ferry_policy_least least = decode(record + AT_NOTED);
    return raise(slots, &least);
}

const struct ferry_policy_memory ferry_policy_in_store = {
    .read = read, .raise = raise, .note = note, .confirmed = confirmed};
