/* SPDX-License-Identifier: Apache-2.0 */
/* RSA-PSS by Mbed TLS, for chips. No heap: numbers are in the arena; about 2 KB of stack. */
#include "arena.h"
#include "ferry/crypto.h"

#include <mbedtls/rsa.h>

static const uint8_t exponent[] = {0x01, 0x00, 0x01};

int ferry_crypto_rsa_pss_verify(const uint8_t *modulus, size_t len,
                                const uint8_t digest[FERRY_SHA256_SIZE], const uint8_t *signature)
{
    if ((len != FERRY_RSA2048_SIZE && len != FERRY_RSA3072_SIZE) || (modulus[0] & 0x80) == 0) {
        return FERRY_E_SIGNATURE;
    }
    mbedtls_rsa_context rsa;
    arena_open();
    mbedtls_rsa_init(&rsa, MBEDTLS_RSA_PKCS_V21, MBEDTLS_MD_SHA256);
    int rc = mbedtls_rsa_import_raw(&rsa, modulus, len, NULL, 0, NULL, 0, NULL, 0, exponent,
                                    sizeof exponent);
    if (rc == 0) {
        rc = mbedtls_rsa_rsassa_pss_verify_ext(&rsa, NULL, NULL, MBEDTLS_RSA_PUBLIC,
                                               MBEDTLS_MD_SHA256, FERRY_SHA256_SIZE, digest,
                                               MBEDTLS_MD_SHA256, FERRY_SHA256_SIZE, signature);
    }
    mbedtls_rsa_free(&rsa);
    arena_close();
    return rc == 0 ? FERRY_OK : FERRY_E_SIGNATURE;
}
