/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the provision data. The format has neither checksum nor second copy, and bits of it may
 * flip: what can be told from its frame is not believed to a single number. [nsib-format.md] */
#include "core/first/provision.h"

#include <string.h>

#define TYPE_COUNTERS 1U
#define TYPE_VARIABLE 0x9312U
#define COUNTER_NSIB  1U
#define KEY_SIZE      (4U + FERRY_FIRST_KEY_HASH)

/* Looks at one slot of a counter, whose value stands in others, too. */
#define SLOT_LOOKS 4

/* Bits by which two numbers differ. */
static uint32_t distance(uint32_t a, uint32_t b)
{
    uint32_t bits = a ^ b;
    uint32_t count = 0;

    for (; bits != 0; bits &= bits - 1) {
        count++;
    }
    return count;
}

static int read_raw(const struct ferry_first_provision *provision, uint32_t offset, void *data,
                    size_t len)
{
    const struct ferry_flash *flash = provision->flash;

    return ferry_inside(offset, len, flash->size) ? ferry_flash_read(flash, offset, data, len)
                                                  : FERRY_E_FORMAT;
}

static int read32(const struct ferry_first_provision *provision, uint32_t offset, uint32_t *value)
{
    uint8_t raw[4];
    int rc = read_raw(provision, offset, raw, sizeof(raw));

    *value = ferry_load_le32(raw);
    return rc;
}

static int read16(const struct ferry_first_provision *provision, uint32_t offset, uint32_t *value)
{
    uint8_t raw[2] = {0, 0};
    int rc = read_raw(provision, offset, raw, sizeof(raw));

    *value = ferry_load_le16(raw);
    return rc;
}

/* ---- Life cycle ----------------------------------------------------------------------------- */

/* A state that was entered is all zero bits, else all one: the nearer of both. */
static int was_entered(const struct ferry_first_provision *provision, uint32_t number,
                       bool *entered)
{
    uint32_t value = 0;
    int rc = read16(provision, number * provision->kind->word, &value);

    *entered = distance(value, 0) < 8;
    return rc;
}

/* Words 0, 1 and 3: provisioning, secure, decommissioned; the third is padding. */
static int read_life_cycle(struct ferry_first_provision *provision)
{
    static const uint8_t words[3] = {0, 1, 3};
    bool entered[3] = {false, false, false};
    int rc = FERRY_OK;

    for (uint32_t i = 0; i < 3 && rc == FERRY_OK; i++) {
        rc = was_entered(provision, words[i], &entered[i]);
    }
    if (!entered[0]) {
        provision->life_cycle =
            entered[1] || entered[2] ? FERRY_FIRST_UNKNOWN : FERRY_FIRST_ASSEMBLY;
    } else if (!entered[1]) {
        provision->life_cycle = entered[2] ? FERRY_FIRST_UNKNOWN : FERRY_FIRST_PROVISIONING;
    } else {
        provision->life_cycle = entered[2] ? FERRY_FIRST_DECOMMISSIONED : FERRY_FIRST_SECURE;
    }
    return rc;
}

/* ---- Keys ------------------------------------------------------------------------------------ */

/* What a word at a token's place is. */
enum place { PLACE_TOKEN, PLACE_END, PLACE_SPOILT };

/* The upper half tells a token, in use or revoked. Behind the last one are the counters, or
 * nothing. Anything else was a token: a cut may spoil the whole word of one that is revoked. */
static enum place look_at_place(uint32_t word, uint32_t i)
{
    uint32_t upper = (FERRY_FIRST_TOKEN | i << 24) >> 16;

    if (distance(word >> 16, upper) <= 1) {
        return PLACE_TOKEN;
    }
    bool counters = word == (1U << 16 | TYPE_COUNTERS) || word == (2U << 16 | TYPE_COUNTERS);
    bool variable = (word & 0xffffU) == TYPE_VARIABLE && word >> 16 < 0x100;
    return counters || variable || word == UINT32_MAX ? PLACE_END : PLACE_SPOILT;
}

/* A key counts while all looks say so: a token that a cut left half written was to be revoked. A
 * look that fails says nothing; when all fail the key is not known to count. */
