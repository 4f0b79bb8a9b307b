/* SPDX-License-Identifier: Apache-2.0 */
/* The signature scheme Ed25519 over the digest. [mcuboot-format.md §2.3, §2.4] */
#include "ferry/image.h"

#include <string.h>

/* What every SubjectPublicKeyInfo of an Ed25519 key begins with. [RFC 8410 §4] */
static const uint8_t prefix[] = {
    0x30, 0x2a,                   /* SEQUENCE, 42 bytes */
    0x30, 0x05,                   /* SEQUENCE, 5 bytes */
    0x06, 0x03, 0x2b, 0x65, 0x70, /* id-Ed25519 */
    0x03, 0x21, 0x00              /* BIT STRING, 33 bytes */
};

#define KEY_SIZE (sizeof prefix + FERRY_ED25519_KEY_SIZE)

static bool fits(const struct ferry_image_key *key)
{
    return key->len == KEY_SIZE && memcmp(key->der, prefix, sizeof prefix) == 0;
}

static int verify(const struct ferry_image_key *key, const uint8_t *digest,
                  const uint8_t *signature, size_t len)
{
    if (len != FERRY_ED25519_SIGNATURE_SIZE) {
        return FERRY_E_SIGNATURE;
    }
    return ferry_crypto_ed25519_verify(key->der + sizeof prefix, digest, FERRY_SHA256_SIZE,
                                       signature);
}

const struct ferry_image_verifier ferry_verify_ed25519 = {.name = "ed25519",
                                                          .tlv = FERRY_TLV_ED25519,
                                                          .signature_max =
                                                              FERRY_ED25519_SIGNATURE_SIZE,
                                                          .fits = fits,
                                                          .verify = verify};
