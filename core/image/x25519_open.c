/* SPDX-License-Identifier: Apache-2.0 */
/* Content keys wrapped by ECIES on X25519, with either hash. [mcuboot-format.md §2.2, §2.5] */
#include "core/image/der.h"
#include "core/image/ecies.h"
#include "core/image/x25519_open.h"

/* AlgorithmIdentifier {id-X25519}. [RFC 8410 §3] */
static const uint8_t algorithm[] = {0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e};

/* The 32 bytes inside PKCS#8: an OCTET STRING in an OCTET STRING. NULL when the secret is none. */
static const uint8_t *find_scalar(const struct ferry_image_secret *secret)
{
    const struct ferry_bytes der = {secret->bytes, secret->len};
    struct ferry_bytes key;
    struct ferry_bytes scalar;

    if (!ferry_der_pkcs8(der, (struct ferry_bytes){algorithm, sizeof algorithm}, &key) ||
        !ferry_der_take(&key, FERRY_DER_OCTET_STRING, &scalar) || key.len != 0) {
        return NULL;
    }
    return scalar.len == FERRY_X25519_SIZE ? scalar.data : NULL;
}

bool ferry_x25519_fits(const struct ferry_image_secret *secret)
{
    return find_scalar(secret) != NULL;
}

int ferry_x25519_unwrap(enum ferry_mac hash, const struct ferry_image_secret *secret,
                        const uint8_t *wrapped, size_t len, struct ferry_content_key *key)
{
    const uint8_t *scalar = find_scalar(secret);
    uint8_t shared[FERRY_X25519_SIZE];

    ferry_wipe(key, sizeof *key);
    /* The highest bit of a point is ignored, and no signer sets it: one key has one encoding. */
    if (scalar == NULL || len < FERRY_X25519_SIZE || wrapped[FERRY_X25519_SIZE - 1] >= 0x80) {
        return FERRY_E_SECRET;
    }

    int rc = ferry_crypto_x25519(scalar, wrapped, shared);

    if (rc == FERRY_OK) {
        rc = ferry_ecies_open(hash, shared, wrapped + FERRY_X25519_SIZE, len - FERRY_X25519_SIZE,
                              key);
    }
    ferry_wipe(shared, sizeof shared);
    return rc;
}
