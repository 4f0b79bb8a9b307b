/* SPDX-License-Identifier: Apache-2.0 */
/* The small slots beside the whole ones: the same numbers, the same bytes in flash. */
#include "boot_bench.h"
#include "ferry/slots_small.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static struct bench bench;

#define SLOTS (&bench.device.image.slots)
#define FIRST (&bench.device.primary)
#define OTHER (&bench.device.secondary)

static const struct {
    const struct ferry_strategy_traits *small;
    const struct ferry_boot_strategy *whole;
} strategies[] = {
    {&ferry_traits_swap_move_small, &ferry_boot_swap_move},
    {&ferry_traits_swap_shift_small, &ferry_boot_swap_shift},
    {&ferry_traits_swap_offset_small, &ferry_boot_swap_offset},
    {&ferry_traits_overwrite_small, &ferry_boot_overwrite},
};
#define STRATEGIES (sizeof(strategies) / sizeof(strategies[0]))

/* A device whose slots are small ones. */
static void begin(const struct ferry_strategy_traits *small,
                  const struct ferry_boot_strategy *strategy)
{
    bench_init(&bench, &bench_geometry, strategy);
    SLOTS->strategy = small;
    SLOTS->state = &ferry_slots_by_swap_small;
    bench_upload(&bench);
}

static int tear_down(void **state)
{
    (void)state;
    bench_free(&bench);
    return 0;
}

/* One boot, which has the whole traits of the same strategy. */
static int boot(const struct ferry_boot_strategy *strategy)
{
    const struct ferry_strategy_traits *small = SLOTS->strategy;

    SLOTS->strategy = strategy->traits;
    fault_device_power_on(&bench.device, 0, FAULT_BEFORE);

    int rc = fault_device_boot(&bench.device, &bench.report);

    SLOTS->strategy = small;
    return rc;
}

/* ---- The traits ------------------------------------------------------------------------------ */

static void test_the_numbers_are_those_of_the_whole_traits(void **state)
{
    static const struct fault_geometry geometries[] = {
        {512, 8, 8, 8, 8, 8, 0xff},     {512, 9, 8, 16, 8, 8, 0xff},
        {512, 8, 9, 16, 8, 8, 0xff},    {1024, 100, 100, 128, 8, 4, 0xff},
        {4096, 16, 17, 128, 32, 32, 0}, {4096, 64, 64, 64, 16, 16, 0xff},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(geometries) / sizeof(geometries[0]); i++) {
        for (size_t k = 0; k < STRATEGIES; k++) {
            struct ferry_slots whole;
            struct ferry_slots small;
            uint32_t start = 0;

            bench_init(&bench, &geometries[i], strategies[k].whole);
            whole = *SLOTS;
            small = *SLOTS;
            small.strategy = strategies[k].small;
            if (ferry_slots_check(&whole) == FERRY_OK) {
                assert_int_equal(ferry_slots_max_image(&small), ferry_slots_max_image(&whole));
            }
            for (uint32_t n = 0; n < 2; n++) {
                const struct ferry_flash *slot = ferry_slots_slot(&whole, n);

                assert_int_equal(ferry_slots_trailer_start(&whole, slot, &start), FERRY_OK);
                assert_int_equal(ferry_slots_small_trailer(&small, slot), start);
            }
            assert_int_equal(ferry_slots_check(&small), FERRY_E_CONFIG);
            bench_free(&bench);
        }
    }
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move); /* for the tear-down */
}

static void test_the_traits_say_what_the_whole_ones_say(void **state)
{
    (void)state;
    for (size_t k = 0; k < STRATEGIES; k++) {
        struct ferry_strategy_traits small = *strategies[k].small;
        const struct ferry_strategy_traits *whole = strategies[k].whole->traits;

        assert_string_equal(small.name, whole->name);
        small.name = whole->name;
        small.check = whole->check;
        small.max_image = whole->max_image;
        small.read_end = whole->read_end;
        assert_memory_equal(&small, whole, sizeof(small));
    }
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
}

/* ---- A glance at an image ----------------------------------------------------------------------
 */

static void expect_glance(const struct fault_image *image, int expected)
{
    struct ferry_image_info whole;
    struct ferry_image_info info;

    TEST_ROM(rom, image->bytes, image->size);
    assert_int_equal(ferry_image_glance(&rom.flash, 0, &info), expected);
    if (expected == FERRY_OK) {
        assert_int_equal(ferry_image_inspect(&rom.flash, &whole), FERRY_OK);
        assert_int_equal(info.size, whole.size);
        assert_int_equal(info.digest_len, 32);
        assert_memory_equal(info.digest, whole.digest, 32);
        assert_int_equal(ferry_version_compare(&info.header.version, &whole.header.version, true),
                         0);
    }
}

