/* SPDX-License-Identifier: Apache-2.0 */
/* The boot of images that run in their slot or from RAM: what runs, what is said of it, what is
 * left in flash. Faults are in tests/unit/test_boot_in_place_faults.c. */
#include "place_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "core/boot/swap.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct ferry_boot_strategy *const reverting[] = {&ferry_boot_direct_xip_revert,
                                                              &ferry_boot_ram_load_revert};
static const struct ferry_boot_strategy *const plain[] = {&ferry_boot_direct_xip,
                                                          &ferry_boot_ram_load};

static struct place_rig rig;
static struct place_image v1;
static struct place_image v2;
static struct place_image bad; /* v2 with a bit wrong */

static void begin(const struct ferry_boot_strategy *strategy, bool with_store, uint8_t trials)
{
    place_init(&rig, strategy->traits, with_store);
    rig.image.strategy = strategy;
    rig.config.trials = trials;
    place_load(&rig, 0, &v1);
    place_load(&rig, 1, &v2);
}

static int setup(void **state)
{
    (void)state;
    place_build(&v1, 1, 700, FERRY_IMAGE_RAM_LOAD, PLACE_RAM);
    place_build(&v2, 2, 900, FERRY_IMAGE_RAM_LOAD, PLACE_RAM + 64);
    bad = v2;
    bad.bytes[100] ^= 0x01;
    return 0;
}

static const struct ferry_boot_image_report *report(void)
{
    return &rig.report.images[0];
}

/* A boot after cause that must return result, and say action and reason. */
static void expect(enum ferry_reset_cause cause, int result, enum ferry_boot_action action,
                   int reason)
{
    place_power_on(&rig, 0, PLACE_BEFORE);
    rig.config.cause = cause;
    rig.feeds = 0;
    memset(&rig.report, 0x5a, sizeof(rig.report));
    assert_string_equal(ferry_error_name(ferry_boot_run(&rig.config, &rig.report)),
                        ferry_error_name(result));
    assert_string_equal(ferry_boot_action_name(report()->action), ferry_boot_action_name(action));
    assert_string_equal(ferry_error_name(report()->reason), ferry_error_name(reason));
    assert_int_equal(rig.violations, 0);
}

/* The image of a slot runs: it is described, and in RAM where it runs from there. */
static void expect_runs(uint8_t slot, const struct place_image *image, enum ferry_swap_type next)
{
    assert_int_equal(report()->slot, slot);
    assert_true(place_holds(&rig, slot, image));
    assert_int_equal(report()->info.size, image->size);
    assert_int_equal(report()->info.header.version.major, image->bytes[20]);
    assert_string_equal(ferry_swap_type_name(report()->next), ferry_swap_type_name(next));
    assert_true(rig.feeds >= image->size / sizeof(rig.buf));
    if (rig.image.slots.strategy->mode == FERRY_MODE_RAM_LOAD) {
        uint32_t offset = report()->info.header.load_address - PLACE_RAM;
        assert_memory_equal(rig.memory + offset, image->bytes, image->size);
    }
    rig.image.slots.active = slot;
}

/* Nothing to do: the image is read once, and a little more; nothing is written. */
static void expect_idle(uint8_t slot, const struct place_image *image)
{
    expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
    expect_runs(slot, image, FERRY_SWAP_NONE);
    assert_int_equal(rig.operations, 0);
    assert_true(rig.slot[slot].bytes_read <= image->size + 600);
    assert_true(rig.slot[1 - slot].bytes_read <= 200);
}

static bool is_empty(uint32_t slot)
{
    const struct ferry_flash *flash = &rig.slot[slot].flash;
    return ferry_flash_is_erased(flash, 0, flash->runs[0].size) == 1 &&
           place_fields(&rig, slot)[0] == '\0';
}

static void expect_fields(uint32_t slot, const char *fields)
{
    assert_string_equal(place_fields(&rig, slot), fields);
}

