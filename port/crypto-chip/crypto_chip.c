/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto primitives for chips: BearSSL for SHA-2 and ECDSA, Monocypher for Ed25519. No heap
 * and no globals; about 4 KB of stack. */
#include "ferry/crypto.h"

#include <bearssl_ec.h>
#include <bearssl_hash.h>
#include <monocypher.h>
#include <string.h>

/* ---- SHA-256 ---------------------------------------------------------------------------- */

_Static_assert(sizeof(br_sha256_context) <= sizeof(struct ferry_sha256),
               "the opaque state holds BearSSL's");

/* The state is copied out and in: it is not of BearSSL's type where the caller keeps it. */
static void load(br_sha256_context *context, const struct ferry_sha256 *sha)
{
    memcpy(context, sha->opaque, sizeof *context);
}

static void store(struct ferry_sha256 *sha, const br_sha256_context *context)
{
    memcpy(sha->opaque, context, sizeof *context);
}

void ferry_crypto_sha256_init(struct ferry_sha256 *sha)
{
    br_sha256_context context;
    memset(&context, 0, sizeof context);
    br_sha256_init(&context);
    store(sha, &context);
}

void ferry_crypto_sha256_update(struct ferry_sha256 *sha, const void *data, size_t len)
{
    br_sha256_context context;
    load(&context, sha);
    br_sha256_update(&context, data, len);
    store(sha, &context);
}

void ferry_crypto_sha256_final(struct ferry_sha256 *sha, uint8_t digest[FERRY_SHA256_SIZE])
{
    br_sha256_context context;
    load(&context, sha);
    br_sha256_out(&context, digest);
    memset(sha, 0, sizeof *sha);
}

/* ---- ECDSA ------------------------------------------------------------------------------ */

#define SCALAR_SIZE 32

/* Read one DER INTEGER from 1 to 2^256 - 1 at *at as 32 bytes, big endian, and move *at behind
 * it. BearSSL's own reader takes more than one encoding of a number; one signature must have one
 * encoding only. Returns whether it was one. [X.690 §8.3, §10.1] */
static int read_scalar(const uint8_t **at, const uint8_t *end, uint8_t scalar[SCALAR_SIZE])
{
    const uint8_t *p = *at;
    if (end - p < 3 || p[0] != 0x02 || p[1] == 0 || p[1] > SCALAR_SIZE + 1 || p[1] > end - p - 2) {
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
    if (len > SCALAR_SIZE) {
        return 0;
    }
    memset(scalar, 0, SCALAR_SIZE);
    memcpy(scalar + SCALAR_SIZE - len, p, len);
    return 1;
}

/* Read SEQUENCE {r, s}, exactly len bytes, as r | s. Both fit a length of one byte. */
static int read_signature(const uint8_t *der, size_t len, uint8_t raw[2 * SCALAR_SIZE])
{
    if (len < 2 || der[0] != 0x30 || der[1] > 0x7f || der[1] != len - 2) {
        return 0;
    }
    const uint8_t *at = der + 2;
    const uint8_t *end = der + len;
    return read_scalar(&at, end, raw) && read_scalar(&at, end, raw + SCALAR_SIZE) && at == end;
}

int ferry_crypto_p256_verify(const uint8_t point[FERRY_P256_POINT_SIZE],
                             const uint8_t digest[FERRY_SHA256_SIZE], const uint8_t *signature,
                             size_t len)
{
    uint8_t raw[2 * SCALAR_SIZE];
    if (point[0] != 0x04 || !read_signature(signature, len, raw)) {
        return FERRY_E_SIGNATURE;
    }
    uint8_t q[FERRY_P256_POINT_SIZE]; /* BearSSL asks for a pointer to bytes that may change */
    memcpy(q, point, sizeof q);
    const br_ec_public_key key = {.curve = BR_EC_secp256r1, .q = q, .qlen = sizeof q};
    uint32_t good =
        br_ecdsa_i31_vrfy_raw(&br_ec_p256_m31, digest, FERRY_SHA256_SIZE, &key, raw, sizeof raw);
    return good == 1 ? FERRY_OK : FERRY_E_SIGNATURE;
}

/* ---- Ed25519 ---------------------------------------------------------------------------- */

int ferry_crypto_ed25519_verify(const uint8_t key[FERRY_ED25519_KEY_SIZE], const uint8_t *message,
                                size_t len, const uint8_t signature[FERRY_ED25519_SIGNATURE_SIZE])
{
    uint8_t hash[br_sha512_SIZE];
    br_sha512_context sha;
    br_sha512_init(&sha);
    br_sha512_update(&sha, signature, 32); /* R */
    br_sha512_update(&sha, key, FERRY_ED25519_KEY_SIZE);
    br_sha512_update(&sha, message, len);
    br_sha512_out(&sha, hash);
    uint8_t h[32];
    crypto_eddsa_reduce(h, hash);
    /* Refuses S >= L and points that are none as well. */
    return crypto_eddsa_check_equation(signature, key, h) == 0 ? FERRY_OK : FERRY_E_SIGNATURE;
}