static void test_a_glance_says_what_an_inspection_says(void **state)
{
    static const uint8_t counter[4] = {7};
    static const struct test_tlv protected_tlv = {FERRY_TLV_SEC_CNT, 4, counter};
    const struct test_image_spec specs[] = {
        {.version = {1, 2, 3, 4}},
        {.version = {1, 2, 3, 4}, .key = TEST_KEY_NONE, .header_size = 32},
        {.version = {9}, .protected_tlvs = &protected_tlv, .protected_count = 1},
    };
    const struct test_image_spec none = {.no_digest = true};
    const struct test_image_spec other = {.key = TEST_KEY_NONE, .sha = TEST_SHA_512};
    struct fault_image image;
    uint8_t *bytes;
    (void)state;

    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        image = bench_build(&bench, &specs[i]);
        expect_glance(&image, FERRY_OK);
    }
    image = bench_build(&bench, &none);
    expect_glance(&image, FERRY_E_NOT_FOUND);
    image = bench_build(&bench, &other);
    expect_glance(&image, FERRY_E_NOT_FOUND);

    image = bench_image(&bench, 1, 1000);
    bytes = bench.images[bench.image_count - 1];
    image.size--; /* the digest is cut */
    expect_glance(&image, FERRY_E_BOUNDS);
    image.size = 1000 - 40; /* nothing behind the payload */
    expect_glance(&image, FERRY_E_BOUNDS);
    image.size = 31;
    expect_glance(&image, FERRY_E_BOUNDS);
    image.size = 1000;
    bytes[1000 - 40] ^= 1; /* the TLVs' magic */
    expect_glance(&image, FERRY_E_TLV);
    bytes[0] ^= 1;
    expect_glance(&image, FERRY_E_MAGIC);
}

/* ---- What the next boot does
 * --------------------------------------------------------------------- */

static void put_fields(struct fault_slot *slot, unsigned bits)
{
    const struct ferry_flash *flash = &slot->ram.flash;

    if ((bits & 1) != 0) {
        assert_int_equal(ferry_trailer_write_magic(flash, 8), FERRY_OK);
    }
    if ((bits & 2) != 0) {
        assert_int_equal(ferry_trailer_write_image_ok(flash, 8), FERRY_OK);
    }
    if ((bits & 4) != 0) {
        assert_int_equal(ferry_trailer_write_copy_done(flash, 8), FERRY_OK);
    }
}

/* Every combination of the fields of both trailers. */
static void test_the_next_boot_is_that_of_the_whole_state(void **state)
{
    (void)state;
    for (size_t k = 0; k < STRATEGIES; k++) {
        for (unsigned bits = 0; bits < 64; bits++) {
            struct ferry_slots_next small;
            struct ferry_slots_next whole;
            struct ferry_slots slots;
            bool of_offset = strategies[k].whole == &ferry_boot_swap_offset;

            bench_init(&bench, &bench_geometry, strategies[k].whole);
            slots = *SLOTS;
            put_fields(FIRST, bits & 7);
            put_fields(OTHER, bits >> 3);
            slots.state = &ferry_slots_by_swap_no_store;
            assert_int_equal(ferry_slots_next_boot(&slots, &whole), FERRY_OK);
            slots.state = &ferry_slots_by_swap_small;
            slots.strategy = strategies[k].small;
            assert_int_equal(ferry_slots_next_boot(&slots, &small), FERRY_OK);
            /* What no application sees: a revert of MCUboot's that is under way. */
            if (!of_offset || (bits >> 3 & 5) != 5) {
                assert_int_equal(small.type, whole.type);
                assert_int_equal(small.slot, whole.slot);
            }
            bench_free(&bench);
        }
    }
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
}

static void test_what_cannot_be_read_asks_for_nothing(void **state)
{
    struct ferry_slots_next next;
    (void)state;

    begin(&ferry_traits_swap_shift_small, &ferry_boot_swap_shift);
    assert_int_equal(ferry_slots_set_pending(SLOTS, false), FERRY_OK);
    OTHER->dead = true;
    assert_int_equal(ferry_slots_next_boot(SLOTS, &next), FERRY_OK);
    assert_int_equal(next.type, FERRY_SWAP_NONE);
    FIRST->dead = true;
    assert_int_equal(ferry_slots_next_boot(SLOTS, &next), FERRY_OK);
    assert_int_equal(next.type, FERRY_SWAP_NONE);
}

/* ---- Requests ----------------------------------------------------------------------------------
 */

