/* SPDX-License-Identifier: Apache-2.0 */
/* The record store: what it keeps and what it writes. Damage and faulty flash are in
 * test_store_damage.c, power cuts in tests/powercut/test_store_powercut.c. */
#include "store_chip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* ---- Open ------------------------------------------------------------------------------ */

static void an_erased_area_is_an_empty_store(void **state)
{
    struct chip chip;
    struct ferry_store store;
    uint8_t data[4];

    (void)state;
    fresh(&store, &chip);
    assert_int_equal(ferry_store_get(&store, 1, data, sizeof(data)), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_store_put(&store, 1, NULL, 0), FERRY_OK);
    assert_int_equal(chip.operations, 0);
}

static void open_checks_the_area(void **state)
{
    struct chip chip;
    struct ferry_store store;

    (void)state;
    chip_init(&chip, 4, 0xff, 1, SECTOR);
    assert_int_equal(ferry_store_open(&store, &chip.flash), FERRY_E_CONFIG);
    chip_init(&chip, 4, 0xff, 4, 252);
    assert_int_equal(ferry_store_open(&store, &chip.flash), FERRY_E_CONFIG);
    chip_init(&chip, 4, 0xff, 2, 256);
    assert_int_equal(ferry_store_open(&store, &chip.flash), FERRY_OK);
    chip_init(&chip, 4, 0x55, 2, 256);
    assert_int_equal(ferry_store_open(&store, &chip.flash), FERRY_E_CONFIG);
}

static void an_area_of_garbage_is_an_empty_store(void **state)
{
    struct chip chip;
    struct ferry_store store;

    (void)state;
    fresh(&store, &chip);
    for (size_t i = 0; i < CHIP_SIZE; i++) {
        chip.memory[i] = (uint8_t)(i * i + 3 * i + 1);
    }
    open_store(&store, &chip);
    expect_text(&store, 1, NULL);
    put_text(&store, 1, "here");
    open_store(&store, &chip);
    expect_text(&store, 1, "here");
}

/* ---- Put and get -------------------------------------------------------------------------- */

static void every_length_survives_everywhere(void **state)
{
    static const uint8_t erased[] = {0xff, 0x00};
    uint8_t data[FERRY_STORE_MAX];
    uint8_t back[FERRY_STORE_MAX];

    (void)state;
    for (size_t e = 0; e < COUNT(erased); e++) {
        for (uint8_t unit = 1; unit <= FERRY_FLASH_WRITE_MAX; unit *= 2) {
            struct chip chip;
            struct ferry_store store;

            chip_init(&chip, unit, erased[e], 2, 256);
            open_store(&store, &chip);
            for (size_t len = 1; len <= FERRY_STORE_MAX; len++) {
                memset(data, (int)len, len);
                data[0] = erased[e];
                data[len - 1] = erased[e];
                assert_int_equal(ferry_store_put(&store, 0x100, data, len), FERRY_OK);
                open_store(&store, &chip);
                assert_int_equal(ferry_store_get(&store, 0x100, back, sizeof(back)), len);
                assert_memory_equal(back, data, len);
                assert_int_equal(ferry_store_get(&store, 0x100, back, len), len);
                assert_int_equal(ferry_store_get(&store, 0x100, back, len - 1), FERRY_E_SPACE);
            }
        }
    }
}

static void keys_and_lengths_have_their_ranges(void **state)
{
    struct chip chip;
    struct ferry_store store;
    uint8_t data[FERRY_STORE_MAX + 1] = {0};

    (void)state;
    fresh(&store, &chip);
    assert_int_equal(ferry_store_put(&store, 0, data, 1), FERRY_E_RANGE);
    assert_int_equal(ferry_store_put(&store, 0xffff, data, 1), FERRY_E_RANGE);
    assert_int_equal(ferry_store_put(&store, 1, data, FERRY_STORE_MAX + 1), FERRY_E_RANGE);
    assert_int_equal(ferry_store_put(&store, 1, data, SIZE_MAX), FERRY_E_RANGE);
    assert_int_equal(chip.operations, 0);
    assert_int_equal(ferry_store_put(&store, 1, data, FERRY_STORE_MAX), FERRY_OK);
    assert_int_equal(ferry_store_put(&store, 0xfffe, data, 1), FERRY_OK);
    assert_int_equal(ferry_store_get(&store, 0, data, 1), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_store_get(&store, 0xffff, data, 1), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_store_get(&store, 0xfffe, data, 1), 1);
}

static void the_newest_counts_and_keys_do_not_mix(void **state)
{
    struct chip chip;
    struct ferry_store store;

    (void)state;
    fresh(&store, &chip);
    put_text(&store, 1, "one");
    put_text(&store, 2, "two");
    put_text(&store, 1, "uno");
    put_text(&store, 0x101, "other");
    expect_text(&store, 1, "uno");
    expect_text(&store, 2, "two");
    expect_text(&store, 0x101, "other");
    expect_text(&store, 3, NULL);
}

