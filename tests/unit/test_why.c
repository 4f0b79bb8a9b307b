/* SPDX-License-Identifier: Apache-2.0 */
/* The report of the last swap, revert or refusal: its bytes, its counters, and what stands in the
 * way of it. */
#include "ferry/why.h"
#include "store_chip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <string.h>

#define RECORD_SIZE 48

static struct ferry_why refusal(uint8_t major)
{
    return (struct ferry_why){.action = FERRY_BOOT_REFUSED,
                              .reason = FERRY_E_SIGNATURE,
                              .version = {major, 0, 0, 0},
                              .running = {1, 0, 0, 0}};
}

static void write_why(struct ferry_store *store, const struct ferry_why *why)
{
    assert_int_equal(ferry_why_write(store, 0, why), FERRY_OK);
}

static void write_action(struct ferry_store *store, enum ferry_boot_action action)
{
    const struct ferry_why why = {.action = action};

    write_why(store, &why);
}

static void read_why(const struct ferry_store *store, struct ferry_why *why)
{
    memset(why, 0xee, sizeof(*why));
    assert_int_equal(ferry_why_read(store, 0, why), FERRY_OK);
}

/* ---- One report ------------------------------------------------------------------------ */

static void nothing_has_happened_yet(void **state)
{
    struct chip chip;
    struct ferry_store store;
    struct ferry_why why;

    (void)state;
    fresh(&store, &chip);
    assert_int_equal(ferry_why_read(&store, 0, &why), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_why_read(&store, 14, &why), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_why_read(&store, 15, &why), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_why_read(&store, UINT32_MAX, &why), FERRY_E_NOT_FOUND);
}

/* The layout in docs/SERVER.md, byte for byte. */
static void the_record_is_as_documented(void **state)
{
    static const uint8_t expected[RECORD_SIZE] = {
        1,    4,    1,    2,                                       /* format, action, flags, area */
        0x0c, 0x0b, 0x0a, 0x00,                                    /* sector */
        0xea, 0xff, 0xff, 0xff,                                    /* reason -22 */
        2,    3,    0x05, 0x04, 0x09, 0x08, 0x07, 0x06,            /* version */
        1,    0,    0x02, 0x00, 0x03, 0x00, 0x00, 0x00,            /* running */
        0,    0,    0,    0,    0,    0,    0,    0,               /* upgrades, reverts */
        1,    0,    0,    0,    1,    0,    0,    0,    0, 0, 0, 0 /* refusals, resumes, stops */
    };
    const struct ferry_why why = {.action = FERRY_BOOT_REFUSED,
                                  .reason = FERRY_E_SIGNATURE,
                                  .resumed = true,
                                  .version = {2, 3, 0x0405, 0x06070809},
                                  .running = {1, 0, 2, 3},
                                  .failure = {FERRY_AREA_SECONDARY, 0x0a0b0c},
                                  .upgrades = 77};
    uint8_t raw[FERRY_STORE_MAX];
    struct chip chip;
    struct ferry_store store;
    struct ferry_why back;

    (void)state;
    fresh(&store, &chip);
    write_why(&store, &why);
    assert_int_equal(ferry_store_get(&store, FERRY_STORE_KEY_WHY, raw, sizeof(raw)), RECORD_SIZE);
    assert_memory_equal(raw, expected, RECORD_SIZE);
    open_store(&store, &chip); /* as the firmware does, after the bootloader */
    read_why(&store, &back);
    assert_int_equal(back.action, why.action);
    assert_int_equal(back.reason, why.reason);
    assert_true(back.resumed);
    assert_int_equal(ferry_version_compare(&back.version, &why.version, true), 0);
    assert_int_equal(ferry_version_compare(&back.running, &why.running, true), 0);
    assert_int_equal(back.failure.area, why.failure.area);
    assert_int_equal(back.failure.sector, why.failure.sector);
    assert_int_equal(back.upgrades, 0); /* the caller's counters are ignored */
    assert_int_equal(back.refusals, 1);
    assert_int_equal(back.resumes, 1);
}

