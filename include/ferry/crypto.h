/* SPDX-License-Identifier: Apache-2.0 */
/* The cryptographic primitives, bound at link time: one port per library implements them
 * (port/crypto-openssl, port/crypto-chip). Nothing of this is written in Ferry itself. */
#ifndef FERRY_CRYPTO_H
#define FERRY_CRYPTO_H

#include "ferry/error.h"

#include <stddef.h>
#include <stdint.h>

#define FERRY_SHA256_SIZE            32
#define FERRY_SHA384_SIZE            48
#define FERRY_SHA512_SIZE            64
#define FERRY_P256_POINT_SIZE        65
#define FERRY_P384_POINT_SIZE        97
#define FERRY_P256_RAW_SIZE          64
#define FERRY_ED25519_KEY_SIZE       32
#define FERRY_ED25519_SIGNATURE_SIZE 64
#define FERRY_RSA2048_SIZE           256
#define FERRY_RSA3072_SIZE           384

/* ---- Digests -------------------------------------------------------------------- */

/* A running SHA-256; a running SHA-384 or SHA-512. Do not rely on the contents. Every init must be
 * matched by one final of the same algorithm, which wipes the state. */
struct ferry_sha256 {
    uint64_t opaque[16];
};
struct ferry_sha512 {
    uint64_t opaque[28];
};

/* Three algorithms, each: begin, take len bytes, give the digest. They cannot fail. [FIPS 180-4] */
void ferry_crypto_sha256_init(struct ferry_sha256 *sha);
void ferry_crypto_sha256_update(struct ferry_sha256 *sha, const void *data, size_t len);
void ferry_crypto_sha256_final(struct ferry_sha256 *sha, uint8_t digest[FERRY_SHA256_SIZE]);

void ferry_crypto_sha384_init(struct ferry_sha512 *sha);
void ferry_crypto_sha384_update(struct ferry_sha512 *sha, const void *data, size_t len);
void ferry_crypto_sha384_final(struct ferry_sha512 *sha, uint8_t digest[FERRY_SHA384_SIZE]);

void ferry_crypto_sha512_init(struct ferry_sha512 *sha);
void ferry_crypto_sha512_update(struct ferry_sha512 *sha, const void *data, size_t len);
void ferry_crypto_sha512_final(struct ferry_sha512 *sha, uint8_t digest[FERRY_SHA512_SIZE]);

/* ---- Signatures ----------------------------------------------------------------- */

/* Verify an ECDSA signature on P-256, or on P-384.
 *
 * point      uncompressed public key, 04 | X | Y
 * digest     the bytes that were signed, taken as the e value: of SHA-256 for P-256, of SHA-384
 *            for P-384
 * signature  DER SEQUENCE {r, s}, len bytes; of one signature only one encoding is taken
 *
 * Return FERRY_OK when it verifies, FERRY_E_SIGNATURE in every other case. [FIPS 186-5 §6.4] */
FERRY_MUST_CHECK
int ferry_crypto_p256_verify(const uint8_t point[FERRY_P256_POINT_SIZE],
                             const uint8_t digest[FERRY_SHA256_SIZE], const uint8_t *signature,
                             size_t len);
FERRY_MUST_CHECK
int ferry_crypto_p384_verify(const uint8_t point[FERRY_P384_POINT_SIZE],
                             const uint8_t digest[FERRY_SHA384_SIZE], const uint8_t *signature,
                             size_t len);

/* The same on P-256 for a signature as r | s, 32 bytes each, big endian. */
FERRY_MUST_CHECK
int ferry_crypto_p256_verify_raw(const uint8_t point[FERRY_P256_POINT_SIZE],
                                 const uint8_t digest[FERRY_SHA256_SIZE],
                                 const uint8_t signature[FERRY_P256_RAW_SIZE]);

/* A message too large to stand in memory: it is handed out once, in pieces, front to back. */
struct ferry_crypto_message {
    uint32_t size; /* bytes in all */
    /* The next piece: *data, *len bytes above 0 and no more than are left; valid until the next
     * call. It is called until size bytes were handed out. Returns FERRY_OK or an error, which
     * ends the verification. */
    int (*next)(void *context, const uint8_t **data, size_t *len);
    void *context;
};

/* Verify an Ed25519 signature over a message of len bytes, or over one that comes in pieces.
 * Return FERRY_OK when it verifies, FERRY_E_SIGNATURE in every other case, among them a message
 * that could not be read. [RFC 8032 §5.1.7] */
FERRY_MUST_CHECK
int ferry_crypto_ed25519_verify(const uint8_t key[FERRY_ED25519_KEY_SIZE], const uint8_t *message,
                                size_t len, const uint8_t signature[FERRY_ED25519_SIGNATURE_SIZE]);
FERRY_MUST_CHECK
int ferry_crypto_ed25519_verify_message(const uint8_t key[FERRY_ED25519_KEY_SIZE],
                                        const struct ferry_crypto_message *message,
                                        const uint8_t signature[FERRY_ED25519_SIGNATURE_SIZE]);

/* Verify an RSA-PSS signature with SHA-256, a salt of 32 bytes and MGF1 with SHA-256.
 *
 * modulus    len bytes, big endian: FERRY_RSA2048_SIZE or FERRY_RSA3072_SIZE, the highest bit set;
 *            the public exponent is 65537
 * digest     the bytes that were signed, taken as the hash of the message
 * signature  len bytes
 *
 * Returns FERRY_OK when it verifies, FERRY_E_SIGNATURE in every other case. [RFC 8017 §8.1.2] */
FERRY_MUST_CHECK
int ferry_crypto_rsa_pss_verify(const uint8_t *modulus, size_t len,
                                const uint8_t digest[FERRY_SHA256_SIZE], const uint8_t *signature);

#endif