static void confirm(void)
{
    assert_int_equal(ferry_slots_confirm(&rig.image.slots), FERRY_OK);
}

/* ---- Without reverts ---------------------------------------------------------------------------
 */

static void test_the_newest_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plain); i++) {
        begin(plain[i], true, 3);
        expect_idle(1, &v2);
        place_load(&rig, 0, &v2);
        place_load(&rig, 1, &v1);
        expect_idle(0, &v2);
        /* Of equal ones the primary. */
        place_load(&rig, 1, &v2);
        expect_idle(0, &v2);
        place_load(&rig, 1, NULL);
        expect_idle(0, &v2);
        place_load(&rig, 0, NULL);
        place_load(&rig, 1, &v1);
        expect_idle(1, &v1);
    }
}

static void test_a_bad_newest_is_refused_and_gone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plain); i++) {
        begin(plain[i], false, 0);
        place_load(&rig, 1, &bad);
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_DIGEST);
        expect_runs(0, &v1, FERRY_SWAP_NONE);
        assert_int_equal(report()->refused.major, 2);
        assert_true(is_empty(1));
        expect_idle(0, &v1);
    }
}

/* The older one is not looked at while the newest runs. */
static void test_a_bad_older_one_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plain); i++) {
        begin(plain[i], false, 0);
        rig.slot[0].memory[300] ^= 1;
        expect_idle(1, &v2);
    }
}

static void test_nothing_is_erased_when_nothing_runs(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plain); i++) {
        begin(plain[i], false, 0);
        rig.slot[0].memory[300] ^= 1;
        place_load(&rig, 1, &bad);
        expect(FERRY_CAUSE_OTHER, FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, FERRY_E_DIGEST);
        assert_int_equal(report()->refused.major, 2);
        assert_int_equal(rig.operations, 0);
        place_load(&rig, 0, NULL);
        place_load(&rig, 1, NULL);
        expect(FERRY_CAUSE_OTHER, FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, FERRY_E_MAGIC);
        assert_int_equal(rig.operations, 0);
    }
}

/* What cannot be read today may be readable tomorrow: a later boot runs it. */
static void test_unreadable_is_not_gone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(plain); i++) {
        begin(plain[i], false, 0);
        memset(rig.slot[1].state + 256, 1, 16);
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_FLASH);
        expect_runs(0, &v1, FERRY_SWAP_NONE);
        assert_int_equal(rig.operations, 0);
        memset(rig.slot[1].state, 1, sizeof(rig.slot[1].state));
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
        expect_runs(0, &v1, FERRY_SWAP_NONE);
        memset(rig.slot[1].state, 0, sizeof(rig.slot[1].state));
        expect_idle(1, &v2);
        memset(rig.slot[0].state, 1, sizeof(rig.slot[0].state));
        memset(rig.slot[1].state, 1, sizeof(rig.slot[1].state));
        expect(FERRY_CAUSE_OTHER, FERRY_E_FLASH, FERRY_BOOT_STOPPED, FERRY_E_FLASH);
    }
}

/* ---- Addresses ---------------------------------------------------------------------------------
 */

static void test_rom_fixed(void **state)
{
    struct place_image here;
    struct place_image there;
    (void)state;
    place_build(&here, 3, 500, FERRY_IMAGE_ROM_FIXED, 0x9000);
    place_build(&there, 4, 500, FERRY_IMAGE_ROM_FIXED, 0x1000);
    begin(&ferry_boot_direct_xip, false, 0);
    place_load(&rig, 1, &here);
    expect_idle(1, &here);
    place_load(&rig, 1, &there);
    expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_ADDRESS);
    expect_runs(0, &v1, FERRY_SWAP_NONE);
    assert_true(is_empty(1));
    place_load(&rig, 0, &there);
    expect_idle(0, &there);
    /* Alone, it is refused all the same, but stays. */
    place_load(&rig, 0, &here);
    expect(FERRY_CAUSE_OTHER, FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, FERRY_E_ADDRESS);
    assert_true(place_holds(&rig, 0, &here));
}

