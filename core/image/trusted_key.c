/* SPDX-License-Identifier: Apache-2.0 */
/* The trusted key that a KEYHASH or PUBKEY TLV names. [mcuboot-format.md §2.4] */
#include "core/image/trusted_key.h"

#include "core/image/key_list.h"

#include <string.h>

static void hash_key(const struct ferry_image_key *key, const struct ferry_image_digest_kind *kind,
                     uint8_t *hash)
{
    union ferry_image_digest_state state;
    kind->init(&state);
    kind->update(&state, key->der, key->len);
    kind->final(&state, hash);
}

/* KEYHASH: find the trusted key with this hash. Another length is another hash: no key. */
static int find_by_hash(const struct ferry_flash *image, const struct ferry_tlv *tlv,
                        const struct ferry_image_trust *trust,
                        const struct ferry_image_digest_kind *kind,
                        const struct ferry_image_key **key, int *refusal)
{
    uint8_t wanted[FERRY_IMAGE_DIGEST_MAX];
    if (tlv->len != kind->size) {
        return FERRY_OK;
    }
    int rc = ferry_flash_read(image, tlv->offset, wanted, kind->size);
    if (rc != FERRY_OK) {
        return rc;
    }
    if (kind->size == FERRY_SHA256_SIZE) { /* what the lists know of keys */
        *refusal = ferry_key_refusal_of_hash(trust, wanted);
    }
    for (size_t i = 0; i < trust->key_count; i++) {
        uint8_t hash[FERRY_IMAGE_DIGEST_MAX];
        hash_key(&trust->keys[i], kind, hash);
        if (memcmp(hash, wanted, kind->size) == 0) {
            *key = &trust->keys[i];
        }
    }
    return FERRY_OK;
}

/* Whether the TLV holds exactly this key. Returns 1, 0 or a flash error. */
static int holds_key(const struct ferry_flash *image, const struct ferry_tlv *tlv,
                     const struct ferry_image_key *key)
{
    if (key->len != tlv->len) {
        return 0;
    }
    uint8_t part[32];
    for (uint32_t at = 0; at < tlv->len; at += (uint32_t)sizeof part) {
        size_t len = ferry_min32(tlv->len - at, (uint32_t)sizeof part);
        int rc = ferry_flash_read(image, tlv->offset + at, part, len);
        if (rc != FERRY_OK) {
            return rc;
        }
        if (memcmp(part, key->der + at, len) != 0) {
            return 0;
        }
    }
    return 1;
}

/* PUBKEY: the whole key stands in the image; it counts only if it is one of ours. */
static int find_by_key(const struct ferry_flash *image, const struct ferry_tlv *tlv,
                       const struct ferry_image_trust *trust, const struct ferry_image_key **key)
{
    for (size_t i = 0; i < trust->key_count; i++) {
        int rc = holds_key(image, tlv, &trust->keys[i]);
        if (rc < 0) {
            *key = NULL;
            return rc;
        }
        if (rc == 1) {
            *key = &trust->keys[i];
        }
    }
    return FERRY_OK;
}

int ferry_trusted_key_find(const struct ferry_flash *image, const struct ferry_tlv *tlv,
                           const struct ferry_image_trust *trust,
                           const struct ferry_image_digest_kind *kind,
                           const struct ferry_image_key **key, int *refusal)
{
    *key = NULL;
    *refusal = FERRY_OK;
    int rc = tlv->type == FERRY_TLV_KEYHASH ? find_by_hash(image, tlv, trust, kind, key, refusal)
                                            : find_by_key(image, tlv, trust, key);
    if (rc == FERRY_OK && *key != NULL) {
        *refusal = ferry_key_refusal(trust, *key);
    }
    return rc;
}
