/* SPDX-License-Identifier: Apache-2.0 */
/* First stage and update of the second under faults: the power cut at every erase and program, in
 * every way of the fault runner's table, and cut again in what follows; operations that fail; bits
 * that flip at rest. A life is: the first stage, the bootloader it starts, and again after each
 * reset, until nothing is left to do. Its invariants:
 *
 *   runs      the first stage starts a bootloader, and it is one that was signed, byte for byte
 *   unharmed  the bootloader that runs is never written to
 *   forward   no version below one that was started starts again, and no earlier key
 *   done      in the end the right one runs
 *
 * Each of them is shown to fail by a defect that is made here on purpose. */
#include "fault_models.h"
#include "first_rig.h"

#include "ferry/boot.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define BOOTS_MAX    8
#define IMAGES       4
#define WORKSPACE    512 /* small: many operations */

/* Of the operations of a second life one in so many is cut, too. */
#define PAIR_STRIDE 5

enum invariant { RUNS, UNHARMED, FORWARD, DONE, INVARIANTS };

static const char *const invariant_names[INVARIANTS] = {"runs", "unharmed", "forward", "done"};

/* Mistakes that the invariants must see. */
enum defect {
    SOUND,
    INSTALLS_IN_PLACE, /* into the slot that runs */
    COUNTS_NOTHING,    /* the provision data have no counter */
    REVOKES_NOTHING,   /* nor can a token be written */
    TAKES_THE_MAGIC    /* whoever has fw_info starts, without a signature */
};

/* A bootloader that was signed, as it stands in its slot. */
struct known {
    uint8_t bytes[FIRST_RIG_SLOT];
    size_t len;
    uint32_t slot, version, key;
};

struct campaign {
    struct first_rig rig;
    struct known known[IMAGES];
    uint32_t known_count;
    enum defect defect;
    /* Of a life. */
    uint64_t cut_at; /* operation; 0 = none */
    const struct fault_model *model;
    jmp_buf power;
    uint32_t version, key; /* of the last one that was started */
    bool started;
    /* Of all. */
    uint32_t cuts, pairs, errors, flips;
    uint32_t violations[INVARIANTS];
};

static struct campaign campaign;

static void violate(enum invariant invariant)
{
    campaign.violations[invariant]++;
}

/* ---- Scenarios ------------------------------------------------------------------------------ */

static void know(const struct first_spec *spec)
{
    struct known *known = &campaign.known[campaign.known_count++];

    known->len = first_image(spec, known->bytes, sizeof(known->bytes));
    known->slot = spec->address == FIRST_RIG_S0 ? 0 : 1;
    known->version = spec->version;
    known->key = spec->key == TEST_KEY_P256_OTHER ? 0 : 1;
}

static void put_known(uint32_t i)
{
    const struct known *known = &campaign.known[i];

    first_rig_put(&campaign.rig, known->slot == 0 ? FAULT_PRIMARY : FAULT_SECONDARY, known->bytes,
                  known->len);
}

/* Stage a known bootloader, and ask for it. */
static void ask_for(uint32_t i)
{
    struct ferry_flash *staging = &campaign.rig.chip.areas[FIRST_RIG_STAGING].flash;

    first_rig_put(&campaign.rig, FIRST_RIG_STAGING, campaign.known[i].bytes, campaign.known[i].len);
    assert_int_equal(ferry_trailer_write_magic(staging, 8), FERRY_OK);
}

static void run_first_stage(void)
{
    struct ferry_first_report report;

    assert_int_equal(ferry_first_select(&campaign.rig.first, &report), FERRY_OK);
}

/* S0 has run; S1 is asked for. */
static void update(void)
{
    know(&(struct first_spec){.version = 1, .address = FIRST_RIG_S0});
    know(&(struct first_spec){.version = 2, .address = FIRST_RIG_S1});
    put_known(0);
    run_first_stage();
    ask_for(1);
}