static enum ferry_swap_type next_type(void)
{
    struct ferry_slots_next next;

    assert_int_equal(ferry_slots_next_boot(SLOTS, &next), FERRY_OK);
    return next.type;
}

/* The last bytes of a slot after a request, of the small state or of the whole one. */
static void take_trailer(bool small, bool permanent, uint8_t out[64])
{
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
    SLOTS->state = small ? &ferry_slots_by_swap_small : &ferry_slots_by_swap_no_store;
    SLOTS->strategy = small ? &ferry_traits_swap_move_small : &ferry_traits_swap_move;
    assert_int_equal(ferry_slots_set_pending(SLOTS, permanent), FERRY_OK);
    memcpy(out, OTHER->memory + 4096 - 64, 64);
    bench_free(&bench);
}

static void test_a_request_is_the_same_in_flash_but_for_swap_info(void **state)
{
    (void)state;
    for (int permanent = 0; permanent < 2; permanent++) {
        uint8_t small[64];
        uint8_t whole[64];

        take_trailer(true, permanent != 0, small);
        take_trailer(false, permanent != 0, whole);
        memset(whole + 64 - 40, 0xff, 8);
        assert_memory_equal(small, whole, 64);
    }
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
}

static void test_asking_again_writes_nothing(void **state)
{
    uint64_t operations;
    (void)state;

    begin(&ferry_traits_swap_move_small, &ferry_boot_swap_move);
    assert_int_equal(ferry_slots_set_pending(SLOTS, false), FERRY_OK);
    operations = bench.device.power.operations;
    assert_int_equal(ferry_slots_set_pending(SLOTS, false), FERRY_OK);
    assert_int_equal(bench.device.power.operations, operations);
    assert_int_equal(ferry_slots_set_pending(SLOTS, true), FERRY_OK); /* raised */
    assert_int_equal(bench.device.power.operations, operations + 1);
    assert_int_equal(next_type(), FERRY_SWAP_PERM);
    assert_int_equal(ferry_slots_set_pending(SLOTS, true), FERRY_OK);
    assert_int_equal(ferry_slots_set_pending(SLOTS, false), FERRY_E_STATE);
    assert_int_equal(bench.device.power.operations, operations + 1);
}

static void test_a_test_whose_flag_is_spoilt_is_asked_for_anew(void **state)
{
    (void)state;
    begin(&ferry_traits_swap_move_small, &ferry_boot_swap_move);
    assert_int_equal(ferry_slots_set_pending(SLOTS, false), FERRY_OK);
    bench_poke(OTHER, 24, "\x7f", 1);
    assert_int_equal(ferry_slots_set_pending(SLOTS, true), FERRY_OK);
    assert_int_equal(next_type(), FERRY_SWAP_PERM);
    assert_true(fault_device_holds(OTHER, &bench.device.new));
    assert_int_equal(fault_device_violations(&bench.device), 0);
}

/* Old records, a flag that stands, half a magic: whatever is there is erased first. */
static void test_what_is_left_in_the_trailer_is_erased_first(void **state)
{
    static const uint32_t distances[] = {8 * 3 * 8 + 48, 60, 40, 32, 24, 16, 1};
    (void)state;

    for (size_t i = 0; i < sizeof(distances) / sizeof(distances[0]); i++) {
        begin(&ferry_traits_swap_move_small, &ferry_boot_swap_move);
        bench_poke(OTHER, distances[i], "\x01", 1);
        assert_int_equal(ferry_slots_set_pending(SLOTS, false), FERRY_OK);
        assert_int_equal(next_type(), FERRY_SWAP_TEST);
        assert_int_equal(fault_device_violations(&bench.device), 0);
        assert_int_equal(boot(&ferry_boot_swap_move), FERRY_OK);
        assert_int_equal(bench.report.images[0].action, FERRY_BOOT_TESTING);
        bench_free(&bench);
    }
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
}

/* An image of overwrite may end right in front of swap_info. */
static void test_an_image_that_shares_the_trailers_sector_is_kept(void **state)
{
    struct fault_image image;
    (void)state;

    begin(&ferry_traits_overwrite_small, &ferry_boot_overwrite);
    image = bench_image(&bench, 2, 4096 - 40);
    assert_int_equal(ferry_slots_max_image(SLOTS), image.size);
    fault_device_load(OTHER, &image);
    assert_int_equal(ferry_slots_set_pending(SLOTS, true), FERRY_OK);
    assert_true(fault_device_holds(OTHER, &image));
    assert_int_equal(next_type(), FERRY_SWAP_PERM);

    fault_device_load(OTHER, &image);
    bench_poke(OTHER, 24, "\x02", 1); /* a spoilt flag cannot be erased without it */
    assert_int_equal(ferry_slots_set_pending(SLOTS, true), FERRY_E_STATE);
    assert_true(fault_device_holds(OTHER, &image));

    assert_int_equal(ferry_slots_cancel(SLOTS), FERRY_OK); /* the image goes with it */
    assert_false(fault_device_holds(OTHER, &image));
    assert_int_equal(fault_device_violations(&bench.device), 0);
}

