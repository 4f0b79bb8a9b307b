/* SPDX-License-Identifier: Apache-2.0 */
/* Every signature scheme with every form of key and every digest: what goes together, that nothing
 * else does, and that every single bit counts. Built once with each crypto port. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/image.h"
#include "test_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t image[0x2000];

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

/* ---- The matrix ------------------------------------------------------------------------- */

static const enum test_sha shas[] = {TEST_SHA_256, TEST_SHA_384, TEST_SHA_512};

/* [mcuboot-format.md §2.3]; Ed25519 alone has two digests, and a pure form with one. */
static bool goes_together(enum test_key_id key, enum test_sha sha, bool pure)
{
    bool edwards = key == TEST_KEY_ED25519 || key == TEST_KEY_ED25519_OTHER;
    if (pure) {
        return edwards && sha == TEST_SHA_512;
    }
    return sha == test_sha_of(key, false) || (edwards && sha == TEST_SHA_512);
}

/* OpenSSL's ECDSA signs a digest of any length, and a message for one: such signatures are what a
 * careless signer could make. */
static void every_scheme_key_form_and_digest(void **state)
{
    (void)state;
    int good = 0;
    int refused = 0;
    for (int i = 0; i < TEST_KEY_COUNT * 3 * 2; i++) {
        enum test_key_id key = (enum test_key_id)(i / 6);
        enum test_sha sha = shas[i / 2 % 3];
        bool rsa = key >= TEST_KEY_RSA2048;
        for (int pure = 0; pure < 2; pure++) {
            const struct test_image_spec spec = {.key = key,
                                                 .sha = sha,
                                                 .full_key = i % 2 != 0,
                                                 .pure = pure != 0,
                                                 .header_size = 32,
                                                 .payload_size = 100};
            if (rsa && (pure != 0 || sha != TEST_SHA_256)) {
                continue; /* OpenSSL signs no such thing */
            }
            bool together = goes_together(key, sha, spec.pure);
            int rc = build_and_verify(&spec, test_trust(key));
            if (together) {
                assert_int_equal(rc, FERRY_OK);
                assert_int_equal(build_and_verify(&spec, test_trust((enum test_key_id)(key ^ 1))),
                                 FERRY_E_NO_KEY);
            } else {
                assert_true(rc == FERRY_E_SIGNATURE || rc == FERRY_E_UNSUPPORTED);
            }
            good += together;
            refused += !together;
        }
    }
    printf("%d go together, %d are refused\n", good, refused);
    assert_int_equal(good, 2 * (2 + 2 * 3 + 2 + 2 + 2));
}

/* A digest that the product does not list is not looked at, good as the signature is. */
static void digests_are_listed(void **state)
{
    (void)state;
    static const struct ferry_image_digest_kind *const only256[] = {&ferry_digest_sha256};
    struct ferry_image_trust trust = *test_trust(TEST_KEY_ED25519);
    struct test_image_spec spec = {.key = TEST_KEY_ED25519, .sha = TEST_SHA_512};
    assert_int_equal(build_and_verify(&spec, &trust), FERRY_OK);
    trust.digests = only256;
    trust.digest_count = 1;
    assert_int_equal(build_and_verify(&spec, &trust), FERRY_E_UNSUPPORTED);
    spec.sha = TEST_SHA_256;
    assert_int_equal(build_and_verify(&spec, &trust), FERRY_OK);
    trust.digest_count = 0;
    assert_int_equal(build_and_verify(&spec, &trust), FERRY_E_UNSUPPORTED);
}

