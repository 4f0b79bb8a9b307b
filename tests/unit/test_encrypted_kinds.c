/* SPDX-License-Identifier: Apache-2.0 */
/* The matrix of encrypted images: every signature scheme, digest and form of key with every way to
 * wrap the content key, of both lengths, through the flash that decrypts; and what is changed in
 * one is refused. Built once with each crypto port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/encrypted.h"
#include "test_image.h"

#include <stdio.h>
#include <string.h>

static uint8_t image[0x1000];

/* Bits of an image that are not tried behind one that is: sanitizers take their time. */
#ifndef TEST_EVERY
#define TEST_EVERY 1
#endif

/* ---- Unwrappers that remember ---------------------------------------------------------------- */

/* What opened last, by scheme and bytes: RSA takes long, and most bits of an image are not of the
 * wrapped key. */
static struct {
    size_t scheme;
    size_t len;
    uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
    struct ferry_content_key key;
} last;

static int unwrap(size_t scheme, const struct ferry_image_secret *secret, const uint8_t *wrapped,
                  size_t len, struct ferry_content_key *key)
{
    if (last.scheme == scheme && last.len == len && len > 0 &&
        memcmp(last.wrapped, wrapped, len) == 0) {
        *key = last.key;
        return FERRY_OK;
    }
    int rc = test_secrets(false)->unwrappers[scheme]->unwrap(secret, wrapped, len, key);
    if (rc == FERRY_OK) {
        last.scheme = scheme;
        last.len = len;
        memcpy(last.wrapped, wrapped, len);
        last.key = *key;
    }
    return rc;
}

#define REMEMBERING(n)                                                                             \
    static int unwrap_##n(const struct ferry_image_secret *secret, const uint8_t *wrapped,         \
                          size_t len, struct ferry_content_key *key)                               \
    {                                                                                              \
        return unwrap(n, secret, wrapped, len, key);                                               \
    }
REMEMBERING(0)
REMEMBERING(1)
REMEMBERING(2)
REMEMBERING(3)
REMEMBERING(4)

#define UNWRAPPERS 5

static struct ferry_image_unwrapper remembering[UNWRAPPERS] = {{.unwrap = unwrap_0},
                                                               {.unwrap = unwrap_1},
                                                               {.unwrap = unwrap_2},
                                                               {.unwrap = unwrap_3},
                                                               {.unwrap = unwrap_4}};

static const struct ferry_image_unwrapper *const remembering_list[UNWRAPPERS] = {
    &remembering[0], &remembering[1], &remembering[2], &remembering[3], &remembering[4]};

static struct ferry_image_secrets device;

static int setup(void **state)
{
    (void)state;
    device = *test_secrets(false);
    assert_int_equal(device.unwrapper_count, UNWRAPPERS);
    for (size_t i = 0; i < UNWRAPPERS; i++) {
        remembering[i].tlv = device.unwrappers[i]->tlv;
        remembering[i].fits = device.unwrappers[i]->fits;
    }
    device.unwrappers = remembering_list;
    return 0;
}

/* ---- Images ---------------------------------------------------------------------------------- */

