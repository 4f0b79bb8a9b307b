/* SPDX-License-Identifier: Apache-2.0 */
/* The first stage's choice, what it does for good, and the update of the second stage. */
#include "fault_models.h"
#include "first_rig.h"

#include "ferry/boot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const enum test_key_id keys[2] = {TEST_KEY_P256_OTHER, TEST_KEY_P256};

static struct first_rig rig;
static struct ferry_first_report report;

static int set_up(void **state)
{
    (void)state;
    first_rig_init(&rig, keys, 2, 12);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    first_rig_free(&rig);
    return 0;
}

static void stage(uint32_t slot, uint32_t version)
{
    first_rig_stage(&rig, slot, &(struct first_spec){.version = version});
}

/* Run the first stage. */
static int run(void)
{
    rig.chip.state.steps = 0; /* the guard of the chip is for one boot */
    return ferry_first_select(&rig.first, &report);
}

/* Run it; it must start this slot. */
static void expect_slot(uint32_t slot)
{
    assert_int_equal(run(), FERRY_OK);
    assert_int_equal(report.slot, slot);
}

static uint8_t *byte_of(uint32_t slot, uint32_t at)
{
    return rig.chip.areas[FAULT_PRIMARY + slot].memory + FIRST_RIG_HEADER + at;
}

static uint32_t valid_word(uint32_t slot)
{
    return ferry_load_le32(byte_of(slot, 0x200 + 32));
}

/* ---- The choice ----------------------------------------------------------------------------- */

static void the_higher_version_starts_and_a_tie_is_s0s(void **state)
{
    (void)state;
    assert_int_equal(run(), FERRY_E_NO_IMAGE);
    stage(1, 1); /* S0 is empty: NSIB looks at its version all the same */
    expect_slot(1);
    stage(0, 1);
    expect_slot(0);
    stage(1, 2);
    expect_slot(1);
    stage(0, 3);
    expect_slot(0);
}

static void a_bad_one_falls_back_and_is_given_up(void **state)
{
    (void)state;
    stage(0, 1);
    stage(1, 2);
    *byte_of(1, 1000) ^= 1;
    expect_slot(0);
    assert_int_equal(report.reasons[1], FERRY_E_DIGEST);
    assert_true(report.invalidated[1]);
    assert_int_equal(valid_word(1), FERRY_FIRST_INVALID);
    *byte_of(1, 1000) ^= 1; /* for good */
    expect_slot(0);
    assert_int_equal(report.reasons[1], FERRY_E_INVALIDATED);
    assert_int_equal(valid_word(0), FERRY_FIRST_VALID);
}

static void the_last_one_is_never_given_up(void **state)
{
    uint64_t before;

    (void)state;
    stage(0, 1);
    expect_slot(0);
    *byte_of(0, 1000) ^= 1;
    before = rig.chip.state.operations;
    assert_int_equal(run(), FERRY_E_NO_IMAGE);
    assert_int_equal(report.reasons[0], FERRY_E_DIGEST);
    assert_int_equal(rig.chip.state.operations, before);
    *byte_of(0, 1000) ^= 1; /* what reads wrong today may heal */
    expect_slot(0);
}

static void what_cannot_be_read_is_not_given_up(void **state)
{
    (void)state;
    stage(0, 1);
    stage(1, 2);
    fault_chip_doubt(&rig.chip.areas[FAULT_SECONDARY], FAULT_SPOT_UNREADABLE, 2048, 8, NULL);
    expect_slot(0);
    assert_int_equal(report.reasons[1], FERRY_E_FLASH);
    assert_false(report.invalidated[1]);
    rig.chip.state.spot_count = 0;
    expect_slot(1);
}

static void a_part_that_takes_no_second_write_refuses_anew(void **state)
{
    (void)state;
    stage(0, 1);
    stage(1, 2);
    *byte_of(1, 1000) ^= 1;
    rig.chip.write_once = true;
    for (int i = 0; i < 3; i++) {
        expect_slot(0);
        assert_false(report.invalidated[1]);
        assert_int_equal(report.reasons[1], FERRY_E_DIGEST);
    }
}

/* ---- Keys and counter -------------------------------------------------------------------------
 */

static void a_later_key_revokes_the_earlier(void **state)
{
    (void)state;
    first_rig_stage(&rig, 0, &(struct first_spec){.version = 1, .key = TEST_KEY_P256_OTHER});
    expect_slot(0);
    assert_int_equal(report.revoked, 0);
    stage(1, 2); /* signed by the second key */
    expect_slot(1);
    assert_int_equal(report.stage.key, 1);
    assert_int_equal(report.revoked, 1);
    first_rig_stage(&rig, 0, &(struct first_spec){.version = 3, .key = TEST_KEY_P256_OTHER});
    expect_slot(1);
    assert_int_equal(report.reasons[0], FERRY_E_REVOKED);
}

