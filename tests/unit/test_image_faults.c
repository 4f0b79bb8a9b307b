/* SPDX-License-Identifier: Apache-2.0 */
/* Verification when something goes wrong: odd keys and verifiers, evidence that is missing or
 * changed, flash that fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/image/verdict.h"
#include "ferry/image.h"
#include "test_image.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static uint8_t image[0x12000];

static size_t build(const struct test_image_spec *spec)
{
    size_t size = test_image_build(spec, image, sizeof image);
    assert_true(size > 0);
    return size;
}

/* ---- Keys ------------------------------------------------------------------------------- */

static const struct {
    const struct ferry_image_verifier *verifier;
    enum test_key_id key;
    size_t prefix; /* bytes in front of the key itself, all of them fixed */
    size_t suffix; /* and behind it */
} schemes[] = {
    {&ferry_verify_ecdsa_p256, TEST_KEY_P256, 27, 0},
    {&ferry_verify_ecdsa_p384, TEST_KEY_P384, 24, 0},
    {&ferry_verify_ed25519, TEST_KEY_ED25519, 12, 0},
    {&ferry_verify_rsa2048_pss, TEST_KEY_RSA2048, 9, 5},
    {&ferry_verify_rsa3072_pss, TEST_KEY_RSA3072, 9, 5},
};

#define SCHEMES (sizeof schemes / sizeof schemes[0])

/* Only keys of exactly the scheme's form fit: each byte around the key counts. */
static void verifiers_know_their_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < SCHEMES; i++) {
        const struct test_key *key = &test_keys[schemes[i].key];
        uint8_t der[400] = {0};
        memcpy(der, key->public_der, key->public_len);
        for (size_t len = 0; len <= sizeof der; len++) {
            const struct ferry_image_key k = {der, len};
            for (size_t other = 0; other < SCHEMES; other++) {
                assert_int_equal(schemes[other].verifier->fits(&k),
                                 other == i && len == key->public_len);
            }
        }
        const struct ferry_image_key k = {der, key->public_len};
        for (size_t byte = 0; byte < key->public_len; byte++) {
            der[byte] ^= 0x10;
            assert_int_equal(schemes[i].verifier->fits(&k),
                             byte >= schemes[i].prefix &&
                                 byte < key->public_len - schemes[i].suffix);
            der[byte] ^= 0x10;
        }
        assert_true(schemes[i].verifier->fits(&k));
    }
}

/* The highest bit of a modulus is what makes its length. */
static void a_short_modulus_does_not_fit(void **state)
{
    (void)state;
    const struct test_key *key = &test_keys[TEST_KEY_RSA2048];
    uint8_t der[400];
    memcpy(der, key->public_der, key->public_len);
    const struct ferry_image_key k = {der, key->public_len};
    assert_true(ferry_verify_rsa2048_pss.fits(&k));
    der[9] &= 0x7f;
    assert_false(ferry_verify_rsa2048_pss.fits(&k));
}

/* Signatures whose length is fixed are taken with no other. */
static void signatures_have_their_length(void **state)
{
    (void)state;
    static const uint8_t zeros[400] = {0};
    uint8_t digest[32] = {0};
    struct ferry_image_signed what = {.digest = digest, .kind = &ferry_digest_sha256};
    for (size_t i = 2; i < SCHEMES; i++) {
        const struct test_key *key = &test_keys[schemes[i].key];
        const struct ferry_image_key k = {key->public_der, key->public_len};
        size_t len = schemes[i].verifier->signature_max;
        assert_int_equal(schemes[i].verifier->verify(&k, &what, zeros, len - 1), FERRY_E_SIGNATURE);
        assert_int_equal(schemes[i].verifier->verify(&k, &what, zeros, len + 1), FERRY_E_SIGNATURE);
    }
    const struct test_key *key = &test_keys[TEST_KEY_ED25519];
    const struct ferry_image_key k = {key->public_der, key->public_len};
    assert_int_equal(ferry_verify_ed25519_pure.verify(&k, &what, zeros, 63), FERRY_E_SIGNATURE);
}

/* A verifier that answers anything but FERRY_OK has not verified. */
static int odd_result;
static bool odd_fits;
static int odd_calls;

static bool odd_fit(const struct ferry_image_key *key)
{
    (void)key;
    return odd_fits;
}

static int odd_verify(const struct ferry_image_key *key, struct ferry_image_signed *what,
                      const uint8_t *signature, size_t len)
{
    (void)key;
    (void)what;
    (void)signature;
    (void)len;
    odd_calls++;
    return odd_result;
}