/* The hash of the key is of the image's digest: another of the same key names nobody. */
static void key_hashes_are_of_the_images_digest(void **state)
{
    (void)state;
    const struct test_key *key = &test_keys[TEST_KEY_ED25519];
    struct test_image_spec spec = {
        .key = TEST_KEY_NONE, .sha = TEST_SHA_512, .header_size = 32, .payload_size = 100};
    uint8_t digest[64];
    uint8_t hash[64];
    uint8_t signature[TEST_SIGNATURE_MAX_EC];
    build(&spec);
    assert_int_equal(test_sha(TEST_SHA_512, image, 132, digest), 64);
    assert_int_equal(test_sign(TEST_KEY_ED25519, digest, 64, signature), 64);
    struct test_tlv tlvs[] = {{FERRY_TLV_KEYHASH, 0, hash}, {FERRY_TLV_ED25519, 64, signature}};
    spec.unprotected_tlvs = tlvs;
    spec.unprotected_count = 2;
    for (size_t i = 0; i < 3; i++) {
        tlvs[0].len = (uint16_t)test_sha(shas[i], key->public_der, key->public_len, hash);
        assert_int_equal(build_and_verify(&spec, test_trust(TEST_KEY_ED25519)),
                         shas[i] == TEST_SHA_512 ? FERRY_OK : FERRY_E_NO_KEY);
    }
}

/* Several signatures of different schemes in one image. */
static void several_schemes_in_one_image(void **state)
{
    (void)state;
    static const enum test_key_id more[] = {TEST_KEY_RSA3072, TEST_KEY_ED25519, TEST_KEY_RSA2048,
                                            TEST_KEY_P384};
    struct test_image_spec spec = {.key = TEST_KEY_P256, .more_keys = more, .more_key_count = 3};
    for (int full = 0; full < 2; full++) {
        spec.full_key = full != 0;
        size_t size = build(&spec);
        assert_int_equal(test_verify(image, size, test_trust(TEST_KEY_P256)), FERRY_OK);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(test_verify(image, size, test_trust(more[i])), FERRY_OK);
        }
        assert_int_equal(test_verify(image, size, test_trust(TEST_KEY_P256_OTHER)), FERRY_E_NO_KEY);
    }
    spec.full_key = true;
    spec.more_key_count = 4; /* P-384 with SHA-256 is no scheme */
    size_t size = build(&spec);
    assert_int_equal(test_verify(image, size, test_trust(TEST_KEY_RSA2048)), FERRY_OK);
    assert_int_equal(test_verify(image, size, test_trust(TEST_KEY_P384)), FERRY_E_SIGNATURE);
}

/* ---- Every bit -------------------------------------------------------------------------- */

static size_t build_small(enum test_key_id key, enum test_sha sha, bool pure, bool full_key)
{
    static const struct test_tlv inner[] = {{FERRY_TLV_SEC_CNT, 4, "\7\0\0\0"},
                                            {0x00a0, 5, "hello"}};
    const struct test_image_spec spec = {.version = {1, 2, 3, 4},
                                         .key = key,
                                         .sha = sha,
                                         .pure = pure,
                                         .full_key = full_key,
                                         .header_size = 36,
                                         .payload_size = 24,
                                         .protected_tlvs = inner,
                                         .protected_count = 2};
    return build(&spec);
}

/* Every single bit of a signed image, one after the other, in every part of it: header, payload,
 * protected TLVs, their lengths, digest, key and signature. None is harmless. */
static int refuse_every_bit(size_t size, const struct ferry_image_trust *trust)
{
    int refused = 0;
    assert_int_equal(test_verify(image, size, trust), FERRY_OK);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        uint8_t mask = (uint8_t)(1U << bit % 8);
        image[bit / 8] ^= mask;
        assert_true(test_verify(image, size, trust) < 0);
        image[bit / 8] ^= mask;
        refused++;
    }
    assert_int_equal(test_verify(image, size, trust), FERRY_OK);
    return refused;
}