static void test_an_image_that_reaches_into_the_trailer(void **state)
{
    struct place_image large;
    (void)state;
    place_build(&large, 3, 1536 - 40 - 72 + 1, FERRY_IMAGE_RAM_LOAD, PLACE_RAM);
    for (size_t i = 0; i < COUNT(plain); i++) {
        begin(plain[i], false, 0);
        place_load(&rig, 1, &large);
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_TOO_LARGE);
        expect_runs(0, &v1, FERRY_SWAP_NONE);
    }
}

struct ram_row {
    uint32_t flags;
    uint32_t address; /* as an offset from the RAM's */
    int reason;       /* FERRY_OK: it runs */
};

static void test_ram_bounds(void **state)
{
    /* An image of 500 + 72 bytes. */
    static const struct ram_row rows[] = {
        {FERRY_IMAGE_RAM_LOAD, 0, FERRY_OK},
        {FERRY_IMAGE_RAM_LOAD, PLACE_RAM_SIZE - 572, FERRY_OK},
        {FERRY_IMAGE_RAM_LOAD, PLACE_RAM_SIZE - 571, FERRY_E_TOO_LARGE},
        {FERRY_IMAGE_RAM_LOAD, PLACE_RAM_SIZE - 1, FERRY_E_TOO_LARGE},
        {FERRY_IMAGE_RAM_LOAD, PLACE_RAM_SIZE, FERRY_E_ADDRESS},
        {FERRY_IMAGE_RAM_LOAD, 0U - 1U, FERRY_E_ADDRESS},
        {FERRY_IMAGE_RAM_LOAD, 0U - PLACE_RAM, FERRY_E_ADDRESS},
        {FERRY_IMAGE_RAM_LOAD, UINT32_MAX - PLACE_RAM, FERRY_E_ADDRESS},
        {0, 0, FERRY_E_ADDRESS},
        {FERRY_IMAGE_ROM_FIXED, 0, FERRY_E_ADDRESS},
    };
    struct place_image image;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        place_build(&image, 3, 500, rows[i].flags, PLACE_RAM + rows[i].address);
        assert_int_equal(image.size, 572);
        begin(&ferry_boot_ram_load, false, 0);
        place_load(&rig, 1, &image);
        memset(rig.memory, 0xee, sizeof(rig.memory));
        if (rows[i].reason == FERRY_OK) {
            expect_idle(1, &image);
        } else {
            expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_REFUSED, rows[i].reason);
            expect_runs(0, &v1, FERRY_SWAP_NONE);
        }
    }
}

/* An image that ends exactly where the address space does. */
static void test_ram_at_the_end_of_the_address_space(void **state)
{
    struct place_image image;
    (void)state;
    begin(&ferry_boot_ram_load, false, 0);
    rig.ram.address = 0U - PLACE_RAM_SIZE;
    place_build(&image, 3, 500, FERRY_IMAGE_RAM_LOAD, 0U - 572U);
    place_load(&rig, 1, &image);
    expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
    assert_memory_equal(rig.memory + PLACE_RAM_SIZE - 572, image.bytes, 572);
    rig.ram.address++;
    expect(FERRY_CAUSE_OTHER, FERRY_E_CONFIG, FERRY_BOOT_STOPPED, FERRY_E_CONFIG);
    rig.ram.address = PLACE_RAM;
    rig.ram.size = 0;
    expect(FERRY_CAUSE_OTHER, FERRY_E_CONFIG, FERRY_BOOT_STOPPED, FERRY_E_CONFIG);
    rig.image.ram = NULL;
    expect(FERRY_CAUSE_OTHER, FERRY_E_CONFIG, FERRY_BOOT_STOPPED, FERRY_E_CONFIG);
    assert_int_equal(rig.operations, 0);
}