static void a_lower_version_never_runs_again(void **state)
{
    struct ferry_first_provision provision;

    (void)state;
    stage(0, 1);
    expect_slot(0);
    assert_int_equal(report.raised, 1);
    stage(1, 4);
    expect_slot(1);
    expect_slot(1);
    assert_int_equal(report.raised, 0);
    assert_int_equal(ferry_first_provision_read(rig.first.provision, rig.first.kind, &provision),
                     FERRY_OK);
    assert_int_equal(provision.value, 4 << 1);
    *byte_of(1, 1000) ^= 1;
    assert_int_equal(run(), FERRY_E_NO_IMAGE);
    assert_int_equal(report.reasons[0], FERRY_E_OLD_STAGE);
    *byte_of(1, 1000) ^= 1;
    expect_slot(1);
}

static void a_full_counter_starts_but_takes_no_update(void **state)
{
    (void)state;
    for (uint32_t version = 1; version <= 4; version++) {
        stage(version % 2, version);
        expect_slot(version % 2);
        assert_int_equal(report.raised, 1);
    }
    stage(1, 5);
    expect_slot(1);
    assert_int_equal(report.raised, FERRY_E_USED_UP);
}

static void a_board_with_other_slots_starts_nothing(void **state)
{
    uint8_t *address = rig.chip.areas[FIRST_RIG_PROVISION].memory + 40;

    (void)state;
    stage(0, 1);
    address[1] ^= 0x01; /* a bit may flip */
    expect_slot(0);
    address[1] ^= 0x06;
    assert_int_equal(run(), FERRY_E_CONFIG);
    memset(rig.chip.areas[FIRST_RIG_PROVISION].memory, 0xff, FIRST_RIG_PAGE);
    assert_int_equal(run(), FERRY_E_FORMAT);
}

/* ---- Flips at rest ----------------------------------------------------------------------------
 */

/* Whatever bit of the provision data flips, but for a key's hash (which may stand there twice):
 * what ran still runs, nothing below the counter does, and no revoked key verifies. */
static void one_flipped_bit_of_the_provision_changes_nothing(void **state)
{
    uint8_t *page = rig.chip.areas[FIRST_RIG_PROVISION].memory;
    uint32_t tried = 0;

    (void)state;
    first_rig_stage(&rig, 0, &(struct first_spec){.version = 1, .key = TEST_KEY_P256_OTHER});
    expect_slot(0);
    stage(1, 3);
    expect_slot(1);
    for (uint32_t bit = 0; bit < 140 * 8; bit++) {
        bool hash = bit / 8 >= 72 + 4 && bit / 8 < 92;
        size_t mark = fault_chip_mark(&rig.chip);
        uint8_t flipped = page[bit / 8] ^ (uint8_t)(1U << bit % 8);

        if (hash) {
            continue;
        }
        fault_chip_poke(&rig.chip.areas[FIRST_RIG_PROVISION], bit / 8, &flipped, 1);
        /* S0: a revoked key, below the counter; S1: as it was. */
        expect_slot(1);
        first_rig_stage(&rig, 1, &(struct first_spec){.version = 2});
        assert_int_equal(run(), FERRY_E_NO_IMAGE);
        first_rig_stage(&rig, 1, &(struct first_spec){.version = 4, .key = TEST_KEY_P256_OTHER});
        assert_int_equal(run(), FERRY_E_NO_IMAGE);
        fault_chip_undo(&rig.chip, mark);
        tried++;
    }
    print_message("%u flipped bits of provision data\n", tried);
    assert_true(tried > 900);
}

static void one_flipped_bit_of_a_new_page_changes_nothing(void **state)
{
    (void)state;
    stage(0, 1);
    for (uint32_t bit = 0; bit < 160 * 8; bit++) {
        bool hash = bit / 8 >= 72 + 4 && bit / 8 < 92;
        size_t mark = fault_chip_mark(&rig.chip);
        uint8_t flipped =
            rig.chip.areas[FIRST_RIG_PROVISION].memory[bit / 8] ^ (uint8_t)(1U << bit % 8);

        fault_chip_poke(&rig.chip.areas[FIRST_RIG_PROVISION], bit / 8, &flipped, 1);
        if (!hash) {
            expect_slot(0);
        }
        fault_chip_undo(&rig.chip, mark);
    }
}