static void every_bit_counts(void **state)
{
    (void)state;
    static const struct {
        enum test_key_id key;
        enum test_sha sha;
        bool pure;
        bool full_key;
    } cases[] = {
        {TEST_KEY_P256, TEST_SHA_AUTO, false, false},
        {TEST_KEY_ED25519, TEST_SHA_256, false, false},
        {TEST_KEY_ED25519, TEST_SHA_512, false, true},
        {TEST_KEY_ED25519, TEST_SHA_AUTO, true, false},
        {TEST_KEY_P384, TEST_SHA_AUTO, false, false},
        {TEST_KEY_RSA2048, TEST_SHA_AUTO, false, true},
        {TEST_KEY_RSA3072, TEST_SHA_AUTO, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = build_small(cases[i].key, cases[i].sha, cases[i].pure, cases[i].full_key);
        int refused = refuse_every_bit(size, test_trust(cases[i].key));
        printf("%s%s: %d bits of %zu bytes\n", test_keys[cases[i].key].name,
               cases[i].pure ? " pure" : "", refused, size);
        assert_int_equal(refused, 8 * size);
    }
}

/* ---- Signatures of the image itself ----------------------------------------------------- */

static const struct test_image_spec pure_spec = {
    .key = TEST_KEY_ED25519, .pure = true, .header_size = 32, .payload_size = 1000};

/* The workspace is one piece of the message: whatever its size, the result is the same. */
static void pure_in_pieces(void **state)
{
    (void)state;
    uint8_t buf[2048];
    size_t size = build(&pure_spec);
    TEST_ROM(rom, image, size);
    for (size_t cap = 1; cap <= sizeof buf; cap += 1 + cap / 2) {
        struct ferry_image_info info;
        struct ferry_verdict verdict;
        assert_int_equal(ferry_image_verify(&rom.flash, test_trust(TEST_KEY_ED25519), buf, cap,
                                            NULL, NULL, &info, &verdict),
                         FERRY_OK);
        assert_true(info.pure && ferry_verdict_is_valid(&verdict));
    }
}

/* What a signature is of is one thing for all of an image: the signature of a digest does not
 * count in a pure one, nor the other way round, and SIG_PURE stands once and says 1. */
static void pure_and_digest_do_not_mix(void **state)
{
    (void)state;
    const struct ferry_image_trust *trust = test_trust(TEST_KEY_ED25519);
    uint8_t hash[64];
    uint8_t pure[TEST_SIGNATURE_MAX_EC];
    uint8_t digest_signature[TEST_SIGNATURE_MAX_EC];
    uint8_t digest[64];
    struct test_image_spec spec = {
        .key = TEST_KEY_NONE, .sha = TEST_SHA_512, .header_size = 32, .payload_size = 100};
    build(&spec);
    test_sha(TEST_SHA_512, image, 132, digest);
    test_sha(TEST_SHA_512, test_keys[TEST_KEY_ED25519].public_der, 44, hash);
    assert_int_equal(test_sign(TEST_KEY_ED25519, image, 132, pure), 64);
    assert_int_equal(test_sign(TEST_KEY_ED25519, digest, 64, digest_signature), 64);
    struct test_tlv tlvs[] = {{FERRY_TLV_KEYHASH, 64, hash},
                              {FERRY_TLV_ED25519, 64, pure},
                              {FERRY_TLV_SIG_PURE, 1, "\1"},
                              {FERRY_TLV_SIG_PURE, 1, "\1"}};
    spec.unprotected_tlvs = tlvs;
    static const struct {
        const uint8_t *signed_as_pure;
        size_t tlvs;
        const char *value;
        int expected;
    } cases[] = {
        {(const uint8_t *)"", 2, "\1", FERRY_E_SIGNATURE}, {NULL, 2, "\1", FERRY_OK},
        {(const uint8_t *)"", 3, "\1", FERRY_OK},          {NULL, 3, "\1", FERRY_E_SIGNATURE},
        {(const uint8_t *)"", 4, "\1", FERRY_E_TLV},       {NULL, 4, "\1", FERRY_E_TLV},
        {(const uint8_t *)"", 3, "\0", FERRY_E_TLV},       {NULL, 3, "\0", FERRY_E_TLV},
        {(const uint8_t *)"", 3, "\2", FERRY_E_TLV},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tlvs[1].data = cases[i].signed_as_pure != NULL ? pure : digest_signature;
        tlvs[2].data = cases[i].value;
        spec.unprotected_count = cases[i].tlvs;
        assert_int_equal(build_and_verify(&spec, trust), cases[i].expected);
    }
}

/* Only Ed25519 has a pure form: with SIG_PURE other signatures are of no scheme. And a product
 * that does not list the pure form takes none. */
static void pure_needs_its_verifier(void **state)
{
    (void)state;
    static const struct ferry_image_verifier *const digest_only[] = {&ferry_verify_ed25519};
    static const struct test_tlv sig_pure = {FERRY_TLV_SIG_PURE, 1, "\1"};
    struct test_image_spec spec = {.unprotected_tlvs = &sig_pure, .unprotected_count = 1};
    static const enum test_key_id keys[] = {TEST_KEY_P256, TEST_KEY_P384, TEST_KEY_RSA2048,
                                            TEST_KEY_RSA3072};
    for (size_t i = 0; i < 4; i++) {
        spec.key = keys[i];
        assert_int_equal(build_and_verify(&spec, test_trust(keys[i])), FERRY_E_UNSUPPORTED);
    }
    struct ferry_image_trust trust = *test_trust(TEST_KEY_ED25519);
    trust.verifiers = digest_only;
    trust.verifier_count = 1;
    assert_int_equal(build_and_verify(&pure_spec, &trust), FERRY_E_UNSUPPORTED);
}

/* A message no longer than a digest could be one: it is not taken for a pure signature. */
static void pure_messages_are_longer_than_digests(void **state)
{
    (void)state;
    struct test_image_spec spec = pure_spec;
    for (spec.payload_size = 1; spec.payload_size < 40; spec.payload_size++) {
        assert_int_equal(build_and_verify(&spec, test_trust(TEST_KEY_ED25519)),
                         spec.payload_size > 32 ? FERRY_OK : FERRY_E_SIGNATURE);
    }
}

/* Flash that answers otherwise from its n-th read of the payload on. */
struct wavering {
    const uint8_t *bytes;
    int reads;
    int honest; /* reads that are right; of the rest one bit is wrong */
    int error;  /* instead of that: fail */
};

static int wavering_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data,
                         size_t len)
{
    struct wavering *w = (struct wavering *)flash->context;
    memcpy(data, w->bytes + offset, len);
    if (offset >= 32 && offset < 1032) {
        w->reads++;
        if (w->reads > w->honest && w->error != FERRY_OK) {
            return w->error;
        }
        data[0] ^= w->reads > w->honest;
    }
    return FERRY_OK;
}

