/* SPDX-License-Identifier: Apache-2.0 */
/* Images that change as one: tested, confirmed and taken back together. The fault runner has the
 * same under every fault. */
#include "core/image/set_record.h"
#include "set_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define BOTH 3U

static struct set_rig rig;

static void begin(const struct ferry_boot_strategy *strategy)
{
    set_rig_init(&rig, strategy);
    set_rig_upload(&rig);
}

static void boot(void)
{
    set_rig_boot(&rig, FERRY_OK, FERRY_CAUSE_OTHER);
}

/* Both on trial. */
static void begin_trial(const struct ferry_boot_strategy *strategy)
{
    begin(strategy);
    assert_int_equal(ferry_set_request(rig.slots, SET_IMAGES, BOTH, false), FERRY_OK);
    boot();
    set_rig_expect(&rig, 2, 2, true);
    set_rig_expect_report(&rig, 0, FERRY_BOOT_TESTING, FERRY_OK);
    set_rig_expect_report(&rig, 1, FERRY_BOOT_TESTING, FERRY_OK);
}

static enum ferry_set_phase phase(void)
{
    struct ferry_set_record record;

    assert_int_equal(ferry_set_read(&rig.store, SET_IMAGES, &record), FERRY_OK);
    return record.phase;
}

static struct ferry_trailer trailer(uint32_t image, uint32_t slot)
{
    struct ferry_trailer trailer;

    assert_int_equal(ferry_trailer_read(ferry_slots_slot(&rig.slots[image], slot), 8, &trailer),
                     FERRY_OK);
    return trailer;
}

/* ---- Confirming ------------------------------------------------------------------------------ */

static const struct ferry_boot_strategy *const swaps[] = {
    &ferry_boot_swap_move, &ferry_boot_swap_scratch, &ferry_boot_swap_offset,
    &ferry_boot_swap_shift};

#define SWAPS (sizeof(swaps) / sizeof(swaps[0]))

static void test_confirmed_together(void **state)
{
    (void)state;
    for (size_t s = 0; s < SWAPS; s++) {
        begin_trial(swaps[s]);
        assert_int_equal(ferry_set_started(rig.slots, SET_IMAGES), FERRY_OK);
        assert_int_equal(ferry_set_confirm(rig.slots, SET_IMAGES), FERRY_OK);
        assert_int_equal(trailer(0, 0).image_ok, FERRY_SET);
        assert_int_equal(trailer(1, 0).image_ok, FERRY_SET);
        for (int i = 0; i < 2; i++) {
            boot();
            set_rig_expect(&rig, 2, 2, false);
            set_rig_expect_report(&rig, 0, FERRY_BOOT_RAN, FERRY_OK);
        }
        set_rig_free(&rig);
    }
}

/* The record says it first; the next boot brings the trailers after it. */
static void test_a_confirm_that_was_cut(void **state)
{
    struct ferry_set_record record;

    (void)state;
    begin_trial(&ferry_boot_swap_move);
    assert_int_equal(ferry_set_read(&rig.store, SET_IMAGES, &record), FERRY_OK);
    assert_int_equal(record.phase, FERRY_SET_TRIAL);
    record.phase = FERRY_SET_CONFIRMED;
    assert_int_equal(ferry_set_write(&rig.store, &record), FERRY_OK);
    boot();
    set_rig_expect(&rig, 2, 2, false);
    assert_int_equal(trailer(0, 0).image_ok, FERRY_SET);
    assert_int_equal(trailer(1, 0).image_ok, FERRY_SET);
    set_rig_free(&rig);
}

/* An application that does not know of sets: the trailer of image 0 speaks for all. */
static void test_image_0_decides(void **state)
{
    (void)state;
    begin_trial(&ferry_boot_swap_shift);
    assert_int_equal(ferry_slots_confirm(&rig.slots[0]), FERRY_OK);
    boot();
    set_rig_expect(&rig, 2, 2, false);
    assert_int_equal(trailer(1, 0).image_ok, FERRY_SET);
    assert_int_equal(phase(), FERRY_SET_CONFIRMED);
    set_rig_free(&rig);
}

static void test_another_image_does_not(void **state)
{
    (void)state;
    begin_trial(&ferry_boot_swap_shift);
    assert_int_equal(ferry_slots_confirm(&rig.slots[1]), FERRY_OK);
    boot();
    set_rig_expect(&rig, 1, 1, false);
    set_rig_expect_report(&rig, 0, FERRY_BOOT_REVERTED, FERRY_OK);
    set_rig_expect_report(&rig, 1, FERRY_BOOT_REVERTED, FERRY_OK);
    set_rig_free(&rig);
}

