/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader without power cuts: what every flow does, and what it says of it. */
#include "boot_bench.h"
#include "core/boot/swap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

static void confirm(struct bench *bench)
{
    assert_int_equal(ferry_slots_confirm(&bench->device.image.slots), FERRY_OK);
}

/* ---- The ordinary life ------------------------------------------------------------------- */

static void test_nothing_asked_writes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < STRATEGIES; i++) {
        struct bench bench;

        bench_init(&bench, &bench_geometry, strategies[i]);
        bench_upload(&bench);
        bench_expect_idle(&bench);
        assert_true(runs(&bench, &bench.device.old) && keeps(&bench, &bench.device.new));
        assert_int_equal(bench.report.image_count, 1);
        assert_int_equal(bench.report.images[0].info.size, bench.device.old.size);
        assert_int_equal(bench.report.images[0].info.header.version.major, 1);
        assert_int_equal(bench.device.nothing_runs, 0);
        assert_int_equal(bench.device.progresses, 0);
        assert_true(bench.device.feeds >= bench.device.old.size / sizeof(bench.device.buf));
        bench_free(&bench);
    }
}

static void test_test_then_confirm(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    assert_true(runs(&bench, &bench.device.new) && keeps(&bench, &bench.device.old));
    assert_int_equal(bench.report.images[0].next, FERRY_SWAP_REVERT);
    assert_int_equal(bench.report.images[0].info.header.version.major, 2);
    assert_int_equal(bench.device.progresses, 3 * 4);
    confirm(&bench);
    bench_expect_idle(&bench);
    bench_expect_idle(&bench);
    assert_true(runs(&bench, &bench.device.new) && keeps(&bench, &bench.device.old));
    bench_free(&bench);
}

static void test_test_without_confirm_reverts(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
    assert_true(runs(&bench, &bench.device.old) && keeps(&bench, &bench.device.new));
    assert_int_equal(bench.report.images[0].next, FERRY_SWAP_NONE);
    assert_int_equal(bench.report.images[0].info.header.version.major, 1);
    bench_expect_idle(&bench);
    /* And the same image may be asked for again. */
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    assert_true(runs(&bench, &bench.device.new));
    bench_free(&bench);
}

static void test_permanent_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < STRATEGIES; i++) {
        struct bench bench;

        bench_init(&bench, &bench_geometry, strategies[i]);
        bench_upload(&bench);
        bench_request(&bench, true);
        bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
        assert_true(runs(&bench, &bench.device.new));
        assert_int_equal(keeps(&bench, &bench.device.old), strategies[i]->traits->keeps_old);
        bench_expect_idle(&bench);
        assert_true(runs(&bench, &bench.device.new));
        bench_free(&bench);
    }
}

/* There is no way back from overwrite, so a test is for good; its report says so. */
static void test_overwrite_has_no_test(void **state)
{
    struct bench bench;
    struct ferry_boot_image_report *image = &bench.report.images[0];

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_overwrite);
    bench_upload(&bench);
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
    assert_int_equal(image->next, FERRY_SWAP_NONE);
    assert_int_equal(
        ferry_flash_is_erased(&bench.device.secondary.ram.flash, 0, bench_geometry.sector_size), 1);
    bench_expect_idle(&bench);
    bench_free(&bench);
}

/* Only the sectors that the image uses are erased and written, and the two ends of the slot. */
static void test_overwrite_touches_only_what_it_uses(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_overwrite);
    bench_upload(&bench);
    bench_request(&bench, true);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
    /* Two old sectors were not erased; the secondary's header and trailer. */
    assert_int_equal(bench.device.primary.counter.counts.erases, 2);
    assert_int_equal(bench.device.secondary.counter.counts.erases, 2);
    assert_int_equal(bench.device.primary.counter.counts.bytes_programmed,
                     ferry_align_up(bench.device.new.size, 8));
    bench_free(&bench);
}

/* ---- Sizes ------------------------------------------------------------------------------------
 */

static void swap_there_and_back(const struct fault_geometry *geometry, size_t old, size_t new)
{
    struct bench bench;

    bench_init(&bench, geometry, &ferry_boot_swap_move);
    bench.device.old = bench_image(&bench, 1, old);
    bench.device.new = bench_image(&bench, 2, new);
    fault_device_load(&bench.device.primary, &bench.device.old);
    fault_device_load(&bench.device.secondary, &bench.device.new);
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    assert_true(runs(&bench, &bench.device.new) && keeps(&bench, &bench.device.old));
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
    assert_true(runs(&bench, &bench.device.old) && keeps(&bench, &bench.device.new));
    bench_expect_idle(&bench);
    bench_free(&bench);
}

