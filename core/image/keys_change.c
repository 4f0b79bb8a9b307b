/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are provisioned and revoked on the device. */
#include "core/image/key_list.h"
#include "core/image/key_records.h"

#include <string.h>

/* ---- Which images need a key ---------------------------------------------------------------- */

static int verify(const struct ferry_keys_config *config, const struct ferry_flash *image)
{
    struct ferry_image_info info;
    struct ferry_verdict verdict;
    return ferry_image_verify(image, &config->keys->trust, config->buf, config->buf_size,
                              config->feed, config->feed_context, &info, &verdict);
}

/* Whether a TLV may name the key: a hash of another kind cannot be told apart.
 * Returns 1, 0 or a flash error. */
static int tlv_names(const struct ferry_flash *image, const struct ferry_tlv *tlv,
                     const uint8_t *hash)
{
    uint8_t found[FERRY_SHA256_SIZE];
    struct ferry_sha256 sha;
    uint8_t part[32];
    if (tlv->type == FERRY_TLV_KEYHASH) {
        int rc = tlv->len == sizeof found
                     ? ferry_flash_read(image, tlv->offset, found, sizeof found)
                     : 1;
        return rc != FERRY_OK ? rc : memcmp(found, hash, sizeof found) == 0;
    }
    if (tlv->type != FERRY_TLV_PUBKEY) {
        return 0;
    }
    int rc = FERRY_OK;
    ferry_crypto_sha256_init(&sha);
    for (uint32_t at = 0; at < tlv->len && rc == FERRY_OK; at += (uint32_t)sizeof part) {
        size_t len = ferry_min32(tlv->len - at, (uint32_t)sizeof part);
        rc = ferry_flash_read(image, tlv->offset + at, part, len);
        ferry_crypto_sha256_update(&sha, part, len);
    }
    ferry_crypto_sha256_final(&sha, found);
    return rc != FERRY_OK ? rc : memcmp(found, hash, sizeof found) == 0;
}

static bool is_flash_error(int rc)
{
    return rc == FERRY_E_FLASH || rc == FERRY_E_POWER;
}

/* Whether an image names a key; one that is none, or ends too early, names no more.
 * Returns 1, 0 or a flash error. */
static int names(const struct ferry_flash *image, const uint8_t *hash)
{
    struct ferry_image_header header;
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    int found = 0;
    int rc = ferry_image_read_header(image, &header);
    if (rc == FERRY_OK) {
        rc = ferry_tlv_walk_begin(&walk, image, &header);
    }
    if (rc != FERRY_OK) {
        return is_flash_error(rc) ? rc : 0;
    }
    while (found == 0 && (rc = ferry_tlv_walk_next(&walk, &tlv)) > 0) {
        found = tlv_names(image, &tlv, hash);
    }
    return is_flash_error(rc) ? rc : found;
}

/* Whether an image verifies now, and would not without the key. One that does not verify as the
 * firmware sees it - it may be encrypted - needs each key that it names. */
static int needs(const struct ferry_keys_config *config, const struct ferry_flash *image,
                 const uint8_t *hash)
{
    struct ferry_keys *keys = config->keys;
    int rc = verify(config, image);
    if (rc != FERRY_OK) {
        return is_flash_error(rc) ? rc : names(image, hash);
    }
    memcpy(keys->hashes[keys->revoked.count], hash, FERRY_SHA256_SIZE);
    keys->revoked.count++;
    rc = verify(config, image);
    keys->revoked.count--;
    return is_flash_error(rc) ? rc : rc != FERRY_OK;
}

/* Whether the device would go back to the image in the slot that does not run.
 * Returns 1, 0 or a flash error. */
static int has_fallback(const struct ferry_slots *slots)
{
    struct ferry_slots_next next;
    if (slots->strategy->slot_count < 2) {
        return 0;
    }
    if (slots->strategy->in_place) {
        return 1;
    }
    int rc = ferry_slots_next_boot(slots, &next);
    return rc != FERRY_OK ? rc : next.type == FERRY_SWAP_REVERT;
}

typedef int asks(const struct ferry_keys_config *config, const struct ferry_flash *image,
                 const uint8_t *hash);