/* Of a set without image 0 the lowest image decides. */
static void test_a_set_of_image_1_alone(void **state)
{
    (void)state;
    for (int confirmed = 0; confirmed < 2; confirmed++) {
        begin(&ferry_boot_swap_move);
        assert_int_equal(ferry_set_request(rig.slots, SET_IMAGES, 2, false), FERRY_OK);
        boot();
        assert_int_equal(rig.report.images[1].info.header.version.major, 2);
        assert_int_equal(rig.report.images[1].next, FERRY_SWAP_REVERT);
        assert_int_equal(rig.report.images[0].next, FERRY_SWAP_NONE);
        if (confirmed == 1) {
            assert_int_equal(ferry_set_confirm(rig.slots, SET_IMAGES), FERRY_OK);
        }
        boot();
        set_rig_expect(&rig, 1, confirmed == 1 ? 2 : 1, false);
        set_rig_free(&rig);
    }
}

/* ---- Going back ------------------------------------------------------------------------------ */

static void test_taken_back_together(void **state)
{
    (void)state;
    for (size_t s = 0; s < SWAPS; s++) {
        begin_trial(swaps[s]);
        boot();
        set_rig_expect(&rig, 1, 1, false);
        set_rig_expect_report(&rig, 0, FERRY_BOOT_REVERTED, FERRY_OK);
        set_rig_expect_report(&rig, 1, FERRY_BOOT_REVERTED, FERRY_OK);
        boot();
        set_rig_expect(&rig, 1, 1, false);
        set_rig_expect_report(&rig, 0, FERRY_BOOT_RAN, FERRY_OK);
        set_rig_free(&rig);
    }
}

/* The trials of image 0 count for all. */
static void test_trials_of_the_set(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move);
    rig.config.trials = 2;
    assert_int_equal(ferry_set_request(rig.slots, SET_IMAGES, BOTH, false), FERRY_OK);
    boot();
    assert_int_equal(ferry_set_started(rig.slots, SET_IMAGES), FERRY_OK);
    boot();
    set_rig_expect(&rig, 2, 2, true);
    /* A start that the power ended before the firmware marked it is none. */
    set_rig_boot(&rig, FERRY_OK, FERRY_CAUSE_POWER);
    set_rig_expect(&rig, 2, 2, true);
    boot();
    set_rig_expect(&rig, 1, 1, false);
    set_rig_free(&rig);
}

/* One that does not verify any more takes the others with it. */
static void test_a_damaged_image_takes_the_others_back(void **state)
{
    (void)state;
    for (uint32_t image = 0; image < SET_IMAGES; image++) {
        begin_trial(&ferry_boot_swap_scratch);
        assert_int_equal(ferry_set_confirm(rig.slots, SET_IMAGES), FERRY_OK);
        set_rig_spoil(&rig, image, 0);
        boot();
        set_rig_expect(&rig, 1, 1, false);
        set_rig_expect_report(&rig, image, FERRY_BOOT_REVERTED, FERRY_E_DIGEST);
        set_rig_expect_report(&rig, 1 - image, FERRY_BOOT_REVERTED, FERRY_E_SET);
        set_rig_free(&rig);
    }
}

/* Where one of the old images is gone none goes back: rather the new ones than a mix. */
static void test_no_way_back(void **state)
{
    (void)state;
    begin_trial(&ferry_boot_swap_move);
    set_rig_spoil(&rig, 1, 1);
    boot();
    set_rig_expect(&rig, 2, 2, false);
    set_rig_expect_report(&rig, 1, FERRY_BOOT_REFUSED, FERRY_E_DIGEST);
    boot();
    set_rig_expect(&rig, 2, 2, false);
    set_rig_expect_report(&rig, 1, FERRY_BOOT_RAN, FERRY_OK);
    set_rig_free(&rig);
}

