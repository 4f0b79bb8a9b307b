/* SPDX-License-Identifier: Apache-2.0 */
/* The signature scheme RSA-PSS with 3072 bits. [mcuboot-format.md §2.3] */
#include "core/image/rsa_key.h"

static bool fits(const struct ferry_image_key *key)
{
    return ferry_rsa_fits(key, FERRY_RSA3072_SIZE);
}

static int verify(const struct ferry_image_key *key, struct ferry_image_signed *what,
                  const uint8_t *signature, size_t len)
{
    return ferry_rsa_verify(key, FERRY_RSA3072_SIZE, what, signature, len);
}

const struct ferry_image_verifier ferry_verify_rsa3072_pss = {.name = "rsa-3072",
                                                              .tlv = FERRY_TLV_RSA3072_PSS,
                                                              .signature_max = FERRY_RSA3072_SIZE,
                                                              .digests = {FERRY_TLV_SHA256},
                                                              .fits = fits,
                                                              .verify = verify};
