/* SPDX-License-Identifier: Apache-2.0 */
/* With the chips' crypto port: what opening a content key and reading through a cipher leave on the
 * stack. Each runs on a stack of its own, which is searched afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/encrypted.h"
#include "test_image.h"

#include <stdio.h>
#include <string.h>
#include <ucontext.h>

static uint8_t stack[256 * 1024];
static ucontext_t outside;
static ucontext_t inside;

/* Run a function on the stack above, which is filled with a pattern before. */
static void run(void (*function)(void))
{
    memset(stack, 0x5e, sizeof stack);
    assert_int_equal(getcontext(&inside), 0);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = sizeof stack;
    inside.uc_link = &outside;
    makecontext(&inside, function, 0);
    assert_int_equal(swapcontext(&outside, &inside), 0);
}

/* How many bytes of the stack were written. */
static size_t depth(void)
{
    size_t untouched = 0;
    while (untouched < sizeof stack && stack[untouched] == 0x5e) {
        untouched++;
    }
    return sizeof stack - untouched;
}

/* Whether any eight bytes of the secret in a row stand on the stack, in either order. */
static bool leaks(const uint8_t *secret, size_t len)
{
    for (size_t at = 0; at + 8 <= len; at++) {
        uint8_t turned[8];
        for (size_t i = 0; i < 8; i++) {
            turned[i] = secret[at + 7 - i];
        }
        for (size_t i = 0; i + 8 <= sizeof stack; i++) {
            if (memcmp(stack + i, secret + at, 8) == 0 || memcmp(stack + i, turned, 8) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* ---- Content keys ------------------------------------------------------------------------- */

static struct {
    const struct ferry_image_unwrapper *unwrapper;
    enum test_wrap wrap;
    uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
    size_t len;
    struct ferry_content_key key;
    int rc;
} job;

static void unwrap(void)
{
    job.rc = job.unwrapper->unwrap(&test_wraps[job.wrap].secret, job.wrapped, job.len, &job.key);
}

/* Where the private key's own bytes stand in its form. */
static void private_bytes(enum test_wrap wrap, const uint8_t **bytes, size_t *len)
{
    const struct ferry_image_secret *secret = &test_wraps[wrap].secret;
    *bytes = secret->bytes;
    *len = secret->len;
    if (wrap == TEST_WRAP_EC256) {
        *bytes += 36;
        *len = 32;
    } else if (wrap != TEST_WRAP_KW && wrap != TEST_WRAP_RSA2048) {
        *bytes += 16;
        *len = 32;
    } else if (wrap == TEST_WRAP_RSA2048) {
        *bytes += 4 + 3 + 4 + 257 + 5; /* behind modulus and public exponent: d */
        *len = 260;
    }
}

/* The secret that both sides of an ECIES share. */
static size_t shared_secret(enum test_wrap wrap, uint8_t shared[32])
{
    const uint8_t *scalar;
    size_t len;
    private_bytes(wrap, &scalar, &len);
    if (wrap == TEST_WRAP_EC256) {
        assert_int_equal(ferry_crypto_p256_ecdh(scalar, job.wrapped, shared), FERRY_OK);
        return 32;
    }
    if (wrap == TEST_WRAP_X25519 || wrap == TEST_WRAP_X25519_SHA512) {
        assert_int_equal(ferry_crypto_x25519(scalar, job.wrapped, shared), FERRY_OK);
        return 32;
    }
    return 0;
}

static void unwrapping_leaves_nothing(void **state)
{
    (void)state;
    const struct ferry_image_secrets *all = test_secrets(false);
    for (size_t i = 0; i < all->unwrapper_count; i++) {
        const uint8_t plain[32] = {0x91, 0x0e, 0x3d, 0x77, 0xc2, 0x5b, 0xa8, 0x14, 0xf6, 0x69, 0x20,
                                   0xbd, 0x83, 0x4a, 0xe1, 0x3c, 0x58, 0x07, 0x9f, 0xd0, 0x2e, 0x71,
                                   0xb4, 0xcb, 0x16, 0x65, 0xf8, 0xa3, 0x8d, 0x42, 0xe7, 0x39};
        const uint8_t *private_key;
        size_t private_len;
        uint8_t shared[32];
        job.unwrapper = all->unwrappers[i];
        job.wrap = (enum test_wrap)(job.unwrapper->tlv - 0x30 + TEST_WRAP_RSA2048);
        assert_int_equal(test_wraps[job.wrap].tlv, job.unwrapper->tlv);
        job.len = test_wrap_key(job.wrap, plain, sizeof plain, job.wrapped);
        run(unwrap);
        size_t used = depth();
        assert_int_equal(job.rc, FERRY_OK);
        assert_memory_equal(job.key.bytes, plain, sizeof plain);
        assert_true(used > 200);
        private_bytes(job.wrap, &private_key, &private_len);
        printf("%s: %zu bytes of stack\n", job.unwrapper->name, used);
        assert_false(leaks(plain, sizeof plain));
        assert_false(leaks(private_key, private_len));
        assert_false(leaks(shared, shared_secret(job.wrap, shared)));
    }
}

/* ---- Reading through a cipher -------------------------------------------------------------- */

static struct ferry_flash_cipher cipher;
static uint8_t payload[1024];

static void read_payload(void)
{
    job.rc = ferry_flash_read(&cipher.flash, 3, payload, 1000);
}

static void reading_leaves_nothing(void **state)
{
    (void)state;
    uint8_t stored[1024] = {0};
    struct ferry_content_key key = {.len = 16, .bytes = "a key to be seen"};
    uint8_t expanded[64];
    TEST_ROM(rom, stored, sizeof stored);
    ferry_flash_cipher_init(&cipher, &rom.flash, 0, sizeof stored, &key);
    memcpy(expanded, cipher.aes.opaque + 2, sizeof expanded);
    run(read_payload);
    assert_int_equal(job.rc, FERRY_OK);
    printf("a read: %zu bytes of stack\n", depth());
    assert_false(leaks(key.bytes, key.len));
    assert_false(leaks(expanded, sizeof expanded));
    ferry_flash_cipher_wipe(&cipher);
}

/* ---- The search itself ---------------------------------------------------------------------- */

static const uint8_t *careless_secret;

static void careless(void)
{
    volatile uint8_t copy[32];
    for (size_t i = 0; i < sizeof copy; i++) {
        copy[i] = careless_secret[i];
    }
}

static void a_secret_that_stays_is_found(void **state)
{
    (void)state;
    careless_secret = test_wraps[TEST_WRAP_X25519].secret.bytes + 16;
    run(careless);
    assert_true(leaks(careless_secret, 32));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unwrapping_leaves_nothing),
        cmocka_unit_test(reading_leaves_nothing),
        cmocka_unit_test(a_secret_that_stays_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
