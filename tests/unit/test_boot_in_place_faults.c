/* SPDX-License-Identifier: Apache-2.0 */
/* Images that run in place, under every fault of every operation of their lives, one fault and two:
 * something verified always runs, what was confirmed is not lost before the next is, a rollback
 * is never lost, and in the end nothing is left to do. */
#include "place_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Starts until nothing is left to do, the ones that a fault cuts short left out: a first one, three
 * power failures, two trials, taking back, and rest. */
#define BOOTS_MAX 10

enum place_end { END_NEW, END_OLD, END_EITHER };

struct life {
    const char *name;
    bool uploads;   /* the application of v1 uploads v2 and asks for it */
    bool permanent; /* … for good */
    bool confirms;  /* v2 confirms itself */
    bool damaged;   /* v2 does not verify */
    enum place_end end;
};

static const struct life lives[] = {
    {"test", false, false, false, false, END_OLD},
    {"confirm", false, false, true, false, END_EITHER},
    {"refused", false, false, false, true, END_OLD},
    {"permanent", true, true, false, false, END_NEW},
    {"update", true, false, true, false, END_EITHER},
    {"update-test", true, false, false, false, END_OLD},
};

struct subject {
    const struct ferry_boot_strategy *strategy;
    bool store;
};

static const struct subject subjects[] = {
    {&ferry_boot_direct_xip_revert, false}, {&ferry_boot_direct_xip_revert, true},
    {&ferry_boot_ram_load_revert, false},   {&ferry_boot_ram_load_revert, true},
    {&ferry_boot_direct_xip, false},        {&ferry_boot_ram_load, true},
};

static struct place_rig rig;
static struct place_image v1;
static struct place_image v2;
static struct place_image bad;

/* The life under way. */
static struct {
    const struct life *life;
    const struct subject *subject;
    struct place_fault faults[PLACE_FAULTS];
    bool confirmed; /* v2 said it was, and was told so */
    bool asked;     /* v1 was told that v2 is asked for */
    uint32_t tries; /* of v1 to upload it */
} run;

static void lose(const char *what)
{
    fail_msg("%s: %s, %s store, operation %u way %d, then %u way %d", what,
             run.subject->strategy->traits->name, run.subject->store ? "with" : "without",
             run.faults[0].at, run.faults[0].way, run.faults[1].at, run.faults[1].way);
}

static void check(bool good, const char *what)
{
    if (!good) {
        print_error("life \"%s\"\n", run.life->name);
        lose(what);
    }
}

/* Whether a sector takes nothing any more. */
static bool is_lasting(void)
{
    for (uint32_t i = 0; i < rig.struck; i++) {
        if (run.faults[i].way == PLACE_DIES) {
            return true;
        }
    }
    return false;
}

/* ---- Applications ------------------------------------------------------------------------------
 */

/* Returns FERRY_OK, or what went wrong. */
static int upload(uint32_t slot, const struct place_image *image)
{
    const struct ferry_flash *flash = &rig.slot[slot].flash;
    uint8_t padded[PLACE_SLOT_MAX];
    uint32_t size = ferry_align_up(image->size, 8);
    int rc = ferry_flash_erase_dirty(flash, 0, flash->size);
    memset(padded, flash->erased_value, sizeof(padded));
    memcpy(padded, image->bytes, image->size);
    for (uint32_t at = 0; rc == FERRY_OK && at < size; at += 256) {
        rc = ferry_flash_program(flash, at, padded + at, ferry_min32(256, size - at));
    }
    return rc;
}

static int app_v1(void)
{
    if (!run.life->uploads || run.asked || run.tries == 3) {
        return FERRY_OK;
    }
    run.tries++;
    int rc = upload(1, &v2);
    if (rc == FERRY_OK) {
        rc = ferry_slots_set_pending(&rig.image.slots, run.life->permanent);
    }
    run.asked = rc == FERRY_OK;
    return rc;
}

static int app_v2(void)
{
    int rc = ferry_trial_started(&rig.image.slots);
    if (rc != FERRY_E_POWER && run.life->confirms) {
        rc = ferry_slots_confirm(&rig.image.slots);
        run.confirmed = run.confirmed || rc == FERRY_OK;
    }
    return rc;
}

/* ---- What must hold
 * ------------------------------------------------------------------------------ */

static bool reverts(void)
{
    return run.subject->strategy->traits->reverts;
}

/* What runs is one of the two, whole, where it runs. Returns whether it is v2. */
static bool check_runs(void)
{
    const struct ferry_boot_image_report *report = &rig.report.images[0];
    const struct place_image *image = report->info.header.version.major == 2 ? &v2 : &v1;
    const uint8_t *where = rig.slot[report->slot].memory;
    if (run.subject->strategy->traits->mode == FERRY_MODE_RAM_LOAD) {
        where = rig.memory + (report->info.header.load_address - PLACE_RAM);
    }
    check(report->slot == (image == &v2 ? 1 : 0), "it runs from another slot");
    check(memcmp(where, image->bytes, image->size) == 0, "what runs is not whole");
    check(report->action != FERRY_BOOT_STOPPED, "it runs and says that it does not");
    return image == &v2;
}

/* The old image stands, confirmed, until the new one is confirmed. */
static void check_old_stands(void)
{
    struct ferry_trailer trailer;
    if (!reverts() || run.confirmed || run.life->permanent) {
        return;
    }
    check(ferry_trailer_read(&rig.slot[0].flash, 8, &trailer) == FERRY_OK &&
              trailer.magic == FERRY_SET && trailer.image_ok == FERRY_SET,
          "the old image has lost its confirm");
    check(place_holds(&rig, 0, &v1), "the old image is lost");
}