static void one_put_is_one_program(void **state)
{
    struct chip chip;
    struct ferry_store store;

    (void)state;
    fresh(&store, &chip);
    put_text(&store, 1, "first: erase, record, head");
    assert_int_equal(chip.operations, 3);
    put_text(&store, 2, "a record of more than one write unit");
    assert_int_equal(chip.operations, 4);
    put_text(&store, 1, "x");
    assert_int_equal(chip.operations, 5);
}

static void the_same_content_is_not_written_again(void **state)
{
    struct chip chip;
    struct ferry_store store;

    (void)state;
    fresh(&store, &chip);
    put_text(&store, 1, "same");
    put_text(&store, 2, "else");
    uint32_t before = chip.operations;
    put_text(&store, 1, "same");
    put_text(&store, 2, "else");
    open_store(&store, &chip);
    put_text(&store, 1, "same");
    assert_int_equal(chip.operations, before);
    put_text(&store, 1, "samf");
    put_text(&store, 1, "same");
    put_text(&store, 1, "sam");
    assert_int_equal(chip.operations, before + 3);
}

static void a_key_is_removed(void **state)
{
    struct chip chip;
    struct ferry_store store;

    (void)state;
    fresh(&store, &chip);
    put_text(&store, 1, "gone soon");
    put_text(&store, 2, "stays");
    put_text(&store, 1, "");
    expect_text(&store, 1, NULL);
    expect_text(&store, 2, "stays");
    uint32_t before = chip.operations;
    put_text(&store, 1, "");
    assert_int_equal(chip.operations, before);
    open_store(&store, &chip);
    expect_text(&store, 1, NULL);
    put_text(&store, 1, "back");
    expect_text(&store, 1, "back");
}

/* ---- Many puts --------------------------------------------------------------------------- */

/* A random put into store and model; sizes so that all keys always fit. */
static void random_put(struct ferry_store *store, struct model *model, uint32_t *seed)
{
    uint32_t key = next_random(seed) % KEYS;
    size_t len = next_random(seed) % 20;

    model->len[key] = len;
    memset(model->data[key], (int)next_random(seed), len);
    assert_int_equal(ferry_store_put(store, (uint16_t)(key + 1), model->data[key], len), FERRY_OK);
}

static void thousands_of_puts_are_kept(void **state)
{
    static const uint8_t units[] = {1, 4, 8, 16, 32};
    uint32_t seed = 20240501;

    (void)state;
    for (size_t u = 0; u < 2 * COUNT(units); u++) {
        struct chip chip;
        struct ferry_store store;
        struct model model = {.len = {0}};
        struct ferry_flash_counter counter;
        uint32_t wear[3] = {0};

        chip_init(&chip, units[u / 2], u % 2 == 0 ? 0xff : 0x00, 3, 512);
        ferry_flash_counter_init(&counter, &chip.flash, wear);
        assert_int_equal(ferry_store_open(&store, &counter.flash), FERRY_OK);
        for (int i = 0; i < 2000; i++) {
            random_put(&store, &model, &seed);
            if (i % 3 == 0) {
                assert_int_equal(ferry_store_open(&store, &counter.flash), FERRY_OK);
            }
            if (i % 7 == 0) {
                expect_model(&store, &model);
            }
        }
        expect_model(&store, &model);
        /* All sectors wear alike. */
        assert_true(wear[2] > 10);
        assert_true(wear[0] - wear[2] <= 1);
        assert_true(wear[0] - wear[1] <= 1);
    }
}

static void sectors_may_be_of_unequal_size(void **state)
{
    struct chip chip;
    struct ferry_store store;
    struct model model = {.len = {0}};
    uint32_t seed = 7;

    (void)state;
    chip_init(&chip, 8, 0xff, 2, 1024);
    chip.flash.run_count = 3;
    chip.flash.runs[0] = (struct ferry_flash_run){1, 1024};
    chip.flash.runs[1] = (struct ferry_flash_run){2, 256};
    chip.flash.runs[2] = (struct ferry_flash_run){1, 512};
    open_store(&store, &chip);
    for (int i = 0; i < 1000; i++) {
        random_put(&store, &model, &seed);
        open_store(&store, &chip);
        expect_model(&store, &model);
    }
}

/* ---- Full --------------------------------------------------------------------------------- */

/* Put one record after another of a key each until it is full. Returns how many fit. */
static uint16_t fill(struct ferry_store *store, size_t len)
{
    uint8_t data[FERRY_STORE_MAX];

    for (uint16_t key = 1;; key++) {
        memset(data, key, len);
        int rc = ferry_store_put(store, key, data, len);

        if (rc == FERRY_E_FULL) {
            return (uint16_t)(key - 1);
        }
        assert_int_equal(rc, FERRY_OK);
    }
}

static void a_full_store_says_so_and_keeps_all(void **state)
{
    struct chip chip;
    struct ferry_store store;
    uint8_t data[FERRY_STORE_MAX];

    (void)state;
    fresh(&store, &chip);
    uint16_t count = fill(&store, 40);
    /* 12 of head, 48 a record. */
    assert_int_equal(count, (SECTOR - 12) / 48);
    uint32_t before = chip.operations;
    assert_int_equal(ferry_store_put(&store, 500, data, 40), FERRY_E_FULL);
    assert_int_equal(ferry_store_put(&store, 3, data, 128), FERRY_E_FULL);
    assert_int_equal(chip.operations, before);
    for (uint16_t key = 1; key <= count; key++) {
        assert_int_equal(ferry_store_get(&store, key, data, sizeof(data)), 40);
        assert_true(ferry_all_equal(data, 40, (uint8_t)key));
    }
}

