/* SPDX-License-Identifier: Apache-2.0 */
/* How often an image on trial may start: every row of the table in ferry/trial.h, over many
 * boots, with another image, a full store and a store that fails. */
#include "place_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define UNKNOWN FERRY_CAUSE_UNKNOWN
#define POWER   FERRY_CAUSE_POWER
#define OTHER   FERRY_CAUSE_OTHER

static struct place_rig rig;
static struct place_image image;
static struct place_image other;

static uint8_t digest[FERRY_SHA256_SIZE];
static uint8_t other_digest[FERRY_SHA256_SIZE];

static void digest_of(const struct place_image *of, uint8_t out[FERRY_SHA256_SIZE])
{
    TEST_ROM(rom, of->bytes, of->size);
    struct ferry_image_info info;
    assert_int_equal(ferry_image_inspect(&rom.flash, &info), FERRY_OK);
    memcpy(out, info.digest, FERRY_SHA256_SIZE);
}

static int setup(void **state)
{
    (void)state;
    place_init(&rig, &ferry_traits_direct_xip_revert, true);
    place_build(&image, 2, 300, 0, 0);
    place_build(&other, 3, 300, 0, 0);
    digest_of(&image, digest);
    digest_of(&other, other_digest);
    place_load(&rig, 1, &image);
    rig.image.slots.active = 1;
    return 0;
}

static const struct ferry_slots *slots(void)
{
    return &rig.image.slots;
}

static struct ferry_trial read_trial(void)
{
    struct ferry_trial trial;
    assert_int_equal(ferry_trial_read(slots(), digest, &trial), FERRY_OK);
    return trial;
}

/* A boot after cause: it may start, with exactly one record, or no longer. A record that
 * moves the store to a fresh sector takes more than the one program. */
static void boot(enum ferry_reset_cause cause, uint8_t trials, int result)
{
    place_power_on(&rig, 0, PLACE_BEFORE);
    uint32_t sector = rig.store.sector;
    assert_int_equal(ferry_trial_next(slots(), digest, cause, trials), result);
    if (result == 1 && rig.store.sector == sector) {
        assert_int_equal(rig.operations, 1);
    }
    /* Used up is used up, whatever comes now. */
    for (int next = UNKNOWN; result == 0 && next <= OTHER; next++) {
        place_power_on(&rig, 0, PLACE_BEFORE);
        assert_int_equal(ferry_trial_next(slots(), digest, (enum ferry_reset_cause)next, trials),
                         0);
        assert_int_equal(rig.operations, 0);
    }
}

static void mark(void)
{
    assert_int_equal(ferry_trial_started(slots()), FERRY_OK);
}

/* ---- The table ------------------------------------------------------------------------------ */

static void test_first_start_is_free(void **state)
{
    (void)state;
    for (int cause = UNKNOWN; cause <= OTHER; cause++) {
        setup(NULL);
        boot((enum ferry_reset_cause)cause, 1, 1);
        struct ferry_trial trial = read_trial();
        assert_int_equal(trial.boots, 1);
        assert_int_equal(trial.used + trial.power + trial.silent, 0);
        assert_false(trial.marked);
    }
}

static void test_marked_boots_count_whatever_the_cause(void **state)
{
    (void)state;
    for (int cause = UNKNOWN; cause <= OTHER; cause++) {
        setup(NULL);
        for (int i = 0; i < 5; i++) {
            boot((enum ferry_reset_cause)cause, 5, 1);
            mark();
            assert_true(read_trial().marked);
            assert_int_equal(read_trial().used, i + 1);
        }
        place_power_on(&rig, 0, PLACE_BEFORE);
        assert_int_equal(ferry_trial_next(slots(), digest, (enum ferry_reset_cause)cause, 5), 0);
        assert_int_equal(rig.operations, 0);
        assert_int_equal(read_trial().boots, 5);
        assert_int_equal(read_trial().power + read_trial().silent, 0);
    }
}

static void test_one_trial_is_one_boot(void **state)
{
    (void)state;
    boot(POWER, 1, 1);
    mark();
    boot(POWER, 1, 0);
}

static void test_power_failures_are_free_three_times_in_a_row(void **state)
{
    (void)state;
    boot(POWER, 2, 1);
    for (int i = 1; i <= FERRY_TRIAL_POWER_MAX; i++) {
        boot(POWER, 2, 1);
        assert_int_equal(read_trial().power, i);
        assert_int_equal(read_trial().used, 0);
    }
    /* From here on each of them counts. */
    boot(POWER, 2, 1);
    assert_int_equal(read_trial().used, 1);
    boot(POWER, 2, 0);
}

static void test_a_mark_begins_the_row_anew(void **state)
{
    (void)state;
    boot(POWER, 3, 1);
    boot(POWER, 3, 1);
    boot(POWER, 3, 1);
    mark();
    boot(POWER, 3, 1);
    assert_int_equal(read_trial().power, 0);
    assert_int_equal(read_trial().used, 1);
    for (int i = 1; i <= FERRY_TRIAL_POWER_MAX; i++) {
        boot(POWER, 3, 1);
    }
    boot(POWER, 3, 1);
    assert_int_equal(read_trial().used, 2);
    boot(POWER, 3, 0);
}

