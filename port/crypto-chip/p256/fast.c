/* SPDX-License-Identifier: Apache-2.0 */
/* P-256 by code for this curve alone: twice as fast as the other. */
#include "p256.h"

const br_ec_impl *const crypto_chip_p256 = &br_ec_p256_m31;
