/* SPDX-License-Identifier: Apache-2.0 */
/* Signing keys: PEM files in, signatures and DER public keys out. OpenSSL does the work. */
#ifndef CLI_KEY_H
#define CLI_KEY_H

#include "cli.h"
#include "ferry/image.h"

#include <openssl/evp.h>

#define KEY_DER_MAX 128

/* One kind of key Ferry signs with. */
struct key_type {
    const char *name;    /* "ecdsa-p256" */
    const char *openssl; /* OpenSSL's name of the algorithm */
    uint16_t tlv;        /* the signature's TLV type */
};

/* The type with a name, or NULL. */
const struct key_type *key_type_find(const char *name);

/* "ecdsa-p256, ed25519" for messages. */
extern const char key_type_names[];

struct key {
    EVP_PKEY *pkey;
    const struct key_type *type;
    bool is_private;
    uint8_t der[KEY_DER_MAX]; /* SubjectPublicKeyInfo */
    size_t der_len;
};

/* Load a private or public key from a PEM file. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int key_load(const struct cli *cli, const char *path, struct key *key);

/* Make a new private key. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int key_generate(const struct cli *cli, const struct key_type *type, struct key *key);

/* Sign a SHA-256 digest as MCUboot wants it. signature has FERRY_IMAGE_SIGNATURE_MAX bytes.
 * Returns its length, or 0 when OpenSSL fails. */
size_t key_sign_digest(const struct key *key, const uint8_t digest[FERRY_SHA256_SIZE],
                       uint8_t *signature);

/* The key as PEM text in buffer (private: PKCS#8). Free the buffer.
 * After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int key_to_pem(const struct cli *cli, const struct key *key, bool private_key,
               struct cli_buffer *buffer);

void key_free(struct key *key);

#endif
