/* SPDX-License-Identifier: Apache-2.0 */
/* The signature scheme Ed25519 over the digest. [mcuboot-format.md §2.3] */
#include "core/image/ed25519_key.h"

static int verify(const struct ferry_image_key *key, struct ferry_image_signed *what,
                  const uint8_t *signature, size_t len)
{
    if (len != FERRY_ED25519_SIGNATURE_SIZE) {
        return FERRY_E_SIGNATURE;
    }
    return ferry_crypto_ed25519_verify(ferry_ed25519_key(key), what->digest, what->kind->size,
                                       signature);
}

const struct ferry_image_verifier ferry_verify_ed25519 = {
    .name = "ed25519",
    .tlv = FERRY_TLV_ED25519,
    .signature_max = FERRY_ED25519_SIGNATURE_SIZE,
    .digests = {FERRY_TLV_SHA256, FERRY_TLV_SHA512},
    .fits = ferry_ed25519_fits,
    .verify = verify};
