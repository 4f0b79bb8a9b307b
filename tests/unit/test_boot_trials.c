/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader with a store: how often an unconfirmed image may start, a confirm that only the
 * store holds, and the report of what was done. */
#include "place_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECTOR       256
#define SECTORS      8
#define SIZE         (SECTOR * SECTORS)

static struct place_rig rig;
static struct place_image v1;
static struct place_image v2;

static const struct ferry_boot_strategy *const swaps[] = {
    &ferry_boot_swap_move, &ferry_boot_swap_scratch, &ferry_boot_swap_offset,
    &ferry_boot_swap_shift};

static const struct ferry_slots *slots(void)
{
    return &rig.image.slots;
}

static void upload(const struct place_image *image)
{
    place_load(&rig, 1, NULL);
    memcpy(rig.slot[1].memory + ferry_slots_upload_offset(slots()), image->bytes, image->size);
}

/* v1 runs, v2 is uploaded. */
static void begin(const struct ferry_boot_strategy *strategy, bool with_store, uint8_t trials)
{
    const struct ferry_flash_run run = {SECTORS, SECTOR};

    place_init(&rig, strategy->traits, with_store);
    place_geometry(&rig.slot[0], &run, 1, 8, 0xff);
    place_geometry(&rig.slot[1], &run, 1, 8, 0xff);
    rig.image.strategy = strategy;
    rig.image.slots.max_sectors = SECTORS;
    rig.image.slots.number = 2;
    rig.config.trials = trials;
    place_load(&rig, 0, &v1);
    upload(&v2);
}

static int setup(void **state)
{
    (void)state;
    place_build(&v1, 1, 400, 0, 0);
    place_build(&v2, 2, 600, 0, 0);
    return 0;
}

static void ask(void)
{
    assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_OK);
}

static enum ferry_boot_action boot(enum ferry_reset_cause cause)
{
    place_power_up(&rig);
    rig.config.cause = cause;
    int rc = ferry_boot_run(&rig.config, &rig.report);
    assert_int_equal(rc == FERRY_OK, rig.report.images[0].action != FERRY_BOOT_STOPPED);
    assert_int_equal(rig.violations - rig.needless, 0);
    return rig.report.images[0].action;
}

static void expect(enum ferry_reset_cause cause, enum ferry_boot_action action)
{
    assert_string_equal(ferry_boot_action_name(boot(cause)), ferry_boot_action_name(action));
}

static void expect_next(enum ferry_swap_type type)
{
    assert_string_equal(ferry_swap_type_name(rig.report.images[0].next),
                        ferry_swap_type_name(type));
}

static bool store_was_written(void)
{
    return strstr(rig.log, "T") != NULL;
}

static struct ferry_why why(void)
{
    struct ferry_why report;

    assert_int_equal(ferry_why_read(&rig.store, slots()->number, &report), FERRY_OK);
    return report;
}

/* ---- Trials ------------------------------------------------------------------------------------
 */

/* What ends each start of an image on trial: 'm' its mark came, and a power failure; 'p' a power
 * failure; 'o' any other reset; 'u' nobody knows what. */
struct trial_row {
    uint8_t trials;
    const char *ends; /* it is taken back behind the last one, and not before */
};

static const struct trial_row trial_rows[] = {
    {1, "m"},    {2, "mm"},     {3, "mmm"},       {1, "o"},     {3, "ooo"}, {3, "omo"},
    {1, "pppp"}, {1, "pppm"},   {2, "ppppp"},     {1, "uu"},    {9, "uu"},  {9, "umu"},
    {1, "pppo"}, {2, "pppmpm"}, {3, "mpppmpppm"}, {2, "opppp"},
};

static enum ferry_reset_cause cause_of(char end)
{
    return end == 'u' ? FERRY_CAUSE_UNKNOWN : end == 'o' ? FERRY_CAUSE_OTHER : FERRY_CAUSE_POWER;
}