static void only_ok_is_ok(void **state)
{
    (void)state;
    odd_fits = true;
    static struct ferry_image_verifier odd = {.name = "odd",
                                              .tlv = FERRY_TLV_ED25519,
                                              .signature_max = 64,
                                              .digests = {FERRY_TLV_SHA256},
                                              .fits = odd_fit,
                                              .verify = odd_verify};
    static const struct ferry_image_verifier *const list[] = {&odd};
    struct ferry_image_trust trust = *test_trust(TEST_KEY_ED25519);
    trust.verifiers = list;
    trust.verifier_count = 1;
    const struct test_image_spec spec = {.key = TEST_KEY_ED25519, .payload_size = 64};
    size_t size = build(&spec);
    static const int results[] = {
        1, 2, INT_MAX, -1, INT_MIN, FERRY_E_SIGNATURE, FERRY_E_NO_KEY, 32, 256, 0x3c96c369};
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        odd_result = results[i];
        assert_int_equal(test_verify(image, size, &trust), FERRY_E_SIGNATURE);
    }
    odd_result = FERRY_OK;
    assert_int_equal(test_verify(image, size, &trust), FERRY_OK);

    /* A key that does not fit, or a signature that is too long, does not reach the verifier. */
    odd_calls = 0;
    odd_fits = false;
    assert_int_equal(test_verify(image, size, &trust), FERRY_E_SIGNATURE);
    odd_fits = true;
    odd.signature_max = 63;
    assert_int_equal(test_verify(image, size, &trust), FERRY_E_SIGNATURE);
    assert_int_equal(odd_calls, 0);
    odd.signature_max = 64;
    assert_int_equal(test_verify(image, size, &trust), FERRY_OK);
    assert_int_equal(odd_calls, 1);
}

/* ---- The verdict ------------------------------------------------------------------------ */

static struct ferry_evidence good_evidence(void)
{
    struct ferry_evidence evidence;
    ferry_evidence_init(&evidence);
    memset(evidence.expected, 0x42, sizeof evidence.expected);
    memset(evidence.computed, 0x42, sizeof evidence.computed);
    assert_int_equal(ferry_evidence_compare(&evidence), 0);
    ferry_evidence_signature(&evidence, FERRY_OK, FERRY_OK);
    return evidence;
}

static bool composes_valid(const struct ferry_evidence *evidence)
{
    struct ferry_verdict verdict = {0, 0};
    ferry_verdict_compose(evidence, &verdict);
    return ferry_verdict_is_valid(&verdict);
}

/* Whatever the length of the digest, all of both fields is compared; nothing is equal before the
 * digest is computed, and nothing is once what is expected changed. */
static void evidence_of_every_length(void **state)
{
    (void)state;
    uint8_t digest[FERRY_IMAGE_DIGEST_MAX];
    memset(digest, 0xff, sizeof digest);
    for (size_t len = 32; len <= sizeof digest; len += 16) {
        struct ferry_evidence e = good_evidence();
        digest[len - 1] = 0x17;
        ferry_evidence_expect(&e, digest, len);
        assert_false(composes_valid(&e));
        assert_true(ferry_evidence_compare(&e) != 0);
        memcpy(e.computed, digest, len);
        assert_false(composes_valid(&e));
        assert_int_equal(ferry_evidence_compare(&e), 0);
        assert_true(composes_valid(&e));
        for (size_t i = len; i < sizeof digest; i++) {
            e.computed[i] = 1;
            assert_false(composes_valid(&e));
            e.computed[i] = 0;
        }
        digest[len - 1] = 0xff;
    }
}

/* Each piece of evidence alone is enough to refuse: no check can be left out. */
static void verdict_needs_every_piece(void **state)
{
    (void)state;
    struct ferry_evidence e = good_evidence();
    assert_true(composes_valid(&e));

    ferry_evidence_init(&e);
    assert_false(composes_valid(&e));
    assert_true(e.difference != 0);
    assert_true(e.signature != FERRY_EVIDENCE_SIGNED);
    assert_true(e.signature_inverse != ~FERRY_EVIDENCE_SIGNED);
    assert_true(memcmp(e.expected, e.computed, sizeof e.expected) != 0);

    e = good_evidence();
    e.difference = UINT32_MAX; /* the first comparison was skipped */
    assert_false(composes_valid(&e));
    e = good_evidence();
    e.signature = 0; /* nothing was verified */
    assert_false(composes_valid(&e));
    e = good_evidence();
    e.signature_inverse = 0;
    assert_false(composes_valid(&e));
    static const int results[] = {FERRY_E_SIGNATURE, FERRY_E_NO_KEY, 1, -1, INT_MAX, INT_MIN};
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        e = good_evidence();
        ferry_evidence_signature(&e, results[i], results[i]);
        assert_false(composes_valid(&e));
        assert_true(e.signature != FERRY_EVIDENCE_SIGNED);
        assert_true(e.signature_inverse != ~FERRY_EVIDENCE_SIGNED);
    }
    for (unsigned bit = 0; bit < 8 * FERRY_IMAGE_DIGEST_MAX; bit++) {
        e = good_evidence();
        e.computed[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(composes_valid(&e)); /* the second comparison alone sees it */
        assert_true(ferry_evidence_compare(&e) != 0);
        assert_false(composes_valid(&e));
    }
    for (unsigned bit = 0; bit < 32; bit++) {
        uint32_t mask = 1U << bit;
        e = good_evidence();
        e.difference ^= mask;
        assert_false(composes_valid(&e));
        e = good_evidence();
        e.signature ^= mask;
        assert_false(composes_valid(&e));
        e = good_evidence();
        e.signature_inverse ^= mask;
        assert_false(composes_valid(&e));
        e = good_evidence();
        e.difference ^= mask; /* two faults must not cancel out */
        e.signature ^= mask;
        assert_false(composes_valid(&e));
    }
}

