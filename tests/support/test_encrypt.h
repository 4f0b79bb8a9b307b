/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypts images for tests, and the secrets of a device that decrypts them. Written from the
 * format with OpenSSL alone, not with core's help. [mcuboot-format.md §2.5] */
#ifndef TEST_ENCRYPT_H
#define TEST_ENCRYPT_H

#include "ferry/encrypted.h"

/* How the content key of a test image is wrapped. */
enum test_wrap {
    TEST_WRAP_NONE, /* not encrypted */
    TEST_WRAP_RSA2048,
    TEST_WRAP_KW,
    TEST_WRAP_EC256,
    TEST_WRAP_X25519,
    TEST_WRAP_X25519_SHA512,
    TEST_WRAP_COUNT
};

struct test_wrap_kind {
    const char *name;
    uint16_t tlv;
    struct ferry_image_secret secret; /* the device's; images are encrypted for it */
    struct ferry_image_secret other;  /* of the same kind, another device's */
};

/* By enum test_wrap; TEST_WRAP_NONE is empty. */
extern const struct test_wrap_kind test_wraps[TEST_WRAP_COUNT];

/* A device with all these secrets and every unwrapper; or a stranger with as many others.
 * Constant data. */
const struct ferry_image_secrets *test_secrets(bool stranger);

/* Wrap a content key of 16 or 32 bytes. out has FERRY_IMAGE_WRAPPED_MAX bytes and gets the payload
 * of the ENC TLV. Returns its length; aborts when OpenSSL fails. Ephemeral keys differ from call
 * to call. */
size_t test_wrap_key(enum test_wrap wrap, const uint8_t *key, size_t key_len, uint8_t *out);

/* Encrypt, or decrypt, len bytes of payload in place, the first of them byte 0. */
void test_encrypt_payload(const uint8_t *key, size_t key_len, uint8_t *payload, size_t len);

#endif
