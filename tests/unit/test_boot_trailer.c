/* SPDX-License-Identifier: Apache-2.0 */
/* What the trailers name, and that overwrite clears those of before. What is at rest byte for byte
 * is test_at_rest.c's. [mcuboot-format.md §2.6] */
#include "boot_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECTOR 512

/* Images of a second pair carry their number in swap_info. */
static void test_swap_info_has_the_image_number(void **state)
{
    struct bench a;
    struct bench b;
    struct ferry_boot_image pair[2];

    (void)state;
    bench_init(&a, &bench_geometry, &ferry_boot_swap_move);
    bench_init(&b, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&a);
    bench_upload(&b);
    bench_request(&b, false);
    pair[0] = a.device.image;
    pair[1] = b.device.image;
    pair[1].slots.number = 1;
    a.device.config.images = pair;
    a.device.config.image_count = 2;
    a.device.config.hooks = NULL;
    assert_int_equal(ferry_boot_run(&a.device.config, &a.report), FERRY_OK);
    assert_int_equal(a.report.images[1].action, FERRY_BOOT_TESTING);
    assert_int_equal(b.device.primary.memory[b.device.primary.ram.flash.size - 40], 0x12);
    bench_free(&a);
    bench_free(&b);
}

/* overwrite leaves no trailer anywhere. */
static void test_overwrite_leaves_no_trailer(void **state)
{
    uint32_t count = 0;

    (void)state;
    for (uint32_t align = 8; align <= 32; align *= 2) {
        for (uint32_t write_size = 1; write_size <= align; write_size *= 2) {
            struct bench bench;
            struct fault_geometry geometry = bench_geometry;
            uint8_t stale[160];

            geometry.max_align = align;
            geometry.write_size = (uint8_t)write_size;
            bench_init(&bench, &geometry, &ferry_boot_overwrite);
            bench_upload(&bench);
            /* Somebody's trailer of before. */
            memset(stale, 0x01, sizeof(stale));
            bench_poke(&bench.device.primary, sizeof(stale), stale, sizeof(stale));
            bench_request(&bench, false);
            bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
            assert_int_equal(
                ferry_flash_is_erased(&bench.device.primary.ram.flash, 7 * SECTOR, SECTOR), 1);
            assert_int_equal(
                ferry_flash_is_erased(&bench.device.secondary.ram.flash, 7 * SECTOR, SECTOR), 1);
            bench_free(&bench);
            count++;
        }
    }
    assert_int_equal(count, 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_swap_info_has_the_image_number),
        cmocka_unit_test(test_overwrite_leaves_no_trailer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
