/* SPDX-License-Identifier: Apache-2.0 */
/* What programs of chips have in place of a C library and of libgcc (port/freestanding), under
 * names of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#define memcpy  chip_memcpy
#define memmove chip_memmove
#define memset  chip_memset
#define memcmp  chip_memcmp
#include "port/freestanding/divide.c"
#include "port/freestanding/memory.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp

/* ---- Division ---------------------------------------------------------------------------------
 */

static void expect_division(uint32_t number, uint32_t by)
{
    uint64_t both = __aeabi_uidivmod(number, by);

    assert_int_equal((uint32_t)both, number / by);
    assert_int_equal((uint32_t)(both >> 32), number % by);
    assert_int_equal(__aeabi_uidiv(number, by), number / by);
}

static void divides_numbers_at_every_edge(void **state)
{
    static const uint32_t edges[] = {0,          1,          2,          3,          9,
                                     10,         0x3ff,      0x400,      0xffff,     0x10000,
                                     0x7fffffff, 0x80000000, 0x80000001, 0xfffffffe, 0xffffffff};
    const size_t count = sizeof(edges) / sizeof(edges[0]);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 1; j < count; j++) {
            expect_division(edges[i], edges[j]);
        }
    }
}

static void divides_any_numbers(void **state)
{
    uint32_t number = 1;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        uint32_t by = number >> (number % 32);

        number = number * 1664525U + 1013904223U;
        expect_division(number, by != 0 ? by : 1);
    }
}

static void a_division_by_zero_ends(void **state)
{
    (void)state;
    assert_int_equal(__aeabi_uidiv(7, 0), UINT32_MAX);
}

/* ---- Memory -----------------------------------------------------------------------------------
 */

static void moves_over_itself_both_ways(void **state)
{
    (void)state;
    for (size_t from = 0; from < 8; from++) {
        for (size_t to = 0; to < 8; to++) {
            char here[] = "0123456789abcdef";
            char there[] = "0123456789abcdef";

            assert_ptr_equal(chip_memmove(here + to, here + from, 8), here + to);
            memmove(there + to, there + from, 8);
            assert_string_equal(here, there);
        }
    }
}

static void copies_sets_and_compares(void **state)
{
    uint8_t bytes[4] = {1, 2, 3, 4};

    (void)state;
    assert_ptr_equal(chip_memset(bytes + 1, 0x1ff, 2), bytes + 1);
    assert_memory_equal(bytes, ((uint8_t[]){1, 0xff, 0xff, 4}), 4);
    assert_ptr_equal(chip_memcpy(bytes, "\x80\x7f", 2), bytes);
    assert_memory_equal(bytes, ((uint8_t[]){0x80, 0x7f, 0xff, 4}), 4);
    assert_true(chip_memcmp("\x80", "\x7f", 1) > 0); /* without a sign */
    assert_true(chip_memcmp("ab", "ac", 2) < 0);
    assert_int_equal(chip_memcmp("ab", "ac", 1), 0);
    assert_int_equal(chip_memcmp("a", "b", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divides_numbers_at_every_edge),
        cmocka_unit_test(divides_any_numbers),
        cmocka_unit_test(a_division_by_zero_ends),
        cmocka_unit_test(moves_over_itself_both_ways),
        cmocka_unit_test(copies_sets_and_compares),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
