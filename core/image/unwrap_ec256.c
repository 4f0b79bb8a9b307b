/* SPDX-License-Identifier: Apache-2.0 */
/* Content keys wrapped by ECIES on P-256. [mcuboot-format.md §2.2, §2.5] */
#include "core/image/der.h"
#include "core/image/ecies.h"

/* AlgorithmIdentifier {id-ecPublicKey, prime256v1}. [RFC 5480 §2.1] */
static const uint8_t algorithm[] = {0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                    0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
                                    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07};

/* The optional elements of an ECPrivateKey. */
#define TAG_PARAMETERS 0xa0
#define TAG_PUBLIC_KEY 0xa1

/* ECPrivateKey {1, scalar, [0] parameters, [1] public key}, the last two optional; alone or inside
 * PKCS#8. NULL when the secret is none. [RFC 5915 §3] */
static const uint8_t *find_scalar(const struct ferry_image_secret *secret)
{
    const struct ferry_bytes der = {secret->bytes, secret->len};
    struct ferry_bytes outer = der;
    struct ferry_bytes key;
    struct ferry_bytes scalar;

    if (ferry_der_pkcs8(der, (struct ferry_bytes){algorithm, sizeof algorithm}, &key)) {
        outer = key;
    }
    if (!ferry_der_take(&outer, FERRY_DER_SEQUENCE, &key) || outer.len != 0 ||
        !ferry_der_take_small(&key, 1) || !ferry_der_take(&key, FERRY_DER_OCTET_STRING, &scalar) ||
        scalar.len != FERRY_P256_SCALAR_SIZE) {
        return NULL;
    }
    return ferry_der_skip(&key, TAG_PARAMETERS) && ferry_der_skip(&key, TAG_PUBLIC_KEY) &&
                   key.len == 0
               ? scalar.data
               : NULL;
}

static bool fits(const struct ferry_image_secret *secret)
{
    return find_scalar(secret) != NULL;
}

static int unwrap(const struct ferry_image_secret *secret, const uint8_t *wrapped, size_t len,
                  struct ferry_content_key *key)
{
    const uint8_t *scalar = find_scalar(secret);
    uint8_t shared[FERRY_P256_SCALAR_SIZE];

    ferry_wipe(key, sizeof *key);
    if (scalar == NULL || len < FERRY_P256_POINT_SIZE) {
        return FERRY_E_SECRET;
    }

    int rc = ferry_crypto_p256_ecdh(scalar, wrapped, shared);

    if (rc == FERRY_OK) {
        rc = ferry_ecies_open(FERRY_MAC_SHA256, shared, wrapped + FERRY_P256_POINT_SIZE,
                              len - FERRY_P256_POINT_SIZE, key);
    }
    ferry_wipe(shared, sizeof shared);
    return rc;
}

const struct ferry_image_unwrapper ferry_unwrap_ec256 = {
    .name = "ecies-p256", .tlv = FERRY_TLV_ENC_EC256, .fits = fits, .unwrap = unwrap};