/* One life of v2 on trial, begun with a test that is asked for. */
static void live(const struct trial_row *row)
{
    ask();
    expect(FERRY_CAUSE_OTHER, FERRY_BOOT_TESTING);
    for (const char *end = row->ends; *end != '\0'; end++) {
        assert_true(place_holds(&rig, 0, &v2));
        expect_next(FERRY_SWAP_REVERT);
        if (*end == 'm') {
            assert_int_equal(ferry_trial_started(slots()), FERRY_OK);
        }
        enum ferry_boot_action wanted = end[1] == '\0' ? FERRY_BOOT_REVERTED : FERRY_BOOT_RAN;
        enum ferry_boot_action action = boot(cause_of(*end));
        if (action != wanted) {
            fail_msg("%u trials, %s: %s behind the %zuth", row->trials, row->ends,
                     ferry_boot_action_name(action), (size_t)(end - row->ends) + 1);
        }
        /* A start that goes on moves nothing. */
        if (action == FERRY_BOOT_RAN) {
            assert_true(strpbrk(rig.log, "PSX") == NULL && store_was_written());
        }
    }
    assert_true(place_holds(&rig, 0, &v1));
    expect_next(FERRY_SWAP_NONE);
    expect(FERRY_CAUSE_POWER, FERRY_BOOT_RAN);
    assert_int_equal(rig.operations, 0);
}

static void trials_end_when_they_are_used_up(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(swaps); s++) {
        for (size_t i = 0; i < COUNT(trial_rows); i++) {
            begin(swaps[s], true, trial_rows[i].trials);
            live(&trial_rows[i]);
            /* The same image, asked for anew, has all of its trials again. */
            live(&trial_rows[i]);
        }
    }
}

/* MCUboot's rule: one boot, however it ended, and nothing is counted. */
static void without_trials_or_without_a_store_there_is_one_boot(void **state)
{
    struct ferry_trial trial;
    uint8_t digest[FERRY_SHA256_SIZE];

    (void)state;
    memcpy(digest, v2.bytes + v2.size - sizeof(digest), sizeof(digest));
    for (size_t n = 0; n < COUNT(swaps) * 2 * 3; n++) {
        bool with_store = n % 2 == 1;

        begin(swaps[n / 6], with_store, with_store ? 0 : 3);
        ask();
        expect(FERRY_CAUSE_OTHER, FERRY_BOOT_TESTING);
        if (with_store) {
            assert_int_equal(ferry_trial_read(slots(), digest, &trial), FERRY_OK);
            assert_int_equal(trial.boots, 0);
        }
        expect((enum ferry_reset_cause)(n / 2 % 3), FERRY_BOOT_REVERTED);
        assert_true(place_holds(&rig, 0, &v1));
    }
}

/* Confirmed on its second trial: from there on nothing is counted or written. */
static void a_confirm_ends_the_trials(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(swaps); s++) {
        begin(swaps[s], true, 3);
        ask();
        expect(FERRY_CAUSE_OTHER, FERRY_BOOT_TESTING);
        assert_int_equal(ferry_trial_started(slots()), FERRY_OK);
        expect(FERRY_CAUSE_OTHER, FERRY_BOOT_RAN);
        assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
        for (int i = 0; i < 5; i++) {
            expect(FERRY_CAUSE_OTHER, FERRY_BOOT_RAN);
            assert_int_equal(rig.operations, 0);
            expect_next(FERRY_SWAP_NONE);
        }
        assert_true(place_holds(&rig, 0, &v2));
    }
}

/* A request of the user does not wait for the trials to end. */
static void a_request_goes_before_the_trials(void **state)
{
    struct place_image v3;

    (void)state;
    place_build(&v3, 3, 500, 0, 0);
    begin(&ferry_boot_swap_move, true, 3);
    ask();
    expect(FERRY_CAUSE_OTHER, FERRY_BOOT_TESTING);
    upload(&v3);
    ask();
    expect(FERRY_CAUSE_OTHER, FERRY_BOOT_TESTING);
    assert_true(place_holds(&rig, 0, &v3));
}

/* A store that takes nothing costs the image its further trials, no more. */
static void a_dead_store_leaves_one_boot(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(swaps); s++) {
        begin(swaps[s], true, 3);
        ask();
        memset(rig.slot[PLACE_STORE_AREA].dead, true, sizeof(rig.slot[PLACE_STORE_AREA].dead));
        expect(FERRY_CAUSE_OTHER, FERRY_BOOT_TESTING);
        assert_true(place_holds(&rig, 0, &v2));
        expect(FERRY_CAUSE_POWER, FERRY_BOOT_REVERTED);
        assert_true(place_holds(&rig, 0, &v1));
        expect(FERRY_CAUSE_POWER, FERRY_BOOT_RAN);
        assert_int_equal(rig.operations, 0);
    }
}

