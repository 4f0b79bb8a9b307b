/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader under power cuts: every flow of every strategy, the power failing before, after
 * and inside every flash operation, and a second time after each of those. */
#include "boot_flows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct flow_images small;   /* 3 and 2 sectors: for pairs of cuts */
static struct flow_images large;   /* 3 and 5 sectors */
static struct flow_images full;    /* as large as can be */
static struct flow_images trusted; /* signed */

static const struct ferry_boot_strategy *const strategies[] = {
    &ferry_boot_swap_move, &ferry_boot_swap_shift, &ferry_boot_swap_offset, &ferry_boot_overwrite};
#define STRATEGIES (sizeof(strategies) / sizeof(strategies[0]))

/* Many rows under the same conditions. */
struct campaign {
    const char *name; /* begins the ids of its rows: no two alike */
    const struct ferry_image_trust *trust;
    bool no_downgrade;
    bool twice;
    enum fault_way ways;
    uint64_t cuts;
    uint64_t bricks;
};

static bool one_id_asked(void)
{
    return getenv("FERRY_FAULT") != NULL;
}

static void run_row(const struct flow *flow, const struct ferry_boot_strategy *strategy,
                    const struct fault_geometry *geometry, struct campaign *campaign)
{
    struct fault_device device;
    struct fault_result result = {0};
    char name[80];

    if (flow->needs_revert && !strategy->traits->reverts) {
        return;
    }
    snprintf(name, sizeof(name), "%s/%s/%s/w%u/%02x", campaign->name, strategy->traits->name,
             flow->flow.name, geometry->write_size, geometry->erased_value);
    fault_device_init(&device, geometry, strategy);
    device.config.trust = *campaign->trust;
    device.config.no_downgrade = campaign->no_downgrade;
    fault_run(&device, &flow->flow, name, campaign->twice, campaign->ways, false, &result);
    fault_device_free(&device);
    campaign->cuts += result.cuts;
    campaign->bricks += result.bricks;
    if (one_id_asked()) {
        return;
    }
    printf("%-40s %4llu operations %6llu cuts %2llu bricks %5llu end old %2u boots\n", name,
           (unsigned long long)result.operations, (unsigned long long)result.cuts,
           (unsigned long long)result.bricks, (unsigned long long)result.old, result.boots);
    assert_true(result.cuts > 0);
}

static void run_rows(const struct ferry_boot_strategy *strategy,
                     const struct fault_geometry *geometry, struct campaign *campaign)
{
    for (size_t i = 0; i < flow_count; i++) {
        run_row(&flows[i], strategy, geometry, campaign);
    }
}

static uint64_t all_cuts;
static uint64_t all_bricks;