/* Both sides of a counter stand behind the rest, and only there. */
static void counters_make_the_record_longer(void **state)
{
    struct ferry_why why = refusal(2);
    struct ferry_why back;
    uint8_t raw[FERRY_STORE_MAX];
    struct chip chip;
    struct ferry_store store;

    (void)state;
    fresh(&store, &chip);
    why.counters = (struct ferry_policy_counters){true, 0x01020304, 0x0a0b0c0d};
    write_why(&store, &why);
    assert_int_equal(ferry_store_get(&store, FERRY_STORE_KEY_WHY, raw, sizeof(raw)), 56);
    assert_memory_equal(raw + 48, "\x04\x03\x02\x01\x0d\x0c\x0b\x0a", 8);
    read_why(&store, &back);
    assert_true(back.counters.known);
    assert_int_equal(back.counters.image, 0x01020304);
    assert_int_equal(back.counters.least, 0x0a0b0c0d);
    write_action(&store, FERRY_BOOT_TESTING);
    assert_int_equal(ferry_store_get(&store, FERRY_STORE_KEY_WHY, raw, sizeof(raw)), RECORD_SIZE);
    read_why(&store, &back);
    assert_false(back.counters.known);
}

/* So does what a dependency needs. */
static void a_need_makes_the_record_longer(void **state)
{
    struct ferry_why why = refusal(2);
    struct ferry_why back;
    uint8_t raw[FERRY_STORE_MAX];
    struct chip chip;
    struct ferry_store store;

    (void)state;
    fresh(&store, &chip);
    why.reason = FERRY_E_DEPENDENCY;
    why.need = (struct ferry_boot_need){3, {1, 2, 0x0403, 0x08070605}, true};
    write_why(&store, &why);
    assert_int_equal(ferry_store_get(&store, FERRY_STORE_KEY_WHY, raw, sizeof(raw)), 57);
    assert_memory_equal(raw + 48, "\x01\x02\x03\x04\x05\x06\x07\x08\x03", 9);
    read_why(&store, &back);
    assert_true(back.need.known);
    assert_int_equal(back.need.image, 3);
    assert_int_equal(ferry_version_compare(&back.need.version, &why.need.version, true), 0);
    assert_false(back.counters.known);
    write_action(&store, FERRY_BOOT_TESTING);
    assert_int_equal(ferry_store_get(&store, FERRY_STORE_KEY_WHY, raw, sizeof(raw)), RECORD_SIZE);
    read_why(&store, &back);
    assert_false(back.need.known);
}

static void every_reason_comes_back(void **state)
{
    static const int reasons[] = {FERRY_OK, FERRY_E_SHORT, FERRY_E_CANCELLED, INT32_MIN, INT32_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT(reasons); i++) {
        struct ferry_why why = refusal(2);
        struct ferry_why back;
        struct chip chip;
        struct ferry_store store;

        fresh(&store, &chip);
        why.reason = reasons[i];
        write_why(&store, &why);
        read_why(&store, &back);
        assert_int_equal(back.reason, reasons[i]);
    }
}

static void images_have_reports_of_their_own(void **state)
{
    struct chip chip;
    struct ferry_store store;
    struct ferry_why why;

    (void)state;
    fresh(&store, &chip);
    for (uint32_t image = 0; image < 15; image++) {
        const struct ferry_why report = refusal((uint8_t)(image + 1));
        assert_int_equal(ferry_why_write(&store, image, &report), FERRY_OK);
    }
    for (uint32_t image = 0; image < 15; image++) {
        assert_int_equal(ferry_why_read(&store, image, &why), FERRY_OK);
        assert_int_equal(why.version.major, image + 1);
        assert_int_equal(why.refusals, 1);
    }
    expect_text(&store, FERRY_STORE_KEY_TRIAL, NULL); /* the next key is somebody else's */
}