static void test_without_mark_and_cause_there_are_two_boots(void **state)
{
    (void)state;
    for (uint8_t trials = 1; trials < 9; trials += 7) {
        setup(NULL);
        boot(UNKNOWN, trials, 1);
        boot(UNKNOWN, trials, 1);
        assert_int_equal(read_trial().silent, 1);
        boot(UNKNOWN, trials, 0);
    }
}

/* A watchdog that bites before the mark is a trial that failed. */
static void test_any_other_reset_counts(void **state)
{
    (void)state;
    boot(POWER, 3, 1);
    for (int i = 1; i < 3; i++) {
        boot(OTHER, 3, 1);
        assert_int_equal(read_trial().used, i);
    }
    boot(OTHER, 3, 0);
}

/* Every sequence of ends, over nine boots, against the rules said in other words. */
static void test_every_sequence_ends_as_the_rules_say(void **state)
{
    enum { ENDS = 4, LENGTH = 6 };
    uint32_t sequences = 1;
    (void)state;
    for (int i = 0; i < LENGTH; i++) {
        sequences *= ENDS;
    }
    for (uint32_t sequence = 0; sequence < sequences; sequence++) {
        uint32_t used = 0, row = 0, silent = 0, left = sequence;
        setup(NULL);
        boot(POWER, 3, 1);
        for (int i = 0; i < LENGTH; i++, left /= ENDS) {
            uint32_t end = left % ENDS;
            if (end == 3) {
                mark();
            }
            row = end == 0 ? row + 1 : 0;
            silent += end == 1;
            used += end >= 2 || row > 3;
            bool may = used < 3 && silent < 2;
            const enum ferry_reset_cause causes[ENDS] = {POWER, UNKNOWN, OTHER, POWER};
            boot(causes[end], 3, may ? 1 : 0);
            if (!may) {
                break;
            }
        }
    }
}

/* ---- Records -------------------------------------------------------------------------------- */

static void test_marking_twice_is_marking_once(void **state)
{
    (void)state;
    boot(POWER, 3, 1);
    mark();
    place_power_on(&rig, 0, PLACE_BEFORE);
    mark();
    assert_int_equal(rig.operations, 0);
    assert_int_equal(read_trial().used, 1);
}

static void test_no_trial_no_record_no_mark(void **state)
{
    (void)state;
    mark();
    assert_int_equal(rig.operations, 0);
    assert_int_equal(read_trial().boots, 0);
}

static void test_a_record_of_another_image_counts_not(void **state)
{
    struct ferry_trial trial;
    (void)state;
    boot(POWER, 1, 1);
    mark();
    boot(POWER, 1, 0);
    assert_int_equal(ferry_trial_read(slots(), other_digest, &trial), FERRY_OK);
    assert_int_equal(trial.boots + trial.used, 0);
    /* The other image begins anew, and takes the place of the record. */
    assert_int_equal(ferry_trial_next(slots(), other_digest, OTHER, 1), 1);
    assert_int_equal(ferry_trial_next(slots(), other_digest, OTHER, 1), 0);
    assert_int_equal(read_trial().boots, 0);
    /* What runs is not what the record speaks of. */
    place_power_on(&rig, 0, PLACE_BEFORE);
    mark();
    assert_int_equal(rig.operations, 0);
}

static void test_images_have_records_of_their_own(void **state)
{
    struct ferry_slots second = rig.image.slots;
    struct ferry_trial trial;
    (void)state;
    second.number = 1;
    boot(POWER, 1, 1);
    assert_int_equal(ferry_trial_read(&second, digest, &trial), FERRY_OK);
    assert_int_equal(trial.boots, 0);
    assert_int_equal(ferry_trial_forget(&second), FERRY_OK);
    assert_int_equal(read_trial().boots, 1);
}

static void test_forget(void **state)
{
    (void)state;
    boot(POWER, 1, 1);
    assert_int_equal(ferry_trial_forget(slots()), FERRY_OK);
    assert_int_equal(read_trial().boots, 0);
    place_power_on(&rig, 0, PLACE_BEFORE);
    assert_int_equal(ferry_trial_forget(slots()), FERRY_OK);
    assert_int_equal(rig.operations, 0);
    boot(OTHER, 1, 1);
}

static void test_a_record_of_another_form_is_none(void **state)
{
    uint8_t record[FERRY_STORE_MAX] = {2};
    (void)state;
    memcpy(record + 1, digest, 8);
    for (size_t len = 1; len <= sizeof(record); len++) {
        assert_int_equal(ferry_store_put(&rig.store, FERRY_STORE_KEY_TRIAL, record, len), FERRY_OK);
        assert_int_equal(read_trial().used, 0);
        assert_int_equal(read_trial().boots, 0);
    }
    boot(POWER, 1, 1);
}

