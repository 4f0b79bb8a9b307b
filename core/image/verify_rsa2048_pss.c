/* SPDX-License-Identifier: Apache-2.0 */
/* The signature scheme RSA-PSS with 2048 bits. [mcuboot-format.md §2.3] */
#include "core/image/rsa_key.h"

static bool fits(const struct ferry_image_key *key)
{
    return ferry_rsa_fits(key, FERRY_RSA2048_SIZE);
}

static int verify(const struct ferry_image_key *key, struct ferry_image_signed *what,
                  const uint8_t *signature, size_t len)
{
    return ferry_rsa_verify(key, FERRY_RSA2048_SIZE, what, signature, len);
}

const struct ferry_image_verifier ferry_verify_rsa2048_pss = {.name = "rsa-2048",
                                                              .tlv = FERRY_TLV_RSA2048_PSS,
                                                              .signature_max = FERRY_RSA2048_SIZE,
                                                              .digests = {FERRY_TLV_SHA256},
                                                              .fits = fits,
                                                              .verify = verify};