/* What a bootloader does: header, content key, verification of the plaintext. */
static int open_and_verify(size_t size, const struct ferry_image_secrets *secrets,
                           enum test_key_id key)
{
    TEST_ROM(rom, image, size);
    struct ferry_image_header header;
    struct ferry_content_key content_key;
    struct ferry_flash_cipher cipher;
    struct ferry_image_info info;
    struct ferry_verdict verdict;
    uint8_t buf[64];
    int rc = ferry_image_read_header(&rom.flash, &header);
    if (rc == FERRY_OK) {
        rc = ferry_image_content_key(&rom.flash, &header, secrets, &content_key);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    ferry_flash_cipher_init(&cipher, &rom.flash, header.header_size,
                            header.header_size + header.payload_size, &content_key);
    rc = ferry_image_verify(&cipher.flash, test_trust(key), buf, sizeof buf, NULL, NULL, &info,
                            &verdict);
    assert_int_equal(ferry_verdict_is_valid(&verdict), rc == FERRY_OK);
    ferry_flash_cipher_wipe(&cipher);
    ferry_wipe(&content_key, sizeof content_key);
    return rc;
}

static const struct scheme {
    enum test_key_id key;
    enum test_sha sha;
    bool pure;
} schemes[] = {
    {TEST_KEY_P256, TEST_SHA_256, false},    {TEST_KEY_P384, TEST_SHA_384, false},
    {TEST_KEY_ED25519, TEST_SHA_256, false}, {TEST_KEY_ED25519, TEST_SHA_512, false},
    {TEST_KEY_ED25519, TEST_SHA_512, true},  {TEST_KEY_RSA2048, TEST_SHA_256, false},
    {TEST_KEY_RSA3072, TEST_SHA_256, false},
};

#define SCHEMES (sizeof schemes / sizeof schemes[0])

static size_t build(const struct scheme *scheme, enum test_wrap wrap, uint8_t key_len,
                    bool full_key)
{
    static const struct test_tlv inner[] = {{FERRY_TLV_SEC_CNT, 4, "\7\0\0\0"}};
    const struct test_image_spec spec = {.version = {1, 2, 3, 4},
                                         .key = scheme->key,
                                         .sha = scheme->sha,
                                         .pure = scheme->pure,
                                         .full_key = full_key,
                                         .header_size = 36,
                                         .payload_size = 75,
                                         .protected_tlvs = inner,
                                         .protected_count = 1,
                                         .wrap = wrap,
                                         .key_len = key_len};
    size_t size = test_image_build(&spec, image, sizeof image);
    assert_true(size > 0);
    return size;
}

static void every_scheme_with_every_encryption(void **state)
{
    (void)state;
    int good = 0;
    for (size_t s = 0; s < SCHEMES; s++) {
        for (enum test_wrap wrap = TEST_WRAP_NONE; wrap < TEST_WRAP_COUNT; wrap++) {
            for (int form = 0; form < 4; form++) {
                enum test_key_id key = schemes[s].key;
                size_t size = build(&schemes[s], wrap, form < 2 ? 16 : 32, form % 2 != 0);
                assert_int_equal(open_and_verify(size, test_secrets(false), key), FERRY_OK);
                assert_int_equal(
                    open_and_verify(size, test_secrets(false), (enum test_key_id)(key ^ 1)),
                    FERRY_E_NO_KEY);
                assert_int_equal(open_and_verify(size, test_secrets(true), key),
                                 wrap == TEST_WRAP_NONE ? FERRY_OK : FERRY_E_SECRET);
                good++;
            }
        }
    }
    printf("%d kinds of image\n", good);
    assert_int_equal(good, 7 * 6 * 4);
}

/* Every bit of an image, in every part of it, changed alone: none is harmless. */
static void every_bit_counts(void **state)
{
    (void)state;
    int refused = 0;
    for (size_t s = 0; s < SCHEMES; s++) {
        for (enum test_wrap wrap = TEST_WRAP_RSA2048; wrap < TEST_WRAP_COUNT; wrap++) {
            enum test_key_id key = schemes[s].key;
            if (wrap == TEST_WRAP_RSA2048 && key != TEST_KEY_RSA2048) {
                continue; /* a minute of modular arithmetic that shows nothing more */
            }
            size_t size = build(&schemes[s], wrap, s % 2 == 0 ? 16 : 32, wrap % 2 != 0);
            for (size_t bit = 0; bit < 8 * size; bit += TEST_EVERY) {
                image[bit / 8] ^= (uint8_t)(1U << bit % 8);
                assert_true(open_and_verify(size, &device, key) < 0);
                image[bit / 8] ^= (uint8_t)(1U << bit % 8);
                refused++;
            }
            assert_int_equal(open_and_verify(size, &device, key), FERRY_OK);
        }
    }
    printf("%d changed images refused\n", refused);
    assert_true(refused > 100000 / TEST_EVERY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scheme_with_every_encryption),
        cmocka_unit_test(every_bit_counts),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