static void test_images_of_different_length(void **state)
{
    const struct fault_geometry many = {.sector_size = 256,
                                        .primary_sectors = 240,
                                        .secondary_sectors = 240,
                                        .max_sectors = 240,
                                        .max_align = 8,
                                        .write_size = 8,
                                        .erased_value = 0xff};

    (void)state;
    swap_there_and_back(&many, 100 * 256, 200 * 256);
    swap_there_and_back(&many, 200 * 256, 100 * 256);
    swap_there_and_back(&many, 200 * 256 - 1, 100 * 256 + 1);
    swap_there_and_back(&many, 73, 200 * 256);
}

static void test_the_largest_image(void **state)
{
    uint32_t tried = 0;

    (void)state;
    for (size_t i = 0; i < STRATEGIES; i++) {
        for (uint32_t less = 0; less < 2; less++) {
            struct bench bench;
            struct fault_geometry geometry = bench_geometry;

            geometry.secondary_sectors -= less;
            bench_init(&bench, &geometry, strategies[i]);
            uint32_t max = ferry_slots_max_image(&bench.device.image.slots);
            bench.device.old = bench_image(&bench, 1, max);
            bench.device.new = bench_image(&bench, 2, max);
            fault_device_load(&bench.device.primary, &bench.device.old);
            fault_device_load(&bench.device.secondary, &bench.device.new);
            bench_request(&bench, true);
            bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
            assert_true(runs(&bench, &bench.device.new));
            bench_expect_idle(&bench);
            bench_free(&bench);
            tried++;
        }
    }
    assert_int_equal(tried, 4);
}

/* Slots in flash of two kinds: other erased value and write size in the secondary. */
static void test_slots_in_different_flash(void **state)
{
    (void)state;
    for (size_t i = 0; i < STRATEGIES; i++) {
        struct bench bench;
        struct fault_slot *secondary = &bench.device.secondary;

        bench_init(&bench, &bench_geometry, strategies[i]);
        secondary->ram.flash.erased_value = 0x00;
        secondary->ram.flash.write_size = 1;
        secondary->rules.erased_value = 0x00;
        secondary->rules.write_size = 1;
        ferry_flash_counter_init(&secondary->counter, &secondary->rules, NULL);
        ferry_flash_cutter_init(&secondary->cutter, &secondary->counter.flash, &bench.device.power);
        bench_upload(&bench);
        bench_request(&bench, false);
        bench_expect(&bench, FERRY_OK,
                     strategies[i]->traits->reverts ? FERRY_BOOT_TESTING : FERRY_BOOT_UPGRADED,
                     FERRY_OK);
        assert_true(runs(&bench, &bench.device.new));
        assert_int_equal(keeps(&bench, &bench.device.old), strategies[i]->traits->keeps_old);
        bench_free(&bench);
    }
}

/* ---- When the primary does not verify ------------------------------------------------------- */

static void test_an_empty_primary_takes_a_good_secondary(void **state)
{
    const struct fault_image nothing = {NULL, 0};

    (void)state;
    for (size_t i = 0; i < STRATEGIES; i++) {
        struct bench bench;

        bench_init(&bench, &bench_geometry, strategies[i]);
        bench_upload(&bench);
        fault_device_load(&bench.device.primary, &nothing);
        bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_E_MAGIC);
        assert_true(runs(&bench, &bench.device.new));
        assert_int_equal(bench.report.images[0].next, FERRY_SWAP_NONE);
        bench_expect_idle(&bench);
        bench_free(&bench);
    }
}

/* The confirmed image died; the one before it is still there. */
static void test_a_dead_primary_falls_back_to_the_old_image(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench_request(&bench, true);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
    bench.device.primary.memory[900] ^= 1;
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_E_DIGEST);
    assert_true(runs(&bench, &bench.device.old));
    assert_int_equal(bench.report.images[0].info.header.version.major, 1);
    assert_int_equal(bench_primary_trailer(&bench).image_ok, FERRY_SET);
    bench_expect_idle(&bench);
    bench_free(&bench);
}

/* The policy is about a working primary. */
static void test_a_fallback_is_no_downgrade(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench.device.image.slots.policy = &test_policy_newer;
    bench_upload(&bench);
    bench_request(&bench, true);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
    bench.device.primary.memory[900] ^= 1;
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_E_DIGEST);
    assert_true(runs(&bench, &bench.device.old));
    bench_free(&bench);
}

static struct bench *victim;

