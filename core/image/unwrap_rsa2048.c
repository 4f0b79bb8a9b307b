/* SPDX-License-Identifier: Apache-2.0 */
/* Content keys encrypted by RSA-2048 with OAEP. [mcuboot-format.md §2.2] */
#include "core/image/der.h"
#include "ferry/encrypted.h"

/* AlgorithmIdentifier {rsaEncryption, NULL}. [RFC 8017 A.1] */
static const uint8_t algorithm[] = {0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
                                    0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00};

/* RSAPrivateKey {0, n, e, d, p, q, three numbers more}; imgtool's getpriv --minimal leaves these
 * three out. Alone or inside PKCS#8. [RFC 8017 A.1.2] */
static bool read_key(const struct ferry_image_secret *secret, struct ferry_rsa_private *key)
{
    const struct ferry_bytes der = {secret->bytes, secret->len};
    struct ferry_bytes outer = der;
    struct ferry_bytes numbers;
    struct ferry_bytes more;

    if (ferry_der_pkcs8(der, (struct ferry_bytes){algorithm, sizeof algorithm}, &numbers)) {
        outer = numbers;
    }
    if (!ferry_der_take(&outer, FERRY_DER_SEQUENCE, &numbers) || outer.len != 0 ||
        !ferry_der_take_small(&numbers, 0)) {
        return false;
    }
    if (!ferry_der_take_number(&numbers, &key->n) || !ferry_der_take_number(&numbers, &key->e) ||
        !ferry_der_take_number(&numbers, &key->d) || !ferry_der_take_number(&numbers, &key->p) ||
        !ferry_der_take_number(&numbers, &key->q)) {
        return false;
    }
    for (int i = 0; i < 3 && numbers.len != 0; i++) {
        if (!ferry_der_take_number(&numbers, &more)) {
            return false;
        }
    }
    return numbers.len == 0 && key->n.len == FERRY_RSA2048_SIZE && key->n.data[0] >= 0x80 &&
           key->e.len <= 4 && key->d.len <= key->n.len && key->p.len <= FERRY_RSA2048_SIZE / 2 &&
           key->q.len <= FERRY_RSA2048_SIZE / 2;
}

static bool fits(const struct ferry_image_secret *secret)
{
    struct ferry_rsa_private key;

    return read_key(secret, &key);
}

static int unwrap(const struct ferry_image_secret *secret, const uint8_t *wrapped, size_t len,
                  struct ferry_content_key *key)
{
    struct ferry_rsa_private numbers;
    size_t key_len = 0;

    ferry_wipe(key, sizeof *key);
    if (len != FERRY_RSA2048_SIZE || !read_key(secret, &numbers)) {
        return FERRY_E_SECRET;
    }

    int rc = ferry_crypto_rsa2048_oaep(&numbers, wrapped, key->bytes, sizeof key->bytes, &key_len);

    if (rc != FERRY_OK || (key_len != 16 && key_len != 32)) {
        ferry_wipe(key, sizeof *key);
        return FERRY_E_SECRET;
    }
    key->len = (uint8_t)key_len;
    return FERRY_OK;
}

const struct ferry_image_unwrapper ferry_unwrap_rsa2048 = {
    .name = "rsa-2048-oaep", .tlv = FERRY_TLV_ENC_RSA2048, .fits = fits, .unwrap = unwrap};
