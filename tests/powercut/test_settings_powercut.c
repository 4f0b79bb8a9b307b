/* SPDX-License-Identifier: Apache-2.0 */
/* Settings in the store under power cuts: a script of writes, saves, deletes and erases of all, cut
 * at every program and erase in every way, and cut again at every operation of what follows.
 *
 * After each cut every setting reads as before or as it was to become, those that nobody was
 * changing as before, Ferry's own records in the same store are untouched, and what is saved later
 * is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cut_chip.h"
#include "ferry/settings_store.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define FIRST_KEY    0x0200
#define KEY_COUNT    8
#define MAX          20 /* bytes of a value: a record is one unit of 32 bytes */
#define STEPS        30
#define AFTERWARDS   4

/* ---- The settings ------------------------------------------------------------------------ */

struct value {
    uint16_t len;
    uint8_t data[MAX];
};

enum { NUMBER, TEXT, FLAG, BLOB, SETTINGS };

static struct value now[SETTINGS]; /* what the program reads */
static const uint32_t number_initial = 0x12345678;
static const char text_initial[] = "as delivered";

static const struct ferry_setting table[SETTINGS] = {
    [NUMBER] = {.name = "a/number",
                .number = 3,
                .value = now[NUMBER].data,
                .min = 4,
                .max = 4,
                .initial = &number_initial},
    [TEXT] = {.name = "a/text",
              .number = 0,
              .value = now[TEXT].data,
              .max = MAX,
              .len = &now[TEXT].len,
              .initial = text_initial,
              .initial_len = sizeof(text_initial) - 1},
    [FLAG] = {.name = "b/flag", .number = 5, .value = now[FLAG].data, .min = 1, .max = 1},
    [BLOB] =
        {.name = "b/blob", .number = 7, .value = now[BLOB].data, .max = MAX, .len = &now[BLOB].len},
};

static struct value read_value(size_t i)
{
    struct value value = {table[i].len == NULL ? table[i].max : *table[i].len, {0}};

    memcpy(value.data, table[i].value, value.len);
    return value;
}