/* Cut in the boot of a trial, at any operation: v2 starts at most once more than without, and is
 * taken back in the end. */
static void a_cut_in_a_trial_gives_nothing_away(void **state)
{
    uint32_t cuts = 0;

    (void)state;
    for (size_t n = 0; n < COUNT(swaps) * PLACE_FAILS; n++) {
        bool struck = true;

        for (uint32_t at = 1; struck; at++) {
            uint32_t starts = 1;

            begin(swaps[n % COUNT(swaps)], true, 2);
            ask();
            expect(FERRY_CAUSE_OTHER, FERRY_BOOT_TESTING);
            place_power_on(&rig, at, (enum place_way)(n / COUNT(swaps)));
            rig.config.cause = FERRY_CAUSE_OTHER;
            struck = ferry_boot_run(&rig.config, &rig.report) == FERRY_E_POWER;
            starts += struck ? 0 : 1;
            place_power_on(&rig, 0, PLACE_BEFORE);
            while (boot(FERRY_CAUSE_OTHER) == FERRY_BOOT_RAN && starts < 9) {
                starts++;
            }
            assert_string_equal(ferry_boot_action_name(rig.report.images[0].action), "reverted");
            assert_true(starts == 2 || (struck && starts == 1));
            assert_true(place_holds(&rig, 0, &v1));
            cuts += struck ? 1 : 0;
        }
    }
    printf("%u cuts\n", cuts);
    assert_true(cuts >= COUNT(swaps) * PLACE_FAILS);
}

/* ---- A confirm in the store ---------------------------------------------------------------------
 */

/* The unit of image_ok is spoilt: the store says it, to the bootloader as well; until the image is
 * tested anew. */
static void a_confirm_in_the_store_counts_for_the_bootloader(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2 * COUNT(swaps); n++) {
        begin(swaps[n / 2], true, n % 2 == 0 ? 0 : 2);
        ask();
        expect(FERRY_CAUSE_OTHER, FERRY_BOOT_TESTING);
        rig.slot[0].memory[SIZE - 24] ^= 0x40;
        assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
        for (int i = 0; i < 3; i++) {
            expect(FERRY_CAUSE_POWER, FERRY_BOOT_RAN);
            expect_next(FERRY_SWAP_NONE);
            assert_int_equal(rig.operations, 0);
            assert_true(place_holds(&rig, 0, &v2));
        }
        /* v1 for good, then a test of v2 again: what was said of it is forgotten. */
        upload(&v1);
        assert_int_equal(ferry_slots_set_pending(slots(), true), FERRY_OK);
        expect(FERRY_CAUSE_POWER, FERRY_BOOT_UPGRADED);
        upload(&v2);
        ask();
        expect(FERRY_CAUSE_POWER, FERRY_BOOT_TESTING);
        expect_next(FERRY_SWAP_REVERT);
        for (int i = 0; i < 3 && boot(FERRY_CAUSE_OTHER) == FERRY_BOOT_RAN; i++) {
            assert_int_equal(n % 2, 1);
        }
        assert_string_equal(ferry_boot_action_name(rig.report.images[0].action), "reverted");
        assert_true(place_holds(&rig, 0, &v1));
    }
}

/* ---- Why ----------------------------------------------------------------------------------------
 */

static void the_report_tells_what_was_done(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(swaps); s++) {
        begin(swaps[s], true, 0);
        expect(FERRY_CAUSE_POWER, FERRY_BOOT_RAN);
        struct ferry_why none;
        assert_int_equal(ferry_why_read(&rig.store, 2, &none), FERRY_E_NOT_FOUND);
        ask();
        expect(FERRY_CAUSE_POWER, FERRY_BOOT_TESTING);
        assert_int_equal(why().action, FERRY_BOOT_TESTING);
        assert_int_equal(why().version.major, 2);
        assert_int_equal(why().running.major, 2);
        assert_int_equal(why().upgrades, 1);
        expect(FERRY_CAUSE_POWER, FERRY_BOOT_REVERTED);
        assert_int_equal(why().action, FERRY_BOOT_REVERTED);
        assert_int_equal(why().version.major, 1);
        assert_int_equal(why().reverts, 1);
        assert_int_equal(why().upgrades, 1);
        assert_int_equal(why().resumes, 0);
        assert_int_equal(why().failure.area, FERRY_AREA_NONE);
        /* The other image numbers have no report. */
        assert_int_equal(ferry_why_read(&rig.store, 0, &none), FERRY_E_NOT_FOUND);
    }
}

