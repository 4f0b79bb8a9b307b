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

/* What a bootloader does: header, content key, verification of the plaintext. */
static int open_and_verify(size_t size, bool stranger, enum test_key_id key)
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
        rc = ferry_image_content_key(&rom.flash, &header, test_secrets(stranger), &content_key);
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
                assert_int_equal(open_and_verify(size, false, key), FERRY_OK);
                assert_int_equal(open_and_verify(size, false, (enum test_key_id)(key ^ 1)),
                                 FERRY_E_NO_KEY);
                assert_int_equal(open_and_verify(size, true, key),
                                 wrap == TEST_WRAP_NONE ? FERRY_OK : FERRY_E_SECRET);
                good++;
            }
        }
    }
    printf("%d kinds of image\n", good);
    assert_int_equal(good, 7 * 6 * 4);
}

/* Bits of every byte of an image, in every part of it: none is harmless. Of the quick kinds all of
 * them, of the others one or two of each byte. */
static void every_byte_counts(void **state)
{
    (void)state;
    int refused = 0;
    for (size_t s = 0; s < SCHEMES; s++) {
        for (enum test_wrap wrap = TEST_WRAP_RSA2048; wrap < TEST_WRAP_COUNT; wrap++) {
            if (wrap == TEST_WRAP_RSA2048 && schemes[s].key != TEST_KEY_RSA2048) {
                continue; /* a minute of modular arithmetic that shows nothing more */
            }
            bool quick = schemes[s].key == TEST_KEY_ED25519 && wrap == TEST_WRAP_KW;
            size_t size = build(&schemes[s], wrap, s % 2 == 0 ? 16 : 32, wrap % 2 != 0);
            for (size_t bit = 0; bit < 8 * size; bit += quick ? 1 : 7) {
                image[bit / 8] ^= (uint8_t)(1U << bit % 8);
                assert_true(open_and_verify(size, false, schemes[s].key) < 0);
                image[bit / 8] ^= (uint8_t)(1U << bit % 8);
                refused++;
            }
            assert_int_equal(open_and_verify(size, false, schemes[s].key), FERRY_OK);
        }
    }
    printf("%d changed images refused\n", refused);
    assert_true(refused > 15000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scheme_with_every_encryption),
        cmocka_unit_test(every_byte_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