static bool equals(const struct value *a, const struct value *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static struct ferry_bytes name_of(size_t i)
{
    return (struct ferry_bytes){(const uint8_t *)table[i].name, strlen(table[i].name)};
}

/* ---- The bench --------------------------------------------------------------------------- */

struct model {
    struct value saved[SETTINGS];
    struct value next[SETTINGS]; /* what the step that goes on makes of them */
};

struct bench {
    struct cut_chip chip;
    struct ferry_store store;
    struct ferry_settings_store settings;
    struct model model;
    uint64_t cuts;
    uint64_t double_cuts;
};

/* Records of Ferry's own, which settings leave alone. */
static const uint16_t neighbours[] = {FERRY_STORE_KEY_CONFIRMED, FERRY_STORE_KEY_TRIAL};

static void put_neighbours(struct bench *bench)
{
    for (size_t i = 0; i < COUNT(neighbours); i++) {
        assert_int_equal(ferry_store_put(&bench->store, neighbours[i], "neighbour", 9), FERRY_OK);
    }
}

static void check_neighbours(const struct bench *bench)
{
    char data[16];

    for (size_t i = 0; i < COUNT(neighbours); i++) {
        assert_int_equal(ferry_store_get(&bench->store, neighbours[i], data, sizeof(data)), 9);
        assert_memory_equal(data, "neighbour", 9);
    }
}

/* Power on: open, set up, load, none of which writes. */
static void boot(struct bench *bench, uint64_t cut_at, enum cut_way way)
{
    cut_chip_power_on(&bench->chip, cut_at, way);
    assert_int_equal(ferry_store_open(&bench->store, &bench->chip.cutter.flash), FERRY_OK);
    memset(now, 0x5a, sizeof(now));
    bench->settings = (struct ferry_settings_store){.settings = table,
                                                    .count = SETTINGS,
                                                    .store = &bench->store,
                                                    .first_key = FIRST_KEY,
                                                    .key_count = KEY_COUNT};
    assert_int_equal(ferry_settings_store_init(&bench->settings), FERRY_OK);
    assert_int_equal(ferry_settings_store_load(&bench->settings), FERRY_OK);
    assert_int_equal(bench->chip.operations, 0);
}

static void bench_init(struct bench *bench, uint8_t write_size, uint8_t erased_value)
{
    cut_chip_init(&bench->chip, 2, 256, write_size, erased_value);
    boot(bench, 0, WAY_BEFORE);
    put_neighbours(bench);
    for (size_t i = 0; i < SETTINGS; i++) {
        bench->model.saved[i] = read_value(i);
    }
}

/* Every setting, as loaded, is what the model says it was or, while a step was cut, was to
 * become; the model learns which. */
static void check(struct bench *bench, bool cut)
{
    struct model *model = &bench->model;

    for (size_t i = 0; i < SETTINGS; i++) {
        struct value value = read_value(i);

        if (cut && equals(&value, &model->next[i])) {
            model->saved[i] = value;
        }
        assert_true(equals(&value, &model->saved[i]));
    }
    check_neighbours(bench);
}

/* ---- The script -------------------------------------------------------------------------- */

static void write_random(struct bench *bench, uint32_t *seed)
{
    size_t i = cut_random(seed) % SETTINGS;
    struct value value = {
        (uint16_t)(table[i].min + cut_random(seed) % (table[i].max - table[i].min + 1U)), {0}};

    for (size_t at = 0; at < value.len; at++) {
        value.data[at] = (uint8_t)(cut_random(seed) >> 9);
    }
    assert_int_equal(ferry_settings_in_store.write(&bench->settings, name_of(i),
                                                   (struct ferry_bytes){value.data, value.len}),
                     FERRY_OK);
}

/* Save what is under a name, "" for all. */
static int save(struct bench *bench, const char *name)
{
    struct ferry_bytes bytes = {(const uint8_t *)name, strlen(name)};

    for (size_t i = 0; i < SETTINGS; i++) {
        if (bytes.len == 0 || table[i].name[0] == *name) {
            bench->model.next[i] = read_value(i);
        }
    }
    return ferry_settings_store_save(&bench->settings, bytes);
}

/* What a setting has after a delete, without doing it. */
static struct value default_of(size_t i)
{
    struct value value = {table[i].len == NULL ? table[i].max : table[i].initial_len, {0}};

    if (table[i].initial != NULL) {
        memcpy(value.data, table[i].initial, value.len);
    }
    return value;
}

static int remove_one(struct bench *bench, size_t i)
{
    bench->model.next[i] = default_of(i);
    return ferry_settings_in_store.remove(&bench->settings, name_of(i));
}

static int erase(struct bench *bench)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        bench->model.next[i] = default_of(i);
    }
    return ferry_settings_store_erase(&bench->settings);
}

/* Step number i: some values are written, then something is done to what is saved. */
static int run_step(struct bench *bench, uint32_t i)
{
    uint32_t seed = 0x9e3779b9U * (i + 1);

    (void)cut_random(&seed);
    memcpy(bench->model.next, bench->model.saved, sizeof(bench->model.next));
    for (uint32_t writes = 1 + cut_random(&seed) % 3; writes > 0; writes--) {
        write_random(bench, &seed);
    }
    switch (cut_random(&seed) % 8) {
    case 0:
    case 1:
        return remove_one(bench, cut_random(&seed) % SETTINGS);
    case 2:
        return erase(bench);
    case 3:
        return save(bench, "a");
    case 4:
        return save(bench, "b");
    default:
        return save(bench, "");
    }
}

/* Steps from..to. Returns the one at which the power failed, or to. */
static uint32_t run_steps(struct bench *bench, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        int result = run_step(bench, i);

        if (result == FERRY_E_POWER) {
            return i;
        }
        assert_int_equal(result, FERRY_OK);
        memcpy(bench->model.saved, bench->model.next, sizeof(bench->model.saved));
    }
    return to;
}

