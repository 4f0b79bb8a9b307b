/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a key is in a list: in a file of its own, since it is what needs the digest. */
#include "ferry/keys.h"

#include <string.h>

void ferry_key_hash(const uint8_t *der, size_t len, uint8_t hash[FERRY_SHA256_SIZE])
{
    struct ferry_sha256 sha;
    ferry_crypto_sha256_init(&sha);
    ferry_crypto_sha256_update(&sha, der, len);
    ferry_crypto_sha256_final(&sha, hash);
}

bool ferry_key_list_has(const struct ferry_key_list *list, const struct ferry_image_key *key)
{
    uint8_t hash[FERRY_SHA256_SIZE];
    bool found = false;
    ferry_key_hash(key->der, key->len, hash);
    for (size_t i = 0; i < list->count; i++) {
        found = found || memcmp(list->hashes[i], hash, sizeof hash) == 0;
    }
    return found;
}
