/* SPDX-License-Identifier: Apache-2.0 */
/* The primitives of encrypted images, bound at link time as those of ferry/crypto.h: AES in
 * counter mode, HMAC, HKDF, and the four ways a content key is wrapped. Nothing of this is
 * written in Ferry itself. A port wipes every copy it made of a secret; the chips' port overwrites
 * what the libraries beneath it left on the stack, too. [mcuboot-format.md §2.5] */
#ifndef FERRY_CIPHER_H
#define FERRY_CIPHER_H

#include "ferry/bytes.h"
#include "ferry/crypto.h"

#define FERRY_AES_BLOCK_SIZE   16
#define FERRY_SHA512_MAC_SIZE  64
#define FERRY_P256_SCALAR_SIZE 32
#define FERRY_X25519_SIZE      32
#define FERRY_RSA2048_SIZE     256
#define FERRY_AES_KW_EXTRA     8 /* bytes a wrapped key is longer than the key */
#define FERRY_CONTENT_KEY_MAX  32

/* ---- AES in counter mode ------------------------------------------------------------------ */

/* An expanded key. Do not rely on the contents; it holds no memory of its own, may be copied, and
 * must be wiped with ferry_wipe(). */
struct ferry_aes_ctr {
    uint64_t opaque[33];
};

/* Prepare a key of 16 or 32 bytes. */
void ferry_crypto_aes_ctr_init(struct ferry_aes_ctr *aes, const uint8_t *key, size_t key_len);

/* Encrypt or decrypt, which is the same, len bytes in place. The first byte is the first of
 * counter block `block`: 12 zero bytes and `block` big endian. The caller knows that the counter
 * does not pass 2^32 - 1. [SP 800-38A §6.5] */
void ferry_crypto_aes_ctr(const struct ferry_aes_ctr *aes, uint32_t block, uint8_t *data,
                          size_t len);

/* ---- HMAC and HKDF ------------------------------------------------------------------------- */

/* Which hash HMAC and HKDF are made of; the value is the length of a MAC. */
enum ferry_mac { FERRY_MAC_SHA256 = FERRY_SHA256_SIZE, FERRY_MAC_SHA512 = FERRY_SHA512_MAC_SIZE };

/* HMAC of len bytes; mac gets as many bytes as `hash` says. [RFC 2104] */
void ferry_crypto_hmac(enum ferry_mac hash, const uint8_t *key, size_t key_len, const uint8_t *data,
                       size_t len, uint8_t *mac);

/* HKDF with a salt of as many zero bytes as the hash has: out_len bytes, at most 255 MACs.
 * [RFC 5869 §2] */
void ferry_crypto_hkdf(enum ferry_mac hash, const uint8_t *secret, size_t secret_len,
                       const uint8_t *info, size_t info_len, uint8_t *out, size_t out_len);

/* ---- What a content key is wrapped with ---------------------------------------------------- */

/* Each returns FERRY_OK, or FERRY_E_SECRET and then leaves zeroes in what it fills. */

/* ECDH on P-256: the x coordinate of scalar times point. Refused: a scalar that is 0 or not below
 * the order, a point that is not uncompressed or not on the curve. [SP 800-56A §5.7.1.2] */
FERRY_MUST_CHECK
int ferry_crypto_p256_ecdh(const uint8_t scalar[FERRY_P256_SCALAR_SIZE],
                           const uint8_t point[FERRY_P256_POINT_SIZE],
                           uint8_t shared[FERRY_P256_SCALAR_SIZE]);

/* X25519. Refused: a point of small order, whose shared secret is zero. [RFC 7748 §6.1] */
FERRY_MUST_CHECK
int ferry_crypto_x25519(const uint8_t scalar[FERRY_X25519_SIZE],
                        const uint8_t point[FERRY_X25519_SIZE], uint8_t shared[FERRY_X25519_SIZE]);

/* The numbers of a private key of two primes, big endian, without zeroes in front: modulus, public
 * and private exponent, primes. [RFC 8017 §3.2] */
struct ferry_rsa_private {
    struct ferry_bytes n, e, d, p, q;
};

/* RSA-2048 decryption with OAEP, SHA-256, MGF1-SHA256 and no label.
 *
 * key      n of FERRY_RSA2048_SIZE bytes, the others at most that; borrowed
 * wrapped  FERRY_RSA2048_SIZE bytes
 * out      cap bytes, of which *out_len are filled; a message of more is refused
 *                                                                         [RFC 8017 §7.1.2] */
FERRY_MUST_CHECK
int ferry_crypto_rsa2048_oaep(const struct ferry_rsa_private *key,
                              const uint8_t wrapped[FERRY_RSA2048_SIZE], uint8_t *out, size_t cap,
                              size_t *out_len);

/* AES key wrap undone: a kek of 16 or 32 bytes; len is 24 or 40, and out gets 8 bytes less.
 * Refused: one whose check value is wrong. [RFC 3394 §2.2.2] */
FERRY_MUST_CHECK
int ferry_crypto_aes_kw(const uint8_t *kek, size_t kek_len, const uint8_t *wrapped, size_t len,
                        uint8_t *out);

#endif
