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

/* A swap that the flash stopped half-way is neither run nor forgotten. */
static void test_a_swap_stopped_by_the_flash_is_finished_later(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench_request(&bench, false);
    bench.device.primary.bad_program = 512;
    bench_expect(&bench, FERRY_E_FLASH, FERRY_BOOT_STOPPED, FERRY_E_FLASH);
    bench_expect(&bench, FERRY_E_FLASH, FERRY_BOOT_STOPPED, FERRY_E_FLASH);
    assert_true(bench.report.images[0].resumed);
    bench.device.primary.bad_program = 0;
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    assert_true(bench.report.images[0].resumed);
    assert_true(runs(&bench, &bench.device.new) && keeps(&bench, &bench.device.old));
    bench_free(&bench);
}

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
        /* The first record: 8 sectors, 3 states, 8 bytes, below 48 bytes of fields. */
        bench.device.primary.unreadable = (struct fault_range){4096 - 48 - 8 * 3 * 8, 8};
        fault_device_power_on(&bench.device, 0, FAULT_BEFORE);
        if (bench_primary_trailer(&bench).magic == FERRY_SET &&
            bench_secondary_trailer(&bench).magic == FERRY_UNSET &&
            bench.device.primary.memory[4096 - 48 - 8 * 3 * 8] == 1) {
            assert_int_equal(fault_device_boot(&bench.device, &bench.report), FERRY_OK);
            assert_true(bench.report.images[0].resumed);
            assert_true(runs(&bench, &bench.device.new));
            resumed++;
        }
        bench.device.primary.unreadable.len = 0;
    }
    free(start);
    print_message("%u resumes with an unreadable record\n", resumed);
    assert_true(resumed > 20);
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
        bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
        assert_true(runs(&bench, &bench.device.old));
    }
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