/* S1 has run, S0 is an old one; S0 is asked for. */
static void update_back(void)
{
    know(&(struct first_spec){.version = 1, .address = FIRST_RIG_S0});
    know(&(struct first_spec){.version = 2, .address = FIRST_RIG_S1});
    know(&(struct first_spec){.version = 3, .address = FIRST_RIG_S0});
    put_known(0);
    run_first_stage();
    put_known(1);
    run_first_stage();
    ask_for(2);
}

/* The new one is signed by the second key, which revokes the first. */
static void update_of_the_key(void)
{
    know(&(struct first_spec){.version = 1, .address = FIRST_RIG_S0, .key = TEST_KEY_P256_OTHER});
    know(&(struct first_spec){.version = 2, .address = FIRST_RIG_S1});
    put_known(0);
    run_first_stage();
    ask_for(1);
}

/* A new device that never ran, with a bootloader in both slots. */
static void first_start(void)
{
    know(&(struct first_spec){.version = 1, .address = FIRST_RIG_S0, .key = TEST_KEY_P256_OTHER});
    know(&(struct first_spec){.version = 5, .address = FIRST_RIG_S1});
    put_known(0);
    put_known(1);
}

/* The higher version is spoilt: the other one starts, and it is given up. */
static void a_bad_one(void)
{
    const uint8_t zero = 0;

    know(&(struct first_spec){.version = 1, .address = FIRST_RIG_S0});
    know(&(struct first_spec){.version = 2, .address = FIRST_RIG_S1});
    put_known(0);
    put_known(1);
    fault_chip_poke(&campaign.rig.chip.areas[FAULT_SECONDARY], 1600, &zero, 1);
}

/* The staged one is for the other slot: it is refused. */
static void a_refused_one(void)
{
    know(&(struct first_spec){.version = 1, .address = FIRST_RIG_S0});
    know(&(struct first_spec){.version = 2, .address = FIRST_RIG_S0});
    put_known(0);
    run_first_stage();
    ask_for(1);
}

static const struct scenario {
    const char *name;
    void (*set_up)(void);
    uint32_t last; /* the known bootloader that runs in the end */
} scenarios[] = {
    {"update", update, 1},
    {"update back", update_back, 2},
    {"new key", update_of_the_key, 1},
    {"first start", first_start, 1},
    {"bad S1", a_bad_one, 0},
    {"refused", a_refused_one, 0},
};

static void set_up(const struct scenario *scenario, enum defect defect)
{
    static const enum test_key_id keys[2] = {TEST_KEY_P256_OTHER, TEST_KEY_P256};

    first_rig_init(&campaign.rig, keys, 2, defect == COUNTS_NOTHING ? 0 : 40);
    campaign.rig.first.buf_size = WORKSPACE;
    campaign.known_count = 0;
    campaign.defect = defect;
    scenario->set_up();
}

/* ---- A life -----------------------------------------------------------------------------------
 */

static void cut(void *watcher, const struct fault_op *op)
{
    (void)watcher;
    if (campaign.cut_at != 0 && campaign.rig.chip.state.operations == campaign.cut_at) {
        campaign.model->happen(op);
        longjmp(campaign.power, 1);
    }
}

static const uint8_t *slot_memory(uint32_t slot)
{
    return campaign.rig.chip.areas[slot == 0 ? FAULT_PRIMARY : FAULT_SECONDARY].memory;
}

/* The known bootloader in a slot, or NULL. */
static const struct known *known_in(uint32_t slot)
{
    for (uint32_t i = 0; i < campaign.known_count; i++) {
        const struct known *known = &campaign.known[i];
        /* Of the MCUboot header in front the first stage knows nothing. */
        if (known->slot == slot &&
            memcmp(slot_memory(slot) + FIRST_RIG_HEADER, known->bytes + FIRST_RIG_HEADER,
                   known->len - FIRST_RIG_HEADER) == 0) {
            return known;
        }
    }
    return NULL;
}