/* A flash that gives other bytes when it is read again: what runs is what was verified. */
static void test_what_runs_from_ram_was_verified_there(void **state)
{
    (void)state;
    for (uint32_t at = 0; at < v2.size; at += 7) {
        begin(&ferry_boot_ram_load, false, 0);
        rig.slot[1].state[at] = 2;
        memset(rig.memory, 0, sizeof(rig.memory));
        place_power_on(&rig, 0, PLACE_BEFORE);
        if (ferry_boot_run(&rig.config, &rig.report) != FERRY_OK) {
            fail_msg("nothing runs, byte %u", at);
        }
        const struct place_image *image = report()->slot == 1 ? &v2 : &v1;
        uint32_t offset = report()->info.header.load_address - PLACE_RAM;
        assert_memory_equal(rig.memory + offset, image->bytes, image->size);
    }
}

static void test_a_refused_image_does_not_stay_in_ram(void **state)
{
    (void)state;
    begin(&ferry_boot_ram_load, false, 0);
    place_load(&rig, 0, NULL);
    place_load(&rig, 1, &bad);
    memset(rig.memory, 0xee, sizeof(rig.memory));
    expect(FERRY_CAUSE_OTHER, FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, FERRY_E_DIGEST);
    assert_true(ferry_all_equal(rig.memory + 64, bad.size, 0));
    assert_true(ferry_all_equal(rig.memory, 64, 0xee));
}

/* ---- With reverts, by MCUboot's rule
 * -------------------------------------------------------------- */

static void test_an_upload_nobody_asked_for_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reverting); i++) {
        begin(reverting[i], false, 0);
        place_trailer(&rig, 0, "mdk");
        expect_idle(0, &v1);
        assert_true(place_holds(&rig, 1, &v2));
        place_trailer(&rig, 1, "M");
        expect_idle(0, &v1);
        assert_true(place_holds(&rig, 1, &v2));
    }
}

static void test_test_then_confirm(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reverting); i++) {
        begin(reverting[i], i == 0, 0);
        place_trailer(&rig, 0, "mdk");
        assert_int_equal(ferry_slots_set_pending(&rig.image.slots, false), FERRY_OK);
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
        expect_runs(1, &v2, FERRY_SWAP_REVERT);
        expect_fields(1, "md");
        assert_true(rig.operations <= 1 + (rig.image.slots.store != NULL ? 8 : 0));
        confirm();
        expect_idle(1, &v2);
        expect_fields(1, "mdk");
        assert_true(place_holds(&rig, 0, &v1));
    }
}

static void test_test_without_confirm_is_taken_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reverting); i++) {
        begin(reverting[i], i == 0, 0);
        place_trailer(&rig, 0, "mdk");
        assert_int_equal(ferry_slots_set_pending(&rig.image.slots, false), FERRY_OK);
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
        expect(FERRY_CAUSE_POWER, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
        expect_runs(0, &v1, FERRY_SWAP_NONE);
        assert_true(is_empty(1));
        expect_idle(0, &v1);
        /* And the same image may be asked for again. */
        place_load(&rig, 1, &v2);
        assert_int_equal(ferry_slots_set_pending(&rig.image.slots, false), FERRY_OK);
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    }
}

static void test_permanent_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reverting); i++) {
        begin(reverting[i], false, 0);
        place_trailer(&rig, 0, "mdk");
        assert_int_equal(ferry_slots_set_pending(&rig.image.slots, true), FERRY_OK);
        expect_idle(1, &v2);
        expect_idle(1, &v2);
    }
}

/* As imgtool --confirm leaves it; at rest copy_done stands, as MCUboot has it. */
static void test_a_confirmed_image_by_the_signer(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reverting); i++) {
        begin(reverting[i], false, 0);
        place_trailer(&rig, 0, "mdk");
        place_trailer(&rig, 1, "mk");
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_UPGRADED, FERRY_OK);
        expect_runs(1, &v2, FERRY_SWAP_NONE);
        expect_fields(1, "mdk");
        assert_int_equal(rig.operations, 1);
        expect_idle(1, &v2);
    }
}

