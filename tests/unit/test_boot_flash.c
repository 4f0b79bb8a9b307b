/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader on flash that fails: gone, worn, or unreadable where a cut has torn it. */
#include "boot_bench.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ferry_boot_strategy *const strategies[] = {&ferry_boot_swap_move,
                                                               &ferry_boot_overwrite};
#define STRATEGIES (sizeof(strategies) / sizeof(strategies[0]))

static bool runs(const struct bench *bench, const struct fault_image *image)
{
    return fault_device_holds(&bench->device.primary, image);
}

static bool keeps(const struct bench *bench, const struct fault_image *image)
{
    return fault_device_holds(&bench->device.secondary, image);
}

static void test_a_dead_secondary_does_not_stop_the_boot(void **state)
{
    (void)state;
    for (size_t i = 0; i < STRATEGIES; i++) {
        struct bench bench;

        bench_init(&bench, &bench_geometry, strategies[i]);
        bench_upload(&bench);
        bench_request(&bench, false);
        bench.device.secondary.dead = true;
        bench_expect(&bench, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
        assert_true(runs(&bench, &bench.device.old));
        bench.device.secondary.dead = false;
        bench_expect(&bench, FERRY_OK,
                     strategies[i]->traits->reverts ? FERRY_BOOT_TESTING : FERRY_BOOT_UPGRADED,
                     FERRY_OK);
        bench_free(&bench);
    }
}

static void test_a_dead_primary_flash_says_so(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench.device.primary.dead = true;
    bench_expect(&bench, FERRY_E_FLASH, FERRY_BOOT_STOPPED, FERRY_E_FLASH);
    assert_int_equal(bench.device.nothing_runs, 1);
    bench_free(&bench);
}

static void expect_failure(const struct bench *bench, enum ferry_boot_area area, uint32_t sector)
{
    const struct ferry_boot_failure *failure = &bench->report.images[0].failure;

    assert_string_equal(ferry_boot_area_name(failure->area), ferry_boot_area_name(area));
    assert_int_equal(failure->sector, sector);
}

/* A swap that the flash stopped half-way is neither run nor forgotten. */
static void test_a_swap_stopped_by_the_flash_is_finished_later(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench_request(&bench, false);
    bench.device.primary.bad_program = 512;
    /* The step that failed is tried three times, from the second on with an erase whatever the
     * sector reads; by a boot that resumes every time. */
    uint32_t needless =
        bench_expect_after_cut(&bench, FERRY_E_FLASH, FERRY_BOOT_STOPPED, FERRY_E_FLASH);
    assert_int_equal(needless, 2);
    expect_failure(&bench, FERRY_AREA_PRIMARY, 1);
    needless = bench_expect_after_cut(&bench, FERRY_E_FLASH, FERRY_BOOT_STOPPED, FERRY_E_FLASH);
    assert_int_equal(needless, 3);
    assert_true(bench.report.images[0].resumed);
    expect_failure(&bench, FERRY_AREA_PRIMARY, 1);
    assert_int_equal(bench.device.nothing_runs, 2);
    bench.device.primary.bad_program = 0;
    needless = bench_expect_after_cut(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    assert_int_equal(needless, 1);
    assert_true(bench.report.images[0].resumed);
    expect_failure(&bench, FERRY_AREA_NONE, 0);
    assert_true(runs(&bench, &bench.device.new) && keeps(&bench, &bench.device.old));
    bench_free(&bench);
}

/* Four sectors differ, three steps each. */
#define MARKS 12

/* A record that an ECC cannot read any more stands for a step that is complete. */
static void test_an_unreadable_record_counts_as_written(void **state)
{
    struct bench bench;
    uint64_t operations = 0;
    uint32_t resumed = 0;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench_request(&bench, false);
    uint8_t *start = fault_device_save(&bench.device);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    operations = bench.device.power.operations;
    for (uint64_t at = 1; at <= operations; at++) {
        fault_device_restore(&bench.device, start);
        fault_device_power_on(&bench.device, at, FAULT_BEFORE);
        assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_E_POWER);
        for (uint32_t n = 0; n < MARKS; n++) {
            uint32_t mark = 4096 - 48 - 8 * 3 * 8 + n * 8;

            /* A mark is a unit of which the first byte has every bit programmed. */
            if (bench.device.primary.memory[mark] != 0x00) {
                break;
            }
            uint8_t *cut = fault_device_save(&bench.device);
            bench.device.primary.unreadable = (struct fault_range){mark, 8};
            (void)bench_expect_after_cut(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
            assert_true(bench.report.images[0].resumed);
            assert_true(runs(&bench, &bench.device.new) && keeps(&bench, &bench.device.old));
            resumed++;
            fault_device_restore(&bench.device, cut);
            free(cut);
        }
    }
    free(start);
    print_message("%u resumes with an unreadable record\n", resumed);
    /* Each step is an erase, programs and its mark: several cuts with n marks each. */
    assert_true(resumed > MARKS * MARKS);
    bench_free(&bench);
}

/* Nothing is emptied before the copy is proved: the next boot copies again. */
static void test_a_copy_that_went_wrong_is_made_again(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_overwrite);
    bench_upload(&bench);
    bench_request(&bench, true);
    bench.device.primary.loses_bit = 512;
    bench_expect(&bench, FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, FERRY_E_DIGEST);
    assert_true(keeps(&bench, &bench.device.new));
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
    assert_true(runs(&bench, &bench.device.new));
    bench_expect_idle(&bench);
    bench_free(&bench);
}

/* A revert that was cut anywhere still says what it is. */
static void test_a_revert_that_was_cut_is_reported_as_one(void **state)
{
    struct bench bench;
    uint64_t operations = 0;
    uint32_t most = 0;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    uint8_t *trial = fault_device_save(&bench.device);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
    operations = bench.device.power.operations;
    for (uint64_t at = 1; at < operations; at++) {
        fault_device_restore(&bench.device, trial);
        fault_device_power_on(&bench.device, at, FAULT_AFTER);
        assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_E_POWER);
        uint32_t needless = bench_expect_after_cut(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
        /* The secondary's trailer and the target of one step. */
        assert_true(needless <= 2);
        most = needless > most ? needless : most;
        assert_true(runs(&bench, &bench.device.old) && keeps(&bench, &bench.device.new));
    }
    assert_int_equal(most, 2);
    assert_true(operations > 30);
    free(trial);
    bench_free(&bench);
}

/* Nor is an upgrade called a refusal because only the cleaning was left. */
static void test_an_upgrade_that_was_cut_is_reported_as_one(void **state)
{
    struct bench bench;
    uint64_t operations = 0;
    uint32_t resumed = 0;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_overwrite);
    bench_upload(&bench);
    bench_request(&bench, true);
    uint8_t *start = fault_device_save(&bench.device);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
    operations = bench.device.power.operations;
    for (uint64_t at = 1; at < operations; at++) {
        fault_device_restore(&bench.device, start);
        fault_device_power_on(&bench.device, at, FAULT_AFTER);
        assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_E_POWER);
        /* It looks again and again instead of erasing again. */
        bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
        resumed += bench.report.images[0].resumed ? 1 : 0;
        assert_true(runs(&bench, &bench.device.new));
    }
    /* Behind the record, and behind the erase of the header. */
    assert_int_equal(resumed, 2);
    free(start);
    bench_free(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_dead_secondary_does_not_stop_the_boot),
        cmocka_unit_test(test_a_dead_primary_flash_says_so),
        cmocka_unit_test(test_a_swap_stopped_by_the_flash_is_finished_later),
        cmocka_unit_test(test_an_unreadable_record_counts_as_written),
        cmocka_unit_test(test_a_copy_that_went_wrong_is_made_again),
        cmocka_unit_test(test_a_revert_that_was_cut_is_reported_as_one),
        cmocka_unit_test(test_an_upgrade_that_was_cut_is_reported_as_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