/* What a first stage without a signature would start. */
static int take_the_magic(struct ferry_first_report *report)
{
    struct ferry_first_info info[2];
    uint32_t version[2];

    for (uint32_t i = 0; i < 2; i++) {
        int rc = ferry_first_info_find(&campaign.rig.first.slots[i], &ferry_first_vchip, &info[i]);
        version[i] = rc == FERRY_OK ? info[i].version : 0;
    }
    report->slot = version[1] > version[0] ? 1 : 0;
    return version[report->slot] != 0 ? FERRY_OK : FERRY_E_NO_IMAGE;
}

/* The first stage. Returns whether something started. */
static bool start(struct ferry_first_report *report)
{
    uint8_t tokens[40];

    memcpy(tokens, campaign.rig.chip.areas[FIRST_RIG_PROVISION].memory + 52, sizeof(tokens));
    campaign.rig.chip.state.steps = 0;
    int rc = campaign.defect == TAKES_THE_MAGIC ? take_the_magic(report)
                                                : ferry_first_select(&campaign.rig.first, report);
    if (campaign.defect == REVOKES_NOTHING) {
        memcpy(campaign.rig.chip.areas[FIRST_RIG_PROVISION].memory + 52, tokens, sizeof(tokens));
    }
    const struct known *known = rc == FERRY_OK ? known_in(report->slot) : NULL;
    if (known == NULL) {
        violate(RUNS);
        return false;
    }
    if (campaign.started && (known->version < campaign.version || known->key < campaign.key)) {
        violate(FORWARD);
    }
    campaign.started = true;
    campaign.version = known->version;
    campaign.key = known->key;
    return true;
}

/* The bootloader in the slot. Returns whether it asks for a reset. */
static bool run_second_stage(uint32_t slot)
{
    struct first_rig *rig = &campaign.rig;
    static uint8_t before[FIRST_RIG_SLOT];
    struct ferry_boot_report report;

    struct ferry_first first = rig->first;
    first.active = (uint8_t)slot;
    if (campaign.defect == INSTALLS_IN_PLACE) {
        first.slots[1 - slot].flash = first.slots[slot].flash;
    }
    const struct ferry_boot_image image = {
        .slots = {.primary = rig->first.slots[slot].flash,
                  .secondary = &rig->chip.areas[FIRST_RIG_STAGING].flash,
                  .strategy = &ferry_traits_first_stage,
                  .max_align = 8,
                  .max_sectors = 16},
        .strategy = &ferry_boot_first_stage,
        .first = &first};
    const struct ferry_boot_config config = {.images = &image,
                                             .image_count = 1,
                                             .trust = *test_trust(TEST_KEY_P256),
                                             .buf = rig->buf,
                                             .buf_size = WORKSPACE};
    memcpy(before, slot_memory(slot), sizeof(before));
    rig->chip.state.steps = 0;
    int rc = ferry_boot_run(&config, &report);
    if (memcmp(before, slot_memory(slot), sizeof(before)) != 0) {
        violate(UNHARMED);
    }
    return rc == FERRY_E_BUSY;
}

/* Live until nothing is left to do. Returns the version that runs, 0 for none. */
static uint32_t live(void)
{
    for (int boots = 0; boots < BOOTS_MAX; boots++) {
        struct ferry_first_report report;

        if (!start(&report)) {
            return 0;
        }
        if (!run_second_stage(report.slot)) {
            return campaign.version;
        }
    }
    return 0;
}

/* Live with the power cut at an operation from now on (0: none) by a model. Returns whether it came
 * to that. */
static bool live_to_cut(uint64_t operation, const struct fault_model *model, uint32_t *version)
{
    struct fault_state *state = &campaign.rig.chip.state;
    volatile bool was_cut = true;

    campaign.model = model;
    campaign.cut_at = operation == 0 ? 0 : state->operations + operation;
    campaign.rig.chip.watch = cut;
    if (setjmp(campaign.power) == 0) {
        *version = live();
        was_cut = false;
    }
    campaign.cut_at = 0;
    return was_cut;
}

