/* SPDX-License-Identifier: Apache-2.0 */
/* Content keys: every way to wrap one, images of the real imgtool, and what must not open. Built
 * once with each crypto port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/encrypted.h"
#include "test_image.h"

#include <stdio.h>
#include <string.h>

static size_t read_data(const char *name, uint8_t *out, size_t cap)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", FERRY_TEST_DATA, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(out, 1, cap, file);
    fclose(file);
    assert_true(len > 0 && len < cap);
    return len;
}

static const struct ferry_image_unwrapper *unwrapper_of(enum test_wrap wrap)
{
    const struct ferry_image_secrets *all = test_secrets(false);
    for (size_t i = 0; i < all->unwrapper_count; i++) {
        if (all->unwrappers[i]->tlv == test_wraps[wrap].tlv) {
            return all->unwrappers[i];
        }
    }
    fail_msg("no unwrapper for %s", test_wraps[wrap].name);
    return NULL;
}

static bool is_wiped(const struct ferry_content_key *key)
{
    return ferry_all_equal((const uint8_t *)key, sizeof *key, 0);
}

static int content_key(const uint8_t *image, size_t size, bool stranger,
                       struct ferry_content_key *key)
{
    TEST_ROM(rom, image, size);
    struct ferry_image_header header;
    memset(key, 0xa5, sizeof *key);
    int rc = ferry_image_read_header(&rom.flash, &header);
    if (rc == FERRY_OK) {
        rc = ferry_image_content_key(&rom.flash, &header, test_secrets(stranger), key);
        assert_true(rc == FERRY_OK || is_wiped(key));
    }
    return rc;
}

/* Verify through the decrypting view, as a bootloader does. */
static int verify_decrypted(const uint8_t *image, size_t size, const struct ferry_content_key *key,
                            const struct ferry_image_trust *trust)
{
    TEST_ROM(rom, image, size);
    struct ferry_flash_cipher cipher;
    struct ferry_image_header header;
    struct ferry_image_info info;
    struct ferry_verdict verdict;
    uint8_t buf[100];
    assert_int_equal(ferry_image_read_header(&rom.flash, &header), FERRY_OK);
    ferry_flash_cipher_init(&cipher, &rom.flash, header.header_size,
                            header.header_size + header.payload_size, key);
    int rc = ferry_image_verify(&cipher.flash, trust, buf, sizeof buf, NULL, NULL, &info, &verdict);
    ferry_flash_cipher_wipe(&cipher);
    return rc;
}

/* ---- imgtool's images -------------------------------------------------------------------- */

/* Encrypted by the real imgtool 2.5.0 for the keys of test_secrets.c; 77 bytes of payload. */
static void imgtool_images_decrypt(void **state)
{
    (void)state;
    static const char *const names[] = {"ec256", "x25519", "x25519-sha512", "rsa2048"};
    for (size_t i = 0; i < 8; i++) {
        char name[64];
        uint8_t image[1024];
        uint8_t expected[80] = {0};
        uint8_t payload[80];
        struct ferry_content_key key;
        struct ferry_flash_cipher cipher;
        snprintf(name, sizeof name, "imgtool-enc-%s-%d.img", names[i / 2], i % 2 == 0 ? 128 : 256);
        size_t size = read_data(name, image, sizeof image);
        assert_int_equal(content_key(image, size, false, &key), FERRY_OK);
        assert_int_equal(key.len, i % 2 == 0 ? 16 : 32);
        for (uint8_t n = 0; n < 77; n++) {
            expected[n] = (uint8_t)(n * 7 + 1);
        }
        TEST_ROM(rom, image, size);
        ferry_flash_cipher_init(&cipher, &rom.flash, 32, 32 + 80, &key);
        assert_int_equal(ferry_flash_read(&cipher.flash, 32, payload, sizeof payload), FERRY_OK);
        assert_memory_equal(payload, expected, sizeof payload);
        assert_int_equal(verify_decrypted(image, size, &key, &test_trust_digest_only), FERRY_OK);
        assert_int_equal(content_key(image, size, true, &key), FERRY_E_SECRET);
    }
}