/* After the old images of the others are gone, a damaged one has nothing to fall back to. */
static void test_nothing_runs_rather_than_a_mix(void **state)
{
    (void)state;
    begin_trial(&ferry_boot_swap_move);
    assert_int_equal(ferry_set_confirm(rig.slots, SET_IMAGES), FERRY_OK);
    set_rig_load(&rig, 1, 1, 7, (struct set_need){0, 0});
    set_rig_spoil(&rig, 0, 0);
    set_rig_boot(&rig, FERRY_E_NO_IMAGE, FERRY_CAUSE_OTHER);
    set_rig_expect_report(&rig, 0, FERRY_BOOT_STOPPED, FERRY_E_DIGEST);
    set_rig_free(&rig);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

static void test_one_bad_image_refuses_all(void **state)
{
    (void)state;
    for (uint32_t image = 0; image < SET_IMAGES; image++) {
        begin(&ferry_boot_swap_move);
        set_rig_spoil(&rig, image, 1);
        assert_int_equal(ferry_set_request(rig.slots, SET_IMAGES, BOTH, true), FERRY_OK);
        boot();
        set_rig_expect(&rig, 1, 1, false);
        set_rig_expect_report(&rig, image, FERRY_BOOT_REFUSED, FERRY_E_DIGEST);
        set_rig_expect_report(&rig, 1 - image, FERRY_BOOT_REFUSED, FERRY_E_SET);
        boot();
        set_rig_expect_report(&rig, 1 - image, FERRY_BOOT_RAN, FERRY_OK);
        set_rig_free(&rig);
    }
}

static void test_an_unmet_dependency_refuses_all(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move);
    set_rig_load(&rig, 0, 1, 2, (struct set_need){1, 5});
    assert_int_equal(ferry_set_request(rig.slots, SET_IMAGES, BOTH, false), FERRY_OK);
    boot();
    set_rig_expect(&rig, 1, 1, false);
    set_rig_expect_report(&rig, 0, FERRY_BOOT_REFUSED, FERRY_E_DEPENDENCY);
    set_rig_expect_report(&rig, 1, FERRY_BOOT_REFUSED, FERRY_E_SET);
    set_rig_free(&rig);
}

/* The record tells of two requests, and the power went after the first. */
static void test_half_a_request_is_none(void **state)
{
    struct ferry_set_record record;

    (void)state;
    begin(&ferry_boot_swap_move);
    assert_int_equal(ferry_set_request(rig.slots, SET_IMAGES, BOTH, false), FERRY_OK);
    assert_int_equal(ferry_slots_cancel(&rig.slots[1]), FERRY_OK);
    boot();
    set_rig_expect(&rig, 1, 1, false);
    set_rig_expect_report(&rig, 0, FERRY_BOOT_REFUSED, FERRY_E_SET);
    assert_int_equal(trailer(0, 1).magic, FERRY_UNSET);
    assert_int_equal(ferry_set_read(&rig.store, SET_IMAGES, &record), FERRY_OK);
    assert_int_equal(record.phase, FERRY_SET_CONFIRMED);
    /* And the same asked again is done. */
    assert_int_equal(ferry_set_request(rig.slots, SET_IMAGES, BOTH, false), FERRY_OK);
    boot();
    set_rig_expect(&rig, 2, 2, true);
    set_rig_free(&rig);
}

static void test_what_cannot_be_asked_for(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move);
    assert_int_equal(ferry_set_request(rig.slots, SET_IMAGES, 0, false), FERRY_E_RANGE);
    assert_int_equal(ferry_set_request(rig.slots, SET_IMAGES, 4, false), FERRY_E_RANGE);
    assert_int_equal(ferry_set_request(rig.slots, 5, 1, false), FERRY_E_RANGE);
    assert_int_equal(ferry_set_confirm(rig.slots, 0), FERRY_E_RANGE);
    set_rig_free(&rig);
    begin_trial(&ferry_boot_swap_move);
    assert_int_equal(ferry_set_request(rig.slots, SET_IMAGES, BOTH, false), FERRY_E_STATE);
    set_rig_free(&rig);
}

/* A test and a permanent request together are a test. */
static void test_asked_for_differently(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move);
    assert_int_equal(ferry_slots_set_pending(&rig.slots[0], true), FERRY_OK);
    assert_int_equal(ferry_slots_set_pending(&rig.slots[1], false), FERRY_OK);
    boot();
    set_rig_expect(&rig, 2, 2, true);
    boot();
    set_rig_expect(&rig, 1, 1, false);
    set_rig_free(&rig);
}

