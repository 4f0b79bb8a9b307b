/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA P-256 with a signature as r | s, for chips: BearSSL takes it as it is. */
#include "ferry/crypto.h"
#include "p256.h"

#include <bearssl_ec.h>
#include <string.h>

int ferry_crypto_p256_verify_raw(const uint8_t point[FERRY_P256_POINT_SIZE],
                                 const uint8_t digest[FERRY_SHA256_SIZE],
                                 const uint8_t signature[FERRY_P256_RAW_SIZE])
{
    uint8_t q[FERRY_P256_POINT_SIZE]; /* BearSSL asks for a pointer to bytes that may change */
    memcpy(q, point, sizeof q);
    const br_ec_public_key key = {.curve = BR_EC_secp256r1, .q = q, .qlen = sizeof q};
    uint32_t good = point[0] == 0x04
                        ? br_ecdsa_i31_vrfy_raw(crypto_chip_p256, digest, FERRY_SHA256_SIZE, &key,
                                                signature, FERRY_P256_RAW_SIZE)
                        : 0;
    return good == 1 ? FERRY_OK : FERRY_E_SIGNATURE;
}