/* ---- Every scheme ------------------------------------------------------------------------- */

static void every_scheme_unwraps(void **state)
{
    (void)state;
    for (enum test_wrap wrap = TEST_WRAP_NONE + 1; wrap < TEST_WRAP_COUNT; wrap++) {
        for (uint8_t key_len = 16; key_len <= 32; key_len += 16) {
            struct test_image_spec spec = {.version = {1, 2, 3, key_len},
                                           .key = TEST_KEY_P256,
                                           .payload_size = 1001,
                                           .wrap = wrap,
                                           .key_len = key_len};
            uint8_t image[4096];
            uint8_t expected[32];
            struct ferry_content_key key;
            size_t size = test_image_build(&spec, image, sizeof image);
            test_content_key(&spec, expected);
            assert_int_equal(content_key(image, size, false, &key), FERRY_OK);
            assert_int_equal(key.len, key_len);
            assert_memory_equal(key.bytes, expected, key_len);
            assert_int_equal(verify_decrypted(image, size, &key, test_trust(TEST_KEY_P256)),
                             FERRY_OK);
            /* The first and the last byte of the payload count. */
            image[512] ^= 1;
            assert_int_equal(verify_decrypted(image, size, &key, test_trust(TEST_KEY_P256)),
                             FERRY_E_DIGEST);
            image[512] ^= 1;
            image[512 + 1007] ^= 0x80;
            assert_int_equal(verify_decrypted(image, size, &key, test_trust(TEST_KEY_P256)),
                             FERRY_E_DIGEST);
            assert_int_equal(content_key(image, size, true, &key), FERRY_E_SECRET);
        }
    }
}

/* The key an attacker does not know cannot be replaced: every bit of an ENC TLV counts. RSA takes
 * long: one bit of every byte. */
static void every_bit_counts(void **state)
{
    (void)state;
    int tried = 0;
    for (enum test_wrap wrap = TEST_WRAP_NONE + 1; wrap < TEST_WRAP_COUNT; wrap++) {
        const struct ferry_image_unwrapper *unwrapper = unwrapper_of(wrap);
        size_t step = wrap == TEST_WRAP_RSA2048 ? 9 : 1;
        for (size_t key_len = 16; key_len <= 32; key_len += 16) {
            uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
            const uint8_t plain[32] = {1, 2, 3};
            struct ferry_content_key key;
            size_t len = test_wrap_key(wrap, plain, key_len, wrapped);
            for (size_t bit = 0; bit < 8 * len; bit += step) {
                memset(&key, 0xa5, sizeof key);
                wrapped[bit / 8] ^= (uint8_t)(1U << bit % 8);
                assert_int_equal(unwrapper->unwrap(&test_wraps[wrap].secret, wrapped, len, &key),
                                 FERRY_E_SECRET);
                assert_true(is_wiped(&key));
                wrapped[bit / 8] ^= (uint8_t)(1U << bit % 8);
                tried++;
            }
            assert_int_equal(unwrapper->unwrap(&test_wraps[wrap].secret, wrapped, len, &key),
                             FERRY_OK);
            assert_memory_equal(key.bytes, plain, key_len);
        }
    }
    printf("%d changed ENC TLVs refused\n", tried);
    assert_true(tried > 5000);
}

/* No length but the two of a scheme opens, also when what stands there is good. */
static void other_lengths_do_not_open(void **state)
{
    (void)state;
    for (enum test_wrap wrap = TEST_WRAP_NONE + 1; wrap < TEST_WRAP_COUNT; wrap++) {
        const struct ferry_image_unwrapper *unwrapper = unwrapper_of(wrap);
        uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX + 1] = {0};
        const uint8_t plain[32] = {1, 2, 3};
        struct ferry_content_key key;
        size_t good = test_wrap_key(wrap, plain, 32, wrapped);
        for (size_t len = 0; len < sizeof wrapped; len++) {
            memset(&key, 0xa5, sizeof key);
            int rc = unwrapper->unwrap(&test_wraps[wrap].secret, wrapped, len, &key);
            assert_int_equal(rc, len == good ? FERRY_OK : FERRY_E_SECRET);
            assert_true(rc == FERRY_OK || is_wiped(&key));
        }
    }
}

