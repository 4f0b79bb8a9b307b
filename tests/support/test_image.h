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

/* All zero but version is a good start: 4096 bytes of payload behind a header of 512, signed with
 * TEST_KEY_P256. */
struct test_image_spec {
    struct ferry_version version;
    enum test_key_id key;   /* TEST_KEY_NONE: digest TLV only */
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

/* Sign len bytes with a test key: ECDSA takes them as the digest (DER signature out), Ed25519 as
 * the message. Returns the length of the signature; 0 when OpenSSL fails. */
size_t test_sign(enum test_key_id key, const uint8_t *data, size_t len, uint8_t signature[104]);

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

/* Trust in one test key with both verifiers. Constant data. */
const struct ferry_image_trust *test_trust(enum test_key_id key);

/* Trust in nobody that takes any image with a good digest. */
extern const struct ferry_image_trust test_trust_digest_only;

#endif