static void what_cannot_be_recorded_is_refused(void **state)
{
    struct chip chip;
    struct ferry_store store;
    struct ferry_why why = refusal(2);

    (void)state;
    fresh(&store, &chip);
    assert_int_equal(ferry_why_write(&store, 15, &why), FERRY_E_RANGE);
    assert_int_equal(ferry_why_write(&store, UINT32_MAX, &why), FERRY_E_RANGE);
    why.action = FERRY_BOOT_RAN;
    assert_int_equal(ferry_why_write(&store, 0, &why), FERRY_E_RANGE);
    why.action = (enum ferry_boot_action)6;
    assert_int_equal(ferry_why_write(&store, 0, &why), FERRY_E_RANGE);
    assert_int_equal(chip.operations, 0);
}

/* ---- Counters and repetitions ----------------------------------------------------------- */

static void counters_go_on(void **state)
{
    struct ferry_why resumed = {.action = FERRY_BOOT_UPGRADED, .resumed = true};
    struct chip chip;
    struct ferry_store store;
    struct ferry_why why;

    (void)state;
    fresh(&store, &chip);
    for (int i = 0; i < 3; i++) {
        write_action(&store, FERRY_BOOT_TESTING);
        write_action(&store, FERRY_BOOT_REVERTED);
        open_store(&store, &chip);
    }
    write_why(&store, &resumed);
    write_action(&store, FERRY_BOOT_REFUSED);
    write_action(&store, FERRY_BOOT_STOPPED);
    read_why(&store, &why);
    assert_int_equal(why.action, FERRY_BOOT_STOPPED);
    assert_false(why.resumed);
    assert_int_equal(why.upgrades, 4);
    assert_int_equal(why.reverts, 3);
    assert_int_equal(why.refusals, 1);
    assert_int_equal(why.resumes, 1);
    assert_int_equal(why.stops, 1);
}

static void a_counter_does_not_wrap(void **state)
{
    uint8_t raw[RECORD_SIZE] = {1, FERRY_BOOT_REVERTED};
    struct chip chip;
    struct ferry_store store;
    struct ferry_why why;

    (void)state;
    fresh(&store, &chip);
    memset(raw + 28, 0xff, 20);
    assert_int_equal(ferry_store_put(&store, FERRY_STORE_KEY_WHY, raw, sizeof(raw)), FERRY_OK);
    write_action(&store, FERRY_BOOT_TESTING);
    read_why(&store, &why);
    assert_int_equal(why.action, FERRY_BOOT_TESTING);
    assert_int_equal(why.upgrades, UINT32_MAX);
    assert_int_equal(why.stops, UINT32_MAX);
}

/* Writes `again` behind `first`; returns the flash operations that takes. */
static uint32_t operations_of(const struct ferry_why *first, const struct ferry_why *again)
{
    struct chip chip;
    struct ferry_store store;

    fresh(&store, &chip);
    write_why(&store, first);
    open_store(&store, &chip);

    uint32_t before = chip.operations;

    write_why(&store, again);
    return chip.operations - before;
}

static void a_refusal_or_stop_that_repeats_is_written_once(void **state)
{
    struct ferry_why first = refusal(2);
    struct ferry_why again = first;

    (void)state;
    assert_int_equal(operations_of(&first, &again), 0);
    again.running.major = 9; /* not a part of what is compared */
    again.resumed = true;
    again.failure.area = FERRY_AREA_PRIMARY;
    assert_int_equal(operations_of(&first, &again), 0);
    first.action = again.action = FERRY_BOOT_STOPPED;
    assert_int_equal(operations_of(&first, &again), 0);
    /* anything else is news */
    first = refusal(2);
    again = refusal(2);
    again.version.build = 1;
    assert_int_equal(operations_of(&first, &again), 1);
    again = refusal(2);
    again.reason = FERRY_E_DIGEST;
    assert_int_equal(operations_of(&first, &again), 1);
    again = refusal(2);
    again.action = FERRY_BOOT_STOPPED;
    assert_int_equal(operations_of(&first, &again), 1);
    /* a swap that repeats happened twice */
    first.action = again.action = FERRY_BOOT_REVERTED;
    assert_int_equal(operations_of(&first, &again), 1);
}

