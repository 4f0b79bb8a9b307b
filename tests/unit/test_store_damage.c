/* SPDX-License-Identifier: Apache-2.0 */
/* The record store: what damage and what faults of the flash it survives. */
#include "store_chip.h"

#include "ferry/crc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

/* ---- Damage ------------------------------------------------------------------------------- */

/* Where an ASCII content stands in the chip; it must be there once. */
static size_t locate(const struct chip *chip, const char *text)
{
    size_t len = strlen(text);

    for (size_t at = 0; at + len <= CHIP_SIZE; at++) {
        if (memcmp(chip->memory + at, text, len) == 0) {
            return at;
        }
    }
    fail_msg("%s is not in the chip", text);
    return 0;
}

static void a_record_with_rotten_data_is_stepped_over(void **state)
{
    struct chip chip;
    struct ferry_store store;

    (void)state;
    fresh(&store, &chip);
    put_text(&store, 1, "old value");
    put_text(&store, 2, "neighbour");
    put_text(&store, 1, "new value");
    put_text(&store, 3, "behind");
    chip.memory[locate(&chip, "new value") + 2] ^= 0x01;
    open_store(&store, &chip);
    expect_text(&store, 1, "old value");
    expect_text(&store, 2, "neighbour");
    expect_text(&store, 3, "behind");
    put_text(&store, 1, "put again");
    open_store(&store, &chip);
    expect_text(&store, 1, "put again");
}

/* How many records of a key there are, from the first to the newest. */
static const uint8_t versions[] = {2, 1, 1};

/* Each bit of a whole sector in turn: no key but the one whose data have it loses anything, and
 * that one reads what it held before; puts go on working. What is put twice under two keys is
 * there. */
static void any_rotten_bit_is_survived(void **state)
{
    struct chip good;
    struct ferry_store store;

    (void)state;
    chip_init(&good, 8, 0xff, 2, 256);
    open_store(&store, &good);
    put_text(&store, 1, "a1");
    put_text(&store, 2, "b1");
    put_text(&store, 1, "a2");
    put_text(&store, 3, "");
    put_text(&store, 3, "c1");
    for (size_t bit = 0; bit < 256 * 8; bit++) {
        struct chip chip = good;
        char data[FERRY_STORE_MAX];
        uint32_t old = 0;

        chip.flash.context = &chip;
        chip.memory[bit / 8] ^= (uint8_t)(1U << bit % 8);
        open_store(&store, &chip);
        for (uint16_t key = 1; key <= 3; key++) {
            int len = ferry_store_get(&store, key, data, sizeof(data));

            assert_true(len == FERRY_E_NOT_FOUND || (len == 2 && data[0] == 'a' + key - 1));
            old += len == 2 && data[1] == '0' + versions[key - 1] ? 0 : 1;
        }
        assert_true(old <= 1);
        put_text(&store, 2, "b2");
        put_text(&store, 4, "d1");
        open_store(&store, &chip);
        expect_text(&store, 2, "b2");
        expect_text(&store, 4, "d1");
    }
}

/* Garbage behind the last record, in any unit of the rest: nothing is lost, and nothing is ever
 * programmed over it (the chip would assert). */
static void a_dirty_rest_is_never_programmed(void **state)
{
    (void)state;
    for (size_t at = 12 + 12; at < SECTOR; at += 5) {
        struct chip chip;
        struct ferry_store store;

        fresh(&store, &chip);
        put_text(&store, 1, "kept");
        chip.memory[at] = 0x00;
        open_store(&store, &chip);
        expect_text(&store, 1, "kept");
        for (int i = 0; i < 100; i++) {
            char text[2] = {(char)('A' + i % 26), '\0'};

            put_text(&store, 2, text);
            expect_text(&store, 2, text);
        }
        open_store(&store, &chip);
        expect_text(&store, 1, "kept");
        expect_text(&store, 2, "V");
    }
}