/* A swap whose copy goes wrong without anyone noticing, in its last step. */
static int step_and_damage(const struct ferry_boot_swap *swap, uint32_t n)
{
    int rc = ferry_boot_swap_move.plan->step(swap, n);

    if (victim != NULL && n + 1 == ferry_boot_swap_move.plan->count(swap)) {
        victim->device.primary.memory[300] ^= 4;
        victim = NULL;
    }
    return rc;
}

static void test_a_swap_that_went_wrong_is_undone_in_the_same_boot(void **state)
{
    struct bench bench;
    struct ferry_boot_strategy careless = ferry_boot_swap_move;
    struct ferry_boot_plan plan = *ferry_boot_swap_move.plan;

    (void)state;
    plan.step = step_and_damage;
    careless.plan = &plan;
    bench_init(&bench, &bench_geometry, &careless);
    bench_upload(&bench);
    bench_request(&bench, false);
    victim = &bench;
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_E_DIGEST);
    assert_true(runs(&bench, &bench.device.old));
    bench_expect_idle(&bench);
    bench_free(&bench);
}

static void test_nothing_to_run_stops(void **state)
{
    const struct fault_image nothing = {NULL, 0};

    (void)state;
    for (size_t i = 0; i < STRATEGIES; i++) {
        struct bench bench;

        bench_init(&bench, &bench_geometry, strategies[i]);
        bench_upload(&bench);
        bench.device.primary.memory[500] ^= 1;
        bench.device.secondary.memory[500] ^= 1;
        bench_expect(&bench, FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, FERRY_E_DIGEST);
        assert_int_equal(bench.device.nothing_runs, 1);
        assert_int_equal(bench.device.power.operations, 0);
        fault_device_load(&bench.device.primary, &nothing);
        fault_device_load(&bench.device.secondary, &nothing);
        bench_expect(&bench, FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, FERRY_E_MAGIC);
        assert_int_equal(bench.device.nothing_runs, 2);
        assert_int_equal(bench.device.power.operations, 0);
        bench_free(&bench);
    }
}

/* ---- Several images, hooks --------------------------------------------------------------------
 */

static void test_two_images(void **state)
{
    struct bench a;
    struct bench b;
    struct ferry_boot_image pair[2];
    struct ferry_boot_report report;

    (void)state;
    bench_init(&a, &bench_geometry, &ferry_boot_swap_move);
    bench_init(&b, &bench_geometry, &ferry_boot_overwrite);
    bench_upload(&a);
    bench_upload(&b);
    bench_request(&a, false);
    bench_request(&b, true);
    b.device.secondary.memory[333] ^= 1;
    pair[0] = a.device.image;
    pair[1] = b.device.image;
    a.device.config.images = pair;
    a.device.config.image_count = 2;
    a.device.hooks.progress = NULL;
    assert_int_equal(ferry_boot_run(&a.device.config, &report), FERRY_OK);
    assert_int_equal(report.image_count, 2);
    assert_int_equal(report.images[0].action, FERRY_BOOT_TESTING);
    assert_int_equal(report.images[1].action, FERRY_BOOT_REFUSED);
    assert_int_equal(report.images[1].reason, FERRY_E_DIGEST);
    assert_true(runs(&a, &a.device.new) && runs(&b, &b.device.old));

    /* One that may not run stops the whole. */
    b.device.primary.memory[333] ^= 1;
    assert_int_equal(ferry_boot_run(&a.device.config, &report), FERRY_E_NO_IMAGE);
    assert_int_equal(report.images[0].action, FERRY_BOOT_REVERTED);
    assert_int_equal(report.images[1].action, FERRY_BOOT_STOPPED);
    assert_int_equal(a.device.nothing_runs, 1);
    bench_free(&a);
    bench_free(&b);
}

static void test_hooks_may_be_missing(void **state)
{
    static const struct ferry_boot_hooks none = {NULL, NULL, NULL, NULL};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct bench bench;

        bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
        bench.device.config.hooks = i == 0 ? NULL : &none;
        bench_upload(&bench);
        bench_request(&bench, false);
        bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
        bench.device.primary.memory[100] ^= 1;
        bench.device.secondary.memory[100] ^= 1;
        bench_expect(&bench, FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, FERRY_E_DIGEST);
        bench_free(&bench);
    }
}

/* A long copy or digest is fed often enough for a watchdog: at least once a sector and once a
 * buffer. */
static void test_the_watchdog_is_fed(void **state)
{
    struct bench bench;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench_request(&bench, false);
    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    assert_true(bench.device.feeds >= 12 + 2 * bench.device.new.size / sizeof(bench.device.buf));
    bench_free(&bench);
}

/* ---- Configuration ------------------------------------------------------------------------------
 */