/* Ask it of the image that runs and of the one to go back to. Returns 1, 0 or a flash error. */
static int ask_slots(const struct ferry_keys_config *config, const struct ferry_slots *slots,
                     asks *ask, const uint8_t *hash)
{
    int last = has_fallback(slots);
    for (int i = 0; i <= last; i++) {
        struct ferry_flash_slice view;
        uint32_t slot = i == 0 ? slots->active : 1U - slots->active;
        int rc = ferry_slots_view(slots, slot, &view, NULL);
        if (rc == FERRY_OK) {
            rc = ask(config, &view.flash, hash);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return last < 0 ? last : 0;
}

static int ask_all(const struct ferry_keys_config *config, asks *ask, const uint8_t *hash)
{
    int rc = 0;
    for (size_t i = 0; i < config->slot_count && rc == 0; i++) {
        rc = ask_slots(config, &config->slots[i], ask, hash);
    }
    return rc;
}

static int ask_names(const struct ferry_keys_config *config, const struct ferry_flash *image,
                     const uint8_t *hash)
{
    (void)config;
    return names(image, hash);
}

int ferry_keys_named(const struct ferry_keys_config *config, const uint8_t hash[FERRY_SHA256_SIZE])
{
    return ask_all(config, ask_names, hash);
}

/* ---- Provision ------------------------------------------------------------------------------ */

static bool is_known(const struct ferry_keys *keys, const uint8_t *der, size_t len)
{
    for (size_t i = 0; i < keys->trust.key_count; i++) {
        const struct ferry_image_key *key = &keys->trust.keys[i];
        if (key->len == len && memcmp(key->der, der, len) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether a key would count, if it were trusted. */
static int check_key(const struct ferry_image_trust *trust, const struct ferry_image_key *key)
{
    bool fits = false;
    for (size_t i = 0; i < trust->verifier_count; i++) {
        fits = fits || trust->verifiers[i]->fits(key);
    }
    if (!fits || key->len > FERRY_KEY_MAX) {
        return FERRY_E_UNSUPPORTED;
    }
    return ferry_key_refusal(trust, key);
}

/* The number under which no key is that counts: FERRY_KEYS_PROVISIONED when there is none. */
static uint32_t find_room(const struct ferry_keys *keys)
{
    for (uint32_t i = 0; i < FERRY_KEYS_PROVISIONED; i++) {
        bool used = false;
        for (size_t k = keys->product_count; k < keys->trust.key_count; k++) {
            used = used || keys->trust.keys[k].der == keys->ders[i];
        }
        if (!used) {
            return i;
        }
    }
    return FERRY_KEYS_PROVISIONED;
}

int ferry_keys_provision(const struct ferry_keys_config *config, const uint8_t *der, size_t len)
{
    const struct ferry_image_key key = {der, len};
    struct ferry_keys *keys = config->keys;
    int rc = ferry_keys_load(config->store, &config->trust, keys);
    if (rc == FERRY_OK) {
        rc = check_key(&keys->trust, &key);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    if (is_known(keys, der, len)) {
        return ferry_keys_mend(config->store); /* half of it may be there */
    }
    uint32_t room = find_room(keys);
    if (room == FERRY_KEYS_PROVISIONED) {
        return FERRY_E_FULL;
    }
    rc = ferry_key_write_trusted(config->store, room, der, len);
    if (rc == FERRY_E_FULL && ferry_key_remove_trusted(config->store, room) == FERRY_E_POWER) {
        return FERRY_E_POWER;
    }
    return rc != FERRY_OK ? rc : ferry_keys_load(config->store, &config->trust, keys);
}

/* ---- Revoke --------------------------------------------------------------------------------- */

/* A key that is revoked for good leaves its place to another. */
static int make_room(const struct ferry_keys_config *config, const uint8_t *hash)
{
    struct ferry_keys *keys = config->keys;
    for (uint32_t i = 0; i < FERRY_KEYS_PROVISIONED; i++) {
        uint8_t found[FERRY_SHA256_SIZE];
        int len = ferry_key_read_trusted(config->store, i, keys->ders[i]);
        if (len <= 0) {
            continue;
        }
        ferry_key_hash(keys->ders[i], (size_t)len, found);
        if (memcmp(found, hash, sizeof found) == 0 &&
            ferry_key_remove_trusted(config->store, i) == FERRY_E_POWER) {
            return FERRY_E_POWER;
        }
    }
    return FERRY_OK;
}

static int revoke(const struct ferry_keys_config *config, const uint8_t *hash)
{
    const struct ferry_keys *keys = config->keys;
    int rc = ask_all(config, needs, hash);
    if (rc != 0) {
        return rc < 0 ? rc : FERRY_E_IN_USE;
    }
    return keys->next == FERRY_KEYS_REVOKED
               ? FERRY_E_FULL
               : ferry_key_write_revoked(config->store, keys->next, hash);
}

int ferry_keys_revoke(const struct ferry_keys_config *config, const uint8_t hash[FERRY_SHA256_SIZE])
{
    struct ferry_keys *keys = config->keys;
    int rc = ferry_keys_load(config->store, &config->trust, keys);
    if (rc != FERRY_OK && rc != FERRY_E_CRC) {
        return rc;
    }
    const struct ferry_image_trust known = {.revoked = &keys->revoked};
    rc = ferry_key_refusal_of_hash(&known, hash) != FERRY_OK ? ferry_keys_mend(config->store)
                                                             : revoke(config, hash);
    if (rc == FERRY_OK) {
        rc = make_room(config, hash);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    rc = ferry_keys_load(config->store, &config->trust, keys);
    return rc == FERRY_E_CRC ? FERRY_OK : rc; /* of another one, which each boot tells */
}
