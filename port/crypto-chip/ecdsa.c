/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA by BearSSL, for chips. No heap and no globals; about 4 KB of stack. */
#include "ferry/crypto.h"
#include "p256.h"

#include <bearssl_ec.h>
#include <string.h>

#define SCALAR_MAX 48 /* bytes of r or s on P-384 */

/* Read one DER INTEGER from 1 to 2^(8 * size) - 1 at *at as size bytes, big endian, and move *at
 * behind it. BearSSL's own reader takes more than one encoding of a number; one signature must
 * have one encoding only. Returns whether it was one. [X.690 §8.3, §10.1] */
static int read_scalar(const uint8_t **at, const uint8_t *end, uint8_t *scalar, size_t size)
{
    const uint8_t *p = *at;
    if (end - p < 3 || p[0] != 0x02 || p[1] == 0 || p[1] > size + 1 || p[1] > end - p - 2) {
        return 0;
    }
    size_t len = p[1];
    p += 2;
    *at = p + len;
    if ((p[0] & 0x80) != 0) {
        return 0; /* negative */
    }
    if (p[0] == 0) {
        if (len == 1 || (p[1] & 0x80) == 0) {
            return 0; /* zero, or a zero in front that is not needed */
        }
        p++;
        len--;
    }
    if (len > size) {
        return 0;
    }
    memset(scalar, 0, size);
    memcpy(scalar + size - len, p, len);
    return 1;
}

/* Read SEQUENCE {r, s}, exactly len bytes, as r | s of size bytes each. All of it fits a length
 * of one byte. */
static int read_signature(const uint8_t *der, size_t len, uint8_t *raw, size_t size)
{
    if (len < 2 || der[0] != 0x30 || der[1] > 0x7f || der[1] != len - 2) {
        return 0;
    }
    const uint8_t *at = der + 2;
    const uint8_t *end = der + len;
    return read_scalar(&at, end, raw, size) && read_scalar(&at, end, raw + size, size) && at == end;
}

/* size: bytes of a scalar, of a coordinate, and of the digest. */
static int verify(const br_ec_impl *curve, int id, size_t size, const uint8_t *point,
                  const uint8_t *digest, const uint8_t *signature, size_t len)
{
    uint8_t raw[2 * SCALAR_MAX];
    if (point[0] != 0x04 || !read_signature(signature, len, raw, size)) {
        return FERRY_E_SIGNATURE;
    }
    uint8_t q[FERRY_P384_POINT_SIZE]; /* BearSSL asks for a pointer to bytes that may change */
    memcpy(q, point, 1 + 2 * size);
    const br_ec_public_key key = {.curve = id, .q = q, .qlen = 1 + 2 * size};
    uint32_t good = br_ecdsa_i31_vrfy_raw(curve, digest, size, &key, raw, 2 * size);
    return good == 1 ? FERRY_OK : FERRY_E_SIGNATURE;
}

int ferry_crypto_p256_verify(const uint8_t point[FERRY_P256_POINT_SIZE],
                             const uint8_t digest[FERRY_SHA256_SIZE], const uint8_t *signature,
                             size_t len)
{
    return verify(crypto_chip_p256, BR_EC_secp256r1, FERRY_SHA256_SIZE, point, digest, signature,
                  len);
}

int ferry_crypto_p384_verify(const uint8_t point[FERRY_P384_POINT_SIZE],
                             const uint8_t digest[FERRY_SHA384_SIZE], const uint8_t *signature,
                             size_t len)
{
    return verify(&br_ec_prime_i31, BR_EC_secp384r1, FERRY_SHA384_SIZE, point, digest, signature,
                  len);
}