static void test_for_good(void **state)
{
    static const struct ferry_boot_strategy *const strategies[] = {&ferry_boot_swap_move,
                                                                   &ferry_boot_overwrite};

    (void)state;
    for (size_t s = 0; s < 2; s++) {
        begin(strategies[s]);
        assert_int_equal(ferry_set_request(rig.slots, SET_IMAGES, BOTH, true), FERRY_OK);
        boot();
        set_rig_expect(&rig, 2, 2, false);
        set_rig_expect_report(&rig, 0, FERRY_BOOT_UPGRADED, FERRY_OK);
        set_rig_expect_report(&rig, 1, FERRY_BOOT_UPGRADED, FERRY_OK);
        boot();
        set_rig_expect(&rig, 2, 2, false);
        set_rig_free(&rig);
    }
}

/* The bootloader's own image stands behind those of the set, and is of none. */
static void test_the_bootloaders_image_is_of_no_set(void **state)
{
    struct ferry_slots all[SET_IMAGES + 1];

    (void)state;
    begin(&ferry_boot_swap_move);
    memset(all, 0, sizeof(all));
    memcpy(all, rig.slots, sizeof(rig.slots));
    all[SET_IMAGES].strategy = &ferry_traits_first_stage;
    assert_int_equal(ferry_set_request(all, SET_IMAGES + 1, 7, false), FERRY_E_RANGE);
    assert_int_equal(ferry_set_request(all, SET_IMAGES + 1, BOTH, false), FERRY_OK);
    assert_int_equal(phase(), FERRY_SET_REQUESTED);
    boot();
    set_rig_expect(&rig, 2, 2, true);
    memcpy(all, rig.slots, sizeof(rig.slots));
    assert_int_equal(ferry_set_confirm(all, SET_IMAGES + 1), FERRY_OK);
    assert_int_equal(phase(), FERRY_SET_CONFIRMED);
    boot();
    set_rig_expect(&rig, 2, 2, false);
    set_rig_free(&rig);
}

/* ---- The record ------------------------------------------------------------------------------ */

/* Any bit of the store may flip at rest: that may cost a trial, but both images stay together. */
static void test_a_flipped_bit_does_not_split_the_set(void **state)
{
    struct fault_area *store;
    struct fault_state rest;
    size_t mark;

    (void)state;
    begin_trial(&ferry_boot_swap_move);
    store = &rig.chip.areas[FAULT_STORE];
    mark = fault_chip_mark(&rig.chip);
    rest = rig.chip.state;
    for (uint32_t at = 0; at < 8 * store->flash.size; at++) {
        uint8_t byte = (uint8_t)(store->memory[at / 8] ^ 1U << at % 8);

        fault_chip_poke(store, at / 8, &byte, 1);
        boot();
        bool on_trial = rig.report.images[0].next == FERRY_SWAP_REVERT;
        uint8_t major = on_trial ? 2 : 1;

        set_rig_expect(&rig, major, major, on_trial);
        fault_chip_undo(&rig.chip, mark);
        rig.chip.state = rest;
    }
    set_rig_free(&rig);
}

/* Both copies are written, the newer one counts, and the boot makes the other one like it. */
static void test_the_newer_copy_counts(void **state)
{
    struct ferry_set_record record = {.phase = FERRY_SET_TRIAL, .mask = BOTH, .count = SET_IMAGES};
    uint8_t first[128];
    uint8_t second[128];

    (void)state;
    begin(&ferry_boot_swap_move);
    assert_int_equal(ferry_set_write(&rig.store, &record), FERRY_OK);
    int len = ferry_store_get(&rig.store, FERRY_STORE_KEY_SET, first, sizeof(first));
    record.phase = FERRY_SET_CONFIRMED;
    assert_int_equal(ferry_set_write(&rig.store, &record), FERRY_OK);
    assert_int_equal(record.number, 2);
    /* The second copy is older. */
    assert_int_equal(ferry_store_put(&rig.store, FERRY_STORE_KEY_SET + 1, first, (size_t)len),
                     FERRY_OK);
    assert_int_equal(phase(), FERRY_SET_CONFIRMED);
    boot();
    assert_int_equal(ferry_store_get(&rig.store, FERRY_STORE_KEY_SET, first, 128), len);
    assert_int_equal(ferry_store_get(&rig.store, FERRY_STORE_KEY_SET + 1, second, 128), len);
    assert_memory_equal(first, second, (size_t)len);
    set_rig_free(&rig);
}

