/* SPDX-License-Identifier: Apache-2.0 */
/* Keys: their types, what they sign, and their public DER form. OpenSSL does the work. */
#ifndef CLI_KEY_KEY_H
#define CLI_KEY_KEY_H

#include "cli/cli.h"
#include "ferry/image.h"

#include <openssl/evp.h>

#define KEY_DER_MAX 400 /* RSA-3072 has 398 */

/* One kind of key Ferry signs or encrypts with. */
struct key_type {
    const char *name;    /* "ecdsa-p256" */
    const char *symbol;  /* what its arrays begin with, as imgtool's: "ecdsa" of "ecdsa_pub_key" */
    const char *openssl; /* OpenSSL's name of the algorithm */
    const char *group;   /* and of the curve, or NULL */
    unsigned bits;       /* of an RSA modulus, or 0 */
    uint16_t tlv;        /* the signature's TLV type; 0 = it encrypts only */
    /* What an image it signs may be hashed by; the first is taken unless another is asked for. */
    const struct ferry_image_digest_kind *digests[2];
};

/* The type with a name, or NULL. */
const struct key_type *key_type_find(const char *name);

/* "rsa-2048, rsa-3072, …" for messages. */
extern const char key_type_names[];

/* Whether images it signs may be hashed so. */
bool key_type_takes(const struct key_type *type, const struct ferry_image_digest_kind *digest);

struct key {
    EVP_PKEY *pkey;
    const struct key_type *type;
    bool is_private;
    bool encrypted;           /* its file has a password */
    uint8_t der[KEY_DER_MAX]; /* as in struct ferry_image_key */
    size_t der_len;
};

/* Load a private or public key from a file of any form that key_read() knows: one that signs, or
 * of any type. Free it with key_free(). After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int key_load(const struct cli *cli, const char *path, struct key *key);
FERRY_MUST_CHECK
int key_load_any(const struct cli *cli, const char *path, struct key *key);

/* What a key is, in words for messages: "ecdsa-p256" or, of a type Ferry does not know,
 * "RSA, 4096 bits" or "EC, curve secp256k1". Returns words, of size bytes. */
const char *key_words(const EVP_PKEY *pkey, char *words, size_t size);

/* Whether everybody has the private half: MCUboot's keys, those of Ferry's tests. */
bool key_is_published(const struct key *key);

/* Make a new private key. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int key_generate(const struct cli *cli, const struct key_type *type, struct key *key);

/* Sign as MCUboot wants it: ECDSA and RSA-PSS take data as the digest, Ed25519 as the message.
 * The signature is verified before it is given out: a damaged key signs what nobody accepts.
 * signature has FERRY_IMAGE_SIGNATURE_MAX bytes. Returns its length, or 0. */
size_t key_sign(const struct key *key, const uint8_t *data, size_t len, uint8_t *signature);

/* Whether a signature of size bytes is this key's over what key_sign() signs. */
bool key_verify(const struct key *key, const uint8_t *data, size_t len, const uint8_t *signature,
                size_t size);

/* Hash of the public key: what KEYHASH has. hash gets digest->size bytes. */
void key_hash(const struct key *key, const struct ferry_image_digest_kind *digest, uint8_t *hash);

void key_free(struct key *key);

#endif
