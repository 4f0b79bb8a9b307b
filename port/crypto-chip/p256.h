/* SPDX-License-Identifier: Apache-2.0 */
/* P-256 on a chip is one file of p256/, by what a product links (FERRY_CHIP_P256 of
 * cmake/chip-crypto.cmake): it has ferry_crypto_p256_verify_raw() and says what ECDH works with. */
#ifndef CRYPTO_CHIP_P256_H
#define CRYPTO_CHIP_P256_H

#include <bearssl_ec.h>

/* BearSSL's implementation of the curve, whose multiplication takes the same time for every
 * scalar. */
extern const br_ec_impl *const crypto_chip_p256;

#endif
