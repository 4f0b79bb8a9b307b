/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 by Monocypher with BearSSL's SHA-512, for chips. No heap and no globals. */
#include "ferry/crypto.h"

#include <bearssl_hash.h>
#include <monocypher.h>

/* What is hashed begins with R and the key, and the message follows. */
static void begin(br_sha512_context *sha, const uint8_t *key, const uint8_t *signature)
{
    br_sha512_init(sha);
    br_sha512_update(sha, signature, 32); /* R */
    br_sha512_update(sha, key, FERRY_ED25519_KEY_SIZE);
}

static int check(br_sha512_context *sha, const uint8_t *key, const uint8_t *signature)
{
    uint8_t hash[br_sha512_SIZE];
    uint8_t h[32];
    br_sha512_out(sha, hash);
    crypto_eddsa_reduce(h, hash);
    /* Refuses S >= L and points that are none as well. */
    return crypto_eddsa_check_equation(signature, key, h) == 0 ? FERRY_OK : FERRY_E_SIGNATURE;
}

int ferry_crypto_ed25519_verify(const uint8_t key[FERRY_ED25519_KEY_SIZE], const uint8_t *message,
                                size_t len, const uint8_t signature[FERRY_ED25519_SIGNATURE_SIZE])
{
    br_sha512_context sha;
    begin(&sha, key, signature);
    br_sha512_update(&sha, message, len);
    return check(&sha, key, signature);
}

int ferry_crypto_ed25519_verify_message(const uint8_t key[FERRY_ED25519_KEY_SIZE],
                                        const struct ferry_crypto_message *message,
                                        const uint8_t signature[FERRY_ED25519_SIGNATURE_SIZE])
{
    br_sha512_context sha;
    begin(&sha, key, signature);
    for (uint32_t left = message->size; left > 0;) {
        const uint8_t *data;
        size_t len = 0;
        if (message->next(message->context, &data, &len) != FERRY_OK || len == 0 || len > left) {
            return FERRY_E_SIGNATURE;
        }
        br_sha512_update(&sha, data, len);
        left -= (uint32_t)len;
    }
    return check(&sha, key, signature);
}