static int verify_wavering(struct wavering *w, size_t size)
{
    static const struct ferry_flash_ops ops = {.read = wavering_read};
    const struct ferry_flash flash = {.ops = &ops,
                                      .context = w,
                                      .size = (uint32_t)size,
                                      .write_size = 1,
                                      .erased_value = 0xff,
                                      .run_count = 1,
                                      .runs = {{1, (uint32_t)size}}};
    uint8_t buf[32];
    struct ferry_image_info info;
    struct ferry_verdict verdict;
    w->reads = 0;
    int rc = ferry_image_verify(&flash, test_trust(TEST_KEY_ED25519), buf, sizeof buf, NULL, NULL,
                                &info, &verdict);
    assert_int_equal(ferry_verdict_is_valid(&verdict), rc == FERRY_OK);
    return rc;
}

/* The image is read twice, for its digest and for its signature: both must be the same bytes, and
 * an error of either ends the verification. */
static void pure_reads_one_image(void **state)
{
    (void)state;
    size_t size = build(&pure_spec);
    struct wavering w = {.bytes = image, .honest = INT32_MAX};
    assert_int_equal(verify_wavering(&w, size), FERRY_OK);
    int reads = w.reads;
    assert_int_equal(reads, 2 * 32); /* 1000 bytes in pieces of 32 behind the header, twice */
    for (w.honest = 0; w.honest < reads; w.honest++) {
        assert_int_equal(verify_wavering(&w, size), FERRY_E_DIGEST);
    }
    w.error = FERRY_E_FLASH;
    for (w.honest = 0; w.honest < reads; w.honest++) {
        assert_int_equal(verify_wavering(&w, size), FERRY_E_FLASH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_scheme_key_form_and_digest),
        cmocka_unit_test(digests_are_listed),
        cmocka_unit_test(key_hashes_are_of_the_images_digest),
        cmocka_unit_test(several_schemes_in_one_image),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(pure_in_pieces),
        cmocka_unit_test(pure_and_digest_do_not_mix),
        cmocka_unit_test(pure_needs_its_verifier),
        cmocka_unit_test(pure_messages_are_longer_than_digests),
        cmocka_unit_test(pure_reads_one_image),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