static void verdict_needs_both_words(void **state)
{
    (void)state;
    struct ferry_verdict v = {FERRY_VALID, ~FERRY_VALID};
    assert_true(ferry_verdict_is_valid(&v));
    static const struct ferry_verdict others[] = {
        {0, 0},
        {FERRY_VALID, 0},
        {0, ~FERRY_VALID},
        {FERRY_VALID, FERRY_VALID},
        {UINT32_MAX, 0},
        {~FERRY_VALID, FERRY_VALID},
        {1, 1},
        {UINT32_MAX, UINT32_MAX},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(ferry_verdict_is_valid(&others[i]));
    }
    for (unsigned bit = 0; bit < 64; bit++) {
        v = (struct ferry_verdict){FERRY_VALID, ~FERRY_VALID};
        *(bit < 32 ? &v.valid : &v.check) ^= 1U << bit % 32;
        assert_false(ferry_verdict_is_valid(&v));
    }
}

/* ---- Flash that fails ------------------------------------------------------------------- */

struct flaky {
    const uint8_t *bytes;
    int fail_at; /* the read that fails, counted from 1 */
    int reads;
};

static int flaky_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    struct flaky *flaky = (struct flaky *)flash->context;
    flaky->reads++;
    if (flaky->reads == flaky->fail_at) {
        return FERRY_E_FLASH;
    }
    memcpy(data, flaky->bytes + offset, len);
    return FERRY_OK;
}

/* Every read of a verification fails once: the error comes out, and nothing is valid. Returns how
 * many reads there are. */
static int fail_every_read(size_t size)
{
    static const struct ferry_flash_ops ops = {.read = flaky_read};
    struct flaky flaky = {.bytes = image, .fail_at = 0};
    const struct ferry_flash flash = {.ops = &ops,
                                      .context = &flaky,
                                      .size = (uint32_t)size,
                                      .write_size = 1,
                                      .erased_value = 0xff,
                                      .run_count = 1,
                                      .runs = {{1, (uint32_t)size}}};
    for (int failures = 0;; failures++) {
        uint8_t buf[64];
        struct ferry_image_info info;
        struct ferry_verdict verdict;
        flaky.fail_at++;
        flaky.reads = 0;
        int rc = ferry_image_verify(&flash, test_trust(TEST_KEY_ED25519), buf, sizeof buf, NULL,
                                    NULL, &info, &verdict);
        if (flaky.reads < flaky.fail_at) {
            assert_int_equal(rc, FERRY_OK);
            return failures;
        }
        assert_int_equal(rc, FERRY_E_FLASH);
        assert_false(ferry_verdict_is_valid(&verdict));
    }
}

static void every_read_may_fail(void **state)
{
    (void)state;
    const struct test_image_spec plain = {
        .key = TEST_KEY_ED25519, .header_size = 32, .payload_size = 50};
    int by_hash = fail_every_read(build(&plain));

    const struct test_key *key = &test_keys[TEST_KEY_ED25519];
    struct test_image_spec spec = {.key = TEST_KEY_NONE, .header_size = 32, .payload_size = 50};
    build(&spec);
    uint8_t digest[32];
    uint8_t signature[104];
    test_sha256(image, 82, digest);
    assert_int_equal(test_sign(TEST_KEY_ED25519, digest, 32, signature), 64);
    const struct test_tlv tlvs[] = {{FERRY_TLV_PUBKEY, 44, key->public_der},
                                    {FERRY_TLV_ED25519, 64, signature}};
    spec.unprotected_tlvs = tlvs;
    spec.unprotected_count = 2;
    int by_key = fail_every_read(build(&spec));
    printf("%d and %d reads failed\n", by_hash, by_key);
    assert_true(by_hash > 12 && by_key > 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifiers_know_their_keys),
        cmocka_unit_test(a_short_modulus_does_not_fit),
        cmocka_unit_test(signatures_have_their_length),
        cmocka_unit_test(only_ok_is_ok),
        cmocka_unit_test(evidence_of_every_length),
        cmocka_unit_test(verdict_needs_every_piece),
        cmocka_unit_test(verdict_needs_both_words),
        cmocka_unit_test(every_read_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
