/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted images: how the content key is found, and flash that decrypts. The payload of an image
 * is stored encrypted; header and TLVs are not, and digest and signature are those of the
 * plaintext: who verifies looks through a struct ferry_flash_cipher. [mcuboot-format.md §2.5] */
#ifndef FERRY_ENCRYPTED_H
#define FERRY_ENCRYPTED_H

#include "ferry/cipher.h"
#include "ferry/flash.h"
#include "ferry/image.h"

/* ---- The content key ----------------------------------------------------------------------- */

/* What an image's payload is encrypted with. Wipe it with ferry_wipe() after use. */
struct ferry_content_key {
    uint8_t bytes[FERRY_CONTENT_KEY_MAX];
    uint8_t len; /* 16 or 32; 0 = the image is not encrypted */
};

/* Largest payload of an ENC TLV, bytes. */
#define FERRY_IMAGE_WRAPPED_MAX 256

/* An ENC TLV, as a trailer keeps it. Nothing in it is secret. */
struct ferry_wrapped_key {
    uint16_t tlv; /* its type */
    uint16_t len; /* 0 = none: the image is not encrypted */
    uint8_t bytes[FERRY_IMAGE_WRAPPED_MAX];
};

/* Wrapped keys that are tried in one image; more are not looked at, so that an image cannot keep
 * the processor busy for minutes. */
#define FERRY_IMAGE_UNWRAPS_MAX 4

/* A secret of the device. The bytes are borrowed, of the scheme that they fit:
 *
 * P-256    PKCS#8 or ECPrivateKey, DER  [RFC 5958, RFC 5915]
 * X25519   PKCS#8, DER                  [RFC 8410 §7]
 * RSA      PKCS#8 or RSAPrivateKey, DER [RFC 8017 A.1.2]
 * AES-KW   the 16 or 32 bytes of the key encryption key
 *
 * imgtool's getpriv writes the first three, with and without --minimal. */
struct ferry_image_secret {
    const uint8_t *bytes;
    size_t len;
};

/* One way to wrap a content key: a const table in a file of its own. */
struct ferry_image_unwrapper {
    const char *name;
    uint16_t tlv; /* the ENC TLV's type */
    /* Whether secret is of this scheme. */
    bool (*fits)(const struct ferry_image_secret *secret);
    /* Returns FERRY_OK, or FERRY_E_SECRET and a key of zeroes; secret fits. Any len may come. */
    int (*unwrap)(const struct ferry_image_secret *secret, const uint8_t *wrapped, size_t len,
                  struct ferry_content_key *key);
};

extern const struct ferry_image_unwrapper ferry_unwrap_ec256;
extern const struct ferry_image_unwrapper ferry_unwrap_x25519;
extern const struct ferry_image_unwrapper ferry_unwrap_x25519_sha512;
extern const struct ferry_image_unwrapper ferry_unwrap_rsa2048;
extern const struct ferry_image_unwrapper ferry_unwrap_kw;

/* What a device can decrypt with. */
struct ferry_image_secrets {
    const struct ferry_image_secret *secrets;
    size_t secret_count;
    const struct ferry_image_unwrapper *const *unwrappers;
    size_t unwrapper_count;
};

/* Whether the header says that the payload is encrypted (imgtool's --clear: or may be), and the
 * bytes of its content key then: 16 or 32, 0 = it is not. */
size_t ferry_image_encrypted(const struct ferry_image_header *header);

/* Whether a TLV type is one of the ENC TLVs that carry a wrapped key. */
bool ferry_tlv_is_wrapped_key(uint16_t type);

/* The content key of an image, by its ENC TLV and the first secret that opens it.
 *
 * image   begins with the header; TLVs are not encrypted, so that any view of it will do
 * header  of the same image, by ferry_image_read_header()
 *
 * Returns FERRY_OK (key->len is 0 when the header has no ENC flag); FERRY_E_SECRET when there is
 * no ENC TLV, none that opens, or its key has another length than the flag says; FERRY_E_TLV,
 * _TLV_AREA, _TLV_UNKNOWN; or a flash error. Except for FERRY_OK key is zeroes. */
FERRY_MUST_CHECK
int ferry_image_content_key(const struct ferry_flash *image,
                            const struct ferry_image_header *header,
                            const struct ferry_image_secrets *secrets,
                            struct ferry_content_key *key);

/* The same, with the ENC TLV that opened: len is 0 where the image is not encrypted, or when an
 * error is returned. */
FERRY_MUST_CHECK
int ferry_image_find_key(const struct ferry_flash *image, const struct ferry_image_header *header,
                         const struct ferry_image_secrets *secrets,
                         struct ferry_wrapped_key *wrapped, struct ferry_content_key *key);

/* The same from an ENC TLV that a trailer keeps: its type and its len bytes.
 * Returns FERRY_OK, or FERRY_E_SECRET and a key of zeroes. */
FERRY_MUST_CHECK
int ferry_image_unwrap(const struct ferry_image_secrets *secrets, uint16_t tlv,
                       const uint8_t *wrapped, size_t len, struct ferry_content_key *key);

/* ---- Flash whose payload is encrypted ----------------------------------------------------------
 */

/* The bytes [begin, end) of inner are stored encrypted: reads decrypt, programs encrypt, erase
 * passes. The counter of a byte is (offset - begin) >> 4: begin is where the payload begins.
 *
 * flash is `ciphered`: whether something is erased cannot be told from what it reads, and must be
 * asked of inner. A program reaches inner in pieces of at most FERRY_CIPHER_CHUNK bytes. */
struct ferry_flash_cipher {
    struct ferry_flash flash; /* use this */
    const struct ferry_flash *inner;
    uint32_t begin, end;
    struct ferry_aes_ctr aes;
};

#define FERRY_CIPHER_CHUNK 256

/* Put a cipher in front of inner, which must outlive the use; cipher may not be moved. key is
 * not kept: 16 or 32 bytes, or len 0: then, and with begin == end, everything passes as it is.
 * begin is at most end; end may lie beyond inner. */
void ferry_flash_cipher_init(struct ferry_flash_cipher *cipher, const struct ferry_flash *inner,
                             uint32_t begin, uint32_t end, const struct ferry_content_key *key);

/* End the use and leave nothing of the key. Every access after it answers FERRY_E_BOUNDS. */
void ferry_flash_cipher_wipe(struct ferry_flash_cipher *cipher);

#endif