/* ---- A life
 * ---------------------------------------------------------------------------------------- */

static void begin(void)
{
    place_init(&rig, run.subject->strategy->traits, run.subject->store);
    rig.image.strategy = run.subject->strategy;
    rig.config.trials = 2;
    place_load(&rig, 0, &v1);
    place_trailer(&rig, 0, "mdk");
    if (!run.life->uploads) {
        place_load(&rig, 1, run.life->damaged ? &bad : &v2);
        place_trailer(&rig, 1, "m");
    }
    run.confirmed = false;
    run.asked = false;
    run.tries = 0;
    place_arm(&rig, run.faults);
}

/* One boot and what its application does. Returns whether v2 ran to the end; *cut: the power
 * failed. */
static bool live_once(enum ferry_reset_cause cause, bool *cut)
{
    rig.config.cause = cause;
    place_power_up(&rig);
    int rc = ferry_boot_run(&rig.config, &rig.report);
    if (rig.off) {
        *cut = true;
        return false;
    }
    check(rc == FERRY_OK, "nothing runs");
    check(rig.violations == 0, "written to what was not erased, or erased what was");
    bool is_v2 = check_runs();
    check_old_stands();
    rig.image.slots.active = is_v2 ? 1 : 0;
    rc = is_v2 ? app_v2() : app_v1();
    *cut = rig.off;
    check(rc == FERRY_OK || rig.struck > 0, "the application fails without a fault");
    check(rig.violations == 0, "the application writes to what was not erased");
    return is_v2;
}

static void check_end(bool is_v2)
{
    enum place_end end = run.life->end;
    if (!reverts()) {
        end = run.life->damaged ? END_OLD : END_NEW;
    }
    check(end != END_OLD || !is_v2, "the rollback is lost");
    /* A trial that a fault keeps from being recorded, or a request that finds no room. */
    check(end != END_NEW || is_v2 || is_lasting(), "the update is lost");
    check(!run.confirmed || is_v2 || is_lasting(), "the confirm is lost");
}

/* At rest: nothing to do, and nothing is written. */
static void check_rest(void)
{
    bool cut = false;
    live_once(FERRY_CAUSE_OTHER, &cut);
    check(!cut, "the power failed at rest");
    if (!is_lasting()) {
        check(rig.operations == 0, "an idle boot writes");
    }
}

static void live(void)
{
    enum ferry_reset_cause cause = FERRY_CAUSE_OTHER;
    bool is_v2 = false;
    begin();
    for (uint32_t boots = 0; boots < BOOTS_MAX;) {
        bool cut = false;
        is_v2 = live_once(cause, &cut);
        cause = cut ? FERRY_CAUSE_POWER : FERRY_CAUSE_OTHER;
        boots += cut ? 0 : 1;
    }
    check_end(is_v2);
    check_rest();
}

/* ---- All of them
 * -------------------------------------------------------------------------------------- */

static uint32_t campaign(uint32_t count)
{
    uint32_t lived = 0;
    for (int way = 0; way < PLACE_WAYS; way++) {
        run.faults[0] = (struct place_fault){0, (enum place_way)way};
        do {
            run.faults[0].at++;
            for (int second = 0; second < (count == 2 ? PLACE_WAYS : 1); second++) {
                run.faults[1] = (struct place_fault){0, (enum place_way)second};
                do {
                    run.faults[1].at += count == 2 ? 1 : 0;
                    live();
                    lived++;
                } while (count == 2 && rig.struck == 2);
            }
        } while (rig.struck >= 1);
    }
    return lived;
}

static void campaigns(uint32_t count, bool uploads)
{
    uint32_t total = 0;
    for (size_t s = 0; s < COUNT(subjects); s++) {
        for (size_t l = 0; l < COUNT(lives); l++) {
            run.subject = &subjects[s];
            run.life = &lives[l];
            if (run.life->uploads == uploads) {
                total += campaign(count);
            }
        }
    }
    printf("%u lives with %s, none lost\n", (unsigned)total,
           count == 1 ? "one fault" : "two faults");
    assert_true(total > COUNT(subjects) * PLACE_WAYS * 10);
}

static void test_without_fault(void **state)
{
    (void)state;
    for (size_t s = 0; s < COUNT(subjects); s++) {
        for (size_t l = 0; l < COUNT(lives); l++) {
            run.subject = &subjects[s];
            run.life = &lives[l];
            memset(run.faults, 0, sizeof(run.faults));
            live();
            assert_int_equal(rig.struck, 0);
            bool is_v2 = rig.report.images[0].slot == 1;
            assert_int_equal(is_v2, run.life->damaged ? false
                                    : reverts()       ? run.life->end != END_OLD
                                                      : true);
        }
    }
}

static void test_one_fault(void **state)
{
    (void)state;
    campaigns(1, false);
    campaigns(1, true);
}

static void test_two_faults(void **state)
{
    (void)state;
    campaigns(2, false);
    campaigns(2, true);
}

static int setup(void **state)
{
    (void)state;
    place_build(&v1, 1, 300, FERRY_IMAGE_RAM_LOAD, PLACE_RAM);
    place_build(&v2, 2, 340, FERRY_IMAGE_RAM_LOAD, PLACE_RAM + 64);
    bad = v2;
    bad.bytes[100] ^= 0x01;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_fault),
        cmocka_unit_test(test_one_fault),
        cmocka_unit_test(test_two_faults),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}
