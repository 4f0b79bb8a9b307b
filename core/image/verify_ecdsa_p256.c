/* SPDX-License-Identifier: Apache-2.0 */
/* The signature scheme ECDSA on P-256. [mcuboot-format.md §2.3, §2.4] */
#include "ferry/image.h"

#include <string.h>

/* What every SubjectPublicKeyInfo of an uncompressed P-256 point begins with. [RFC 5480 §2] */
static const uint8_t prefix[] = {
    0x30, 0x59,                                                 /* SEQUENCE, 89 bytes */
    0x30, 0x13,                                                 /* SEQUENCE, 19 bytes */
    0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,       /* id-ecPublicKey */
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, /* prime256v1 */
    0x03, 0x42, 0x00                                            /* BIT STRING, 66 bytes */
};

#define KEY_SIZE (sizeof prefix + FERRY_P256_POINT_SIZE)

/* SEQUENCE {r, s} with two INTEGERs of 33 bytes. */
#define SIGNATURE_MAX 72

static bool fits(const struct ferry_image_key *key)
{
    return key->len == KEY_SIZE && memcmp(key->der, prefix, sizeof prefix) == 0 &&
           key->der[sizeof prefix] == 0x04;
}

static int verify(const struct ferry_image_key *key, struct ferry_image_signed *what,
                  const uint8_t *signature, size_t len)
{
    return ferry_crypto_p256_verify(key->der + sizeof prefix, what->digest, signature, len);
}

const struct ferry_image_verifier ferry_verify_ecdsa_p256 = {.name = "ecdsa-p256",
                                                             .tlv = FERRY_TLV_ECDSA_SIG,
                                                             .signature_max = SIGNATURE_MAX,
                                                             .digests = {FERRY_TLV_SHA256},
                                                             .fits = fits,
                                                             .verify = verify};
