/* SPDX-License-Identifier: Apache-2.0 */
/* P-256 signatures by micro-ecc: the least flash and stack. It takes another time for other
 * numbers, which of a signature are nobody's secret. ECDH, whose scalar is one, stays BearSSL's.
 *
 * It refuses where it would have to add a point to itself or to its negative. That is so for keys
 * that are the generator or close to it, and for signatures made so on purpose, with the key. */
#include "p256.h"

#include "ferry/crypto.h"

#include <uECC.h>

const br_ec_impl *const crypto_chip_p256 = &br_ec_prime_i31;

int ferry_crypto_p256_verify_raw(const uint8_t point[FERRY_P256_POINT_SIZE],
                                 const uint8_t digest[FERRY_SHA256_SIZE],
                                 const uint8_t signature[FERRY_P256_RAW_SIZE])
{
    uECC_Curve curve = uECC_secp256r1();
    const uint8_t *key = point + 1;
    /* uECC_verify() believes that its key is a point of the curve. */
    if (point[0] != 0x04 || uECC_valid_public_key(key, curve) != 1 ||
        uECC_verify(key, digest, FERRY_SHA256_SIZE, signature, curve) != 1) {
        return FERRY_E_SIGNATURE;
    }
    return FERRY_OK;
}