/* ---- The campaign -------------------------------------------------------------------------------
 */

/* Where a life begins. */
struct moment {
    struct fault_state state;
    size_t mark;
    uint32_t version, key;
    bool started;
};

static struct moment note(void)
{
    return (struct moment){campaign.rig.chip.state, fault_chip_mark(&campaign.rig.chip),
                           campaign.version, campaign.key, campaign.started};
}

static void go_back(const struct moment *moment)
{
    fault_chip_undo(&campaign.rig.chip, moment->mark);
    campaign.rig.chip.state = moment->state;
    campaign.version = moment->version;
    campaign.key = moment->key;
    campaign.started = moment->started;
}

static void end_life(uint32_t version, uint32_t expected)
{
    if (version != expected) {
        violate(DONE);
    }
}

/* The life after a cut: as it is, and with a second cut here and there. */
static void live_on(uint32_t expected)
{
    struct moment moment = note();
    uint32_t version = 0;
    const struct fault_model *model = &fault_models[campaign.pairs % 7];

    (void)live_to_cut(0, NULL, &version);
    end_life(version, expected);
    go_back(&moment);
    for (uint64_t at = 1 + campaign.cuts % PAIR_STRIDE; live_to_cut(at, model, &version);
         at += PAIR_STRIDE) {
        campaign.pairs++;
        (void)live_to_cut(0, NULL, &version);
        end_life(version, expected);
        go_back(&moment);
        model = &fault_models[campaign.pairs % 7];
    }
    go_back(&moment);
}

static void cut_everywhere(uint32_t expected)
{
    struct moment moment = note();
    uint32_t version = 0;

    for (size_t i = 0; i < fault_model_count; i++) {
        if (fault_models[i].kind != FAULT_CUT) {
            continue;
        }
        for (uint64_t at = 1; live_to_cut(at, &fault_models[i], &version); at++) {
            campaign.cuts++;
            live_on(expected);
            go_back(&moment);
        }
        end_life(version, expected);
        go_back(&moment);
    }
}

/* Operations that fail: what was asked for may not come, but a good one runs. */
static void fail_everywhere(void)
{
    struct moment moment = note();
    uint32_t version = 0;

    for (size_t i = 0; i < fault_model_count; i++) {
        if (fault_models[i].kind != FAULT_ERROR) {
            continue;
        }
        for (uint64_t at = 1;; at++) {
            struct fault_state *state = &campaign.rig.chip.state;
            state->armed[0] =
                (struct fault_armed){.at = state->operations + at, .model = &fault_models[i]};
            state->armed_count = 1;
            (void)live_to_cut(0, NULL, &version);
            bool fired = state->armed[0].fired;
            go_back(&moment);
            if (!fired) {
                break;
            }
            campaign.errors++;
        }
    }
}

static void run_scenario(const struct scenario *scenario, enum defect defect)
{
    set_up(scenario, defect);
    campaign.started = false;
    uint32_t cuts = campaign.cuts;
    cut_everywhere(campaign.known[scenario->last].version);
    fail_everywhere();
    print_message("%-12s %u cuts\n", scenario->name, campaign.cuts - cuts);
    if (defect == SOUND) {
        assert_true(campaign.cuts > cuts); /* a campaign that cuts nothing shows nothing */
    }
    first_rig_free(&campaign.rig);
}

static void clear(void)
{
    campaign.cuts = campaign.pairs = campaign.errors = campaign.flips = 0;
    memset(campaign.violations, 0, sizeof(campaign.violations));
}

static void cuts_and_failures_do_no_harm(void **state)
{
    (void)state;
    clear();
    for (size_t i = 0; i < COUNT(scenarios); i++) {
        run_scenario(&scenarios[i], SOUND);
    }
    print_message("%u cuts, %u pairs of cuts, %u failed operations; violations:", campaign.cuts,
                  campaign.pairs, campaign.errors);
    for (int i = 0; i < INVARIANTS; i++) {
        print_message(" %s %u", invariant_names[i], campaign.violations[i]);
    }
    print_message("\n");
    for (int i = 0; i < INVARIANTS; i++) {
        assert_int_equal(campaign.violations[i], 0);
    }
    assert_true(campaign.cuts > 500 && campaign.pairs > 1000 && campaign.errors > 100);
}

