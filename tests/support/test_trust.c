/* SPDX-License-Identifier: Apache-2.0 */
/* The trust of tests: one test key, or nobody; and a verification that checks itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "test_image.h"

static const struct ferry_image_verifier *const verifiers[] = {
    &ferry_verify_ecdsa_p256,  &ferry_verify_ed25519,     &ferry_verify_ecdsa_p384,
    &ferry_verify_rsa2048_pss, &ferry_verify_rsa3072_pss, &ferry_verify_ed25519_pure};
static const struct ferry_image_digest_kind *const digests[] = {
    &ferry_digest_sha256, &ferry_digest_sha384, &ferry_digest_sha512};

#define VERIFIERS (sizeof verifiers / sizeof verifiers[0])

const struct ferry_image_trust test_trust_digest_only = {.verifiers = verifiers,
                                                         .verifier_count = VERIFIERS,
                                                         .digests = digests,
                                                         .digest_count = 3,
                                                         .digest_only = true};

const struct ferry_image_trust *test_trust(enum test_key_id key)
{
    static struct ferry_image_key keys[TEST_KEY_COUNT];
    static struct ferry_image_trust trusts[TEST_KEY_COUNT];
    keys[key] = (struct ferry_image_key){test_keys[key].public_der, test_keys[key].public_len};
    trusts[key] = (struct ferry_image_trust){.keys = &keys[key],
                                             .key_count = 1,
                                             .verifiers = verifiers,
                                             .verifier_count = VERIFIERS,
                                             .digests = digests,
                                             .digest_count = 3};
    return &trusts[key];
}

int test_verify(const uint8_t *bytes, size_t size, const struct ferry_image_trust *trust)
{
    TEST_ROM(rom, bytes, size);
    uint8_t buf[512];
    struct ferry_image_info info;
    struct ferry_verdict verdict = {FERRY_VALID, ~FERRY_VALID};
    int rc = ferry_image_verify(&rom.flash, trust, buf, sizeof buf, NULL, NULL, &info, &verdict);
    assert_int_equal(ferry_verdict_is_valid(&verdict), rc == FERRY_OK);
    if (rc != FERRY_OK) {
        assert_true(verdict.valid != FERRY_VALID && verdict.check != ~FERRY_VALID);
    }
    return rc;
}