/* RSA carries a message of any length: only 16 and 32 bytes are a key. */
static void rsa_carries_keys_only(void **state)
{
    (void)state;
    const uint8_t plain[40] = {1, 2, 3};
    for (size_t len = 0; len <= sizeof plain; len++) {
        uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
        struct ferry_content_key key;
        size_t size = test_wrap_key(TEST_WRAP_RSA2048, plain, len, wrapped);
        int rc = unwrapper_of(TEST_WRAP_RSA2048)
                     ->unwrap(&test_wraps[TEST_WRAP_RSA2048].secret, wrapped, size, &key);
        assert_int_equal(rc, len == 16 || len == 32 ? FERRY_OK : FERRY_E_SECRET);
    }
}

/* ---- Forms of secrets ----------------------------------------------------------------------- */

/* What imgtool's getpriv writes for the same keys in its other formats opens as well. */
static void every_form_of_a_key(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum test_wrap wrap;
    } forms[] = {{"enc-ec256-minimal.der", TEST_WRAP_EC256},
                 {"enc-ec256-sec1.der", TEST_WRAP_EC256},
                 {"enc-rsa2048-minimal.der", TEST_WRAP_RSA2048},
                 {"enc-rsa2048-pkcs8.der", TEST_WRAP_RSA2048}};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        const struct ferry_image_unwrapper *unwrapper = unwrapper_of(forms[i].wrap);
        uint8_t der[2048];
        uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
        const uint8_t plain[16] = {7};
        struct ferry_content_key key;
        const struct ferry_image_secret secret = {der, read_data(forms[i].name, der, sizeof der)};
        size_t len = test_wrap_key(forms[i].wrap, plain, sizeof plain, wrapped);
        assert_true(unwrapper->fits(&secret));
        assert_int_equal(unwrapper->unwrap(&secret, wrapped, len, &key), FERRY_OK);
        assert_memory_equal(key.bytes, plain, sizeof plain);
    }
}

/* A secret is of one scheme only; cut short, or with a byte behind it, of none. */
static void secrets_fit_their_scheme(void **state)
{
    (void)state;
    for (enum test_wrap wrap = TEST_WRAP_RSA2048; wrap < TEST_WRAP_COUNT; wrap++) {
        const struct ferry_image_unwrapper *unwrapper = unwrapper_of(wrap);
        struct ferry_image_secret secret = test_wraps[wrap].secret;
        for (enum test_wrap other = TEST_WRAP_RSA2048; other < TEST_WRAP_COUNT; other++) {
            bool same = test_wraps[other].secret.bytes == secret.bytes;
            assert_int_equal(unwrapper->fits(&test_wraps[other].secret), same);
        }
        if (wrap == TEST_WRAP_KW) {
            continue;
        }
        uint8_t longer[2048];
        memcpy(longer, secret.bytes, secret.len);
        longer[secret.len] = 0;
        assert_false(unwrapper->fits(&(struct ferry_image_secret){longer, secret.len + 1}));
        for (size_t len = 0; len < secret.len; len++) {
            assert_false(unwrapper->fits(&(struct ferry_image_secret){secret.bytes, len}));
        }
    }
    for (size_t len = 0; len < 40; len++) {
        const struct ferry_image_secret secret = {test_wraps[TEST_WRAP_RSA2048].secret.bytes, len};
        assert_int_equal(unwrapper_of(TEST_WRAP_KW)->fits(&secret), len == 16 || len == 32);
    }
}