/* ---- Flipped bits
 * --------------------------------------------------------------------------------- */

struct range {
    enum fault_place place;
    uint32_t offset, len;
    uint32_t but_from, but_len; /* bytes left out */
};

static void flip(const struct range *range, uint32_t bit)
{
    struct fault_area *area = &campaign.rig.chip.areas[range->place];
    uint32_t at = range->offset + bit / 8;
    uint8_t byte = area->memory[at] ^ (uint8_t)(1U << bit % 8);

    fault_chip_poke(area, at, &byte, 1);
}

/* A bit flips, and then the power is cut at an operation or not at all. What is expected of a life
 * with the flip is what it comes to without a cut. */
static void flip_all(const struct range *range, uint32_t expected)
{
    struct moment moment = note();

    for (uint32_t bit = 0; bit < range->len * 8; bit++) {
        uint32_t at = range->offset + bit / 8;
        uint32_t version = 0;
        if (at >= range->but_from && at < range->but_from + range->but_len) {
            continue;
        }
        flip(range, bit);
        (void)live_to_cut(0, NULL, &version);
        end_life(version, expected);
        campaign.flips++;
        go_back(&moment);
        if (bit % 11 == 0) {
            flip(range, bit);
            if (live_to_cut(1 + bit % 37, &fault_models[bit % 7], &version)) {
                campaign.pairs++;
                (void)live_to_cut(0, NULL, &version);
                end_life(version, expected);
            }
            go_back(&moment);
        }
    }
}

/* Any bit of the provision data but the hash of the only key: the update goes on as if nothing had
 * been; where the number of slots loses a bit it may be refused, for there seems to be no room. Any
 * bit of fw_info and validation info of the slot that does not run: neither. */
static void flipped_bits_do_no_harm(void **state)
{
    static const struct range page = {FIRST_RIG_PROVISION, 0, 98, 76, 16};
    static const struct range room = {FIRST_RIG_PROVISION, 98, 2, 0, 0};
    static const struct range slots = {FIRST_RIG_PROVISION, 100, 40, 0, 0};
    static const struct range info = {FAULT_PRIMARY, FIRST_RIG_HEADER + 0x200, 60, 0, 0};
    static const struct range validation = {FAULT_PRIMARY, FIRST_RIG_HEADER + 2048, 176, 0, 0};

    (void)state;
    clear();
    set_up(&scenarios[1], SOUND); /* S1 runs, S0 is asked for */
    campaign.started = false;
    flip_all(&page, 3);
    flip_all(&slots, 3);
    flip_all(&info, 3);
    flip_all(&validation, 3);
    assert_int_equal(campaign.violations[DONE], 0);
    flip_all(&room, 3);
    assert_true(campaign.violations[DONE] <= 1);
    first_rig_free(&campaign.rig);
    print_message("%u flipped bits, %u of them with a cut\n", campaign.flips, campaign.pairs);
    for (int i = 0; i < DONE; i++) {
        assert_int_equal(campaign.violations[i], 0);
    }
    assert_true(campaign.flips > 2000 && campaign.pairs > 50);
}

/* Any bit of fw_info and validation info of the one that runs: the other one starts while the
 * counter lets it, and nothing is given up for good when it does not. */
