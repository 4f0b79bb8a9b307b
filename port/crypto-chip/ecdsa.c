/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA for chips, of signatures in DER. No heap and no globals. */
#include "bearssl_ecdsa.h"
#include "ferry/crypto.h"

#include <string.h>

/* Read one DER INTEGER from 1 to 2^(8 * size) - 1 at *at as size bytes, big endian, and move *at
 * behind it. The libraries' own readers take more than one encoding of a number, or none; one
 * signature must have one encoding only. Returns whether it was one. [X.690 §8.3, §10.1] */
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

int ferry_crypto_p256_verify(const uint8_t point[FERRY_P256_POINT_SIZE],
                             const uint8_t digest[FERRY_SHA256_SIZE], const uint8_t *signature,
                             size_t len)
{
    uint8_t raw[FERRY_P256_RAW_SIZE];
    return read_signature(signature, len, raw, sizeof raw / 2)
               ? ferry_crypto_p256_verify_raw(point, digest, raw)
               : FERRY_E_SIGNATURE;
}

int ferry_crypto_p384_verify(const uint8_t point[FERRY_P384_POINT_SIZE],
                             const uint8_t digest[FERRY_SHA384_SIZE], const uint8_t *signature,
                             size_t len)
{
    uint8_t raw[2 * FERRY_SHA384_SIZE];
    return read_signature(signature, len, raw, sizeof raw / 2)
               ? crypto_chip_bearssl_ecdsa(&br_ec_prime_i31, BR_EC_secp384r1, FERRY_SHA384_SIZE,
                                           point, digest, raw)
               : FERRY_E_SIGNATURE;
}