/* A device's secret that decayed by one bit opens nothing, and nothing is read beyond it. */
static void damaged_secrets_do_not_open(void **state)
{
    (void)state;
    static const enum test_wrap wraps[] = {TEST_WRAP_EC256, TEST_WRAP_X25519};
    for (size_t i = 0; i < 2; i++) {
        const struct ferry_image_unwrapper *unwrapper = unwrapper_of(wraps[i]);
        struct ferry_image_secret secret = test_wraps[wraps[i]].secret;
        uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
        const uint8_t plain[16] = {7};
        size_t wrapped_len = test_wrap_key(wraps[i], plain, sizeof plain, wrapped);
        for (size_t bit = 0; bit < 8 * secret.len; bit++) {
            uint8_t der[138];
            struct ferry_content_key key;
            assert_true(secret.len <= sizeof der);
            memcpy(der, secret.bytes, secret.len);
            der[bit / 8] ^= (uint8_t)(1U << bit % 8);
            const struct ferry_image_secret damaged = {der, secret.len};
            if (!unwrapper->fits(&damaged)) {
                continue;
            }
            int rc = unwrapper->unwrap(&damaged, wrapped, wrapped_len, &key);
            /* What stands behind the scalar is not looked at, and X25519 has five bits that do not
             * count.
             */
            bool unused = wraps[i] == TEST_WRAP_EC256 ? bit >= 8 * 68 : bit >= 8 * 16;
            assert_true(rc == FERRY_E_SECRET || unused);
        }
    }
}

/* ---- The search in an image ------------------------------------------------------------------ */

static void images_in_the_clear_have_no_key(void **state)
{
    (void)state;
    struct test_image_spec spec = {.version = {1, 0, 0, 0}, .key = TEST_KEY_P256};
    uint8_t image[8192];
    struct ferry_content_key key;
    size_t size = test_image_build(&spec, image, sizeof image);
    assert_int_equal(content_key(image, size, false, &key), FERRY_OK);
    assert_int_equal(key.len, 0);
    assert_true(is_wiped(&key));
}

/* imgtool's --clear: flag and TLV, but plaintext. Key and digest are there all the same. */
static void flagged_but_clear(void **state)
{
    (void)state;
    struct test_image_spec spec = {
        .version = {1, 0, 0, 0}, .key = TEST_KEY_P256, .wrap = TEST_WRAP_X25519, .clear = true};
    uint8_t image[8192];
    struct ferry_content_key key;
    const struct ferry_content_key none = {.len = 0};
    size_t size = test_image_build(&spec, image, sizeof image);
    assert_int_equal(content_key(image, size, false, &key), FERRY_OK);
    assert_int_equal(key.len, 16);
    assert_int_equal(verify_decrypted(image, size, &none, test_trust(TEST_KEY_P256)), FERRY_OK);
    assert_int_equal(verify_decrypted(image, size, &key, test_trust(TEST_KEY_P256)),
                     FERRY_E_DIGEST);
}

static void flag_and_key_must_agree(void **state)
{
    (void)state;
    struct test_image_spec spec = {.version = {1, 0, 0, 0}, .wrap = TEST_WRAP_EC256};
    uint8_t image[8192];
    struct ferry_content_key key;
    size_t size = test_image_build(&spec, image, sizeof image);
    assert_int_equal(image[16], FERRY_IMAGE_ENCRYPTED_AES128);
    image[16] = FERRY_IMAGE_ENCRYPTED_AES256;
    assert_int_equal(content_key(image, size, false, &key), FERRY_E_SECRET);
    image[16] = FERRY_IMAGE_ENCRYPTED_AES256 | FERRY_IMAGE_ENCRYPTED_AES128;
    assert_int_equal(content_key(image, size, false, &key), FERRY_E_UNSUPPORTED);
    /* The flag without a TLV. */
    spec.wrap = TEST_WRAP_NONE;
    spec.flags = FERRY_IMAGE_ENCRYPTED_AES128;
    size = test_image_build(&spec, image, sizeof image);
    assert_int_equal(content_key(image, size, false, &key), FERRY_E_SECRET);
}

