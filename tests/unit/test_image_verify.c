/* SPDX-License-Identifier: Apache-2.0 */
/* Verification of images: what is accepted, and that everything else is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/image.h"
#include "test_image.h"

#include <stdio.h>
#include <string.h>

#define SMALL_PAYLOAD 24

static uint8_t image[0x12000];

static size_t build(const struct test_image_spec *spec)
{
    size_t size = test_image_build(spec, image, sizeof image);
    assert_true(size > 0);
    return size;
}

static int build_and_verify(const struct test_image_spec *spec,
                            const struct ferry_image_trust *trust)
{
    return test_verify(image, build(spec), trust);
}

/* ---- Good images ------------------------------------------------------------------------ */

static void verify_every_scheme(void **state)
{
    (void)state;
    for (int key = 0; key < TEST_KEY_COUNT; key++) {
        for (uint16_t header_size = 32; header_size <= 1024; header_size *= 2) {
            const struct test_image_spec spec = {
                .key = (enum test_key_id)key, .header_size = header_size, .payload_size = 777};
            size_t size = build(&spec);
            for (int trusted = 0; trusted < TEST_KEY_COUNT; trusted++) {
                assert_int_equal(test_verify(image, size, test_trust((enum test_key_id)trusted)),
                                 key == trusted ? FERRY_OK : FERRY_E_NO_KEY);
            }
        }
    }
}

static void count_feed(void *context)
{
    ++*(int *)context;
}

/* Whatever the workspace, the result is the same; feed is called once a read of it,
 * once for each of the three TLVs, before the signature's check and after it. */
static void verify_any_workspace(void **state)
{
    (void)state;
    uint8_t buf[512];
    const struct test_image_spec spec = {.key = TEST_KEY_ED25519, .payload_size = 300};
    size_t size = build(&spec);
    TEST_ROM(rom, image, size);
    for (size_t cap = 1; cap <= sizeof buf; cap += 1 + cap / 2) {
        struct ferry_image_info info;
        struct ferry_verdict verdict;
        int feeds = 0;
        assert_int_equal(ferry_image_verify(&rom.flash, test_trust(TEST_KEY_ED25519), buf, cap,
                                            count_feed, &feeds, &info, &verdict),
                         FERRY_OK);
        assert_true(ferry_verdict_is_valid(&verdict));
        assert_int_equal(info.size, size);
        assert_int_equal(feeds, (812 + cap - 1) / cap + 3 + 2);
    }
}

/* Keys whose images have a SHA-256: P-256 and Ed25519, two each. */
#define SIGNERS 4

/* One image for several products: pairs of key and signature, any one of which is enough. */
static void verify_several_signatures(void **state)
{
    (void)state;
    const struct test_image_spec bare = {.key = TEST_KEY_NONE, .payload_size = 50};
    size_t size = build(&bare);
    uint8_t digest[32];
    test_sha256(image, 562, digest);
    uint8_t hashes[SIGNERS][32];
    uint8_t signatures[SIGNERS][TEST_SIGNATURE_MAX_EC];
    struct test_tlv tlvs[2 * SIGNERS];
    for (size_t i = 0; i < SIGNERS; i++) {
        enum test_key_id key = (enum test_key_id)i;
        test_sha256(test_keys[i].public_der, test_keys[i].public_len, hashes[i]);
        size_t len = test_sign(key, digest, 32, signatures[i]);
        tlvs[2 * i] = (struct test_tlv){FERRY_TLV_KEYHASH, 32, hashes[i]};
        tlvs[2 * i + 1] = (struct test_tlv){test_signature_tlv(key), (uint16_t)len, signatures[i]};
    }
    struct test_image_spec spec = bare;
    spec.unprotected_tlvs = tlvs;
    spec.unprotected_count = 2 * SIGNERS;
    size = build(&spec);
    for (int i = 0; i < SIGNERS; i++) {
        assert_int_equal(test_verify(image, size, test_trust((enum test_key_id)i)), FERRY_OK);
    }

    /* A damaged one does not hide the good one behind it. */
    struct ferry_image_key keys[2] = {{test_keys[0].public_der, test_keys[0].public_len},
                                      {test_keys[3].public_der, test_keys[3].public_len}};
    struct ferry_image_trust both = *test_trust(TEST_KEY_P256);
    both.keys = keys;
    both.key_count = 2;
    signatures[0][10] ^= 1;
    size = build(&spec);
    assert_int_equal(test_verify(image, size, &both), FERRY_OK);
    both.key_count = 1;
    assert_int_equal(test_verify(image, size, &both), FERRY_E_SIGNATURE);

    /* A key speaks for the next signature alone, whatever stands between. */
    struct test_tlv swapped[] = {tlvs[6], tlvs[3], tlvs[7]};
    spec.unprotected_tlvs = swapped;
    spec.unprotected_count = 3;
    assert_int_equal(build_and_verify(&spec, test_trust(TEST_KEY_ED25519_OTHER)),
                     FERRY_E_SIGNATURE);
}