static void in_a_full_store_values_change_and_keys_go(void **state)
{
    struct chip chip;
    struct ferry_store store;
    uint8_t data[FERRY_STORE_MAX] = {0};

    (void)state;
    fresh(&store, &chip);
    uint16_t count = fill(&store, 40);
    assert_int_equal(ferry_store_put(&store, 5, data, 40), FERRY_OK);
    assert_int_equal(ferry_store_put(&store, 6, data, 17), FERRY_OK);
    assert_int_equal(ferry_store_put(&store, 7, data, 40), FERRY_OK);
    assert_int_equal(ferry_store_put(&store, 500, data, 40), FERRY_E_FULL);
    assert_int_equal(ferry_store_put(&store, 5, NULL, 0), FERRY_OK);
    assert_int_equal(ferry_store_put(&store, 500, data, 40), FERRY_OK);
    assert_int_equal(ferry_store_put(&store, 501, data, 40), FERRY_E_FULL);
    open_store(&store, &chip);
    assert_int_equal(ferry_store_get(&store, 5, data, sizeof(data)), FERRY_E_NOT_FOUND);
    assert_int_equal(ferry_store_get(&store, 6, data, sizeof(data)), 17);
    assert_int_equal(ferry_store_get(&store, 500, data, sizeof(data)), 40);
    for (uint16_t key = 8; key <= count; key++) {
        assert_int_equal(ferry_store_get(&store, key, data, sizeof(data)), 40);
    }
}

/* Even when no removal record fits any more. */
static void every_key_can_be_removed_from_a_full_store(void **state)
{
    struct chip chip;
    struct ferry_store store;

    (void)state;
    chip_init(&chip, 32, 0xff, 2, 256);
    open_store(&store, &chip);
    uint16_t count = fill(&store, 24);
    assert_int_equal(count, 7);
    for (uint16_t key = 1; key <= count; key++) {
        assert_int_equal(ferry_store_put(&store, key, NULL, 0), FERRY_OK);
        expect_text(&store, key, NULL);
        open_store(&store, &chip);
        expect_text(&store, key, NULL);
    }
    assert_int_equal(fill(&store, 24), 7);
}

/* A removal is a record as well, but only until the next move. */
static void keys_that_are_gone_take_no_room(void **state)
{
    struct chip chip;
    struct ferry_store store;

    (void)state;
    chip_init(&chip, 32, 0xff, 2, 256);
    open_store(&store, &chip);
    put_text(&store, 1, "stays");
    for (uint16_t key = 2; key < 500; key += 2) {
        put_text(&store, key, "comes and goes");
        put_text(&store, (uint16_t)(key + 1), "with it");
        put_text(&store, key, "");
        put_text(&store, (uint16_t)(key + 1), "");
    }
    expect_text(&store, 1, "stays");
    expect_text(&store, 499, NULL);
}

/* ---- The format ------------------------------------------------------------------------------ */

/* Devices in the field hold this: it may not change unseen. */
static void the_bytes_at_rest_are_these(void **state)
{
    static const uint8_t bytes[] = {
        'F',  'R',  'S', '1', 1,    0,    0,    0,    0x10, 0x92, 0xff, 0xff, /* head */
        0x34, 0x12, 2,   0,   0x79, 0xad, 0x90, 0xfb, 'h',  'i',  0xff, 0xff,
    };
    struct chip chip;
    struct ferry_store store;

    (void)state;
    fresh(&store, &chip);
    put_text(&store, 0x1234, "hi");
    assert_memory_equal(chip.memory, bytes, sizeof(bytes));
    assert_true(ferry_all_equal(chip.memory + sizeof(bytes), CHIP_SIZE - sizeof(bytes), 0xff));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_erased_area_is_an_empty_store),
        cmocka_unit_test(open_checks_the_area),
        cmocka_unit_test(an_area_of_garbage_is_an_empty_store),
        cmocka_unit_test(every_length_survives_everywhere),
        cmocka_unit_test(keys_and_lengths_have_their_ranges),
        cmocka_unit_test(the_newest_counts_and_keys_do_not_mix),
        cmocka_unit_test(one_put_is_one_program),
        cmocka_unit_test(the_same_content_is_not_written_again),
        cmocka_unit_test(a_key_is_removed),
        cmocka_unit_test(thousands_of_puts_are_kept),
        cmocka_unit_test(sectors_may_be_of_unequal_size),
        cmocka_unit_test(a_full_store_says_so_and_keeps_all),
        cmocka_unit_test(in_a_full_store_values_change_and_keys_go),
        cmocka_unit_test(every_key_can_be_removed_from_a_full_store),
        cmocka_unit_test(keys_that_are_gone_take_no_room),
        cmocka_unit_test(the_bytes_at_rest_are_these),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
