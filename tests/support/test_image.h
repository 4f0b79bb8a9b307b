/* SPDX-License-Identifier: Apache-2.0 */
/* Builds signed MCUboot images in memory. Written from the format, not with core/image's help, so
 * that a mistake there is not repeated here. [mcuboot-format.md §2.1–2.4] */
#ifndef TEST_IMAGE_H
#define TEST_IMAGE_H

#include "ferry/image.h"
#include "test_encrypt.h"
#include "test_keys.h"

/* One TLV as it is to stand in an area. */
struct test_tlv {
    uint16_t type;
    uint16_t len;
    const void *data;
};

/* A digest by its bits. */
enum test_sha { TEST_SHA_AUTO = 0, TEST_SHA_256 = 256, TEST_SHA_384 = 384, TEST_SHA_512 = 512 };

/* All zero but version is a good start: 4096 bytes of payload behind a header of 512, signed with
 * TEST_KEY_P256. */
struct test_image_spec {
    struct ferry_version version;
    enum test_key_id key;              /* TEST_KEY_NONE: digest TLV only */
    enum test_sha sha;                 /* TEST_SHA_AUTO: what imgtool takes for the key */
    bool full_key;                     /* PUBKEY in place of KEYHASH */
    bool pure;                         /* SIG_PURE, and the signature is of the image (Ed25519) */
    const enum test_key_id *more_keys; /* further signatures behind that of key */
    size_t more_key_count;
    size_t payload_size;    /* 0 = 4096 */
    const uint8_t *payload; /* payload_size bytes, or NULL: bytes made from seed and version */
    uint8_t seed;
    uint16_t header_size; /* 0 = 512, else 32 or more */
    uint32_t flags;
    uint32_t load_address;
    const struct test_tlv *protected_tlvs;
    size_t protected_count;
    const struct test_tlv *unprotected_tlvs; /* behind digest, key hash and signature */
    size_t unprotected_count;
    bool no_digest; /* leave out the digest TLV */

    /* Encryption: the payload is padded to 16 bytes, the flag set, the ENC TLV stands behind the
     * signature and in front of unprotected_tlvs. */
    enum test_wrap wrap;        /* TEST_WRAP_NONE: not encrypted */
    uint8_t key_len;            /* of the content key: 0 = 16, else 16 or 32 */
    const uint8_t *content_key; /* key_len bytes, or NULL: test_content_key() of this spec */
    bool clear;                 /* flag and ENC TLV, but the payload stays plaintext */
};

/* The content key that test_image_build() takes when none is given: made from seed and version. */
void test_content_key(const struct test_image_spec *spec, uint8_t key[32]);

/* Build an image.
 *
 * out  gets the image: header, payload, TLVs; cap bytes are there
 *
 * Returns its size in bytes; 0 when it does not fit. Aborts when OpenSSL fails.
 * ECDSA signatures differ from call to call; everything else is the same for the same spec. */
size_t test_image_build(const struct test_image_spec *spec, uint8_t *out, size_t cap);

/* Bytes of the longest signature, and of all of an EC key's or an Ed25519 key's. */
#define TEST_SIGNATURE_MAX    384
#define TEST_SIGNATURE_MAX_EC 104

/* Sign len bytes with a test key: ECDSA and RSA take them as the digest (DER signature out of
 * ECDSA), Ed25519 as the message. Returns the length of the signature, which has room for it; 0
 * when OpenSSL fails. */
size_t test_sign(enum test_key_id key, const uint8_t *data, size_t len, uint8_t *signature);

/* TLV type of a key's signatures. */
uint16_t test_signature_tlv(enum test_key_id key);

/* The digest imgtool takes for a key by itself. */
enum test_sha test_sha_of(enum test_key_id key, bool pure);

/* Any SHA-2 by OpenSSL's own one-shot function. Returns the bytes of the digest. */
size_t test_sha(enum test_sha sha, const void *data, size_t len, uint8_t digest[64]);

/* SHA-256 by OpenSSL's own one-shot function. */
void test_sha256(const void *data, size_t len, uint8_t digest[32]);

/* Hex digits as bytes. Returns how many bytes. */
size_t test_from_hex(const char *hex, uint8_t *out);

/* Bytes as a flash named name. A macro, since a flash keeps a pointer to itself and may not be
 * moved. */
#define TEST_ROM(name, bytes, size)                                                                \
    struct ferry_flash_ram name;                                                                   \
    assert_int_equal(ferry_flash_rom_init(&name, bytes, (uint32_t)(size)), FERRY_OK)

/* Verify an image in memory. Fails the running test when result and verdict disagree.
 * Returns the result of ferry_image_verify(). */
int test_verify(const uint8_t *bytes, size_t size, const struct ferry_image_trust *trust);

/* Trust in one test key with all verifiers and digests. Constant data. */
const struct ferry_image_trust *test_trust(enum test_key_id key);

/* Trust in nobody that takes any image with a good digest. */
extern const struct ferry_image_trust test_trust_digest_only;

#endif