/* The whole key in the image instead of its hash. */
static void verify_by_whole_key(void **state)
{
    (void)state;
    for (int key = 0; key < TEST_KEY_COUNT; key++) {
        const struct test_image_spec spec = {
            .key = (enum test_key_id)key, .full_key = true, .payload_size = 50};
        size_t size = build(&spec);
        for (int trusted = 0; trusted < TEST_KEY_COUNT; trusted++) {
            assert_int_equal(test_verify(image, size, test_trust((enum test_key_id)trusted)),
                             key == trusted ? FERRY_OK : FERRY_E_NO_KEY);
        }
        /* A piece of the key is not the key. */
        static const uint16_t lengths[TEST_KEY_COUNT / 2] = {64, 64, 64, 256, 384};
        uint8_t signature[TEST_SIGNATURE_MAX] = {0};
        const struct test_tlv tlvs[] = {
            {FERRY_TLV_PUBKEY, (uint16_t)(test_keys[key].public_len - 1),
             test_keys[key].public_der},
            {test_signature_tlv((enum test_key_id)key), lengths[key / 2], signature}};
        const struct test_image_spec part = {.key = TEST_KEY_NONE,
                                             .payload_size = 50,
                                             .unprotected_tlvs = tlvs,
                                             .unprotected_count = 2};
        assert_int_equal(build_and_verify(&part, test_trust((enum test_key_id)key)),
                         FERRY_E_NO_KEY);
    }
}

static int count_tlvs(const struct ferry_flash *flash, const struct ferry_image_info *info)
{
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    int count = 0;
    int rc;
    assert_int_equal(ferry_tlv_walk_begin(&walk, flash, &info->header), FERRY_OK);
    while ((rc = ferry_tlv_walk_next(&walk, &tlv)) > 0) {
        count++;
    }
    assert_int_equal(rc, 0);
    return count;
}

/* Images made by imgtool 2.5.0 with the test keys. */
static void verify_images_of_imgtool(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        enum test_key_id key;
        struct ferry_version version;
        uint32_t size;
        int tlvs;
    } files[] = {
        {"imgtool-p256.img", TEST_KEY_P256, {1, 2, 3, 4}, 224, 3},
        {"imgtool-p256-full-key.img", TEST_KEY_P256, {1, 0, 0, 0}, 281, 3},
        {"imgtool-ed25519.img", TEST_KEY_ED25519, {2, 0, 1, 0}, 324, 8},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", FERRY_TEST_DATA, files[i].file);
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        size_t size = fread(image, 1, sizeof image, f);
        fclose(f);
        TEST_ROM(rom, image, size);
        struct ferry_image_info info;
        assert_int_equal(ferry_image_inspect(&rom.flash, &info), FERRY_OK);
        assert_int_equal(info.size, files[i].size);
        assert_int_equal(size, files[i].size);
        assert_int_equal(ferry_version_compare(&info.header.version, &files[i].version, true), 0);
        assert_int_equal(count_tlvs(&rom.flash, &info), files[i].tlvs);
        assert_int_equal(test_verify(image, size, test_trust(files[i].key)), FERRY_OK);
        assert_int_equal(test_verify(image, size, test_trust(TEST_KEY_ED25519_OTHER)),
                         FERRY_E_NO_KEY);
        image[40] ^= 0x80;
        assert_int_equal(test_verify(image, size, test_trust(files[i].key)), FERRY_E_DIGEST);
    }
}