static void a_flipped_bit_in_what_runs_falls_back(void **state)
{
    static const struct range ranges[2] = {{FAULT_SECONDARY, FIRST_RIG_HEADER + 0x200, 60, 0, 0},
                                           {FAULT_SECONDARY, FIRST_RIG_HEADER + 2048, 176, 0, 0}};

    (void)state;
    clear();
    set_up(&scenarios[3], SOUND);
    for (size_t i = 0; i < 2; i++) {
        for (uint32_t bit = 0; bit < ranges[i].len * 8; bit++) {
            struct moment moment = note();
            uint32_t version = 0;

            campaign.started = false;
            flip(&ranges[i], bit);
            (void)live_to_cut(0, NULL, &version);
            end_life(version, 1); /* S0 */
            go_back(&moment);
            campaign.started = false;
            (void)live_to_cut(0, NULL, &version);
            end_life(version, 5);
            /* From now on S0 is below the counter. The flip stops the device; the flip undone, it
             * starts again. */
            struct moment ran = note();
            struct ferry_first_report report;
            flip(&ranges[i], bit);
            assert_int_equal(ferry_first_select(&campaign.rig.first, &report), FERRY_E_NO_IMAGE);
            assert_int_equal(campaign.rig.chip.state.operations, ran.state.operations);
            flip(&ranges[i], bit);
            assert_true(start(&report));
            campaign.flips++;
            go_back(&moment);
        }
    }
    first_rig_free(&campaign.rig);
    for (int i = 0; i < INVARIANTS; i++) {
        assert_int_equal(campaign.violations[i], 0);
    }
    assert_int_equal(campaign.flips, (60 + 176) * 8);
}

/* ---- Defects
 * ---------------------------------------------------------------------------------------- */

/* A spoilt S1 that has run, and an older S0 that must not: by version, or by key. */
static void spoil_what_ran(enum defect defect)
{
    const uint8_t zero = 0;
    uint32_t version;

    set_up(&scenarios[3], defect);
    campaign.started = false;
    (void)live_to_cut(0, NULL, &version);
    fault_chip_poke(&campaign.rig.chip.areas[FAULT_SECONDARY], 1600, &zero, 1);
    (void)live_to_cut(0, NULL, &version);
    first_rig_free(&campaign.rig);
}

static void every_invariant_can_fail(void **state)
{
    (void)state;
    clear();
    run_scenario(&scenarios[0], INSTALLS_IN_PLACE);
    assert_true(campaign.violations[UNHARMED] > 0);
    clear();
    run_scenario(&scenarios[0], TAKES_THE_MAGIC);
    run_scenario(&scenarios[4], TAKES_THE_MAGIC);
    assert_true(campaign.violations[RUNS] > 0);
    assert_true(campaign.violations[DONE] > 0);
    clear();
    spoil_what_ran(SOUND);
    assert_int_equal(campaign.violations[FORWARD], 0);
    spoil_what_ran(COUNTS_NOTHING);
    assert_int_equal(campaign.violations[FORWARD], 0); /* the key still says no */
    spoil_what_ran(REVOKES_NOTHING);
    assert_int_equal(campaign.violations[FORWARD], 0); /* the counter still says no */
}

/* Only one of both guards at a time is left, and taken away. */
static void a_revoked_key_needs_its_token(void **state)
{
    (void)state;
    clear();
    static const enum test_key_id keys[2] = {TEST_KEY_P256_OTHER, TEST_KEY_P256};
    for (int defect = 0; defect < 2; defect++) {
        const uint8_t zero = 0;
        uint32_t version;
        first_rig_init(&campaign.rig, keys, 2, 0); /* no counter */
        campaign.known_count = 0;
        campaign.defect = defect == 0 ? SOUND : REVOKES_NOTHING;
        first_start();
        campaign.started = false;
        (void)live_to_cut(0, NULL, &version);
        fault_chip_poke(&campaign.rig.chip.areas[FAULT_SECONDARY], 1600, &zero, 1);
        (void)live_to_cut(0, NULL, &version);
        first_rig_free(&campaign.rig);
        assert_int_equal(campaign.violations[FORWARD], defect);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_and_failures_do_no_harm),
        cmocka_unit_test(flipped_bits_do_no_harm),
        cmocka_unit_test(a_flipped_bit_in_what_runs_falls_back),
        cmocka_unit_test(every_invariant_can_fail),
        cmocka_unit_test(a_revoked_key_needs_its_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
