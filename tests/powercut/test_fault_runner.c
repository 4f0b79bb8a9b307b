/* SPDX-License-Identifier: Apache-2.0 */
/* The fault runner itself: each invariant can fail, and does in its own column; an id lives the
 * same life again; and trying nothing is no pass. */
#define _POSIX_C_SOURCE 200809L /* unsetenv */

#include "core/boot/swap.h"
#include "fault_campaign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What a job found. */
struct findings {
    uint64_t tried;
    uint64_t broken[FAULT_INVARIANT_COUNT];
    struct fault_life first[FAULT_INVARIANT_COUNT];
    char id[FAULT_INVARIANT_COUNT][160];
};

static void take(void *context, const struct fault_life *life)
{
    struct findings *findings = context;

    findings->tried++;
    if (life->failed && findings->broken[life->invariant]++ == 0) {
        findings->first[life->invariant] = *life;
        fault_id(life, findings->id[life->invariant], sizeof(findings->id[0]));
    }
}

static void run_with(const struct ferry_boot_strategy *strategy,
                     const struct ferry_slots_state *state, const struct ferry_boot_set *set,
                     const char *device, const char *flow, const char *id,
                     struct findings *findings)
{
    struct fault_results results = {findings, take, id};
    struct fault_job job;

    memset(findings, 0, sizeof(*findings));
    fault_job_make(&job, device, strategy, flow);
    job.state = state;
    job.set = set;
    fault_job_run(&job, &results);
}

static void run(const struct ferry_boot_strategy *strategy, const char *device, const char *flow,
                const char *id, struct findings *findings)
{
    run_with(strategy, NULL, NULL, device, flow, id, findings);
}

/* ---- Broken plans ---------------------------------------------------------------------------- */

static const struct ferry_boot_strategy *const move = &ferry_boot_swap_move;

static int write_copy_done(const struct ferry_boot_swap *swap)
{
    return ferry_trailer_write_copy_done(swap->slots->primary, swap->slots->max_align);
}

/* Says that the copy is done before its last sector is. */
static int step_done_early(const struct ferry_boot_swap *swap, uint32_t n)
{
    int rc = FERRY_OK;

    if (n == move->plan->count(swap) / 2) {
        rc = write_copy_done(swap);
    }
    return rc != FERRY_OK ? rc : move->plan->step(swap, n);
}

/* Makes the records count before they are complete. */
static int begin_magic_first(struct ferry_boot_swap *swap)
{
    const struct ferry_flash *primary = swap->slots->primary;
    uint32_t align = swap->slots->max_align;
    uint8_t size[4];
    int rc = ferry_boot_erase_trailer(swap, primary);

    ferry_store_le32(size, swap->size);
    if (rc == FERRY_OK) {
        rc = ferry_trailer_write_magic(primary, align);
    }
    if (rc == FERRY_OK) {
        rc = ferry_boot_take_over(swap);
    }
    if (rc == FERRY_OK) {
        rc = ferry_trailer_write_swap_info(primary, align, 0, swap->type);
    }
    if (rc == FERRY_OK) {
        rc = ferry_flash_program_padded(primary, primary->size - swap->layout.swap_size, size, 4);
    }
    return rc == FERRY_OK ? 1 : rc;
}

/* After a cut it does the first step again, whatever the records say. */
static int step_forgetful(const struct ferry_boot_swap *swap, uint32_t n)
{
    int rc = n > 2 && swap->unsure ? move->plan->step(swap, 0) : FERRY_OK;

    return rc != FERRY_OK ? rc : move->plan->step(swap, n);
}

/* Leaves out a step that brings a part of the old image into the secondary. */
static int step_careless(const struct ferry_boot_swap *swap, uint32_t n)
{
    return n == move->plan->count(swap) / 3 + 1 ? FERRY_OK : move->plan->step(swap, n);
}

/* A sector is written, thrown away and written again. */
static int step_wasteful(const struct ferry_boot_swap *swap, uint32_t n)
{
    const struct ferry_flash *primary = swap->slots->primary;
    const uint8_t zero[32] = {0};
    int rc = move->plan->step(swap, n);

    for (int i = 0; i < 3 && rc == FERRY_OK && n == 0; i++) {
        rc = ferry_flash_erase(primary, primary->size - 2 * primary->runs[0].size,
                               primary->runs[0].size);
        if (rc == FERRY_OK) {
            rc = ferry_flash_program(primary, primary->size - 2 * primary->runs[0].size, zero, 32);
        }
    }
    return rc != FERRY_OK ? rc : move->plan->step(swap, n);
}