/* Several ENC TLVs: the first that opens; behind FERRY_IMAGE_UNWRAPS_MAX nobody looks. */
static void several_wrapped_keys(void **state)
{
    (void)state;
    uint8_t garbage[113] = {0x04};
    uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
    const uint8_t plain[16] = {9, 8, 7};
    size_t len = test_wrap_key(TEST_WRAP_KW, plain, sizeof plain, wrapped);
    for (size_t before = 0; before <= FERRY_IMAGE_UNWRAPS_MAX; before++) {
        struct test_tlv tlvs[FERRY_IMAGE_UNWRAPS_MAX + 1];
        for (size_t i = 0; i < before; i++) {
            tlvs[i] = (struct test_tlv){0x32, sizeof garbage, garbage};
        }
        tlvs[before] = (struct test_tlv){0x31, (uint16_t)len, wrapped};
        struct test_image_spec spec = {.version = {1, 0, 0, 0},
                                       .flags = FERRY_IMAGE_ENCRYPTED_AES128,
                                       .unprotected_tlvs = tlvs,
                                       .unprotected_count = before + 1};
        uint8_t image[8192];
        struct ferry_content_key key;
        size_t size = test_image_build(&spec, image, sizeof image);
        int rc = content_key(image, size, false, &key);
        assert_int_equal(rc, before < FERRY_IMAGE_UNWRAPS_MAX ? FERRY_OK : FERRY_E_SECRET);
        assert_true(rc != FERRY_OK || memcmp(key.bytes, plain, sizeof plain) == 0);
    }
}

/* From the TLV a trailer keeps: the type counts, and nobody without unwrappers opens anything. */
static void unwrap_from_a_trailer(void **state)
{
    (void)state;
    uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
    const uint8_t plain[32] = {9, 8, 7};
    struct ferry_content_key key;
    size_t len = test_wrap_key(TEST_WRAP_X25519, plain, sizeof plain, wrapped);
    assert_int_equal(ferry_image_unwrap(test_secrets(false), 0x33, wrapped, len, &key), FERRY_OK);
    assert_int_equal(key.len, 32);
    assert_memory_equal(key.bytes, plain, sizeof plain);
    for (uint16_t type = 0; type < 0x80; type++) {
        if (type != 0x33) {
            memset(&key, 0xa5, sizeof key);
            assert_int_equal(ferry_image_unwrap(test_secrets(false), type, wrapped, len, &key),
                             FERRY_E_SECRET);
            assert_true(is_wiped(&key));
        }
        assert_int_equal(ferry_tlv_is_wrapped_key(type), type >= 0x30 && type <= 0x34);
    }
    const struct ferry_image_secrets none = {.secrets = NULL};
    assert_int_equal(ferry_image_unwrap(&none, 0x33, wrapped, len, &key), FERRY_E_SECRET);
}

/* Each TLV of an image cut or read wrongly: the walk's error, or no key; never one of garbage. */
static void damaged_images(void **state)
{
    (void)state;
    struct test_image_spec spec = {
        .version = {1, 0, 0, 0}, .payload_size = 32, .header_size = 32, .wrap = TEST_WRAP_KW};
    uint8_t image[512];
    uint8_t expected[32];
    size_t size = test_image_build(&spec, image, sizeof image);
    test_content_key(&spec, expected);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        struct ferry_content_key key;
        image[bit / 8] ^= (uint8_t)(1U << bit % 8);
        int rc = content_key(image, size, false, &key);
        assert_true(rc != FERRY_OK || key.len == 0 || memcmp(key.bytes, expected, 16) == 0);
        image[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(imgtool_images_decrypt),
        cmocka_unit_test(every_scheme_unwraps),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(other_lengths_do_not_open),
        cmocka_unit_test(rsa_carries_keys_only),
        cmocka_unit_test(every_form_of_a_key),
        cmocka_unit_test(secrets_fit_their_scheme),
        cmocka_unit_test(damaged_secrets_do_not_open),
        cmocka_unit_test(images_in_the_clear_have_no_key),
        cmocka_unit_test(flagged_but_clear),
        cmocka_unit_test(flag_and_key_must_agree),
        cmocka_unit_test(several_wrapped_keys),
        cmocka_unit_test(unwrap_from_a_trailer),
        cmocka_unit_test(damaged_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
