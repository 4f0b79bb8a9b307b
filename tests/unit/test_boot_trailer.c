/* SPDX-License-Identifier: Apache-2.0 */
/* The trailers at rest, byte for byte against the table of the format, with bytes put together
 * here and not by core/image. [mcuboot-format.md §2.6] */
#include "boot_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECTORS     9
#define SECTOR      512
#define TRAILER_MAX 2048

/* The rows of the table: distances from the end of the slot. */
struct offsets {
    uint32_t max_align, image_ok, copy_done, swap_info, swap_size;
    uint8_t magic[16];
};

static const struct offsets table[] = {
    {8,
     24,
     32,
     40,
     48,
     {0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f, 0x2c, 0xb6, 0x79,
      0x80}},
    {16,
     32,
     48,
     64,
     80,
     {0x10, 0x00, 0x2d, 0xe1, 0x5d, 0x29, 0x41, 0x0b, 0x8d, 0x77, 0x67, 0x9c, 0x11, 0x0f, 0x1f,
      0x8a}},
    {32,
     64,
     96,
     128,
     160,
     {0x20, 0x00, 0x2d, 0xe1, 0x5d, 0x29, 0x41, 0x0b, 0x8d, 0x77, 0x67, 0x9c, 0x11, 0x0f, 0x1f,
      0x8a}},
};

/* What a trailer is to hold. */
struct rest {
    uint8_t swap_info;
    bool image_ok;
    bool copy_done;
    uint32_t swap_size;
    uint32_t sectors; /* swapped: its status entries */
};

static uint32_t status_units(void)
{
    return 3 * SECTORS;
}

/* The trailer of swap-move at rest. Returns its size. */
static uint32_t expected_trailer(const struct offsets *row, uint8_t write_size, uint8_t erased,
                                 const struct rest *rest, uint8_t out[TRAILER_MAX])
{
    uint32_t size = status_units() * write_size + row->swap_size;
    uint8_t *end = out + size;

    assert_true(size <= TRAILER_MAX);
    memset(out, erased, size);
    memcpy(end - 16, row->magic, 16);
    if (rest->image_ok) {
        end[-(ptrdiff_t)row->image_ok] = 1;
    }
    if (rest->copy_done) {
        end[-(ptrdiff_t)row->copy_done] = 1;
    }
    end[-(ptrdiff_t)row->swap_info] = rest->swap_info;
    for (uint32_t i = 0; i < 4; i++) {
        end[(ptrdiff_t)i - (ptrdiff_t)row->swap_size] = (uint8_t)(rest->swap_size >> (8 * i));
    }
    for (uint32_t k = 0; k < rest->sectors; k++) {
        out[k * write_size] = 1;
        out[(SECTORS + 2 * k) * write_size] = 1;
        out[(SECTORS + 2 * k + 1) * write_size] = 2;
    }
    return size;
}

static void expect_rest(const struct bench *bench, const struct offsets *row,
                        const struct rest *rest)
{
    const struct fault_geometry *geometry = &bench->device.geometry;
    const struct fault_slot *primary = &bench->device.primary;
    const struct fault_slot *secondary = &bench->device.secondary;
    uint8_t expected[TRAILER_MAX];
    uint32_t size =
        expected_trailer(row, geometry->write_size, geometry->erased_value, rest, expected);

    assert_memory_equal(primary->memory + primary->ram.flash.size - size, expected, size);
    /* In the secondary every sector of the trailer is erased. */
    size = (size + SECTOR - 1) / SECTOR * SECTOR;
    assert_int_equal(
        ferry_flash_is_erased(&secondary->ram.flash, secondary->ram.flash.size - size, size), 1);
}

static void walk_one(const struct offsets *row, uint8_t write_size, uint8_t erased)
{
    struct bench bench;
    struct fault_geometry geometry = {.sector_size = SECTOR,
                                      .primary_sectors = SECTORS,
                                      .secondary_sectors = SECTORS,
                                      .max_sectors = SECTORS,
                                      .max_align = row->max_align,
                                      .write_size = write_size,
                                      .erased_value = erased};
    struct rest rest = {.swap_info = 2, .copy_done = true, .swap_size = 1900, .sectors = 4};

    bench_init(&bench, &geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    expect_rest(&bench, row, &rest);

    /* Confirmed. */
    uint8_t *trial = fault_device_save(&bench.device);
    assert_int_equal(ferry_slots_confirm(&bench.device.image.slots), FERRY_OK);
    rest.image_ok = true;
    expect_rest(&bench, row, &rest);
    bench_expect_idle(&bench);
    expect_rest(&bench, row, &rest);

    /* Reverted instead. */
    fault_device_restore(&bench.device, trial);
    free(trial);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
    rest.swap_info = 4;
    expect_rest(&bench, row, &rest);

    /* For good. */
    bench_request(&bench, true);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
    rest.swap_info = 3;
    expect_rest(&bench, row, &rest);
    bench_free(&bench);
}

static void test_trailers_at_rest(void **state)
{
    static const uint8_t erased_values[] = {0xff, 0x00};
    uint32_t count = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        for (uint32_t write_size = 1; write_size <= table[i].max_align; write_size *= 2) {
            for (size_t e = 0; e < sizeof(erased_values); e++) {
                walk_one(&table[i], (uint8_t)write_size, erased_values[e]);
                count++;
            }
        }
    }
    print_message("%u trailers\n", count);
    assert_int_equal(count, 2 * (4 + 5 + 6));
}

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
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        for (uint32_t write_size = 1; write_size <= table[i].max_align; write_size *= 2) {
            struct bench bench;
            struct fault_geometry geometry = bench_geometry;
            uint8_t stale[160];

            geometry.max_align = table[i].max_align;
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
        cmocka_unit_test(test_trailers_at_rest),
        cmocka_unit_test(test_swap_info_has_the_image_number),
        cmocka_unit_test(test_overwrite_leaves_no_trailer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