/* The content of a torn record is not searched for records, whoever wrote it. */
static void a_record_inside_a_torn_record_is_not_believed(void **state)
{
    struct chip chip;
    struct ferry_store store;
    uint8_t planted[24] = {0};

    (void)state;
    fresh(&store, &chip);
    put_text(&store, 1, "honest");
    put_text(&store, 9, "planted!");
    /* The bytes of the record of key 9 with another key, as content of key 2. */
    size_t at = locate(&chip, "planted!") - 8;
    memcpy(planted, chip.memory + at, 16);
    ferry_store_le16(planted, 1);
    ferry_store_le16(planted + 4, ferry_crc16(0, planted, 4));
    ferry_store_le16(planted + 6,
                     ferry_crc16(ferry_crc16(0, planted, 4), planted + 8, sizeof("planted!") - 1));
    put_text(&store, 9, "");
    assert_int_equal(ferry_store_put(&store, 2, planted, sizeof(planted)), FERRY_OK);
    open_store(&store, &chip);
    expect_text(&store, 1, "honest");

    /* Break the head of the outer record, in the ways a head can break. */
    size_t outer = at + 16 + 8;
    for (size_t i = 0; i < 8; i++) {
        struct chip torn = chip;

        torn.flash.context = &torn;
        torn.memory[outer + i] = 0x00;
        open_store(&store, &torn);
        expect_text(&store, 1, "honest");
        put_text(&store, 3, "after");
        open_store(&store, &torn);
        expect_text(&store, 1, "honest");
        expect_text(&store, 3, "after");
    }
}

/* A store whose second sector is the active one; *last gets the text of key 2. */
static void move_once(struct ferry_store *store, struct chip *chip, char last[2])
{
    chip_init(chip, 4, 0xff, 2, 256);
    open_store(store, chip);
    put_text(store, 1, "base");
    last[0] = '\0';
    last[1] = '\0';
    while (store->sector == 0) {
        last[0] = (char)(last[0] + 1);
        put_text(store, 2, last);
    }
}

static void a_rotten_bit_in_the_head_of_the_sector_costs_nothing(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 10 * 8; bit++) {
        struct chip chip;
        struct ferry_store store;
        char text[2];

        move_once(&store, &chip, text);
        put_text(&store, 3, "behind");
        chip.memory[256 + bit / 8] ^= (uint8_t)(1U << bit % 8);
        open_store(&store, &chip);
        assert_int_equal(store.sector, 1);
        expect_text(&store, 1, "base");
        expect_text(&store, 2, text);
        expect_text(&store, 3, "behind");
        /* It is not written to any more: the next bit could be the last. */
        put_text(&store, 4, "next");
        assert_int_equal(store.sector, 0);
        expect_text(&store, 3, "behind");
    }
}

static void a_head_of_the_sector_with_two_rotten_bits_falls_back_to_the_one_before(void **state)
{
    struct chip chip;
    struct ferry_store store;
    char text[2];

    (void)state;
    move_once(&store, &chip, text);
    chip.memory[256 + 4] ^= 0x03;
    open_store(&store, &chip);
    assert_int_equal(store.sector, 0);
    expect_text(&store, 1, "base");
    text[0] = (char)(text[0] - 1);
    expect_text(&store, 2, text);
}

/* ---- Faulty flash --------------------------------------------------------------------------- */

/* A failing operation at every place of a run of puts: put goes on in another sector or says so,
 * every other key is kept, this key reads old or new, and from then on store and flash agree. */
static void check_fault(uint32_t fail_at, enum fault fault, uint32_t *faults, uint32_t *failed)
{
    struct chip chip;
    struct ferry_store store;
    struct model model = {.len = {0}};
    uint32_t seed = 99;

    chip_init(&chip, 8, 0xff, 2, 256);
    open_store(&store, &chip);
    chip.fail_at = fail_at;
    chip.fault = fault;
    for (int i = 0; i < 40; i++) {
        uint32_t key = next_random(&seed) % KEYS;
        uint8_t data[FERRY_STORE_MAX];
        size_t len = next_random(&seed) % 20;

        memset(data, i, len);
        int rc = ferry_store_put(&store, (uint16_t)(key + 1), data, len);
        if (rc != FERRY_OK) {
            assert_int_equal(rc, FERRY_E_FLASH);
            ++*failed;
            rc = ferry_store_get(&store, (uint16_t)(key + 1), model.data[key], FERRY_STORE_MAX);
            size_t now = rc == FERRY_E_NOT_FOUND ? 0 : (size_t)rc;
            assert_true(now == model.len[key] || now == len);
            model.len[key] = now;
        } else {
            model.len[key] = len;
            memcpy(model.data[key], data, len);
        }
        expect_model(&store, &model);

        /* Whoever opens now sees the same. */
        struct ferry_store other;
        open_store(&other, &chip);
        expect_model(&other, &model);
    }
    *faults += chip.operations >= fail_at ? 1 : 0;
}