static void expect_config(struct bench *bench, int error)
{
    fault_device_power_on(&bench->device, 0, FAULT_BEFORE);
    assert_int_equal(fault_device_boot(&bench->device, &bench->report), error);
    assert_int_equal(bench->device.power.operations, 0);
    assert_int_equal(bench->report.images[0].action, FERRY_BOOT_STOPPED);
    assert_int_equal(bench->report.images[0].reason, error);
    assert_int_equal(bench->report.image_count, 0);
}

static void test_configuration_errors(void **state)
{
    struct bench bench;
    struct fault_device *device = &bench.device;
    struct ferry_boot_config good;
    struct ferry_boot_image image;

    (void)state;
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    bench_upload(&bench);
    bench_request(&bench, false);
    good = device->config;
    image = device->image;
    assert_int_equal(ferry_boot_run(NULL, &bench.report), FERRY_E_CONFIG);

#define EXPECT(change, error)                                                                      \
    change;                                                                                        \
    expect_config(&bench, error);                                                                  \
    device->config = good;                                                                         \
    device->image = image

    EXPECT(device->config.images = NULL, FERRY_E_CONFIG);
    EXPECT(device->config.image_count = 0, FERRY_E_CONFIG);
    EXPECT(device->config.image_count = FERRY_BOOT_IMAGES + 1, FERRY_E_CONFIG);
    EXPECT(device->config.buf = NULL, FERRY_E_CONFIG);
    EXPECT(device->config.buf_size = 248, FERRY_E_CONFIG);
    EXPECT(device->config.buf_size = 260, FERRY_E_CONFIG);
    EXPECT(device->config.trust.key_count = 1, FERRY_E_CONFIG);
    EXPECT(device->config.trust.verifiers = NULL, FERRY_E_CONFIG);
    EXPECT(device->config.trust.digests = NULL, FERRY_E_CONFIG);
    EXPECT(device->config.trust.digest_count = 0, FERRY_E_CONFIG);
    EXPECT((device->image.slots.policy = &test_policy_newer, device->config.admission = NULL),
           FERRY_E_CONFIG);
    EXPECT(device->image.strategy = NULL, FERRY_E_CONFIG);
    EXPECT(device->image.strategy = &ferry_boot_overwrite, FERRY_E_CONFIG);
    EXPECT(device->image.slots.primary = NULL, FERRY_E_CONFIG);
    EXPECT(device->image.slots.secondary = NULL, FERRY_E_CONFIG);
    EXPECT(device->image.slots.max_align = 4, FERRY_E_CONFIG);
    EXPECT(device->image.slots.max_sectors = 0, FERRY_E_CONFIG);
    EXPECT(device->image.slots.max_sectors = 7, FERRY_E_LAYOUT);
#undef EXPECT

    bench_expect(&bench, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    bench_free(&bench);
}

static void test_actions_have_names(void **state)
{
    (void)state;
    assert_string_equal(ferry_boot_action_name(FERRY_BOOT_RAN), "ran");
    assert_string_equal(ferry_boot_action_name(FERRY_BOOT_UPGRADED), "upgraded");
    assert_string_equal(ferry_boot_action_name(FERRY_BOOT_TESTING), "testing");
    assert_string_equal(ferry_boot_action_name(FERRY_BOOT_REVERTED), "reverted");
    assert_string_equal(ferry_boot_action_name(FERRY_BOOT_REFUSED), "refused");
    assert_string_equal(ferry_boot_action_name(FERRY_BOOT_STOPPED), "stopped");
    assert_string_equal(ferry_boot_action_name((enum ferry_boot_action)77), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_asked_writes_nothing),
        cmocka_unit_test(test_test_then_confirm),
        cmocka_unit_test(test_test_without_confirm_reverts),
        cmocka_unit_test(test_permanent_stays),
        cmocka_unit_test(test_overwrite_has_no_test),
        cmocka_unit_test(test_overwrite_touches_only_what_it_uses),
        cmocka_unit_test(test_images_of_different_length),
        cmocka_unit_test(test_the_largest_image),
        cmocka_unit_test(test_slots_in_different_flash),
        cmocka_unit_test(test_an_empty_primary_takes_a_good_secondary),
        cmocka_unit_test(test_a_dead_primary_falls_back_to_the_old_image),
        cmocka_unit_test(test_a_fallback_is_no_downgrade),
        cmocka_unit_test(test_a_swap_that_went_wrong_is_undone_in_the_same_boot),
        cmocka_unit_test(test_nothing_to_run_stops),
        cmocka_unit_test(test_two_images),
        cmocka_unit_test(test_hooks_may_be_missing),
        cmocka_unit_test(test_the_watchdog_is_fed),
        cmocka_unit_test(test_configuration_errors),
        cmocka_unit_test(test_actions_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
