/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed development keys for tests: two of each type, so that a test has a stranger's key. */
#ifndef TEST_KEYS_H
#define TEST_KEYS_H

#include <stddef.h>
#include <stdint.h>

enum test_key_id {
    TEST_KEY_P256,
    TEST_KEY_P256_OTHER,
    TEST_KEY_ED25519,
    TEST_KEY_ED25519_OTHER,
    TEST_KEY_P384,
    TEST_KEY_P384_OTHER,
    TEST_KEY_RSA2048,
    TEST_KEY_RSA2048_OTHER,
    TEST_KEY_RSA3072,
    TEST_KEY_RSA3072_OTHER,
    TEST_KEY_COUNT,
    TEST_KEY_NONE = TEST_KEY_COUNT /* an image without signature */
};

struct test_key {
    const char *name;
    const uint8_t *public_der; /* as in struct ferry_image_key */
    size_t public_len;         /* 91 P-256, 120 P-384, 44 Ed25519, 270 RSA-2048, 398 RSA-3072 */
    const char *private_pem;   /* PKCS#8 */
};

/* By enum test_key_id below TEST_KEY_COUNT. */
extern const struct test_key test_keys[TEST_KEY_COUNT];

#endif
