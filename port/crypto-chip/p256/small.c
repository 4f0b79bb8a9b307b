/* SPDX-License-Identifier: Apache-2.0 */
/* P-256 by the code for every prime curve, which a product with P-384 has in any case. */
#include "p256.h"

#include "bearssl_ecdsa.h"
#include "ferry/crypto.h"

const br_ec_impl *const crypto_chip_p256 = &br_ec_prime_i31;

int ferry_crypto_p256_verify_raw(const uint8_t point[FERRY_P256_POINT_SIZE],
                                 const uint8_t digest[FERRY_SHA256_SIZE],
                                 const uint8_t signature[FERRY_P256_RAW_SIZE])
{
    return crypto_chip_bearssl_ecdsa(&br_ec_prime_i31, BR_EC_secp256r1, FERRY_SHA256_SIZE, point,
                                     digest, signature);
}