static int read_token(const struct ferry_first_provision *provision, struct ferry_first_key *key)
{
    uint32_t good = 0;
    uint32_t gone = 0;

    for (int look = 0; look < FERRY_FIRST_LOOKS; look++) {
        uint32_t word = 0;
        int rc = read32(provision, key->offset, &word);

        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (rc == FERRY_OK) {
            good += distance(word & 0xffffU, 0xffffU) <= 1 ? 1 : 0;
            gone += distance(word & 0xffffU, 0xffffU) <= 1 ? 0 : 1;
        }
        key->done = look == 0 ? rc == FERRY_OK && (word & 0xffffU) == 0
                              : key->done && rc == FERRY_OK && (word & 0xffffU) == 0;
    }
    key->revoked = good == 0 || gone != 0;
    return FERRY_OK;
}

/* A key whose hash cannot be read does not count today; one whose token is spoilt was revoked. */
static int read_key(struct ferry_first_provision *provision, uint32_t i, uint32_t at, bool spoilt)
{
    struct ferry_first_key *key = &provision->keys[i];

    key->offset = at;
    int rc = read_token(provision, key);
    if (rc == FERRY_OK) {
        rc = read_raw(provision, at + 4, key->hash, sizeof(key->hash));
        key->revoked = key->revoked || spoilt || rc != FERRY_OK;
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* Whether there is a key number i at an offset. Returns 1; 2 when its token is spoilt; 0; or
 * FERRY_E_POWER. */
static int is_key(const struct ferry_first_provision *provision, uint32_t i, uint32_t at,
                  uint32_t stated)
{
    uint32_t word = 0;
    int rc = read32(provision, at, &word);

    if (rc == FERRY_E_POWER) {
        return rc;
    }
    if (rc == FERRY_E_FORMAT || i == FERRY_FIRST_KEYS) {
        return 0;
    }
    enum place place = rc == FERRY_OK ? look_at_place(word, i) : PLACE_SPOILT;
    if (place == PLACE_SPOILT) {
        return i < stated ? 2 : 0;
    }
    return place == PLACE_TOKEN;
}

/* The keys are as many as there are tokens; their number is only looked at for agreement, and
 * where a token is spoilt. */
static int read_keys(struct ferry_first_provision *provision, uint32_t *end)
{
    uint32_t at = FERRY_FIRST_KEYS_AT(provision->kind);
    uint32_t stated = 0;
    int rc = read32(provision, at - 4, &stated);

    while (rc == FERRY_OK) {
        rc = is_key(provision, provision->key_count, at, stated);
        if (rc <= 0) {
            break;
        }
        rc = read_key(provision, provision->key_count, at, rc == 2);
        provision->key_count++;
        at += KEY_SIZE;
    }
    *end = at;
    if (rc < 0) {
        return rc;
    }
    return provision->key_count == 0 || distance(stated, provision->key_count) > 1 ? FERRY_E_FORMAT
                                                                                   : FERRY_OK;
}

/* ---- The counter ----------------------------------------------------------------------------- */

/* One slot, its value inverted. A slot is free when all looks say that it is erased; one that does
 * not answer is used, and says 0. */
static int read_slot(const struct ferry_first_provision *provision, uint32_t i, uint32_t *value,
                     bool *is_free)
{
    uint32_t at = provision->slots + i * provision->kind->word;

    *is_free = true;
    *value = 0;
    for (int look = 0; look < SLOT_LOOKS; look++) {
        uint32_t word = 0;
        int rc = read16(provision, at, &word);

        if (rc == FERRY_E_POWER || rc == FERRY_E_FORMAT) {
            return rc;
        }
        *is_free = *is_free && rc == FERRY_OK && word == 0xffffU;
        *value = rc == FERRY_OK && (look == 0 || *value == (~word & 0xffffU)) ? ~word & 0xffffU : 0;
    }
    return FERRY_OK;
}

/* How many of the slots in use hold a value. */
static int count_copies(const struct ferry_first_provision *provision, uint32_t value,
                        uint32_t *copies)
{
    int rc = FERRY_OK;

    *copies = 0;
    for (uint32_t i = 0; i < provision->used && rc == FERRY_OK; i++) {
        uint32_t other = 0;
        bool is_free = false;

        rc = read_slot(provision, i, &other, &is_free);
        *copies += other == value ? 1 : 0;
    }
    return rc;
}

/* The slots in use. Behind a last slot that is used there may be more: their number may have lost
 * a bit. Only the last counter of the collection may be read on like this. */
static int count_used(struct ferry_first_provision *provision, bool last)
{
    bool is_free = false;
    int rc = FERRY_OK;

    provision->used = 0;
    while (rc == FERRY_OK && (last || provision->used < provision->slot_count)) {
        uint32_t value = 0;

        rc = read_slot(provision, provision->used, &value, &is_free);
        if (rc != FERRY_OK || is_free ||
            (provision->used >= provision->slot_count && value == (~TYPE_VARIABLE & 0xffffU))) {
            break;
        }
        provision->used++;
    }
    provision->slot_count = ferry_max32(provision->slot_count, provision->used);
    return rc == FERRY_E_FORMAT ? FERRY_OK : rc;
}

/* The highest value that stands twice at least, for Ferry writes each three times: so a flipped bit
 * or half a write says nothing. Where none does, NSIB wrote them, or a cut left the first of all:
 * the highest. */
static int read_value(struct ferry_first_provision *provision)
{
    uint32_t single = 0;
    int rc = FERRY_OK;

    for (uint32_t i = 0; i < provision->used && rc == FERRY_OK; i++) {
        uint32_t value = 0;
        uint32_t copies = 0;
        bool is_free = false;

        rc = read_slot(provision, i, &value, &is_free);
        if (rc != FERRY_OK || value <= provision->value) {
            continue;
        }
        rc = count_copies(provision, value, &copies);
        if (copies >= 2) {
            provision->value = value;
            provision->copies = copies;
        }
        single = ferry_max32(single, value);
    }
    if (provision->copies == 0) {
        provision->value = single;
        provision->copies = single != 0 ? 1 : 0;
    }
    return rc;
}

/* Find the counter of the first stage in the collection at an offset; there may be none. */
static int find_counter(struct ferry_first_provision *provision, uint32_t at)
{
    uint32_t type = 0;
    uint32_t number = 0;
    uint32_t description = 0;
    uint32_t count = 0;
    int rc = read16(provision, at, &type);

    if (rc == FERRY_OK) {
        rc = read16(provision, at + 2, &number);
    }
    if (rc == FERRY_OK) {
        rc = read16(provision, at + 4, &description);
    }
    if (rc == FERRY_OK) {
        rc = read16(provision, at + 6, &count);
    }
    if (rc != FERRY_OK || distance(type, TYPE_COUNTERS) > 1 ||
        distance(description, COUNTER_NSIB) > 1) {
        return rc == FERRY_E_FORMAT ? FERRY_OK : rc;
    }
    provision->slots = at + 8;
    provision->slot_count = ferry_min32(count & ~1U, (provision->flash->size - provision->slots) /
                                                         provision->kind->word);
    rc = count_used(provision, number != 2);
    return rc == FERRY_OK ? read_value(provision) : rc;
}

/* ---- All of it ---------------------------------------------------------------------------------
 */

int ferry_first_provision_read(const struct ferry_flash *flash, const struct ferry_first_kind *kind,
                               struct ferry_first_provision *provision)
{
    uint32_t at = 4U * kind->word;
    uint32_t end = 0;

    memset(provision, 0, sizeof(*provision));
    provision->flash = flash;
    provision->kind = kind;
    int rc = read_life_cycle(provision);
    if (rc == FERRY_OK) {
        rc = read_raw(provision, at, provision->implementation_id,
                      sizeof(provision->implementation_id));
    }
    at += (uint32_t)sizeof(provision->implementation_id);
    for (uint32_t i = 0; i < 2 && rc == FERRY_OK; i++) {
        rc = read32(provision, at + 4 * i, &provision->addresses[i]);
    }
    if (rc == FERRY_OK) {
        rc = read_keys(provision, &end);
    }
    return rc == FERRY_OK ? find_counter(provision, end) : rc;
}
