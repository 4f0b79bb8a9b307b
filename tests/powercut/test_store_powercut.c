/* SPDX-License-Identifier: Apache-2.0 */
/* The record store under power cuts: a script of puts, cut at every program and erase in every
 * way, and cut again at every operation of what follows the next boot.
 *
 * After each cut: open writes nothing, every key reads what it held, the key being put reads its
 * old or its new value, and later puts work. The chip fails the test when a unit is programmed
 * that is not erased. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cut_chip.h"
#include "ferry/store.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KEYS         5
#define STEPS        60 /* puts of the script */
#define AFTERWARDS   6  /* puts after the last cut that must work */

/* ---- The bench: a chip under a power supply, the script, and what must be there ------------ */

struct config {
    uint32_t sectors;
    uint32_t sector_size;
    uint8_t write_size;
    uint8_t erased_value;
    uint8_t len_max; /* of a record: so that KEYS of them fit a sector */
};

struct model {
    uint8_t data[KEYS][FERRY_STORE_MAX];
    size_t len[KEYS];
};

struct bench {
    const struct config *config;
    struct cut_chip chip;
    struct ferry_store store;
    struct model model;
    uint64_t cuts;
    uint64_t double_cuts;
};

static void bench_init(struct bench *bench, const struct config *config)
{
    *bench = (struct bench){.config = config};
    cut_chip_init(&bench->chip, config->sectors, config->sector_size, config->write_size,
                  config->erased_value);
}

/* Power on and open the store, which must write nothing. The power fails at operation cut_at
 * (0 never), counted from here. */
static void boot(struct bench *bench, uint64_t cut_at, enum cut_way way)
{
    cut_chip_power_on(&bench->chip, cut_at, way);
    assert_int_equal(ferry_store_open(&bench->store, &bench->chip.cutter.flash), FERRY_OK);
    assert_int_equal(bench->chip.operations, 0);
}

/* Put number i of the script: some keys change often, some seldom, some go. */
struct step {
    uint16_t key; /* from 1 */
    size_t len;
    uint8_t data[FERRY_STORE_MAX];
};

static struct step script(const struct bench *bench, uint32_t i)
{
    uint32_t seed = 0x9e3779b9U * (i + 1);
    struct step step;

    (void)cut_random(&seed);
    step.key = (uint16_t)(1 + cut_random(&seed) % KEYS);
    if (cut_random(&seed) % 3 == 0) {
        step.key = 1;
    }
    step.len = cut_random(&seed) % (bench->config->len_max + 1U);
    if (cut_random(&seed) % 8 == 0) {
        step.len = 0;
    }
    for (size_t at = 0; at < step.len; at++) {
        step.data[at] = (uint8_t)(cut_random(&seed) >> 9);
    }
    return step;
}

static bool reads_as(const struct bench *bench, uint16_t key, const uint8_t *data, size_t len)
{
    uint8_t got[FERRY_STORE_MAX];
    int rc = ferry_store_get(&bench->store, key, got, sizeof(got));

    if (len == 0) {
        return rc == FERRY_E_NOT_FOUND;
    }
    return rc == (int)len && memcmp(got, data, len) == 0;
}

static void learn(struct model *model, const struct step *step)
{
    model->len[step->key - 1] = step->len;
    memcpy(model->data[step->key - 1], step->data, step->len);
}

/* Every key reads as the model says; of `open`, which was being put (or NULL), the new value is
 * as good, and the model learns which it is. */
static void check_keys(struct bench *bench, const struct step *open)
{
    struct model *model = &bench->model;

    if (open != NULL && reads_as(bench, open->key, open->data, open->len)) {
        learn(model, open);
    }
    for (uint16_t key = 1; key <= KEYS; key++) {
        assert_true(reads_as(bench, key, model->data[key - 1], model->len[key - 1]));
    }
}

/* Puts from..to of the script. Returns the one at which the power failed, or to. */
static uint32_t run_puts(struct bench *bench, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        struct step step = script(bench, i);
        int rc = ferry_store_put(&bench->store, step.key, step.data, step.len);

        if (rc == FERRY_E_POWER) {
            return i;
        }
        assert_int_equal(rc, FERRY_OK);
        learn(&bench->model, &step);
    }
    return to;
}

