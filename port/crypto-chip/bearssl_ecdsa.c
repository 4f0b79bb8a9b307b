/* SPDX-License-Identifier: Apache-2.0 */
#include "bearssl_ecdsa.h"

#include "ferry/crypto.h"

#include <string.h>

int crypto_chip_bearssl_ecdsa(const br_ec_impl *curve, int id, size_t size, const uint8_t *point,
                              const uint8_t *digest, const uint8_t *raw)
{
    uint8_t q[FERRY_P384_POINT_SIZE]; /* BearSSL asks for a pointer to bytes that may change */
    memcpy(q, point, 1 + 2 * size);
    const br_ec_public_key key = {.curve = id, .q = q, .qlen = 1 + 2 * size};
    uint32_t good =
        point[0] == 0x04 ? br_ecdsa_i31_vrfy_raw(curve, digest, size, &key, raw, 2 * size) : 0;
    return good == 1 ? FERRY_OK : FERRY_E_SIGNATURE;
}