static void test_without_a_store_nothing_is_done(void **state)
{
    (void)state;
    rig.image.slots.store = NULL;
    mark();
    assert_int_equal(read_trial().boots, 0);
    assert_int_equal(ferry_trial_next(slots(), digest, POWER, 3), 0);
    assert_int_equal(ferry_trial_forget(slots()), FERRY_OK);
    assert_int_equal(rig.operations, 0);
}

/* ---- A store in trouble -----------------------------------------------------------------------
 */

static void test_a_store_that_cannot_be_read(void **state)
{
    struct ferry_trial trial;
    (void)state;
    boot(POWER, 3, 1);
    memset(rig.slot[PLACE_STORE_AREA].state, 1, sizeof(rig.slot[PLACE_STORE_AREA].state));
    assert_int_equal(ferry_trial_read(slots(), digest, &trial), FERRY_E_FLASH);
    assert_int_equal(ferry_trial_next(slots(), digest, POWER, 3), FERRY_E_FLASH);
    assert_int_equal(ferry_trial_started(slots()), FERRY_E_FLASH);
}

/* Without room there is no trial to count, and whoever asks is told. */
static void test_a_full_store(void **state)
{
    uint8_t filler[64];
    uint16_t key = 0x100;
    (void)state;
    memset(filler, 0x33, sizeof(filler));
    while (ferry_store_put(&rig.store, key, filler, sizeof(filler)) == FERRY_OK) {
        key++;
    }
    for (size_t len = sizeof(filler); len > 0; len--) {
        int rc = ferry_store_put(&rig.store, key, filler, len);
        assert_true(rc == FERRY_OK || rc == FERRY_E_FULL);
        key = (uint16_t)(key + (rc == FERRY_OK ? 1 : 0));
    }
    assert_int_equal(ferry_trial_next(slots(), digest, POWER, 3), FERRY_E_FULL);
    assert_int_equal(read_trial().boots, 0);
    /* Once there is room, it counts. */
    assert_int_equal(ferry_store_put(&rig.store, 0x100, NULL, 0), FERRY_OK);
    boot(POWER, 3, 1);
}

/* Whatever happens to the one write: afterwards the old record counts or the new one, and a start
 * that was allowed was recorded. Returns whether the fault struck. */
static bool fault_of_a_record(uint32_t boots, uint32_t at, enum place_way way)
{
    setup(NULL);
    for (uint32_t i = 0; i < boots; i++) {
        boot(POWER, 200, 1);
        mark();
    }
    place_power_on(&rig, at, way);
    int rc = ferry_trial_next(slots(), digest, POWER, 200);
    bool struck = rig.struck > 0;
    assert_true(rc == 1 || struck);
    place_power_on(&rig, 0, PLACE_BEFORE);
    /* A store whose head reads differently each time may be one that cannot be opened. */
    if (way != PLACE_UNSTABLE) {
        uint8_t now = read_trial().boots;
        assert_true(now == boots + 1 || (rc != 1 && now == boots));
    }
    assert_int_equal(rig.violations, 0);
    return struck;
}

static void test_every_fault_of_a_record(void **state)
{
    uint32_t faults = 0;
    (void)state;
    for (uint32_t boots = 0; boots < 40; boots++) {
        for (int way = 0; way < PLACE_WAYS; way++) {
            for (uint32_t at = 1; fault_of_a_record(boots, at, (enum place_way)way); at++) {
                faults++;
            }
        }
    }
    assert_true(faults >= 40 * PLACE_WAYS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_first_start_is_free, setup),
        cmocka_unit_test_setup(test_marked_boots_count_whatever_the_cause, setup),
        cmocka_unit_test_setup(test_one_trial_is_one_boot, setup),
        cmocka_unit_test_setup(test_power_failures_are_free_three_times_in_a_row, setup),
        cmocka_unit_test_setup(test_a_mark_begins_the_row_anew, setup),
        cmocka_unit_test_setup(test_without_mark_and_cause_there_are_two_boots, setup),
        cmocka_unit_test_setup(test_any_other_reset_counts, setup),
        cmocka_unit_test_setup(test_every_sequence_ends_as_the_rules_say, setup),
        cmocka_unit_test_setup(test_marking_twice_is_marking_once, setup),
        cmocka_unit_test_setup(test_no_trial_no_record_no_mark, setup),
        cmocka_unit_test_setup(test_a_record_of_another_image_counts_not, setup),
        cmocka_unit_test_setup(test_images_have_records_of_their_own, setup),
        cmocka_unit_test_setup(test_forget, setup),
        cmocka_unit_test_setup(test_a_record_of_another_form_is_none, setup),
        cmocka_unit_test_setup(test_without_a_store_nothing_is_done, setup),
        cmocka_unit_test_setup(test_a_store_that_cannot_be_read, setup),
        cmocka_unit_test_setup(test_a_full_store, setup),
        cmocka_unit_test_setup(test_every_fault_of_a_record, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
