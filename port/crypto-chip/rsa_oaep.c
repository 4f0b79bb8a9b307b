/* SPDX-License-Identifier: Apache-2.0 */
/* RSA-2048 with OAEP by Mbed TLS, for chips. No heap: numbers are in the arena; about 2 KB of
 * stack. Mbed TLS checks its own result with the public exponent. There is no source of randomness
 * here, so nothing is blinded: who can time a boot to the cycle, and choose images, learns of the
 * key. */
#include "arena.h"
#include "burn.h"
#include "ferry/cipher.h"

#include <mbedtls/rsa.h>
#include <string.h>

static int import_key(mbedtls_rsa_context *rsa, const struct ferry_rsa_private *key)
{
    int rc =
        mbedtls_rsa_import_raw(rsa, key->n.data, key->n.len, key->p.data, key->p.len, key->q.data,
                               key->q.len, key->d.data, key->d.len, key->e.data, key->e.len);

    return rc == 0 ? mbedtls_rsa_complete(rsa) : rc;
}

int ferry_crypto_rsa2048_oaep(const struct ferry_rsa_private *key,
                              const uint8_t wrapped[FERRY_RSA2048_SIZE], uint8_t *out, size_t cap,
                              size_t *out_len)
{
    mbedtls_rsa_context rsa;
    size_t len = 0;

    memset(out, 0, cap);
    *out_len = 0;
    arena_open();
    mbedtls_rsa_init(&rsa, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256);

    int rc = import_key(&rsa, key);

    if (rc == 0) {
        rc = mbedtls_rsa_rsaes_oaep_decrypt(&rsa, NULL, NULL, MBEDTLS_RSA_PRIVATE, NULL, 0, &len,
                                            wrapped, out, cap);
    }
    mbedtls_rsa_free(&rsa);
    arena_close();
    ferry_burn_deep();
    if (rc != 0 || len > cap) {
        ferry_wipe(out, cap);
        return FERRY_E_SECRET;
    }
    *out_len = len;
    return FERRY_OK;
}