static void test_cancel_takes_a_request_back(void **state)
{
    uint64_t operations;
    (void)state;

    begin(&ferry_traits_swap_move_small, &ferry_boot_swap_move);
    operations = bench.device.power.operations;
    assert_int_equal(ferry_slots_cancel(SLOTS), FERRY_OK); /* there is none */
    assert_int_equal(bench.device.power.operations, operations);
    assert_int_equal(ferry_slots_set_pending(SLOTS, true), FERRY_OK);
    assert_int_equal(ferry_slots_cancel(SLOTS), FERRY_OK);
    assert_int_equal(next_type(), FERRY_SWAP_NONE);
    assert_true(fault_device_holds(OTHER, &bench.device.new));
    assert_int_equal(boot(&ferry_boot_swap_move), FERRY_OK);
    assert_int_equal(bench.report.images[0].action, FERRY_BOOT_RAN);
}

/* ---- Confirming
 * ---------------------------------------------------------------------------------- */

/* Let the new image run on trial. */
static void try_new(const struct ferry_strategy_traits *small,
                    const struct ferry_boot_strategy *strategy)
{
    begin(small, strategy);
    if (small->upload_sector == 1) { /* images are uploaded a sector up */
        fault_device_load(OTHER, &(struct fault_image){bench.device.new.bytes, 0});
        memcpy(OTHER->memory + 512, bench.device.new.bytes, bench.device.new.size);
    }
    assert_int_equal(ferry_slots_set_pending(SLOTS, false), FERRY_OK);
    assert_int_equal(boot(strategy), FERRY_OK);
    assert_int_equal(bench.report.images[0].action, FERRY_BOOT_TESTING);
    assert_int_equal(next_type(), FERRY_SWAP_REVERT);
}

static void test_a_trial_is_confirmed_or_taken_back(void **state)
{
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        struct ferry_image_info info;
        uint64_t operations;
        uint32_t at = 0;

        try_new(strategies[k].small, strategies[k].whole);
        assert_int_equal(ferry_slots_glance(SLOTS, 1, &info, &at), FERRY_OK);
        assert_int_equal(info.header.version.major, 1);
        assert_int_equal(at, ferry_slots_old_offset(SLOTS));
        assert_int_equal(ferry_slots_confirm(SLOTS), FERRY_OK);
        assert_int_equal(next_type(), FERRY_SWAP_NONE);
        operations = bench.device.power.operations;
        assert_int_equal(ferry_slots_confirm(SLOTS), FERRY_OK);
        assert_int_equal(bench.device.power.operations, operations);
        assert_int_equal(boot(strategies[k].whole), FERRY_OK);
        assert_int_equal(bench.report.images[0].action, FERRY_BOOT_RAN);

        /* The old image again, which a swap left its records beside. */
        assert_int_equal(ferry_slots_set_pending(SLOTS, false), FERRY_OK);
        assert_int_equal(boot(strategies[k].whole), FERRY_OK);
        assert_int_equal(bench.report.images[0].action, FERRY_BOOT_TESTING);
        assert_int_equal(bench.report.images[0].info.header.version.major, 1);
        assert_int_equal(boot(strategies[k].whole), FERRY_OK);
        assert_int_equal(bench.report.images[0].action, FERRY_BOOT_REVERTED);
        assert_int_equal(bench.report.images[0].info.header.version.major, 2);
        assert_int_equal(fault_device_violations(&bench.device), 0);
        bench_free(&bench);
    }
    bench_init(&bench, &bench_geometry, &ferry_boot_swap_move);
}

static void test_an_image_that_nobody_swapped_needs_no_confirm(void **state)
{
    uint64_t operations;
    (void)state;

    begin(&ferry_traits_swap_move_small, &ferry_boot_swap_move);
    operations = bench.device.power.operations;
    assert_int_equal(ferry_slots_confirm(SLOTS), FERRY_OK);
    assert_int_equal(bench.device.power.operations, operations);
}