static void test_a_strange_record_is_none(void **state)
{
    struct ferry_set_record record = {.phase = FERRY_SET_TRIAL, .mask = BOTH, .count = SET_IMAGES};
    uint8_t raw[128];

    (void)state;
    begin(&ferry_boot_swap_move);
    assert_int_equal(ferry_set_write(&rig.store, &record), FERRY_OK);
    int len = ferry_store_get(&rig.store, FERRY_STORE_KEY_SET, raw, sizeof(raw));
    /* format, phase, mask, permanent, count */
    static const uint8_t places[] = {0, 1, 2, 3, 8};
    for (size_t i = 0; i < sizeof(places); i++) {
        uint8_t other[128];

        memcpy(other, raw, sizeof(raw));
        other[places[i]] = 0x77;
        for (uint16_t copy = 0; copy < 2; copy++) {
            assert_int_equal(ferry_store_put(&rig.store, (uint16_t)(FERRY_STORE_KEY_SET + copy),
                                             other, (size_t)len),
                             FERRY_OK);
        }
        assert_int_equal(phase(), FERRY_SET_NONE);
    }
    /* Of another number of images. */
    assert_int_equal(ferry_set_read(&rig.store, 3, &record), FERRY_OK);
    assert_int_equal(record.phase, FERRY_SET_NONE);
    set_rig_free(&rig);
}

/* ---- Configuration --------------------------------------------------------------------------- */

static void test_what_is_no_set(void **state)
{
    struct ferry_store other;

    (void)state;
    begin(&ferry_boot_swap_move);
    rig.images[1].strategy = &ferry_boot_overwrite; /* one could go back, the other could not */
    rig.images[1].slots.strategy = &ferry_traits_overwrite;
    set_rig_boot(&rig, FERRY_E_CONFIG, FERRY_CAUSE_OTHER);
    rig.images[1].strategy = &ferry_boot_direct_xip_revert;
    rig.images[1].slots.strategy = &ferry_traits_direct_xip_revert;
    set_rig_boot(&rig, FERRY_E_CONFIG, FERRY_CAUSE_OTHER);
    rig.images[1].strategy = &ferry_boot_swap_scratch;
    rig.images[1].slots.strategy = &ferry_traits_swap_scratch;
    boot();
    rig.images[1].slots.store = &other;
    set_rig_boot(&rig, FERRY_E_CONFIG, FERRY_CAUSE_OTHER);
    rig.images[1].slots.store = &rig.store;
    rig.config.memory = NULL;
    set_rig_boot(&rig, FERRY_E_CONFIG, FERRY_CAUSE_OTHER);
    set_rig_free(&rig);
}

/* Without a store each image is for itself, as with MCUboot. */
static void test_without_a_store(void **state)
{
    (void)state;
    begin(&ferry_boot_swap_move);
    rig.images[0].slots.store = NULL;
    rig.images[1].slots.store = NULL;
    rig.slots[0].store = NULL;
    rig.slots[1].store = NULL;
    assert_int_equal(ferry_set_request(rig.slots, SET_IMAGES, BOTH, false), FERRY_OK);
    boot();
    set_rig_expect(&rig, 2, 2, true);
    assert_int_equal(ferry_set_confirm(rig.slots, SET_IMAGES), FERRY_OK);
    boot();
    set_rig_expect(&rig, 2, 2, false);
    set_rig_free(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_confirmed_together),
        cmocka_unit_test(test_a_confirm_that_was_cut),
        cmocka_unit_test(test_image_0_decides),
        cmocka_unit_test(test_another_image_does_not),
        cmocka_unit_test(test_a_set_of_image_1_alone),
        cmocka_unit_test(test_taken_back_together),
        cmocka_unit_test(test_trials_of_the_set),
        cmocka_unit_test(test_a_damaged_image_takes_the_others_back),
        cmocka_unit_test(test_no_way_back),
        cmocka_unit_test(test_nothing_runs_rather_than_a_mix),
        cmocka_unit_test(test_one_bad_image_refuses_all),
        cmocka_unit_test(test_an_unmet_dependency_refuses_all),
        cmocka_unit_test(test_half_a_request_is_none),
        cmocka_unit_test(test_what_cannot_be_asked_for),
        cmocka_unit_test(test_asked_for_differently),
        cmocka_unit_test(test_for_good),
        cmocka_unit_test(test_the_bootloaders_image_is_of_no_set),
        cmocka_unit_test(test_a_flipped_bit_does_not_split_the_set),
        cmocka_unit_test(test_the_newer_copy_counts),
        cmocka_unit_test(test_a_strange_record_is_none),
        cmocka_unit_test(test_what_is_no_set),
        cmocka_unit_test(test_without_a_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