static void test_a_refused_test(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reverting); i++) {
        begin(reverting[i], false, 0);
        place_trailer(&rig, 0, "mdk");
        place_load(&rig, 1, &bad);
        place_trailer(&rig, 1, "m");
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_DIGEST);
        expect_runs(0, &v1, FERRY_SWAP_NONE);
        assert_int_equal(report()->refused.major, 2);
        assert_true(is_empty(1));
        expect_idle(0, &v1);
    }
}

/* The confirmed image has gone bad meanwhile: what is on trial goes on. */
static void test_nothing_to_go_back_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reverting); i++) {
        begin(reverting[i], false, 0);
        place_trailer(&rig, 0, "mdk");
        place_trailer(&rig, 1, "md");
        rig.slot[0].memory[300] ^= 1;
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_DIGEST);
        expect_runs(1, &v2, FERRY_SWAP_NONE);
        assert_true(is_empty(0));
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_RAN, FERRY_E_STATE);
        expect_runs(1, &v2, FERRY_SWAP_NONE);
        assert_int_equal(rig.operations, 0);
        confirm();
        expect_idle(1, &v2);
    }
}

/* A device as the programmer left it: no trailer at all. It runs, and is what a test goes back
 * to. */
static void test_back_to_an_image_without_trailer(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reverting); i++) {
        begin(reverting[i], false, 0);
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_RAN, FERRY_E_STATE);
        expect_runs(0, &v1, FERRY_SWAP_NONE);
        assert_int_equal(rig.operations, 0);
        assert_int_equal(ferry_slots_set_pending(&rig.image.slots, false), FERRY_OK);
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
        expect_runs(1, &v2, FERRY_SWAP_REVERT);
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
        expect_runs(0, &v1, FERRY_SWAP_NONE);
        assert_true(is_empty(1));
    }
}

static void test_a_lone_trial_goes_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reverting); i++) {
        for (int policy = 0; policy < 2; policy++) {
            begin(reverting[i], policy == 1, policy == 1 ? 1 : 0);
            place_load(&rig, 0, NULL);
            place_trailer(&rig, 1, "m");
            expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
            expect_runs(1, &v2, FERRY_SWAP_NONE);
            for (int boots = 0; boots < 4; boots++) {
                expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_RAN, FERRY_E_STATE);
                expect_runs(1, &v2, FERRY_SWAP_NONE);
                assert_true(rig.operations == 0 || (boots == 0 && policy == 1));
                assert_true(rig.slot[1].bytes_read <= v2.size + 600);
            }
        }
    }
}

/* It never confirmed itself, but it is what there was: the next test goes back to it. */
static void test_back_to_a_lone_trial(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reverting); i++) {
        begin(reverting[i], i == 0, i == 0 ? 1 : 0);
        place_trailer(&rig, 0, "md");
        assert_int_equal(ferry_slots_set_pending(&rig.image.slots, false), FERRY_OK);
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
        expect_runs(1, &v2, FERRY_SWAP_REVERT);
        assert_true(place_holds(&rig, 0, &v1));
        expect_fields(0, "md");
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
        expect_runs(0, &v1, FERRY_SWAP_NONE);
        assert_true(is_empty(1));
    }
}

static void test_what_a_cut_left_over_is_cleaned(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reverting); i++) {
        begin(reverting[i], false, 0);
        place_trailer(&rig, 0, "mdk");
        place_load(&rig, 1, NULL);
        place_trailer(&rig, 1, "md");
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
        assert_int_equal(rig.operations, 1);
        assert_true(is_empty(1));
        expect_idle(0, &v1);
    }
}