static int step_erases_in_vain(const struct ferry_boot_swap *swap, uint32_t n)
{
    const struct ferry_flash *primary = swap->slots->primary;
    uint32_t last = primary->size - primary->runs[0].size;
    int rc =
        n == 0 && ferry_flash_is_erased(swap->slots->secondary, 0, 16) != 1
            ? ferry_flash_erase(primary, last - 2 * primary->runs[0].size, primary->runs[0].size)
            : FERRY_OK;

    return rc != FERRY_OK ? rc : move->plan->step(swap, n);
}

/* Writes the mark of a step once more. */
static int step_marks_twice(const struct ferry_boot_swap *swap, uint32_t n)
{
    int rc = FERRY_OK;

    if (n == 1) {
        rc = ferry_boot_mark(swap, swap->slots->primary,
                             swap->slots->primary->size - swap->layout.size);
    }
    return rc != FERRY_OK ? rc : move->plan->step(swap, n);
}

/* Waits for something that never comes. */
static int step_waits(const struct ferry_boot_swap *swap, uint32_t n)
{
    uint8_t byte;
    int rc = FERRY_OK;

    while (n == 3 && rc == FERRY_OK) {
        rc = ferry_flash_read(swap->slots->primary, 0, &byte, 1);
    }
    return rc != FERRY_OK ? rc : move->plan->step(swap, n);
}

/* Puts the old image away as it runs. */
static int step_tells(const struct ferry_boot_swap *swap, uint32_t n)
{
    struct ferry_boot_swap plain = *swap;

    plain.outgoing = swap->slots->secondary;
    return move->plan->step(&plain, n);
}

/* Keeps a key where the ENC TLV should be. */
static int begin_keeps_a_key(struct ferry_boot_swap *swap)
{
    const struct ferry_flash *primary = swap->slots->primary;
    const struct ferry_image_secret *secret = &test_wraps[TEST_WRAP_KW].secret;
    int rc = ferry_boot_begin(swap);

    if (rc == FERRY_OK) {
        rc = ferry_boot_take_over(swap);
    }
    if (rc == FERRY_OK) {
        rc =
            ferry_flash_program(primary, primary->size - swap->layout.keys - 64, secret->bytes, 16);
    }
    return rc == FERRY_OK ? 1 : rc;
}

/* Empties the source before the copy has begun. */
static int run_empties_first(struct ferry_boot_swap *swap)
{
    const struct ferry_slots *slots = swap->slots;
    uint32_t sector = slots->primary->runs[0].size;
    int rc = ferry_boot_move(swap, slots->secondary, 0, slots->primary, 0, sector);

    if (rc == FERRY_OK) {
        rc = ferry_boot_erase(swap, slots->secondary, 0, 1);
    }
    for (uint32_t at = sector; rc == FERRY_OK && at < swap->size; at += sector) {
        rc = ferry_boot_move(swap, slots->secondary, at, slots->primary, at,
                             ferry_min32(sector, swap->size - at));
    }
    return rc != FERRY_OK ? rc : ferry_boot_empty_secondary(swap);
}

/* Leaves the request where it is: the same again at every boot. */
static int run_never_ends(struct ferry_boot_swap *swap)
{
    const struct ferry_slots *slots = swap->slots;

    return ferry_boot_move(swap, slots->secondary, 0, slots->primary, 0, swap->size);
}

/* ---- Broken boots ---------------------------------------------------------------------------- */

/* Takes what stands in the primary for good, unseen. */
static int boot_trusts(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                       struct ferry_verdict *verdict)
{
    int rc = ferry_boot_by_swap(swap, report, verdict);

    if (rc == FERRY_E_NO_IMAGE) {
        int seen = ferry_image_inspect(swap->slots->primary, &report->info);

        report->action = FERRY_BOOT_RAN;
        *verdict = (struct ferry_verdict){FERRY_VALID, ~FERRY_VALID};
        rc = seen == FERRY_E_POWER ? seen : FERRY_OK;
    }
    return rc;
}

/* Confirms for the application. */
static int boot_confirms(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                         struct ferry_verdict *verdict)
{
    int rc = ferry_boot_by_swap(swap, report, verdict);

    if (rc == FERRY_OK && report->next == FERRY_SWAP_REVERT) {
        rc = ferry_slots_confirm(swap->slots);
        report->next = FERRY_SWAP_NONE;
    }
    return rc;
}

/* Takes every start for a trial. */
static int boot_impatient(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                          struct ferry_verdict *verdict)
{
    const struct ferry_boot_config *given = swap->config;
    struct ferry_boot_config config = *given;

    config.trials = 0;
    swap->config = &config;

    int rc = ferry_boot_by_swap(swap, report, verdict);

    swap->config = given;
    return rc;
}