/* The test's own builder gives the golden bytes of mcuboot-format.md §2.7, and so does the walk. */
static void golden_image(void **state)
{
    (void)state;
    const struct test_image_spec spec = {.version = {1, 2, 3, 4}, .payload_size = 5000};
    size_t size = 0;
    for (int i = 0; i < 1000 && size != 0x1588 + 0x97; i++) {
        size = build(&spec); /* until the signature has 71 bytes, as the golden one */
    }
    assert_int_equal(size, 0x1588 + 0x97);
    static const uint8_t header[32] = {0x3d, 0xb8,     0xf3, 0x96, [9] = 0x02, [12] = 0x88,
                                       0x13, [20] = 1, 2,    3,    0,          4};
    static const uint8_t info[] = {0x07, 0x69, 0x97, 0x00, 0x10, 0x00, 0x20, 0x00};
    static const uint8_t key[] = {0x01, 0x00, 0x20, 0x00};
    static const uint8_t signature[] = {0x22, 0x00, 0x47, 0x00, 0x30};
    assert_memory_equal(image, header, sizeof header);
    assert_memory_equal(image + 0x1588, info, sizeof info);
    assert_memory_equal(image + 0x1588 + 40, key, sizeof key);
    assert_memory_equal(image + 0x1588 + 76, signature, sizeof signature);
    assert_int_equal(test_verify(image, size, test_trust(TEST_KEY_P256)), FERRY_OK);
}

/* ---- Refusals --------------------------------------------------------------------------- */

static size_t build_small(enum test_key_id key)
{
    static const struct test_tlv inner[] = {{FERRY_TLV_SEC_CNT, 4, "\7\0\0\0"},
                                            {0x00a0, 5, "hello"}};
    const struct test_image_spec spec = {.version = {1, 2, 3, 4},
                                         .key = key,
                                         .header_size = 36,
                                         .payload_size = SMALL_PAYLOAD,
                                         .protected_tlvs = inner,
                                         .protected_count = 2};
    return build(&spec);
}

/* Cut off after every byte: as a file that ends there, and in a slot whose rest is erased. */
static void every_truncation(void **state)
{
    (void)state;
    static const enum test_key_id keys[] = {TEST_KEY_P256, TEST_KEY_ED25519};
    static uint8_t slot[4096];
    for (size_t k = 0; k < 2; k++) {
        const struct ferry_image_trust *trust = test_trust(keys[k]);
        size_t size = build_small(keys[k]);
        int refused = 0;
        for (size_t len = 1; len < size; len++) {
            assert_true(test_verify(image, len, trust) < 0);
            for (int erased = 0; erased < 256; erased += 255) {
                memset(slot, erased, sizeof slot);
                memcpy(slot, image, len);
                bool same = memcmp(slot, image, size) == 0;
                assert_int_equal(test_verify(slot, sizeof slot, trust) == FERRY_OK, same);
            }
            refused++;
        }
        printf("%s: %d truncations\n", test_keys[keys[k]].name, refused);
        assert_int_equal(refused, size - 1);
        memset(slot, 0xff, sizeof slot);
        memcpy(slot, image, size);
        assert_int_equal(test_verify(slot, sizeof slot, trust), FERRY_OK);
    }
}

static void refusals_name_the_cause(void **state)
{
    (void)state;
    const struct ferry_image_trust *trust = test_trust(TEST_KEY_P256);
    struct test_image_spec spec = {.payload_size = 64, .header_size = 32};
    size_t size = build(&spec);
    image[40] ^= 1;
    assert_int_equal(test_verify(image, size, trust), FERRY_E_DIGEST);
    size = build(&spec);
    image[size - 1] ^= 1;
    assert_int_equal(test_verify(image, size, trust), FERRY_E_SIGNATURE);

    spec.key = TEST_KEY_NONE;
    assert_int_equal(build_and_verify(&spec, trust), FERRY_E_NO_SIGNATURE);
    spec.key = TEST_KEY_P256_OTHER;
    assert_int_equal(build_and_verify(&spec, trust), FERRY_E_NO_KEY);

    spec.key = TEST_KEY_P256;
    static const uint32_t flags[] = {0x200, 0x400, 0x800, 0xc00};
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        struct ferry_image_trust tool = *trust;
        spec.flags = flags[i];
        assert_int_equal(build_and_verify(&spec, trust), FERRY_E_COMPRESSED);
        assert_int_equal(build_and_verify(&spec, &test_trust_digest_only), FERRY_E_COMPRESSED);
        tool.compressed = true; /* what a tool verifies is what is stored */
        assert_int_equal(build_and_verify(&spec, &tool), FERRY_OK);
    }
    /* What is read of an encrypted image is its plaintext. */
    static const uint32_t encrypted[] = {0x4, 0x8};
    for (size_t i = 0; i < 2; i++) {
        spec.flags = encrypted[i];
        assert_int_equal(build_and_verify(&spec, trust), FERRY_OK);
    }
    spec.flags = FERRY_IMAGE_NON_BOOTABLE | FERRY_IMAGE_ROM_FIXED;
    assert_int_equal(build_and_verify(&spec, trust), FERRY_OK);
}