/* The whole state asks the journal then; this one need not, since it does not ask for copy_done. */
static void test_a_trial_whose_copy_done_is_lost_is_confirmed(void **state)
{
    (void)state;
    try_new(&ferry_traits_swap_shift_small, &ferry_boot_swap_shift);
    bench_poke(FIRST, 32, "\xff", 1);
    assert_int_equal(next_type(), FERRY_SWAP_NONE);
    assert_int_equal(ferry_slots_confirm(SLOTS), FERRY_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(boot(&ferry_boot_swap_shift), FERRY_OK);
        assert_int_equal(bench.report.images[0].info.header.version.major, 2);
        assert_int_equal(bench.report.images[0].next, FERRY_SWAP_NONE);
    }
}

/* A unit that takes no program: without a trailer an image counts as confirmed. */
static void test_a_flag_that_is_spoilt_is_erased_with_its_trailer(void **state)
{
    static const uint8_t spoilt[] = {0x7f, 0x00, 0x03};
    (void)state;

    for (size_t i = 0; i < sizeof(spoilt); i++) {
        try_new(&ferry_traits_swap_move_small, &ferry_boot_swap_move);
        bench_poke(FIRST, 24, &spoilt[i], 1);
        assert_int_equal(ferry_slots_confirm(SLOTS), FERRY_OK);
        assert_int_equal(boot(&ferry_boot_swap_move), FERRY_OK);
        assert_int_equal(bench.report.images[0].info.header.version.major, 2);
        assert_int_equal(bench.report.images[0].next, FERRY_SWAP_NONE);
        bench_free(&bench);
    }
    try_new(&ferry_traits_swap_move_small, &ferry_boot_swap_move);
    FIRST->bad_program = 4096 - 24;
    assert_int_equal(ferry_slots_confirm(SLOTS), FERRY_OK);
    assert_int_equal(next_type(), FERRY_SWAP_NONE);
    bench_free(&bench);

    try_new(&ferry_traits_swap_move_small, &ferry_boot_swap_move);
    FIRST->loses_bit = 4096 - 24; /* it goes wrong unnoticed */
    assert_int_equal(ferry_slots_confirm(SLOTS), FERRY_OK);
    assert_int_equal(boot(&ferry_boot_swap_move), FERRY_OK);
    assert_int_equal(bench.report.images[0].info.header.version.major, 2);
}

/* An image that cannot be measured may be anywhere, and it runs. */
static void test_a_running_image_is_never_erased(void **state)
{
    (void)state;
    begin(&ferry_traits_overwrite_small, &ferry_boot_overwrite);
    put_fields(FIRST, 1);
    bench_poke(FIRST, 24, "\x7f", 1);
    FIRST->memory[0] ^= 1;
    assert_int_equal(ferry_slots_confirm(SLOTS), FERRY_E_STATE);
    FIRST->memory[0] ^= 1;
    assert_true(fault_device_holds(FIRST, &bench.device.old));
    assert_int_equal(ferry_slots_confirm(SLOTS), FERRY_OK);
    assert_true(fault_device_holds(FIRST, &bench.device.old));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_the_numbers_are_those_of_the_whole_traits, tear_down),
        cmocka_unit_test_teardown(test_the_traits_say_what_the_whole_ones_say, tear_down),
        cmocka_unit_test_teardown(test_a_glance_says_what_an_inspection_says, tear_down),
        cmocka_unit_test_teardown(test_the_next_boot_is_that_of_the_whole_state, tear_down),
        cmocka_unit_test_teardown(test_what_cannot_be_read_asks_for_nothing, tear_down),
        cmocka_unit_test_teardown(test_a_request_is_the_same_in_flash_but_for_swap_info, tear_down),
        cmocka_unit_test_teardown(test_asking_again_writes_nothing, tear_down),
        cmocka_unit_test_teardown(test_a_test_whose_flag_is_spoilt_is_asked_for_anew, tear_down),
        cmocka_unit_test_teardown(test_what_is_left_in_the_trailer_is_erased_first, tear_down),
        cmocka_unit_test_teardown(test_an_image_that_shares_the_trailers_sector_is_kept, tear_down),
        cmocka_unit_test_teardown(test_cancel_takes_a_request_back, tear_down),
        cmocka_unit_test_teardown(test_a_trial_is_confirmed_or_taken_back, tear_down),
        cmocka_unit_test_teardown(test_an_image_that_nobody_swapped_needs_no_confirm, tear_down),
        cmocka_unit_test_teardown(test_a_trial_whose_copy_done_is_lost_is_confirmed, tear_down),
        cmocka_unit_test_teardown(test_a_flag_that_is_spoilt_is_erased_with_its_trailer, tear_down),
        cmocka_unit_test_teardown(test_a_running_image_is_never_erased, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