/* A cut while a token is revoked may leave anything in its word. The key stays revoked, those
 * behind it are found, and the next boot does not look at another page. */
static void a_spoilt_token_is_a_revoked_one(void **state)
{
    static const uint32_t words[] = {0x5000ffff, 0x00000000, 0x12345678, 0x00010000, 0x0002ffff,
                                     0x00010003, 0xffff0000, 0xfffffffe, 0x50fa1234, 0x93120000};
    uint8_t *page = rig.chip.areas[FIRST_RIG_PROVISION].memory;

    (void)state;
    stage(0, 1);
    first_rig_stage(&rig, 1, &(struct first_spec){.version = 2, .key = TEST_KEY_P256_OTHER});
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t mark = fault_chip_mark(&rig.chip);
        uint8_t word[4];

        ferry_store_le32(word, words[i]);
        fault_chip_poke(&rig.chip.areas[FIRST_RIG_PROVISION], 52, word, 4);
        expect_slot(0);
        assert_int_equal(report.reasons[1], FERRY_E_REVOKED);
        assert_int_equal(ferry_load_le16(page + 52), 0);
        expect_slot(0);
        assert_int_equal(report.revoked, 0);
        fault_chip_undo(&rig.chip, mark);
    }
}

/* ---- The update -------------------------------------------------------------------------------
 */

static uint8_t image[FIRST_RIG_SLOT];

/* Stage an image for the second stage, and ask for it. */
static void ask_for(const struct first_spec *spec)
{
    size_t len = first_image(spec, image, sizeof(image));
    struct ferry_flash *flash = &rig.chip.areas[FIRST_RIG_STAGING].flash;

    first_rig_put(&rig, FIRST_RIG_STAGING, image, len);
    assert_int_equal(ferry_trailer_write_magic(flash, ferry_max32(8, flash->write_size)), FERRY_OK);
}

/* One boot of the second stage in the slot that runs. */
static int boot(struct ferry_boot_report *boots)
{
    uint32_t align = ferry_max32(8, rig.first.slots[0].flash->write_size);
    const struct ferry_boot_image images[1] = {
        {.slots = {.primary = rig.first.slots[rig.first.active].flash,
                   .secondary = &rig.chip.areas[FIRST_RIG_STAGING].flash,
                   .strategy = &ferry_traits_first_stage,
                   .max_align = align,
                   .max_sectors = 16},
         .strategy = &ferry_boot_first_stage,
         .first = &rig.first}};
    const struct ferry_boot_config config = {.images = images,
                                             .image_count = 1,
                                             .trust = *test_trust(TEST_KEY_P256),
                                             .buf = rig.buf,
                                             .buf_size = sizeof(rig.buf)};

    return ferry_boot_run(&config, boots);
}

static void the_bootloader_is_updated_there_and_back(void **state)
{
    struct ferry_boot_report boots;

    (void)state;
    stage(0, 1);
    for (uint32_t version = 2; version <= 3; version++) {
        uint32_t slot = (version + 1) % 2;

        expect_slot(1 - slot);
        rig.first.active = report.slot;
        ask_for(&(struct first_spec){.version = version,
                                     .address = slot == 1 ? FIRST_RIG_S1 : FIRST_RIG_S0});
        assert_int_equal(boot(&boots), FERRY_E_BUSY);
        assert_true(boots.images[0].restart);
        expect_slot(slot);
        rig.first.active = report.slot;
        assert_int_equal(boot(&boots), FERRY_OK);
        assert_int_equal(boots.images[0].action, FERRY_BOOT_UPGRADED);
        assert_int_equal(boots.images[0].info.header.version.major, version);
        assert_int_equal(boot(&boots), FERRY_OK);
        assert_int_equal(boots.images[0].action, FERRY_BOOT_RAN);
    }
}

