/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA by BearSSL, for every curve that the port verifies with it. */
#ifndef CRYPTO_CHIP_BEARSSL_ECDSA_H
#define CRYPTO_CHIP_BEARSSL_ECDSA_H

#include <bearssl_ec.h>
#include <stddef.h>
#include <stdint.h>

/* Verify a signature r | s. About 4 KB of stack.
 *
 * curve   the implementation, and id its number of the curve
 * size    bytes of a scalar, of a coordinate, and of the digest: 32 or 48
 * point   04 | X | Y
 *
 * Returns FERRY_OK when it verifies, FERRY_E_SIGNATURE in every other case. */
int crypto_chip_bearssl_ecdsa(const br_ec_impl *curve, int id, size_t size, const uint8_t *point,
                              const uint8_t *digest, const uint8_t *raw);

#endif