static void a_refusal_after_something_else_counts_again(void **state)
{
    const struct ferry_why why = refusal(2);
    struct chip chip;
    struct ferry_store store;
    struct ferry_why back;

    (void)state;
    fresh(&store, &chip);
    write_why(&store, &why);
    write_why(&store, &why);
    write_action(&store, FERRY_BOOT_UPGRADED);
    write_why(&store, &why);
    read_why(&store, &back);
    assert_int_equal(back.refusals, 2);
}

/* ---- What stands in the way ------------------------------------------------------------- */

static void a_record_of_another_format_is_not_read_and_is_replaced(void **state)
{
    static const uint8_t good[RECORD_SIZE] = {1, FERRY_BOOT_REFUSED};
    static const struct {
        size_t at;
        uint8_t value;
        size_t len;
    } foreign[] = {
        {0, 0, RECORD_SIZE},     {0, 2, RECORD_SIZE}, {1, FERRY_BOOT_RAN, RECORD_SIZE},
        {1, 6, RECORD_SIZE},     {3, 4, RECORD_SIZE}, {0, 1, RECORD_SIZE - 1},
        {0, 1, RECORD_SIZE + 1}, {0, 1, 1},           {0, 1, FERRY_STORE_MAX},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(foreign); i++) {
        uint8_t raw[FERRY_STORE_MAX] = {0};
        struct chip chip;
        struct ferry_store store;
        struct ferry_why why = {.stops = 5};

        fresh(&store, &chip);
        memcpy(raw, good, sizeof(good));
        raw[foreign[i].at] = foreign[i].value;
        assert_int_equal(ferry_store_put(&store, FERRY_STORE_KEY_WHY, raw, foreign[i].len),
                         FERRY_OK);
        assert_int_equal(ferry_why_read(&store, 0, &why), FERRY_E_FORMAT);
        assert_int_equal(why.stops, 5); /* untouched */
        why = refusal(3);
        write_why(&store, &why);
        read_why(&store, &why);
        assert_int_equal(why.version.major, 3);
        assert_int_equal(why.refusals, 1);
    }
}

/* A record whose bytes changed is none: the one before it counts, the newer report is lost. */
static void a_damaged_record_leaves_the_one_before(void **state)
{
    const struct ferry_why first = refusal(2);
    const struct ferry_why second = refusal(3);

    (void)state;
    for (size_t at = 0; at < RECORD_SIZE; at++) {
        struct chip chip;
        struct ferry_store store;
        struct ferry_why why;
        uint8_t raw[RECORD_SIZE];
        uint8_t *found = NULL;

        fresh(&store, &chip);
        write_why(&store, &first);
        write_why(&store, &second);
        assert_int_equal(ferry_store_get(&store, FERRY_STORE_KEY_WHY, raw, sizeof(raw)),
                         RECORD_SIZE);
        for (size_t i = 0; i + RECORD_SIZE <= CHIP_SIZE; i++) {
            found = memcmp(chip.memory + i, raw, RECORD_SIZE) == 0 ? chip.memory + i : found;
        }
        assert_non_null(found);
        found[at] ^= 0x10;
        open_store(&store, &chip);
        read_why(&store, &why);
        assert_int_equal(why.version.major, 2);
    }
}

