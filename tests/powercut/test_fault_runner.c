/* SPDX-License-Identifier: Apache-2.0 */
/* The power-cut runner itself: it finds what is wrong, counts what it does, and does not pass by
 * doing nothing. */
#define _POSIX_C_SOURCE 200809L /* unsetenv */

#include "boot_flows.h"
#include "core/boot/swap.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct flow_images large;

/* The power that fails right behind copy_done is the only single cut after which an update that
 * was asked for is taken back without having run. */
static void test_lost_updates_are_counted(void **state)
{
    struct fault_geometry geometry = flow_geometry(9, 8, 0xff);
    struct fault_device device;
    struct fault_result result = {0};

    (void)state;
    flow_use(&large);
    fault_device_init(&device, &geometry, &ferry_boot_swap_move);
    fault_run(&device, &flows[FLOW_TEST].flow, "lost-updates", false, FAULT_TORN, false, &result);
    fault_device_free(&device);
    assert_true(result.cuts > 0);
    assert_int_equal(result.bricks, 0);
    assert_int_equal(result.old, 1);
}

/* ---- Seeded defects: the runner must find them -------------------------------------------------
 */

/* Says that the copy is done before it is. */
static int run_done_first(struct ferry_boot_swap *swap)
{
    struct ferry_trailer trailer;
    int rc = ferry_trailer_read(swap->slots->primary, swap->slots->max_align, &trailer);

    if (rc == FERRY_OK && trailer.copy_done == FERRY_UNSET) {
        rc = ferry_trailer_write_copy_done(swap->slots->primary, swap->slots->max_align);
    }
    return rc != FERRY_OK ? rc : ferry_boot_swap_move.plan->run(swap);
}

/* Makes the records count before they are complete: the size is missing. */
static int begin_magic_first(struct ferry_boot_swap *swap)
{
    const struct ferry_slots *slots = swap->slots;
    const struct ferry_flash *primary = slots->primary;
    uint8_t size[4];
    int rc = ferry_boot_erase_trailer(swap, primary);

    swap->done = 0;
    ferry_store_le32(size, swap->size);
    if (rc == FERRY_OK) {
        rc = ferry_trailer_write_magic(primary, slots->max_align);
    }
    if (rc == FERRY_OK) {
        rc = ferry_boot_erase_trailer(swap, slots->secondary);
    }
    if (rc == FERRY_OK) {
        rc = ferry_trailer_write_swap_info(primary, slots->max_align, 0, swap->type);
    }
    if (rc == FERRY_OK) {
        rc = ferry_flash_program_padded(primary, primary->size - swap->layout.swap_size, size, 4);
    }
    return rc;
}

/* Forgets the records and begins at the first step again. */
static int resume_from_zero(struct ferry_boot_swap *swap)
{
    int rc = ferry_boot_swap_move.plan->resume(swap);

    swap->done = rc == 1 && swap->done > 0 ? 1 : swap->done;
    return rc;
}

/* Erases the source before the copy has been verified. */
static int run_empties_first(struct ferry_boot_swap *swap)
{
    int rc = ferry_boot_move(swap, swap->slots->secondary, 0, swap->slots->primary, 0, FLOW_SECTOR);

    if (rc == FERRY_OK) {
        rc = ferry_boot_erase(swap, swap->slots->secondary, 0, 1);
    }
    for (uint32_t at = FLOW_SECTOR; rc == FERRY_OK && at < swap->size; at += FLOW_SECTOR) {
        rc = ferry_boot_move(swap, swap->slots->secondary, at, swap->slots->primary, at,
                             FLOW_SECTOR);
    }
    return rc != FERRY_OK ? rc : ferry_boot_erase_ends(swap, swap->slots->secondary);
}

/* Erases what is erased, which wears the flash out. */
static int run_erases_in_vain(struct ferry_boot_swap *swap)
{
    const struct ferry_flash *secondary = swap->slots->secondary;
    int rc = ferry_boot_overwrite.plan->run(swap);

    return rc != FERRY_OK ? rc : ferry_flash_erase(secondary, 0, FLOW_SECTOR);
}

static void expect_findings(const char *name, struct ferry_boot_strategy defect,
                            const struct fault_flow *flow)
{
    struct fault_geometry geometry = flow_geometry(9, 8, 0xff);
    struct fault_device device;
    struct fault_result result = {0};

    flow_use(&large);
    fault_device_init(&device, &geometry, &defect);
    fault_run(&device, flow, name, false, FAULT_TORN, true, &result);
    fault_device_free(&device);
    printf("seeded defect %-22s %4llu cuts %4llu found\n", name, (unsigned long long)result.cuts,
           (unsigned long long)result.bricks);
    assert_true(result.bricks > 0);
    assert_true(result.cuts > 0);
}

static void test_the_runner_finds_seeded_defects(void **state)
{
    struct ferry_boot_strategy defect = ferry_boot_swap_move;
    struct ferry_boot_plan plan = *ferry_boot_swap_move.plan;

    defect.plan = &plan;

    (void)state;
    plan.run = run_done_first;
    expect_findings("copy_done first", defect, &flows[FLOW_TEST].flow);
    plan = *ferry_boot_swap_move.plan;
    plan.begin = begin_magic_first;
    expect_findings("magic first", defect, &flows[FLOW_PERMANENT].flow);
    plan = *ferry_boot_swap_move.plan;
    plan.resume = resume_from_zero;
    expect_findings("records forgotten", defect, &flows[FLOW_PERMANENT].flow);
    defect = ferry_boot_overwrite;
    plan = *ferry_boot_overwrite.plan;
    defect.plan = &plan;
    plan.run = run_empties_first;
    expect_findings("source emptied first", defect, &flows[FLOW_PERMANENT].flow);
    plan = *ferry_boot_overwrite.plan;
    plan.run = run_erases_in_vain;
    expect_findings("erases in vain", defect, &flows[FLOW_PERMANENT].flow);
}

/* A campaign in which no operation can be cut proves nothing; fault_run() says so by its count. */
static void test_no_operation_means_no_cut(void **state)
{
    struct fault_geometry geometry = flow_geometry(9, 8, 0xff);
    struct fault_device device;
    struct fault_result result = {0};

    (void)state;
    flow_use(&large);
    fault_device_init(&device, &geometry, &ferry_boot_swap_move);
    fault_run(&device, &flow_idle, "idle", false, FAULT_WAYS, true, &result);
    fault_device_free(&device);
    assert_int_equal(result.operations, 0);
    assert_int_equal(result.cuts, 0);
    assert_int_equal(result.bricks, 0);
}

static int make_all(void **state)
{
    (void)state;
    /* These tests choose their cuts themselves. */
    unsetenv("FERRY_FAULT");
    flow_make_images(&large, 3 * FLOW_SECTOR - 60, 5 * FLOW_SECTOR - 200, TEST_KEY_NONE);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lost_updates_are_counted),
        cmocka_unit_test(test_the_runner_finds_seeded_defects),
        cmocka_unit_test(test_no_operation_means_no_cut),
    };

    return cmocka_run_group_tests(tests, make_all, NULL);
}