/* A signature without a key before it, with a hash of another length, of the wrong scheme, of a
 * scheme that is not built in. */
static void refusals_of_odd_signatures(void **state)
{
    (void)state;
    uint8_t hash[64] = {0};
    uint8_t signature[384] = {0};
    struct test_image_spec spec = {.key = TEST_KEY_NONE, .payload_size = 50};
    build(&spec);
    uint8_t digest[32];
    test_sha256(image, 562, digest);
    assert_int_equal(test_sign(TEST_KEY_ED25519, digest, 32, signature), 64);
    const struct ferry_image_trust *trust = test_trust(TEST_KEY_ED25519);
    const struct test_key *key = &test_keys[TEST_KEY_ED25519];
    test_sha256(key->public_der, key->public_len, hash);

    struct test_tlv tlvs[3] = {{FERRY_TLV_ED25519, 64, signature}};
    spec.unprotected_tlvs = tlvs;
    spec.unprotected_count = 1;
    assert_int_equal(build_and_verify(&spec, trust), FERRY_E_NO_KEY);

    tlvs[1] = (struct test_tlv){FERRY_TLV_KEYHASH, 32, hash}; /* too late */
    spec.unprotected_count = 2;
    assert_int_equal(build_and_verify(&spec, trust), FERRY_E_NO_KEY);

    tlvs[1] = tlvs[0];
    tlvs[0] = (struct test_tlv){FERRY_TLV_KEYHASH, 32, hash};
    assert_int_equal(build_and_verify(&spec, trust), FERRY_OK);
    tlvs[0].len = 48;
    assert_int_equal(build_and_verify(&spec, trust), FERRY_E_NO_KEY);
    tlvs[0].len = 32;

    tlvs[1] = (struct test_tlv){FERRY_TLV_ECDSA_SIG, 64, signature};
    assert_int_equal(build_and_verify(&spec, trust), FERRY_E_SIGNATURE);
    tlvs[1] = (struct test_tlv){FERRY_TLV_RSA3072_PSS, 384, signature};
    assert_int_equal(build_and_verify(&spec, trust), FERRY_E_SIGNATURE);
    tlvs[1] = (struct test_tlv){FERRY_TLV_ECDSA224, 64, signature};
    assert_int_equal(build_and_verify(&spec, trust), FERRY_E_UNSUPPORTED);

    /* The last key named counts, also when it is not known. */
    static const uint8_t stranger[44] = {1, 2, 3};
    const struct test_tlv strangers[] = {{FERRY_TLV_KEYHASH, 32, stranger},
                                         {FERRY_TLV_KEYHASH, 33, stranger},
                                         {FERRY_TLV_PUBKEY, 44, stranger}};
    spec.unprotected_count = 3;
    tlvs[2] = (struct test_tlv){FERRY_TLV_ED25519, 64, signature};
    for (size_t i = 0; i < 3; i++) {
        tlvs[1] = strangers[i];
        assert_int_equal(build_and_verify(&spec, trust), FERRY_E_NO_KEY);
    }

    /* No verifier for the scheme of a trusted key. */
    struct ferry_image_trust none = *trust;
    none.verifier_count = 1; /* ECDSA only */
    spec.unprotected_tlvs = NULL;
    spec.unprotected_count = 0;
    spec.key = TEST_KEY_ED25519;
    assert_int_equal(build_and_verify(&spec, &none), FERRY_E_UNSUPPORTED);
    /* Nobody is trusted. */
    none.key_count = 0;
    assert_int_equal(build_and_verify(&spec, &none), FERRY_E_NO_KEY);
    spec.key = TEST_KEY_NONE;
    assert_int_equal(build_and_verify(&spec, &none), FERRY_E_NO_SIGNATURE);
}