/* After the last cut, at put `at`: the keys, some more puts, and the keys again. */
static void check_recovery(struct bench *bench, uint32_t at)
{
    struct step step = script(bench, at);

    boot(bench, 0, WAY_BEFORE);
    check_keys(bench, &step);
    assert_int_equal(run_puts(bench, at, at + AFTERWARDS), at + AFTERWARDS);
    check_keys(bench, NULL);
    boot(bench, 0, WAY_BEFORE);
    check_keys(bench, NULL);
}

/* ---- Cuts -------------------------------------------------------------------------------- */

/* Cut once more, at every operation of the puts that follow the first cut, until they pass. */
static void cut_again(struct bench *bench, uint32_t at, enum cut_way way)
{
    struct step step = script(bench, at);
    uint8_t memory[CUT_CHIP_MAX];

    boot(bench, 0, WAY_BEFORE);
    check_keys(bench, &step);
    memcpy(memory, bench->chip.memory, sizeof(memory));

    struct model model = bench->model;

    for (uint64_t second = 1;; second++) {
        memcpy(bench->chip.memory, memory, sizeof(memory));
        bench->model = model;
        boot(bench, second, way);
        uint32_t reached = run_puts(bench, at, at + 2);
        if (reached == at + 2) {
            return;
        }
        bench->double_cuts++;
        check_recovery(bench, reached);
    }
}

/* The script, cut at every operation; and again in the ways from second_from on. */
static void cut_everywhere(struct bench *bench, const struct config *config, enum cut_way way,
                           enum cut_way second_from)
{
    for (uint64_t first = 1;; first++) {
        uint64_t cuts = bench->cuts;
        uint64_t double_cuts = bench->double_cuts;

        bench_init(bench, config);
        bench->cuts = cuts;
        bench->double_cuts = double_cuts;
        boot(bench, first, way);
        uint32_t reached = run_puts(bench, 0, STEPS);
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

/* The same script on a geometry, for every write size, erased value and way. */
static void cut_geometry(uint32_t sectors, uint32_t sector_size, uint8_t len_max,
                         enum cut_way second_from)
{
    uint64_t all = 0;
    uint64_t all_double = 0;

    for (size_t w = 0; w < COUNT(write_sizes); w++) {
        for (size_t e = 0; e < COUNT(erased_values); e++) {
            const struct config config = {sectors, sector_size, write_sizes[w], erased_values[e],
                                          len_max};
            struct bench bench = {.cuts = 0};

            for (enum cut_way way = WAY_BEFORE; way < WAYS; way++) {
                uint64_t before = bench.cuts;

                cut_everywhere(&bench, &config, way, second_from);
                assert_true(bench.cuts > before + STEPS / 2);
            }
            assert_true(bench.double_cuts > bench.cuts);
            all += bench.cuts;
            all_double += bench.double_cuts;
        }
    }
    print_message("%u sectors of %u: %llu cuts, %llu double cuts\n", (unsigned)sectors,
                  (unsigned)sector_size, (unsigned long long)all, (unsigned long long)all_double);
    assert_true(all > 0);
}

static void two_small_sectors(void **state)
{
    (void)state;
    cut_geometry(2, 256, 24, WAY_BEFORE);
}

static void three_sectors_and_longer_records(void **state)
{
    (void)state;
    /* Fewer second ways, for the time it takes under the sanitizers. */
    cut_geometry(3, 512, 88, WAY_NOISE);
}

/* The script does what it is for: sectors fill up and are moved on, several times. */
static void the_script_moves_often(void **state)
{
    (void)state;
    for (size_t w = 0; w < COUNT(write_sizes); w++) {
        const struct config config = {2, 256, write_sizes[w], 0xff, 24};
        struct bench bench;

        bench_init(&bench, &config);
        boot(&bench, 0, WAY_BEFORE);
        assert_int_equal(run_puts(&bench, 0, STEPS), STEPS);
        check_keys(&bench, NULL);
        print_message("write size %u: %u moves, %u operations\n", write_sizes[w],
                      (unsigned)bench.store.sequence, (unsigned)bench.chip.operations);
        assert_true(bench.store.sequence >= 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_script_moves_often),
        cmocka_unit_test(two_small_sectors),
        cmocka_unit_test(three_sectors_and_longer_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
