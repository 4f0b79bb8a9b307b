/* SPDX-License-Identifier: Apache-2.0 */
/* P-256 by the code for every prime curve, which a product with P-384 has in any case. */
#include "p256.h"

const br_ec_impl *const crypto_chip_p256 = &br_ec_prime_i31;
