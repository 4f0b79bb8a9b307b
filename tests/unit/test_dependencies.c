/* SPDX-License-Identifier: Apache-2.0 */
/* Dependencies between images, each of which changes for itself. [mcuboot-format.md §2.6] */
#include "set_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct set_rig rig;

static void begin(const struct ferry_boot_strategy *strategy)
{
    set_rig_init(&rig, strategy);
    rig.config.set = &ferry_boot_dependent;
}

static void request(uint32_t image)
{
    assert_int_equal(ferry_slots_set_pending(&rig.slots[image], true), FERRY_OK);
}

static bool is_requested(uint32_t image)
{
    struct ferry_trailer trailer;

    assert_int_equal(ferry_trailer_read(rig.slots[image].secondary, 8, &trailer), FERRY_OK);
    return trailer.magic == FERRY_SET;
}

static bool is_there(uint32_t image)
{
    struct ferry_flash_slice view;
    struct ferry_image_info info;

    return ferry_slots_view(&rig.slots[image], 1, &view, NULL) == FERRY_OK &&
           ferry_image_inspect(&view.flash, &info) == FERRY_OK;
}

/* Row by row: what image 0 needs of image 1, which versions are uploaded and asked for (0 = none),
 * and what runs afterwards. Image 1 runs in version 1. */
struct row {
    const char *name;
    struct set_need need; /* of what is uploaded for image 0 */
    uint8_t uploads[2];
    uint8_t runs[2];
    int reasons[2];
};

static const struct row rows[] = {
    {"nothing is needed", {0, 0}, {2, 0}, {2, 1}, {FERRY_OK, FERRY_OK}},
    {"what runs is enough", {1, 1}, {2, 0}, {2, 1}, {FERRY_OK, FERRY_OK}},
    {"what runs is too old", {1, 2}, {2, 0}, {1, 1}, {FERRY_E_DEPENDENCY, FERRY_OK}},
    {"it comes in the same boot", {1, 2}, {2, 2}, {2, 2}, {FERRY_OK, FERRY_OK}},
    {"what comes is newer", {1, 2}, {2, 3}, {2, 3}, {FERRY_OK, FERRY_OK}},
    {"what comes is too old", {1, 3}, {2, 2}, {1, 1}, {FERRY_E_DEPENDENCY, FERRY_E_SET}},
    {"no such image", {7, 1}, {2, 2}, {1, 1}, {FERRY_E_DEPENDENCY, FERRY_E_SET}},
    {"it needs itself, newer", {0, 3}, {2, 0}, {1, 1}, {FERRY_E_DEPENDENCY, FERRY_OK}},
};

static void check_row(const struct row *row, const struct ferry_boot_strategy *strategy)
{
    begin(strategy);
    for (uint32_t i = 0; i < SET_IMAGES; i++) {
        if (row->uploads[i] > 0) {
            set_rig_load(&rig, i, 1, row->uploads[i], i == 0 ? row->need : (struct set_need){0, 0});
            request(i);
        }
    }
    set_rig_boot(&rig, FERRY_OK, FERRY_CAUSE_OTHER);
    set_rig_expect(&rig, row->runs[0], row->runs[1], false);
    for (uint32_t i = 0; i < SET_IMAGES; i++) {
        assert_int_equal(rig.report.images[i].reason, row->reasons[i]);
        if (row->reasons[i] != FERRY_OK) {
            /* The request is gone, and the image, with which nothing is wrong, is not. */
            assert_int_equal(rig.report.images[i].action, FERRY_BOOT_REFUSED);
            assert_int_equal(rig.report.images[i].refused.major, row->uploads[i]);
            assert_false(is_requested(i));
            assert_true(is_there(i));
        }
        if (row->reasons[i] == FERRY_E_DEPENDENCY) {
            assert_int_equal(rig.report.images[i].need.image, row->need.image);
            assert_int_equal(rig.report.images[i].need.version.major, row->need.major);
        }
    }
    set_rig_boot(&rig, FERRY_OK, FERRY_CAUSE_OTHER);
    set_rig_expect(&rig, row->runs[0], row->runs[1], false);
    set_rig_expect_report(&rig, 0, FERRY_BOOT_RAN, FERRY_OK);
    set_rig_free(&rig);
}