/* A unit that does not take copy_done: without a store nobody would know of the start. */
static void test_a_start_that_cannot_be_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reverting); i++) {
        begin(reverting[i], false, 0);
        place_trailer(&rig, 0, "mdk");
        place_trailer(&rig, 1, "m");
        rig.slot[1].dead[1536 / 128 - 1] = true;
        for (int boots = 0; boots < 3; boots++) {
            expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_REFUSED, FERRY_E_FLASH);
            expect_runs(0, &v1, FERRY_SWAP_NONE);
            assert_int_equal(report()->failure.area, FERRY_AREA_SECONDARY);
            assert_int_equal(report()->failure.sector, 1536 / 128 - 1);
        }
        /* With a store it is tried, and taken back. */
        begin(reverting[i], true, 1);
        place_trailer(&rig, 0, "mdk");
        place_trailer(&rig, 1, "m");
        rig.slot[1].dead[1536 / 128 - 1] = true;
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
        expect_runs(1, &v2, FERRY_SWAP_REVERT);
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
        expect_runs(0, &v1, FERRY_SWAP_NONE);
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
        expect_runs(0, &v1, FERRY_SWAP_NONE);
        /* Alone it runs all the same. */
        begin(reverting[i], false, 0);
        place_load(&rig, 0, NULL);
        place_trailer(&rig, 1, "m");
        rig.slot[1].dead[1536 / 128 - 1] = true;
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_RAN, FERRY_E_STATE);
        expect_runs(1, &v2, FERRY_SWAP_NONE);
    }
}

/* ---- With trials
 * ---------------------------------------------------------------------------------- */

static void begin_trials(size_t i, uint8_t trials)
{
    begin(reverting[i], true, trials);
    place_trailer(&rig, 0, "mdk");
    assert_int_equal(ferry_slots_set_pending(&rig.image.slots, false), FERRY_OK);
    expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    expect_runs(1, &v2, FERRY_SWAP_REVERT);
}

static void test_marked_trials(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reverting); i++) {
        begin_trials(i, 3);
        for (int boots = 1; boots < 3; boots++) {
            assert_int_equal(ferry_trial_started(&rig.image.slots), FERRY_OK);
            expect(FERRY_CAUSE_POWER, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
            expect_runs(1, &v2, FERRY_SWAP_REVERT);
        }
        assert_int_equal(ferry_trial_started(&rig.image.slots), FERRY_OK);
        expect(FERRY_CAUSE_POWER, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
        expect_runs(0, &v1, FERRY_SWAP_NONE);
        assert_true(is_empty(1));
        expect_idle(0, &v1);
        /* The same image again: three trials again. */
        place_load(&rig, 1, &v2);
        assert_int_equal(ferry_slots_set_pending(&rig.image.slots, false), FERRY_OK);
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
        expect_runs(1, &v2, FERRY_SWAP_REVERT);
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
        confirm();
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
        expect_idle(1, &v2);
    }
}

static void test_power_failures_are_no_trials(void **state)
{
    (void)state;
    begin_trials(0, 1);
    for (int boots = 0; boots < FERRY_TRIAL_POWER_MAX; boots++) {
        expect(FERRY_CAUSE_POWER, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
        expect_runs(1, &v2, FERRY_SWAP_REVERT);
    }
    expect(FERRY_CAUSE_POWER, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
    expect_runs(0, &v1, FERRY_SWAP_NONE);
}

/* The power failed between copy_done and the start: the image has not had its first one. */
static void test_a_reset_before_the_first_instruction(void **state)
{
    (void)state;
    begin(reverting[0], true, 1);
    place_trailer(&rig, 0, "mdk");
    place_trailer(&rig, 1, "m");
    place_power_on(&rig, 1, PLACE_AFTER);
    assert_int_equal(ferry_boot_run(&rig.config, &rig.report), FERRY_E_POWER);
    place_power_on(&rig, 0, PLACE_BEFORE);
    expect_fields(1, "md");
    expect(FERRY_CAUSE_POWER, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
    expect_runs(1, &v2, FERRY_SWAP_REVERT);
}

/* A store that does not take records costs the trials, not the rollback. */
static void test_a_store_that_is_dead(void **state)
{
    (void)state;
    begin(reverting[0], true, 3);
    place_trailer(&rig, 0, "mdk");
    place_trailer(&rig, 1, "m");
    memset(rig.slot[PLACE_STORE_AREA].dead, true, sizeof(rig.slot[PLACE_STORE_AREA].dead));
    expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_TESTING, FERRY_OK);
    expect_runs(1, &v2, FERRY_SWAP_REVERT);
    expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_REVERTED, FERRY_OK);
    expect_runs(0, &v1, FERRY_SWAP_NONE);
}

/* A confirm that only the store could take counts for the bootloader. */
static void test_confirmed_in_the_store(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reverting); i++) {
        begin_trials(i, 1);
        rig.slot[1].dead[1536 / 128 - 1] = true;
        confirm();
        expect_fields(1, "md");
        expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
        expect_runs(1, &v2, FERRY_SWAP_NONE);
        expect_idle(1, &v2);
    }
}