static void an_interrupted_swap_is_counted_once(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(swaps); s++) {
        begin(swaps[s], true, 0);
        ask();
        /* Behind the trailers, in the first steps. */
        place_power_on(&rig, 14, PLACE_BEFORE);
        assert_int_equal(ferry_boot_run(&rig.config, &rig.report), FERRY_E_POWER);
        expect(FERRY_CAUSE_POWER, FERRY_BOOT_TESTING);
        assert_true(rig.report.images[0].resumed);
        assert_true(why().resumed);
        assert_int_equal(why().resumes, 1);
        assert_int_equal(why().upgrades, 1);
    }
}

/* Refuse an image whose byte number `at` is damaged; whether the store was written. */
static bool refused(const struct place_image *image, uint32_t at, int reason)
{
    upload(image);
    rig.slot[1].memory[ferry_slots_upload_offset(slots()) + at] ^= 1;
    ask();
    expect(FERRY_CAUSE_POWER, FERRY_BOOT_REFUSED);
    assert_string_equal(ferry_error_name(rig.report.images[0].reason), ferry_error_name(reason));
    assert_true(place_holds(&rig, 0, &v1));
    return store_was_written();
}

/* A device that is sent the same bad image again and again does not wear its store out. */
static void a_repeated_refusal_is_recorded_once(void **state)
{
    (void)state;
    struct place_image v3;
    place_build(&v3, 3, 500, 0, 0);
    for (size_t s = 0; s < COUNT(swaps); s++) {
        begin(swaps[s], true, 0);
        assert_true(refused(&v2, 100, FERRY_E_DIGEST));
        assert_int_equal(why().action, FERRY_BOOT_REFUSED);
        assert_int_equal(why().reason, FERRY_E_DIGEST);
        assert_int_equal(why().version.major, 2);
        assert_int_equal(why().running.major, 1);
        for (int i = 0; i < 3; i++) {
            assert_false(refused(&v2, 100, FERRY_E_DIGEST));
            assert_int_equal(why().refusals, 1);
        }
        /* Another image is another refusal, and then the first one again. */
        assert_true(refused(&v3, 100, FERRY_E_DIGEST));
        assert_int_equal(why().version.major, 3);
        assert_true(refused(&v2, 100, FERRY_E_DIGEST));
        assert_int_equal(why().refusals, 3);
        /* And so is another reason. */
        rig.image.slots.policy = &test_policy_newer;
        struct place_image v0;
        place_build(&v0, 0, 500, 0, 0);
        upload(&v0);
        ask();
        expect(FERRY_CAUSE_POWER, FERRY_BOOT_REFUSED);
        assert_int_equal(why().reason, FERRY_E_DOWNGRADE);
        assert_int_equal(why().refusals, 4);
    }
}

static void a_repeated_stop_is_recorded_once(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(swaps); s++) {
        begin(swaps[s], true, 0);
        place_load(&rig, 1, NULL);
        rig.slot[0].memory[200] ^= 1;
        expect(FERRY_CAUSE_POWER, FERRY_BOOT_STOPPED);
        assert_int_equal(why().action, FERRY_BOOT_STOPPED);
        assert_int_equal(why().reason, FERRY_E_DIGEST);
        assert_int_equal(why().running.major, 0);
        assert_int_equal(why().stops, 1);
        for (int i = 0; i < 3; i++) {
            expect(FERRY_CAUSE_POWER, FERRY_BOOT_STOPPED);
            assert_int_equal(rig.operations, 0);
        }
        assert_int_equal(why().stops, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trials_end_when_they_are_used_up),
        cmocka_unit_test(without_trials_or_without_a_store_there_is_one_boot),
        cmocka_unit_test(a_confirm_ends_the_trials),
        cmocka_unit_test(a_request_goes_before_the_trials),
        cmocka_unit_test(a_dead_store_leaves_one_boot),
        cmocka_unit_test(a_cut_in_a_trial_gives_nothing_away),
        cmocka_unit_test(a_confirm_in_the_store_counts_for_the_bootloader),
        cmocka_unit_test(the_report_tells_what_was_done),
        cmocka_unit_test(an_interrupted_swap_is_counted_once),
        cmocka_unit_test(a_repeated_refusal_is_recorded_once),
        cmocka_unit_test(a_repeated_stop_is_recorded_once),
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