static void every_bad_update_is_refused(void **state)
{
    static const struct {
        struct first_spec spec;
        int reason;
    } rows[] = {
        {{.version = 4, .address = FIRST_RIG_S0}, FERRY_E_ADDRESS},
        {{.version = 2, .address = FIRST_RIG_S1}, FERRY_E_OLD_STAGE},
        {{.version = 3, .address = FIRST_RIG_S1}, FERRY_E_OLD_STAGE}, /* S0 wins the tie */
        {{.version = 4, .address = FIRST_RIG_S1, .key = TEST_KEY_P256_OTHER}, FERRY_E_REVOKED},
        {{.version = 4, .address = FIRST_RIG_S1, .image_key = TEST_KEY_P256_OTHER}, FERRY_E_NO_KEY},
        {{.version = 4, .address = FIRST_RIG_S1, .image_key = TEST_KEY_NONE}, FERRY_E_NO_SIGNATURE},
        {{.version = 4, .address = FIRST_RIG_S1, .after = NULL, .size = 7000}, FERRY_E_TOO_LARGE},
    };
    struct ferry_boot_report boots;

    (void)state;
    stage(0, 3);
    expect_slot(0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].reason != FERRY_E_TOO_LARGE) {
            ask_for(&rows[i].spec);
            assert_int_equal(boot(&boots), FERRY_OK);
            assert_int_equal(boots.images[0].action, FERRY_BOOT_REFUSED);
            assert_int_equal(boots.images[0].reason, rows[i].reason);
            assert_int_equal(boots.images[0].refused.major, rows[i].spec.version);
            assert_int_equal(boot(&boots), FERRY_OK);
            assert_int_equal(boots.images[0].action, FERRY_BOOT_RAN);
            expect_slot(0);
        }
    }
    /* An equal version is what S0 is for, when S1 runs. */
    stage(1, 5);
    expect_slot(1);
    rig.first.active = 1;
    ask_for(&(struct first_spec){.version = 5, .address = FIRST_RIG_S0});
    assert_int_equal(boot(&boots), FERRY_E_BUSY);
    expect_slot(0);
}

/* The first stage did not take what was installed: that is told, and it never starts. */
static void what_the_first_stage_does_not_choose_is_refused(void **state)
{
    struct ferry_boot_report boots;

    (void)state;
    stage(0, 1);
    expect_slot(0);
    ask_for(&(struct first_spec){.version = 2, .address = FIRST_RIG_S1});
    assert_int_equal(boot(&boots), FERRY_E_BUSY);
    assert_int_equal(boot(&boots), FERRY_OK); /* S0 again: the first stage was passed by */
    assert_int_equal(boots.images[0].action, FERRY_BOOT_REFUSED);
    assert_int_equal(boots.images[0].reason, FERRY_E_NOT_CHOSEN);
    expect_slot(0);
}

static void a_slot_that_takes_nothing_is_told(void **state)
{
    struct ferry_boot_report boots;

    (void)state;
    stage(0, 1);
    expect_slot(0);
    ask_for(&(struct first_spec){.version = 2, .address = FIRST_RIG_S1});
    rig.chip.state.armed[0] =
        (struct fault_armed){.at = rig.chip.state.operations + 5, .model = fault_model_find('X')};
    rig.chip.state.armed_count = 1;
    assert_int_equal(boot(&boots), FERRY_OK);
    assert_int_equal(boots.images[0].action, FERRY_BOOT_REFUSED);
    assert_int_equal(boots.images[0].reason, FERRY_E_FLASH);
    expect_slot(0);
}

/* Whatever the flash: the unit that counts is written last, and nothing twice. */
static void every_flash_takes_the_update(void **state)
{
    (void)state;
    for (uint8_t write_size = 1; write_size <= 32; write_size *= 2) {
        for (int erased = 0; erased < 2; erased++) {
            struct ferry_boot_report boots;

            first_rig_free(&rig);
            first_rig_init_of(&rig, keys, 2, 12, write_size, erased == 0 ? 0xff : 0x00);
            stage(0, 1);
            expect_slot(0);
            rig.first.active = 0;
            ask_for(&(struct first_spec){.version = 2, .address = FIRST_RIG_S1, .size = 2047});
            uint32_t before = rig.chip.state.reprogrammed;
            assert_int_equal(boot(&boots), FERRY_E_BUSY);
            assert_int_equal(rig.chip.state.reprogrammed, before);
            expect_slot(1);
            *byte_of(1, 1000) ^= 1;
            assert_int_equal(run(), FERRY_E_NO_IMAGE); /* S0 is below the counter */
            assert_false(report.invalidated[0] || report.invalidated[1]);
        }
    }
}

/* Where bits cannot be cleared a slot cannot be given up. */
static void a_slot_erased_to_zero_refuses_anew(void **state)
{
    (void)state;
    first_rig_free(&rig);
    first_rig_init_of(&rig, keys, 2, 12, 8, 0x00);
    stage(0, 1);
    stage(1, 2);
    *byte_of(1, 1000) ^= 1;
    expect_slot(0);
    assert_false(report.invalidated[1]);
    assert_int_equal(report.reasons[1], FERRY_E_DIGEST);
    expect_slot(0);
}