/* ---- Single slot
 * ---------------------------------------------------------------------------------- */

static void test_single_slot(void **state)
{
    (void)state;
    begin(&ferry_boot_single_slot, false, 0);
    expect(FERRY_CAUSE_OTHER, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
    expect_runs(0, &v1, FERRY_SWAP_NONE);
    assert_int_equal(rig.operations, 0);
    assert_true(rig.slot[0].bytes_read <= v1.size + 600);
    rig.slot[0].memory[300] ^= 1;
    expect(FERRY_CAUSE_OTHER, FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, FERRY_E_DIGEST);
    place_load(&rig, 0, NULL);
    expect(FERRY_CAUSE_OTHER, FERRY_E_NO_IMAGE, FERRY_BOOT_STOPPED, FERRY_E_MAGIC);
    memset(rig.slot[0].state, 1, sizeof(rig.slot[0].state));
    expect(FERRY_CAUSE_OTHER, FERRY_E_FLASH, FERRY_BOOT_STOPPED, FERRY_E_FLASH);
    assert_int_equal(rig.operations, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_newest_runs),
        cmocka_unit_test(test_a_bad_newest_is_refused_and_gone),
        cmocka_unit_test(test_a_bad_older_one_stays),
        cmocka_unit_test(test_nothing_is_erased_when_nothing_runs),
        cmocka_unit_test(test_unreadable_is_not_gone),
        cmocka_unit_test(test_rom_fixed),
        cmocka_unit_test(test_an_image_that_reaches_into_the_trailer),
        cmocka_unit_test(test_ram_bounds),
        cmocka_unit_test(test_ram_at_the_end_of_the_address_space),
        cmocka_unit_test(test_what_runs_from_ram_was_verified_there),
        cmocka_unit_test(test_a_refused_image_does_not_stay_in_ram),
        cmocka_unit_test(test_an_upload_nobody_asked_for_stays),
        cmocka_unit_test(test_test_then_confirm),
        cmocka_unit_test(test_test_without_confirm_is_taken_back),
        cmocka_unit_test(test_permanent_stays),
        cmocka_unit_test(test_a_confirmed_image_by_the_signer),
        cmocka_unit_test(test_a_refused_test),
        cmocka_unit_test(test_nothing_to_go_back_to),
        cmocka_unit_test(test_back_to_an_image_without_trailer),
        cmocka_unit_test(test_a_lone_trial_goes_on),
        cmocka_unit_test(test_back_to_a_lone_trial),
        cmocka_unit_test(test_what_a_cut_left_over_is_cleaned),
        cmocka_unit_test(test_a_start_that_cannot_be_recorded),
        cmocka_unit_test(test_marked_trials),
        cmocka_unit_test(test_power_failures_are_no_trials),
        cmocka_unit_test(test_a_reset_before_the_first_instruction),
        cmocka_unit_test(test_a_store_that_is_dead),
        cmocka_unit_test(test_confirmed_in_the_store),
        cmocka_unit_test(test_single_slot),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