/* Keeps to itself what failed. */
static int boot_silent(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                       struct ferry_verdict *verdict)
{
    int rc = ferry_boot_by_swap(swap, report, verdict);

    report->failure = (struct ferry_boot_failure){FERRY_AREA_NONE, 0};
    return rc;
}

/* Boots as if the device had no policy. */
static int boot_lax(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                    struct ferry_verdict *verdict)
{
    const struct ferry_slots *given = swap->slots;
    struct ferry_slots slots = *given;

    slots.policy = NULL;
    swap->slots = &slots;

    int rc = ferry_boot_by_swap(swap, report, verdict);

    swap->slots = given;
    return rc;
}

/* Demands what an image on trial has before it is confirmed. */
static int boot_demands_early(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                              struct ferry_verdict *verdict)
{
    int rc = ferry_boot_by_swap(swap, report, verdict);

    if (rc == FERRY_OK && swap->slots->store != NULL) {
        rc = ferry_policy_in_store.raise(swap->slots, &report->least);
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* Boots as if no key had ever been revoked. */
static int boot_forgiving(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                          struct ferry_verdict *verdict)
{
    const struct ferry_boot_config *real = swap->config;
    struct ferry_boot_config config = *real;

    config.trust.revoked = NULL;
    swap->config = &config;
    int rc = ferry_boot_by_swap(swap, report, verdict);
    swap->config = real;
    return rc;
}

/* Says that it is done and does nothing. */
static int confirm_not(const struct ferry_slots *slots)
{
    (void)slots;
    return FERRY_OK;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

typedef int boot_fn(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                    struct ferry_verdict *verdict);

struct defect {
    const char *name;
    const char *flow;
    const char *device;          /* NULL = w8 */
    enum fault_invariant column; /* that must show it */
    const struct ferry_boot_strategy *base;
    int (*begin)(struct ferry_boot_swap *swap);
    int (*step)(const struct ferry_boot_swap *swap, uint32_t n);
    int (*run)(struct ferry_boot_swap *swap);
    boot_fn *boot;
    int (*confirm)(const struct ferry_slots *slots);
    const struct ferry_boot_set *set;
};

#define MOVE      .base = &ferry_boot_swap_move
#define OVERWRITE .base = &ferry_boot_overwrite

static const struct defect defects[] = {
    {"copy_done before the last sector", "test", NULL, FAULT_RUNS, MOVE, .step = step_done_early},
    {"magic written first", "permanent", NULL, FAULT_UPDATE, MOVE, .begin = begin_magic_first},
    {"records forgotten", "permanent", NULL, FAULT_RUNS, MOVE, .step = step_forgetful},
    {"source emptied first", "permanent", NULL, FAULT_RUNS, OVERWRITE, .run = run_empties_first},
    {"an unverified image reported", "damaged", NULL, FAULT_VERIFIED, OVERWRITE,
     .run = run_empties_first, .boot = boot_trusts},
    {"a part of the old image not kept", "test", NULL, FAULT_OLD_KEPT, MOVE, .step = step_careless},
    {"the bootloader confirms", "hang", NULL, FAULT_ROLLBACK, MOVE, .boot = boot_confirms},
    {"a confirm that does nothing", "confirm", NULL, FAULT_ROLLBACK, MOVE, .confirm = confirm_not},
    {"every start a trial", "test", NULL, FAULT_UPDATE, MOVE, .boot = boot_impatient},
    {"a request that stays", "permanent", NULL, FAULT_PROGRESS, OVERWRITE, .run = run_never_ends},
    {"a boot that waits for ever", "test", NULL, FAULT_PROGRESS, MOVE, .step = step_waits},
    {"sectors written again and again", "test", NULL, FAULT_WEAR, MOVE, .step = step_wasteful},
    {"erases in vain", "test", NULL, FAULT_RULES, MOVE, .step = step_erases_in_vain},
    {"a mark written twice", "test", NULL, FAULT_RULES, MOVE, .step = step_marks_twice},
    {"no policy", "attack", "w8-policy", FAULT_DOWNGRADE, MOVE, .boot = boot_lax},
    {"a counter raised during the trial", "hang", "w8-policy", FAULT_ROLLBACK, MOVE,
     .boot = boot_demands_early},
    {"a revoked key that counts", "revoke", "keys", FAULT_VERIFIED, MOVE, .boot = boot_forgiving},
    {"a failing sector not named", "empty", NULL, FAULT_NAMED, MOVE, .boot = boot_silent},
    {"images of a set for themselves", "set-confirm", "set", FAULT_MIXED, MOVE,
     .set = &ferry_boot_dependent},
    {"plaintext put away", "test", "w8-kw", FAULT_SECRET, MOVE, .step = step_tells},
    {"a key kept", "permanent", "w8-kw", FAULT_SECRET, MOVE, .begin = begin_keeps_a_key},
};

#define DEFECTS (sizeof(defects) / sizeof(defects[0]))

/* A strategy with a defect: the copies must live as long as it. */
struct broken {
    struct ferry_boot_strategy strategy;
    struct ferry_boot_plan plan;
    struct ferry_strategy_traits traits;
    struct ferry_slots_state state;
};

static void make(struct broken *broken, const struct defect *defect)
{
    broken->strategy = *defect->base;
    broken->plan = *defect->base->plan;
    broken->traits = *defect->base->traits;
    broken->state = *ferry_slots_state_of(&broken->traits);
    broken->strategy.plan = &broken->plan;
    broken->strategy.traits = &broken->traits;
    broken->plan.begin = defect->begin != NULL ? defect->begin : broken->plan.begin;
    broken->plan.step = defect->step != NULL ? defect->step : broken->plan.step;
    broken->plan.run = defect->run != NULL ? defect->run : broken->plan.run;
    broken->strategy.boot = defect->boot != NULL ? defect->boot : broken->strategy.boot;
    broken->state.confirm = defect->confirm != NULL ? defect->confirm : broken->state.confirm;
}

/* ---- Tests ----------------------------------------------------------------------------------- */

static void test_every_invariant_finds_its_defect(void **state)
{
    bool covered[FAULT_INVARIANT_COUNT] = {false};
    uint32_t missed = 0;
    static struct findings findings;
    static struct findings sound; /* the same without the defect */

    (void)state;
    for (size_t i = 0; i < DEFECTS; i++) {
        const struct defect *defect = &defects[i];
        struct broken broken;

        const char *device = defect->device != NULL ? defect->device : "w8";

        make(&broken, defect);
        run(defect->base, device, defect->flow, NULL, &sound);
        run_with(&broken.strategy, &broken.state, defect->set, device, defect->flow, NULL,
                 &findings);
        printf("%-34s %6llu lives:", defect->name, (unsigned long long)findings.tried);
        for (int n = 0; n < FAULT_INVARIANT_COUNT; n++) {
            if (findings.broken[n] > 0) {
                printf(" %s %llu", fault_invariant_names[n],
                       (unsigned long long)findings.broken[n]);
            }
        }
        printf("\n");
        missed += findings.broken[defect->column] > sound.broken[defect->column] ? 0 : 1;
        covered[defect->column] = true;
    }
    assert_int_equal(missed, 0);
    for (int n = 0; n < FAULT_INVARIANT_COUNT; n++) {
        assert_true(covered[n]);
    }
}

/* The same life, by its id alone. */
static void test_an_id_brings_a_life_back(void **state)
{
    static struct findings all;
    static struct findings one;
    struct broken broken;

    (void)state;
    make(&broken, &defects[3]);
    run(&broken.strategy, "w8", "permanent", NULL, &all);
    assert_true(all.broken[FAULT_RUNS] > 0);
    run(&broken.strategy, "w8", "permanent", all.id[FAULT_RUNS], &one);
    assert_int_equal(one.tried, 1);
    assert_int_equal(one.broken[FAULT_RUNS], 1);
    assert_string_equal(one.id[FAULT_RUNS], all.id[FAULT_RUNS]);
    assert_int_equal(one.first[FAULT_RUNS].boots, all.first[FAULT_RUNS].boots);
    assert_string_equal(one.first[FAULT_RUNS].why, all.first[FAULT_RUNS].why);
    /* Another job's id is nobody's. */
    run(&broken.strategy, "w8", "test", all.id[FAULT_RUNS], &one);
    assert_int_equal(one.tried, 0);
}

static void test_nothing_tried_is_no_pass(void **state)
{
    struct fault_options options = {
        .scope = FAULT_SHORT, .processes = 1, .only = "no job has this name"};

    (void)state;
    assert_int_not_equal(fault_campaign(&options), 0);
    options.only = NULL;
    options.id = "swap-move/no-such-device/test:1B";
    assert_int_not_equal(fault_campaign(&options), 0);
}

/* Every row of the table of models is a letter of its own, which ids need. */
static void test_models_have_letters_of_their_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < fault_model_count; i++) {
        assert_ptr_equal(fault_model_find(fault_models[i].letter), &fault_models[i]);
    }
    assert_null(fault_model_find('?'));
}

static int forget_the_environment(void **state)
{
    (void)state;
    /* These tests choose their faults themselves. */
    unsetenv("FERRY_FAULT");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_invariant_finds_its_defect),
        cmocka_unit_test(test_an_id_brings_a_life_back),
        cmocka_unit_test(test_nothing_tried_is_no_pass),
        cmocka_unit_test(test_models_have_letters_of_their_own),
    };

    return cmocka_run_group_tests(tests, forget_the_environment, NULL);
}