/* The first stage decrypts nothing, and what is in front of the firmware has a fixed size. */
static void other_headers_are_refused(void **state)
{
    struct ferry_boot_report boots;
    uint8_t firmware[4096];
    const struct first_spec spec = {.version = 2, .address = FIRST_RIG_S1};
    size_t size = first_build(&spec, firmware, sizeof(firmware));
    const struct test_image_spec short_header = {
        .version = {.major = 2}, .payload = firmware, .payload_size = size, .header_size = 256};

    (void)state;
    stage(0, 1);
    expect_slot(0);
    size_t len = test_image_build(&short_header, image, sizeof(image));
    first_rig_put(&rig, FIRST_RIG_STAGING, image, len);
    assert_int_equal(ferry_trailer_write_magic(&rig.chip.areas[FIRST_RIG_STAGING].flash, 8),
                     FERRY_OK);
    assert_int_equal(boot(&boots), FERRY_OK);
    assert_int_equal(boots.images[0].reason, FERRY_E_ADDRESS);
    expect_slot(0);
}

/* ---- Beside other images ----------------------------------------------------------------------
 */

static uint32_t set_count; /* images that the set was given */

static int check_set(const struct ferry_boot_config *config, uint32_t count)
{
    (void)config;
    set_count = count;
    return FERRY_OK;
}

static int run_set(const struct ferry_boot_config *config, uint32_t count,
                   struct ferry_boot_report *boots, struct ferry_verdict *verdicts)
{
    (void)config;
    (void)boots;
    (void)verdicts;
    set_count = count;
    return FERRY_OK;
}

/* The bootloader's own image stands last and is no part of a set; it is done first. */
static void the_bootloader_is_no_part_of_a_set(void **state)
{
    static const struct ferry_boot_set set = {.check = check_set, .run = run_set};
    struct ferry_boot_report boots;
    struct ferry_boot_image images[2] = {
        {.slots = {.primary = &rig.chip.areas[FIRST_RIG_STAGING].flash,
                   .strategy = &ferry_traits_single_slot,
                   .max_align = 8,
                   .max_sectors = 16},
         .strategy = &ferry_boot_single_slot},
        {.slots = {.primary = rig.first.slots[0].flash,
                   .secondary = &rig.chip.areas[FIRST_RIG_STAGING].flash,
                   .strategy = &ferry_traits_first_stage,
                   .max_align = 8,
                   .max_sectors = 16},
         .strategy = &ferry_boot_first_stage,
         .first = &rig.first}};
    struct ferry_boot_config config = {.images = images,
                                       .image_count = 2,
                                       .trust = *test_trust(TEST_KEY_P256),
                                       .buf = rig.buf,
                                       .buf_size = sizeof(rig.buf),
                                       .set = &set};

    (void)state;
    stage(0, 1);
    expect_slot(0);
    /* Without an answer for the other image nothing may run. */
    assert_int_equal(ferry_boot_run(&config, &boots), FERRY_E_NO_IMAGE);
    assert_int_equal(set_count, 1);
    assert_int_equal(boots.images[1].action, FERRY_BOOT_RAN);
    set_count = 7;
    ask_for(&(struct first_spec){.version = 2, .address = FIRST_RIG_S1});
    assert_int_equal(ferry_boot_run(&config, &boots), FERRY_E_BUSY);
    assert_int_equal(set_count, 1); /* checked, not run */
    const struct ferry_boot_image other = images[0];
    images[0] = images[1];
    images[1] = other;
    assert_int_equal(ferry_boot_run(&config, &boots), FERRY_E_CONFIG);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(the_higher_version_starts_and_a_tie_is_s0s),
        CASE(a_bad_one_falls_back_and_is_given_up),
        CASE(the_last_one_is_never_given_up),
        CASE(what_cannot_be_read_is_not_given_up),
        CASE(a_part_that_takes_no_second_write_refuses_anew),
        CASE(a_later_key_revokes_the_earlier),
        CASE(a_lower_version_never_runs_again),
        CASE(a_full_counter_starts_but_takes_no_update),
        CASE(a_board_with_other_slots_starts_nothing),
        CASE(one_flipped_bit_of_the_provision_changes_nothing),
        CASE(one_flipped_bit_of_a_new_page_changes_nothing),
        CASE(a_spoilt_token_is_a_revoked_one),
        CASE(the_bootloader_is_updated_there_and_back),
        CASE(every_bad_update_is_refused),
        CASE(what_the_first_stage_does_not_choose_is_refused),
        CASE(a_slot_that_takes_nothing_is_told),
        CASE(every_flash_takes_the_update),
        CASE(a_slot_erased_to_zero_refuses_anew),
        CASE(other_headers_are_refused),
        CASE(the_bootloader_is_no_part_of_a_set),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
