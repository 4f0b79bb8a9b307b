/* SPDX-License-Identifier: Apache-2.0 */
/* The arena in which Mbed TLS keeps its numbers on a chip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "arena.h"
#include "ferry/crypto.h"
#include "mbedtls_config.h"
#include "test_encrypt.h"
#include "test_image.h"

#include <stdio.h>
#include <string.h>

static void nothing_outside_of_open_and_close(void **state)
{
    (void)state;
    assert_null(ferry_arena_calloc(1, 1));
    arena_open();
    assert_non_null(ferry_arena_calloc(1, 1));
    arena_close();
    assert_null(ferry_arena_calloc(1, 1));
    ferry_arena_free(NULL);
}

static void sizes_that_do_not_fit(void **state)
{
    (void)state;
    arena_open();
    assert_null(ferry_arena_calloc(1, ARENA_SIZE + 1));
    assert_null(ferry_arena_calloc(1, ARENA_SIZE)); /* and its head */
    assert_null(ferry_arena_calloc(SIZE_MAX, 2));
    assert_null(ferry_arena_calloc(SIZE_MAX / 2 + 1, 2));
    assert_null(ferry_arena_calloc(2, SIZE_MAX));
    assert_non_null(ferry_arena_calloc(0, 5));
    assert_non_null(ferry_arena_calloc(5, 0));
    arena_close();
}

/* Blocks are zeroed, aligned, do not overlap, and all of them come back in any order. */
static void blocks_are_apart_and_come_back(void **state)
{
    (void)state;
    enum { BLOCKS = 40 };
    uint8_t *blocks[BLOCKS];
    for (int round = 0; round < 50; round++) {
        arena_open();
        size_t sizes[BLOCKS];
        uint32_t x = (uint32_t)round + 1;
        for (size_t i = 0; i < BLOCKS; i++) {
            x = x * 1664525U + 1013904223U;
            sizes[i] = 1 + (x >> 24) % 150;
            blocks[i] = ferry_arena_calloc(1, sizes[i]);
            assert_non_null(blocks[i]);
            assert_int_equal((uintptr_t)blocks[i] % 8, 0);
            assert_true(ferry_all_equal(blocks[i], sizes[i], 0));
            memset(blocks[i], (int)i + 1, sizes[i]);
        }
        for (size_t i = 0; i < BLOCKS; i++) {
            assert_true(ferry_all_equal(blocks[i], sizes[i], (uint8_t)(i + 1)));
        }
        for (size_t i = 0; i < BLOCKS; i++) {
            ferry_arena_free(blocks[(i * 7 + (size_t)round) % BLOCKS]);
        }
        assert_non_null(ferry_arena_calloc(1, ARENA_SIZE - 64)); /* in one piece again */
        arena_close();
    }
}

static void a_full_arena_says_so_and_goes_on(void **state)
{
    (void)state;
    arena_open();
    int count = 0;
    void *last = NULL;
    for (void *block; (block = ferry_arena_calloc(1, 100)) != NULL; count++) {
        last = block;
    }
    assert_true(count > ARENA_SIZE / 150);
    ferry_arena_free(last);
    assert_ptr_equal(ferry_arena_calloc(1, 100), last);
    arena_close();
}

/* Nothing of what stood there is left behind. */
static void closing_wipes(void **state)
{
    (void)state;
    arena_open();
    uint8_t *block = ferry_arena_calloc(1, 1000);
    memset(block, 0x5a, 1000);
    ferry_arena_free(block);
    arena_close();
    assert_true(ferry_all_equal(block, 1000, 0));
}

/* What the largest operations take, with an eighth to spare. It runs first: the peak is of all the
 * time before. */
static void the_largest_operations_fit(void **state)
{
    (void)state;
    uint8_t digest[32] = {1};
    uint8_t signature[TEST_SIGNATURE_MAX];
    assert_int_equal(test_sign(TEST_KEY_RSA3072, digest, 32, signature), FERRY_RSA3072_SIZE);
    assert_int_equal(ferry_crypto_rsa_pss_verify(test_keys[TEST_KEY_RSA3072].public_der + 9,
                                                 FERRY_RSA3072_SIZE, digest, signature),
                     FERRY_OK);
    printf("RSA-3072 PSS: %zu of %d bytes\n", arena_peak(), ARENA_SIZE);
    assert_true(arena_peak() > 1000);

    struct ferry_content_key content;
    uint8_t wrapped[FERRY_IMAGE_WRAPPED_MAX];
    size_t len = test_wrap_key(TEST_WRAP_RSA2048, digest, 32, wrapped);
    assert_int_equal(
        ferry_image_unwrap(test_secrets(false), FERRY_TLV_ENC_RSA2048, wrapped, len, &content),
        FERRY_OK);
    printf("and RSA-2048 OAEP: %zu\n", arena_peak());
    assert_true(arena_peak() <= ARENA_SIZE * 7 / 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_operations_fit),
        cmocka_unit_test(nothing_outside_of_open_and_close),
        cmocka_unit_test(sizes_that_do_not_fit),
        cmocka_unit_test(blocks_are_apart_and_come_back),
        cmocka_unit_test(a_full_arena_says_so_and_goes_on),
        cmocka_unit_test(closing_wipes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