static void test_every_row(void **state)
{
    static const struct ferry_boot_strategy *const strategies[] = {
        &ferry_boot_swap_move, &ferry_boot_swap_scratch, &ferry_boot_overwrite};

    (void)state;
    for (size_t s = 0; s < sizeof(strategies) / sizeof(strategies[0]); s++) {
        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            print_message("%s: %s\n", strategies[s]->traits->name, rows[i].name);
            check_row(&rows[i], strategies[s]);
        }
    }
}

/* What runs must keep what it needs: the image that would take it away is at fault. */
static void test_what_runs_keeps_what_it_needs(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move);
    set_rig_load(&rig, 0, 0, 1, (struct set_need){1, 3});
    set_rig_load(&rig, 1, 0, 3, (struct set_need){0, 0});
    set_rig_load(&rig, 1, 1, 2, (struct set_need){0, 0});
    request(1);
    set_rig_boot(&rig, FERRY_OK, FERRY_CAUSE_OTHER);
    set_rig_expect(&rig, 1, 3, false);
    set_rig_expect_report(&rig, 1, FERRY_BOOT_REFUSED, FERRY_E_DEPENDENCY);
    set_rig_expect_report(&rig, 0, FERRY_BOOT_RAN, FERRY_OK);
    assert_int_equal(rig.report.images[1].need.image, 1);
    assert_int_equal(rig.report.images[1].need.version.major, 3);
    set_rig_free(&rig);
}

/* An image that is refused for itself is no part of what will be there. */
static void test_a_refused_image_is_not_counted_on(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move);
    set_rig_load(&rig, 0, 1, 2, (struct set_need){1, 2});
    set_rig_load(&rig, 1, 1, 2, (struct set_need){0, 0});
    request(0);
    request(1);
    set_rig_spoil(&rig, 1, 1);
    set_rig_boot(&rig, FERRY_OK, FERRY_CAUSE_OTHER);
    set_rig_expect(&rig, 1, 1, false);
    set_rig_expect_report(&rig, 0, FERRY_BOOT_REFUSED, FERRY_E_DEPENDENCY);
    set_rig_expect_report(&rig, 1, FERRY_BOOT_REFUSED, FERRY_E_DIGEST);
    set_rig_free(&rig);
}

/* Without an upgrade dependencies are not looked at: a device does not stop for what it runs. */
static void test_without_an_upgrade_nothing_is_checked(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move);
    set_rig_load(&rig, 0, 0, 1, (struct set_need){1, 9});
    set_rig_boot(&rig, FERRY_OK, FERRY_CAUSE_OTHER);
    set_rig_expect(&rig, 1, 1, false);
    set_rig_expect_report(&rig, 0, FERRY_BOOT_RAN, FERRY_OK);
    set_rig_free(&rig);
}

/* A revert is nothing that dependencies hold up; each image has its own trial. */
static void test_each_image_has_its_own_trial(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move);
    set_rig_upload(&rig);
    assert_int_equal(ferry_slots_set_pending(&rig.slots[0], false), FERRY_OK);
    assert_int_equal(ferry_slots_set_pending(&rig.slots[1], false), FERRY_OK);
    set_rig_boot(&rig, FERRY_OK, FERRY_CAUSE_OTHER);
    set_rig_expect(&rig, 2, 2, true);
    assert_int_equal(ferry_slots_confirm(&rig.slots[0]), FERRY_OK);
    set_rig_boot(&rig, FERRY_OK, FERRY_CAUSE_OTHER);
    set_rig_expect(&rig, 2, 1, false);
    set_rig_expect_report(&rig, 1, FERRY_BOOT_REVERTED, FERRY_OK);
    set_rig_free(&rig);
}

/* Strategies that choose a slot have no request to withdraw. */
static void test_in_place_is_refused(void **state)
{
    (void)state;
    begin(&ferry_boot_direct_xip_revert);
    set_rig_boot(&rig, FERRY_E_CONFIG, FERRY_CAUSE_OTHER);
    set_rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row),
        cmocka_unit_test(test_what_runs_keeps_what_it_needs),
        cmocka_unit_test(test_a_refused_image_is_not_counted_on),
        cmocka_unit_test(test_without_an_upgrade_nothing_is_checked),
        cmocka_unit_test(test_each_image_has_its_own_trial),
        cmocka_unit_test(test_in_place_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
