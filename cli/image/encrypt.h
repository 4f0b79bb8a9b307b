/* SPDX-License-Identifier: Apache-2.0 */
/* Encryption of images: keys that content keys are wrapped with, and the wrapping. OpenSSL does the
 * work. [mcuboot-format.md §2.5] */
#ifndef CLI_IMAGE_ENCRYPT_H
#define CLI_IMAGE_ENCRYPT_H

#include "cli/cli.h"
#include "ferry/encrypted.h"

#include <openssl/evp.h>

/* What a device decrypts with, or its public half: a PEM file (ecdsa-p256, x25519, rsa-2048), or a
 * file with the 16 or 32 bytes of an AES key, as they are or in base64. */
struct encrypt_key {
    EVP_PKEY *pkey;  /* NULL: an AES key */
    bool is_private; /* it decrypts too */
    uint8_t aes[FERRY_CONTENT_KEY_MAX];
    size_t aes_len;
    uint16_t tlv; /* the ENC TLV it goes with; X25519's with SHA-256 */
};

/* Load one. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int encrypt_key_load(const struct cli *cli, const char *path, struct encrypt_key *key);

void encrypt_key_free(struct encrypt_key *key);

/* How `ferry sign` encrypts. */
struct encryption {
    const struct encrypt_key *key; /* NULL: not at all */
    uint32_t key_len;              /* of the content key: 16 or 32 */
    bool sha512;                   /* HKDF and HMAC with SHA-512; X25519 only */
    bool clear;                    /* flag and ENC TLV, but the payload stays as it is */
    bool save_enctlv;              /* the bootloader's trailers keep ENC TLVs, not keys */
};

/* The type of the ENC TLV, and the bytes of its payload. */
uint16_t encryption_tlv(const struct encryption *encryption);
size_t encryption_tlv_len(const struct encryption *encryption);

/* The header's flag; 0 when it is not encrypted. */
uint32_t encryption_flag(const struct encryption *encryption);

/* Encrypt len bytes of payload, in place, with a new content key, unless it is to stay in the
 * clear. wrapped has room for encryption_tlv_len() bytes and gets the payload of the ENC TLV.
 * Returns false when OpenSSL fails; the payload is then as it was. */
FERRY_MUST_CHECK
bool encryption_apply(const struct encryption *encryption, uint8_t *payload, size_t len,
                      uint8_t *wrapped);

/* The name of the scheme of an ENC TLV, "ecies-x25519"; "an unknown scheme" for another type. */
const char *encryption_scheme(uint16_t tlv);

/* The content key of an image, as a bootloader with this key finds it: FERRY_OK or an error of
 * ferry_image_content_key(). The key must be private, or AES. Wipe content_key. */
FERRY_MUST_CHECK
int encrypt_key_open(const struct encrypt_key *key, const struct ferry_flash *image,
                     const struct ferry_image_header *header,
                     struct ferry_content_key *content_key);

#endif