/* Only so many signatures are looked at. */
static void signatures_are_bounded(void **state)
{
    (void)state;
    const struct test_key *key = &test_keys[TEST_KEY_ED25519];
    struct test_image_spec spec = {.key = TEST_KEY_NONE, .payload_size = 50};
    build(&spec);
    uint8_t digest[32];
    uint8_t hash[32];
    uint8_t good[104];
    uint8_t bad[104];
    test_sha256(image, 562, digest);
    test_sha256(key->public_der, key->public_len, hash);
    assert_int_equal(test_sign(TEST_KEY_ED25519, digest, 32, good), 64);
    memcpy(bad, good, sizeof bad);
    bad[5] ^= 4;
    struct test_tlv tlvs[2 * FERRY_IMAGE_SIGNATURES_MAX + 2];
    for (size_t count = 1; count <= FERRY_IMAGE_SIGNATURES_MAX + 1; count++) {
        for (size_t i = 0; i < count; i++) {
            tlvs[2 * i] = (struct test_tlv){FERRY_TLV_KEYHASH, 32, hash};
            tlvs[2 * i + 1] = (struct test_tlv){FERRY_TLV_ED25519, 64, i + 1 == count ? good : bad};
        }
        spec.unprotected_tlvs = tlvs;
        spec.unprotected_count = 2 * count;
        assert_int_equal(build_and_verify(&spec, test_trust(TEST_KEY_ED25519)),
                         count <= FERRY_IMAGE_SIGNATURES_MAX ? FERRY_OK : FERRY_E_SIGNATURE);
    }
}

/* A foreign image that names our key a hundred times cannot keep a chip busy, nor unfed. */
static void names_are_bounded_and_fed(void **state)
{
    (void)state;
    enum { NAMES = 100 };
    static struct test_tlv tlvs[NAMES];
    uint8_t buf[512];
    uint8_t hash[32];
    struct ferry_image_info info;
    struct ferry_verdict verdict;
    int feeds = 0;
    test_sha256(test_keys[TEST_KEY_ED25519].public_der, test_keys[TEST_KEY_ED25519].public_len,
                hash);
    for (size_t i = 0; i < NAMES; i++) {
        tlvs[i] = (struct test_tlv){FERRY_TLV_KEYHASH, 32, hash};
    }
    struct test_image_spec spec = {.key = TEST_KEY_NONE,
                                   .payload_size = 50,
                                   .unprotected_tlvs = tlvs,
                                   .unprotected_count = NAMES};
    size_t size = build(&spec);
    TEST_ROM(rom, image, size);
    assert_int_equal(ferry_image_verify(&rom.flash, test_trust(TEST_KEY_ED25519), buf, sizeof buf,
                                        count_feed, &feeds, &info, &verdict),
                     FERRY_E_NO_SIGNATURE);
    assert_true(feeds > NAMES);
}

/* digest_only takes what nobody signed, but not what is damaged. */
static void digest_only(void **state)
{
    (void)state;
    struct test_image_spec spec = {.key = TEST_KEY_NONE, .payload_size = 64};
    assert_int_equal(build_and_verify(&spec, &test_trust_digest_only), FERRY_OK);
    size_t size = build(&spec);
    image[520] ^= 1;
    assert_int_equal(test_verify(image, size, &test_trust_digest_only), FERRY_E_DIGEST);
    spec.key = TEST_KEY_P256_OTHER;
    assert_int_equal(build_and_verify(&spec, &test_trust_digest_only), FERRY_OK);

    struct ferry_image_trust open = *test_trust(TEST_KEY_P256);
    open.digest_only = true;
    assert_int_equal(build_and_verify(&spec, &open), FERRY_OK);
    spec.key = TEST_KEY_P256;
    size = build(&spec);
    assert_int_equal(test_verify(image, size, &open), FERRY_OK);
    image[size - 1] ^= 1;
    assert_int_equal(test_verify(image, size, &open), FERRY_E_SIGNATURE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verify_every_scheme),        cmocka_unit_test(verify_any_workspace),
        cmocka_unit_test(verify_several_signatures),  cmocka_unit_test(verify_by_whole_key),
        cmocka_unit_test(verify_images_of_imgtool),   cmocka_unit_test(golden_image),
        cmocka_unit_test(every_truncation),           cmocka_unit_test(refusals_name_the_cause),
        cmocka_unit_test(refusals_of_odd_signatures), cmocka_unit_test(signatures_are_bounded),
        cmocka_unit_test(names_are_bounded_and_fed),  cmocka_unit_test(digest_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
