/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA P-256 with a signature as r | s, on OpenSSL 3, which takes DER only. */
#include "ferry/crypto.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>

/* r | s as DER, OpenSSL's to free. Returns its length; 0 when OpenSSL fails. */
static int to_der(const uint8_t signature[FERRY_P256_RAW_SIZE], uint8_t **der)
{
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(signature, FERRY_P256_RAW_SIZE / 2, NULL);
    BIGNUM *s = BN_bin2bn(signature + FERRY_P256_RAW_SIZE / 2, FERRY_P256_RAW_SIZE / 2, NULL);
    int len = 0;
    if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1) {
        r = NULL; /* both are the pair's now */
        s = NULL;
        len = i2d_ECDSA_SIG(pair, der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(pair);
    return len > 0 ? len : 0;
}

int ferry_crypto_p256_verify_raw(const uint8_t point[FERRY_P256_POINT_SIZE],
                                 const uint8_t digest[FERRY_SHA256_SIZE],
                                 const uint8_t signature[FERRY_P256_RAW_SIZE])
{
    uint8_t *der = NULL;
    int len = to_der(signature, &der);
    int rc =
        len > 0 ? ferry_crypto_p256_verify(point, digest, der, (size_t)len) : FERRY_E_SIGNATURE;
    OPENSSL_free(der);
    return rc;
}