static void a_failing_operation_is_survived(void **state)
{
    (void)state;
    for (enum fault fault = FAULT_REFUSES; fault < FAULTS; fault++) {
        uint32_t faults = 0, failed = 0;

        for (uint32_t at = 1; at <= 60; at++) {
            check_fault(at, fault, &faults, &failed);
        }
        print_message("fault %d: %u times, %u failed puts\n", (int)fault, faults, failed);
        assert_true(faults >= 40 && failed > 0 && failed < faults);
    }
}

/* A record that was cut so that it reads as erased was programmed over; put failed, and the trial
 * of a good image with it. */
static void a_place_that_takes_no_record_costs_a_sector_and_no_record(void **state)
{
    (void)state;
    for (enum fault fault = FAULT_REFUSES; fault < FAULTS; fault++) {
        struct chip chip;
        struct ferry_store store;

        chip_init(&chip, 8, 0xff, 2, 256);
        open_store(&store, &chip);
        put_text(&store, 1, "base");
        chip.fail_at = chip.operations + 1;
        chip.fault = fault;
        uint32_t sector = store.sector;
        put_text(&store, 2, "new");
        assert_int_equal(store.sector, 1 - sector);
        open_store(&store, &chip);
        expect_text(&store, 1, "base");
        expect_text(&store, 2, "new");
    }
}

/* What a failed put left in the sector's head: the next, smaller put must not go to the sector
 * that is the older one for the next open. */
static void after_a_head_that_failed_but_stands_the_new_sector_is_used(void **state)
{
    (void)state;
    for (uint32_t at = 1; at <= 60; at++) {
        struct chip chip;
        struct ferry_store store;
        uint8_t data[20];

        chip_init(&chip, 8, 0xff, 2, 256);
        open_store(&store, &chip);
        chip.fail_at = at;
        chip.fault = FAULT_DOES;
        for (int i = 0; i < 30; i++) {
            memset(data, i, sizeof(data));
            int rc = ferry_store_put(&store, 1, data, sizeof(data));
            assert_true(rc == FERRY_OK || rc == FERRY_E_FLASH);
            if (rc != FERRY_OK) {
                break;
            }
        }
        chip.fail_at = 0;
        put_text(&store, 2, "s");
        open_store(&store, &chip);
        expect_text(&store, 2, "s");
    }
}

static void a_dead_flash_is_an_error_not_an_empty_store(void **state)
{
    struct chip chip;
    struct ferry_store store;
    uint8_t data[8];

    (void)state;
    fresh(&store, &chip);
    put_text(&store, 1, "there");
    chip.dead = true;
    assert_int_equal(ferry_store_get(&store, 1, data, sizeof(data)), FERRY_E_FLASH);
    assert_int_equal(ferry_store_put(&store, 1, "other", 5), FERRY_E_FLASH);
    assert_int_equal(ferry_store_put(&store, 1, NULL, 0), FERRY_E_FLASH);
    struct ferry_store again;
    assert_int_equal(ferry_store_open(&again, &chip.flash), FERRY_E_FLASH);
    chip.dead = false;
    expect_text(&store, 1, "there");
    put_text(&store, 1, "other");
    expect_text(&store, 1, "other");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_with_rotten_data_is_stepped_over),
        cmocka_unit_test(any_rotten_bit_is_survived),
        cmocka_unit_test(a_dirty_rest_is_never_programmed),
        cmocka_unit_test(a_record_inside_a_torn_record_is_not_believed),
        cmocka_unit_test(a_rotten_bit_in_the_head_of_the_sector_costs_nothing),
        cmocka_unit_test(a_head_of_the_sector_with_two_rotten_bits_falls_back_to_the_one_before),
        cmocka_unit_test(a_failing_operation_is_survived),
        cmocka_unit_test(a_place_that_takes_no_record_costs_a_sector_and_no_record),
        cmocka_unit_test(after_a_head_that_failed_but_stands_the_new_sector_is_used),
        cmocka_unit_test(a_dead_flash_is_an_error_not_an_empty_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