static void a_full_store_says_so_and_keeps_the_last_report(void **state)
{
    const struct ferry_why first = refusal(2);
    const struct ferry_why second = refusal(3);
    uint8_t data[FERRY_STORE_MAX] = {0};
    struct chip chip;
    struct ferry_store store;
    struct ferry_why why;
    uint16_t key = 0x100;
    int rc = FERRY_OK;

    (void)state;
    fresh(&store, &chip);
    while (rc == FERRY_OK) { /* the application fills it */
        rc = ferry_store_put(&store, key++, data, sizeof(data));
    }
    assert_int_equal(rc, FERRY_E_FULL);
    for (size_t len = sizeof(data) - 1; len > 0; len--) {
        rc = ferry_store_put(&store, key, data, len);
        key = rc == FERRY_OK ? (uint16_t)(key + 1) : key;
    }
    assert_int_equal(ferry_why_write(&store, 0, &first), FERRY_E_FULL);
    assert_int_equal(ferry_why_read(&store, 0, &why), FERRY_E_NOT_FOUND);
    /* with a report in it the next one takes its place */
    assert_int_equal(ferry_store_put(&store, 0x100, NULL, 0), FERRY_OK);
    write_why(&store, &first);
    while (rc != FERRY_E_FULL) {
        rc = ferry_store_put(&store, key++, data, sizeof(data));
    }
    write_why(&store, &second);
    read_why(&store, &why);
    assert_int_equal(why.version.major, 3);
    assert_int_equal(why.refusals, 2);
}

static void a_dead_flash_is_reported(void **state)
{
    const struct ferry_why why = refusal(2);
    struct chip chip;
    struct ferry_store store;
    struct ferry_why back;

    (void)state;
    fresh(&store, &chip);
    write_why(&store, &why);
    chip.dead = true;
    assert_int_equal(ferry_why_read(&store, 0, &back), FERRY_E_FLASH);
    assert_int_equal(ferry_why_write(&store, 0, &why), FERRY_E_FLASH);
}

static void actions_and_areas_have_names(void **state)
{
    (void)state;
    assert_string_equal(ferry_boot_action_name(FERRY_BOOT_RAN), "ran");
    assert_string_equal(ferry_boot_action_name(FERRY_BOOT_UPGRADED), "upgraded");
    assert_string_equal(ferry_boot_action_name(FERRY_BOOT_TESTING), "testing");
    assert_string_equal(ferry_boot_action_name(FERRY_BOOT_REVERTED), "reverted");
    assert_string_equal(ferry_boot_action_name(FERRY_BOOT_REFUSED), "refused");
    assert_string_equal(ferry_boot_action_name(FERRY_BOOT_STOPPED), "stopped");
    assert_string_equal(ferry_boot_action_name((enum ferry_boot_action)6), "?");
    assert_string_equal(ferry_boot_action_name((enum ferry_boot_action)INT_MIN), "?");
    assert_string_equal(ferry_boot_area_name(FERRY_AREA_NONE), "none");
    assert_string_equal(ferry_boot_area_name(FERRY_AREA_PRIMARY), "primary");
    assert_string_equal(ferry_boot_area_name(FERRY_AREA_SECONDARY), "secondary");
    assert_string_equal(ferry_boot_area_name(FERRY_AREA_SCRATCH), "scratch");
    assert_string_equal(ferry_boot_area_name((enum ferry_boot_area)INT_MIN), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_has_happened_yet),
        cmocka_unit_test(the_record_is_as_documented),
        cmocka_unit_test(counters_make_the_record_longer),
        cmocka_unit_test(a_need_makes_the_record_longer),
        cmocka_unit_test(every_reason_comes_back),
        cmocka_unit_test(images_have_reports_of_their_own),
        cmocka_unit_test(what_cannot_be_recorded_is_refused),
        cmocka_unit_test(counters_go_on),
        cmocka_unit_test(a_counter_does_not_wrap),
        cmocka_unit_test(a_refusal_or_stop_that_repeats_is_written_once),
        cmocka_unit_test(a_refusal_after_something_else_counts_again),
        cmocka_unit_test(a_record_of_another_format_is_not_read_and_is_replaced),
        cmocka_unit_test(a_damaged_record_leaves_the_one_before),
        cmocka_unit_test(a_full_store_says_so_and_keeps_the_last_report),
        cmocka_unit_test(a_dead_flash_is_reported),
        cmocka_unit_test(actions_and_areas_have_names),
    };

    return cmocka_run_group_tests_name("why", tests, NULL, NULL);
}
