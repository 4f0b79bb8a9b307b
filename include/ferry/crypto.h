/* SPDX-License-Identifier: Apache-2.0 */
/* The cryptographic primitives, bound at link time: one port per library implements them
 * (port/crypto-openssl, port/crypto-chip). Nothing of this is written in Ferry itself. */
#ifndef FERRY_CRYPTO_H
#define FERRY_CRYPTO_H

#include "ferry/error.h"

#include <stddef.h>
#include <stdint.h>

#define FERRY_SHA256_SIZE            32
#define FERRY_P256_POINT_SIZE        65
#define FERRY_ED25519_KEY_SIZE       32
#define FERRY_ED25519_SIGNATURE_SIZE 64

/* A running SHA-256. Do not rely on the contents. Every init must be matched by one final. */
struct ferry_sha256 {
    uint64_t opaque[16];
};

void ferry_crypto_sha256_init(struct ferry_sha256 *sha);
void ferry_crypto_sha256_update(struct ferry_sha256 *sha, const void *data, size_t len);
void ferry_crypto_sha256_final(struct ferry_sha256 *sha, uint8_t digest[FERRY_SHA256_SIZE]);

/* Verify an ECDSA signature on P-256.
 *
 * point      uncompressed public key, 04 | X | Y
 * digest     the 32 bytes that were signed, taken as the e value
 * signature  DER SEQUENCE {r, s}, len bytes
 *
 * Returns FERRY_OK when it verifies, FERRY_E_SIGNATURE in every other case. [FIPS 186-5 §6.4] */
FERRY_MUST_CHECK
int ferry_crypto_p256_verify(const uint8_t point[FERRY_P256_POINT_SIZE],
                             const uint8_t digest[FERRY_SHA256_SIZE], const uint8_t *signature,
                             size_t len);

/* Verify an Ed25519 signature over a message of len bytes.
 * Returns FERRY_OK when it verifies, FERRY_E_SIGNATURE in every other case. [RFC 8032 §5.1.7] */
FERRY_MUST_CHECK
int ferry_crypto_ed25519_verify(const uint8_t key[FERRY_ED25519_KEY_SIZE], const uint8_t *message,
                                size_t len, const uint8_t signature[FERRY_ED25519_SIGNATURE_SIZE]);

#endif
