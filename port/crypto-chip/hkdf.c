/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC on BearSSL, and HKDF composed from it: BearSSL's own is not the same in every registry. */
#include "burn.h"
#include "ferry/cipher.h"

#include <bearssl_hash.h>
#include <bearssl_hmac.h>
#include <string.h>

static const br_hash_class *class_of(enum ferry_mac hash)
{
    return hash == FERRY_MAC_SHA512 ? &br_sha512_vtable : &br_sha256_vtable;
}

void ferry_crypto_hmac(enum ferry_mac hash, const uint8_t *key, size_t key_len, const uint8_t *data,
                       size_t len, uint8_t *mac)
{
    br_hmac_key_context keys;
    br_hmac_context context;

    br_hmac_key_init(&keys, class_of(hash), key, key_len);
    br_hmac_init(&context, &keys, 0);
    br_hmac_update(&context, data, len);
    (void)br_hmac_out(&context, mac);
    ferry_wipe(&context, sizeof context);
    ferry_wipe(&keys, sizeof keys);
    ferry_burn_deep();
}

/* Expand: T(n) = HMAC(prk, T(n - 1) | info | n), one behind the other. [RFC 5869 §2.3] */
static void expand(enum ferry_mac hash, const br_hmac_key_context *prk, const uint8_t *info,
                   size_t info_len, uint8_t *out, size_t out_len)
{
    uint8_t block[FERRY_SHA512_MAC_SIZE];
    size_t block_len = 0;
    br_hmac_context context;

    for (uint8_t n = 1; out_len > 0; n++) {
        br_hmac_init(&context, prk, 0);
        br_hmac_update(&context, block, block_len);
        br_hmac_update(&context, info, info_len);
        br_hmac_update(&context, &n, 1);
        (void)br_hmac_out(&context, block);
        block_len = (size_t)hash;

        size_t part = out_len < block_len ? out_len : block_len;

        memcpy(out, block, part);
        out += part;
        out_len -= part;
    }
    ferry_wipe(&context, sizeof context);
    ferry_wipe(block, sizeof block);
}

void ferry_crypto_hkdf(enum ferry_mac hash, const uint8_t *secret, size_t secret_len,
                       const uint8_t *info, size_t info_len, uint8_t *out, size_t out_len)
{
    static const uint8_t salt[FERRY_SHA512_MAC_SIZE] = {0};
    uint8_t prk[FERRY_SHA512_MAC_SIZE];
    br_hmac_key_context keys;

    ferry_crypto_hmac(hash, salt, (size_t)hash, secret, secret_len, prk);
    br_hmac_key_init(&keys, class_of(hash), prk, (size_t)hash);
    ferry_wipe(prk, sizeof prk);
    expand(hash, &keys, info, info_len, out, out_len);
    ferry_wipe(&keys, sizeof keys);
    ferry_burn_deep();
}