/* ---- Cuts -------------------------------------------------------------------------------- */

static void check_recovery(struct bench *bench, uint32_t at)
{
    boot(bench, 0, WAY_BEFORE);
    check(bench, true);
    assert_int_equal(run_steps(bench, at, at + AFTERWARDS), at + AFTERWARDS);
    boot(bench, 0, WAY_BEFORE);
    check(bench, false);
}

/* Cut once more, at every operation of the steps that follow the first cut, until they pass. */
static void cut_again(struct bench *bench, uint32_t at, enum cut_way way)
{
    uint8_t memory[CUT_CHIP_MAX];

    boot(bench, 0, WAY_BEFORE);
    check(bench, true);
    memcpy(memory, bench->chip.memory, sizeof(memory));

    struct model model = bench->model;

    for (uint64_t second = 1;; second++) {
        memcpy(bench->chip.memory, memory, sizeof(memory));
        bench->model = model;
        boot(bench, second, way);
        uint32_t reached = run_steps(bench, at, at + 1);
        if (reached == at + 1) {
            return;
        }
        bench->double_cuts++;
        check_recovery(bench, reached);
    }
}

/* The script, cut at every operation; and again in the ways from second_from on. */
static void cut_everywhere(struct bench *bench, uint8_t write_size, uint8_t erased_value,
                           enum cut_way way, enum cut_way second_from)
{
    for (uint64_t first = 1;; first++) {
        bench_init(bench, write_size, erased_value);
        boot(bench, first, way);
        uint32_t reached = run_steps(bench, 0, STEPS);
        if (reached == STEPS) {
            return;
        }
        bench->cuts++;

        struct cut_chip chip = bench->chip;
        struct model model = bench->model;

        check_recovery(bench, reached);
        for (enum cut_way second = second_from; second < WAYS; second++) {
            memcpy(bench->chip.memory, chip.memory, sizeof(chip.memory));
            bench->model = model;
            cut_again(bench, reached, second);
        }
    }
}

static const uint8_t write_sizes[] = {1, 4, 8, 16, 32};
static const uint8_t erased_values[] = {0xff, 0x00};

static void settings_under_cuts(void **state)
{
    struct bench bench = {.cuts = 0};

    (void)state;
    for (size_t w = 0; w < COUNT(write_sizes); w++) {
        for (size_t e = 0; e < COUNT(erased_values); e++) {
            for (enum cut_way way = WAY_BEFORE; way < WAYS; way++) {
                uint64_t before = bench.cuts;

                cut_everywhere(&bench, write_sizes[w], erased_values[e], way, WAY_INSIDE);
                assert_true(bench.cuts > before + STEPS);
            }
        }
    }
    print_message("%llu cuts, %llu double cuts of settings\n", (unsigned long long)bench.cuts,
                  (unsigned long long)bench.double_cuts);
    assert_true(bench.cuts > 0 && bench.double_cuts > bench.cuts);
}

/* The script does what it is for: everything is changed, and sectors are moved on. */
static void the_script_does_everything(void **state)
{
    (void)state;
    for (size_t w = 0; w < COUNT(write_sizes); w++) {
        struct bench bench = {.cuts = 0};
        bool changed[SETTINGS] = {false};

        bench_init(&bench, write_sizes[w], 0xff);
        boot(&bench, 0, WAY_BEFORE);
        for (uint32_t i = 0; i < STEPS; i++) {
            struct model before = bench.model;

            assert_int_equal(run_steps(&bench, i, i + 1), i + 1);
            boot(&bench, 0, WAY_BEFORE);
            check(&bench, false);
            for (size_t k = 0; k < SETTINGS; k++) {
                changed[k] |= !equals(&before.saved[k], &bench.model.saved[k]);
            }
        }
        for (size_t k = 0; k < SETTINGS; k++) {
            assert_true(changed[k]);
        }
        assert_true(bench.store.sequence >= 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_script_does_everything),
        cmocka_unit_test(settings_under_cuts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
