/* SPDX-License-Identifier: Apache-2.0 */
/* The signature scheme Ed25519 over the image itself. Its digest names it, and is not signed: were
 * several kinds taken, one signed image could go by several names. [mcuboot-format.md §2.3] */
#include "core/image/ed25519_key.h"
#include "core/image/second_reading.h"

/* A message that is no longer than a digest is refused: it could be one, and the signature of a
 * digest must not pass for that of an image. */
static int verify(const struct ferry_image_key *key, struct ferry_image_signed *what,
                  const uint8_t *signature, size_t len)
{
    struct ferry_second_reading reading;
    int rc = FERRY_E_SIGNATURE;
    if (len != FERRY_ED25519_SIGNATURE_SIZE) {
        return rc;
    }
    ferry_second_reading_begin(&reading, what);
    if (reading.message.size > FERRY_IMAGE_DIGEST_MAX) {
        rc = ferry_crypto_ed25519_verify_message(ferry_ed25519_key(key), &reading.message,
                                                 signature);
    }
    return ferry_second_reading_end(&reading) ? rc : FERRY_E_SIGNATURE;
}

const struct ferry_image_verifier ferry_verify_ed25519_pure = {.name = "ed25519-pure",
                                                               .tlv = FERRY_TLV_ED25519,
                                                               .signature_max =
                                                                   FERRY_ED25519_SIGNATURE_SIZE,
                                                               .pure = true,
                                                               .digests = {FERRY_TLV_SHA512},
                                                               .fits = ferry_ed25519_fits,
                                                               .verify = verify};
