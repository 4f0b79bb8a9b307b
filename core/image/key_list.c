/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that are refused, though they may be trusted. */
#include "core/image/key_list.h"

static bool has(const struct ferry_key_list *list, const struct ferry_image_key *key)
{
    return list != NULL && (list->has == NULL || list->has(list, key));
}

int ferry_key_refusal(const struct ferry_image_trust *trust, const struct ferry_image_key *key)
{
    if (has(trust->revoked, key)) {
        return FERRY_E_REVOKED;
    }
    return has(trust->refused, key) ? FERRY_E_DEVELOPMENT_KEY : FERRY_OK;
}

/* The bits in which two hashes differ, all of them looked at. */
static uint32_t differ(const uint8_t *a, const uint8_t *b)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < FERRY_SHA256_SIZE; i++) {
        bits |= (uint32_t)(a[i] ^ b[i]);
    }
    return bits;
}

static bool has_hash(const struct ferry_key_list *list, const uint8_t *hash)
{
    bool found = false;
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        found = found || differ(list->hashes[i], hash) == 0;
    }
    return found;
}

int ferry_key_refusal_of_hash(const struct ferry_image_trust *trust,
                              const uint8_t hash[FERRY_SHA256_SIZE])
{
    if (has_hash(trust->revoked, hash)) {
        return FERRY_E_REVOKED;
    }
    return has_hash(trust->refused, hash) ? FERRY_E_DEVELOPMENT_KEY : FERRY_OK;
}
