/* SPDX-License-Identifier: Apache-2.0 */
/* ECDH on P-256 and X25519 on BearSSL, whose multiplications take the same time for every scalar.
 */
#include "burn.h"
#include "ferry/cipher.h"
#include "p256.h"

#include <bearssl_ec.h>
#include <string.h>

/* ---- P-256 ------------------------------------------------------------------------------ */

/* Whether 0 < scalar < order, both big endian; looks at every byte. BearSSL says nothing of
 * others: the result would be something. */
static bool in_range(const uint8_t scalar[FERRY_P256_SCALAR_SIZE])
{
    size_t order_len;
    const uint8_t *order = crypto_chip_p256->order(BR_EC_secp256r1, &order_len);
    uint32_t borrow = 0;
    uint8_t any = 0;

    if (order_len != FERRY_P256_SCALAR_SIZE) {
        return false;
    }
    for (size_t i = FERRY_P256_SCALAR_SIZE; i-- > 0;) {
        borrow = ((uint32_t)scalar[i] - order[i] - borrow) >> 31;
        any = (uint8_t)(any | scalar[i]);
    }
    return any != 0 && borrow == 1;
}

int ferry_crypto_p256_ecdh(const uint8_t scalar[FERRY_P256_SCALAR_SIZE],
                           const uint8_t point[FERRY_P256_POINT_SIZE],
                           uint8_t shared[FERRY_P256_SCALAR_SIZE])
{
    uint8_t product[FERRY_P256_POINT_SIZE];

    memset(shared, 0, FERRY_P256_SCALAR_SIZE);
    memcpy(product, point, sizeof product);

    /* BearSSL refuses a point that is not on the curve. */
    bool good = point[0] == 0x04 && in_range(scalar) &&
                crypto_chip_p256->mul(product, sizeof product, scalar, FERRY_P256_SCALAR_SIZE,
                                      BR_EC_secp256r1) == 1;

    if (good) {
        memcpy(shared, product + 1, FERRY_P256_SCALAR_SIZE);
    }
    ferry_wipe(product, sizeof product);
    ferry_burn_deep();
    return good ? FERRY_OK : FERRY_E_SECRET;
}

/* ---- X25519 ----------------------------------------------------------------------------- */

int ferry_crypto_x25519(const uint8_t scalar[FERRY_X25519_SIZE],
                        const uint8_t point[FERRY_X25519_SIZE], uint8_t shared[FERRY_X25519_SIZE])
{
    static const uint8_t zero[FERRY_X25519_SIZE] = {0};

    memcpy(shared, point, FERRY_X25519_SIZE);

    bool good = br_ec_c25519_m31.mul(shared, FERRY_X25519_SIZE, scalar, FERRY_X25519_SIZE,
                                     BR_EC_curve25519) == 1 &&
                !ferry_same(shared, zero, sizeof zero);

    ferry_burn_deep();
    if (!good) {
        ferry_wipe(shared, FERRY_X25519_SIZE);
    }
    return good ? FERRY_OK : FERRY_E_SECRET;
}
