/* SPDX-License-Identifier: Apache-2.0 */
/* Which of BearSSL's implementations of P-256 the port works with: p256/fast.c or p256/small.c, by
 * what a product links (FERRY_CHIP_P256 of cmake/chip-crypto.cmake). */
#ifndef CRYPTO_CHIP_P256_H
#define CRYPTO_CHIP_P256_H

#include <bearssl_ec.h>

extern const br_ec_impl *const crypto_chip_p256;

#endif