static void finish(const struct campaign *campaign)
{
    printf("%s: %llu cuts, %llu bricks\n", campaign->name, (unsigned long long)campaign->cuts,
           (unsigned long long)campaign->bricks);
    all_cuts += campaign->cuts;
    all_bricks += campaign->bricks;
    assert_int_equal(campaign->bricks, 0);
    assert_true(campaign->cuts > 0 || one_id_asked());
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static const uint8_t write_sizes[] = {1, 8, 16, 32};
static const uint8_t erased_values[] = {0xff, 0x00};

static void run_matrix(uint32_t sectors, struct campaign *campaign)
{
    for (size_t s = 0; s < STRATEGIES; s++) {
        for (size_t w = 0; w < sizeof(write_sizes); w++) {
            for (size_t e = 0; e < sizeof(erased_values); e++) {
                struct fault_geometry geometry =
                    flow_geometry(sectors, write_sizes[w], erased_values[e]);

                run_rows(strategies[s], &geometry, campaign);
            }
        }
    }
}

static void test_one_cut(void **state)
{
    struct campaign campaign = {
        .name = "once", .trust = &test_trust_digest_only, .ways = FAULT_WAYS};

    (void)state;
    flow_use(&large);
    run_matrix(9, &campaign);
    finish(&campaign);
}

static void test_two_cuts(void **state)
{
    struct campaign campaign = {
        .name = "twice", .trust = &test_trust_digest_only, .ways = FAULT_TORN, .twice = true};

    (void)state;
    flow_use(&small);
    run_matrix(6, &campaign);
    finish(&campaign);
}

static void test_two_cuts_that_damage(void **state)
{
    struct campaign campaign = {
        .name = "damage", .trust = &test_trust_digest_only, .ways = FAULT_WAYS, .twice = true};

    (void)state;
    flow_use(&small);
    for (size_t s = 0; s < STRATEGIES; s++) {
        struct fault_geometry geometry = flow_geometry(6, 8, 0xff);

        run_rows(strategies[s], &geometry, &campaign);
    }
    finish(&campaign);
}

/* Images that fill their slots; with overwrite they share the trailer's sector. */
static void test_full_slots(void **state)
{
    struct campaign campaign = {
        .name = "full", .trust = &test_trust_digest_only, .ways = FAULT_WAYS};

    (void)state;
    for (size_t s = 0; s < STRATEGIES; s++) {
        struct fault_geometry geometry = flow_geometry(8, 8, 0xff);
        struct fault_device device;

        fault_device_init(&device, &geometry, strategies[s]);
        uint32_t max = ferry_slots_max_image(&device.image.slots);
        fault_device_free(&device);
        flow_make_images(&full, max, max, TEST_KEY_NONE);
        assert_int_equal(full.new.size, max);
        flow_use(&full);
        run_rows(strategies[s], &geometry, &campaign);
    }
    finish(&campaign);
}

static void test_one_more_sector_in_the_primary(void **state)
{
    struct campaign campaign = {
        .name = "longer", .trust = &test_trust_digest_only, .ways = FAULT_WAYS};
    struct fault_geometry geometry = flow_geometry(9, 8, 0xff);

    (void)state;
    geometry.secondary_sectors = 8;
    flow_use(&large);
    run_rows(&ferry_boot_swap_move, &geometry, &campaign);
    finish(&campaign);
}

static void test_signed_images(void **state)
{
    struct campaign campaign = {
        .name = "signed", .trust = test_trust(TEST_KEY_ED25519), .ways = FAULT_WAYS};
    struct fault_geometry geometry = flow_geometry(8, 8, 0xff);

    (void)state;
    flow_use(&trusted);
    for (size_t s = 0; s < STRATEGIES; s++) {
        run_row(&flows[FLOW_TEST], strategies[s], &geometry, &campaign);
    }
    finish(&campaign);
}

/* With a policy against downgrades a copy that was cut is still finished: what it has done so far
 * carries the new version. */
static void test_no_downgrade(void **state)
{
    struct campaign campaign = {.name = "no-downgrade",
                                .trust = &test_trust_digest_only,
                                .no_downgrade = true,
                                .ways = FAULT_WAYS,
                                .twice = true};
    struct fault_geometry geometry = flow_geometry(6, 8, 0xff);

    (void)state;
    flow_use(&small);
    for (size_t s = 0; s < STRATEGIES; s++) {
        run_row(&flows[FLOW_PERMANENT], strategies[s], &geometry, &campaign);
    }
    finish(&campaign);
}

static int make_all(void **state)
{
    (void)state;
    flow_make_images(&small, 3 * FLOW_SECTOR - 100, 2 * FLOW_SECTOR - 8, TEST_KEY_NONE);
    flow_make_images(&large, 3 * FLOW_SECTOR - 60, 5 * FLOW_SECTOR - 200, TEST_KEY_NONE);
    flow_make_images(&trusted, 2 * FLOW_SECTOR, 3 * FLOW_SECTOR, TEST_KEY_ED25519);
    return 0;
}

static int tell_all(void **state)
{
    (void)state;
    printf("total: %llu cuts, %llu bricks\n", (unsigned long long)all_cuts,
           (unsigned long long)all_bricks);
    return all_cuts > 0 && all_bricks == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_cut),
        cmocka_unit_test(test_two_cuts),
        cmocka_unit_test(test_two_cuts_that_damage),
        cmocka_unit_test(test_full_slots),
        cmocka_unit_test(test_one_more_sector_in_the_primary),
        cmocka_unit_test(test_signed_images),
        cmocka_unit_test(test_no_downgrade),
    };

    return cmocka_run_group_tests(tests, make_all, tell_all);
}
