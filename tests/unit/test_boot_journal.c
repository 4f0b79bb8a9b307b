/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a swap: what it keeps through flipped bits, torn records and flash that fails, and
 * the map of the blocks that differ. */
#include "place_rig.h"

#include "core/boot/swap.h"
#include "core/image/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECTOR       32
#define SECTORS      128
#define SIZE         (SECTOR * SECTORS)
#define RECORD       8

static struct place_rig rig;
static struct ferry_boot_swap swap;
static struct ferry_boot_image_report report;

/* A swap of so many blocks, with room for `places` records of the journal, on flash of a write
 * size. */
static void begin(uint32_t blocks, uint32_t places, uint8_t write_size)
{
    const struct ferry_flash_run run = {SECTORS, SECTOR};

    place_init(&rig, &ferry_traits_swap_move, false);
    place_geometry(&rig.slot[0], &run, 1, write_size, 0xff);
    place_geometry(&rig.slot[1], &run, 1, write_size, 0xff);
    rig.image.strategy = &ferry_boot_swap_move;
    report = (struct ferry_boot_image_report){.failure = {FERRY_AREA_NONE, 0}};
    swap = (struct ferry_boot_swap){.config = &rig.config,
                                    .image = &rig.image,
                                    .strategy = &ferry_boot_swap_move,
                                    .slots = &rig.image.slots,
                                    .primary = rig.image.slots.primary,
                                    .secondary = rig.image.slots.secondary,
                                    .incoming = rig.image.slots.secondary,
                                    .outgoing = rig.image.slots.secondary,
                                    .unpacked = rig.image.slots.primary,
                                    .report = &report,
                                    .type = FERRY_SWAP_TEST,
                                    .looks = 1,
                                    .size = blocks * SECTOR};
    swap.layout.swap_size = write_size < 32 ? 48 : 160;
    swap.layout.keys = swap.layout.swap_size;
    swap.layout.size = swap.layout.swap_size + places * (write_size < RECORD ? RECORD : write_size);
    swap.journal = SIZE - swap.layout.size;
}

/* The bytes of record number n. */
static uint8_t *record(uint32_t n)
{
    uint32_t place = rig.slot[1].flash.write_size < RECORD ? RECORD : rig.slot[1].flash.write_size;

    return rig.slot[1].memory + SIZE - swap.layout.size + n * place;
}

/* The primary's trailer while a swap of a type is under way. */
static struct ferry_trailer trailer_of(enum ferry_swap_type type)
{
    return (struct ferry_trailer){.magic = FERRY_SET,
                                  .image_ok = type == FERRY_SWAP_TEST ? FERRY_UNSET : FERRY_SET,
                                  .copy_done = FERRY_UNSET,
                                  .swap_type = (uint8_t)type};
}

/* swap_size in the primary's trailer, which a record with a bit put right must agree with. */
static void put_swap_size(uint32_t size)
{
    ferry_store_le32(rig.slot[0].memory + SIZE - swap.layout.swap_size, size);
}

/* Read the journal as one of the swap under way. */
static struct ferry_journal read_journal(void)
{
    const struct ferry_trailer trailer = trailer_of(swap.type);
    struct ferry_journal journal;

    memset(&journal, 0x5a, sizeof(journal));
    assert_int_equal(
        ferry_journal_read(swap.slots, &swap.layout, &trailer, FERRY_JOURNAL_ANY, &journal),
        FERRY_OK);
    swap.journal = journal.end;
    return journal;
}

/* ---- States ------------------------------------------------------------------------------- */

static void an_erased_journal_says_nothing(void **state)
{
    struct ferry_journal journal;
    uint32_t bits = 0;

    (void)state;
    begin(3, 6, 8);
    journal = read_journal();
    assert_false(journal.found || journal.finished);
    assert_int_equal(ferry_boot_journal_room(&swap), 6);
    assert_int_equal(ferry_boot_journal_map_read(&swap, 0, &bits), FERRY_E_NOT_FOUND);
}

/* Every type, both directions, with and without map, as many steps as 16 bits but one hold. */
static void a_state_comes_back(void **state)
{
    static const uint32_t steps[] = {0, 1, 255, 256, 0xfffe};

    (void)state;
    for (uint32_t n = 0; n < 3 * 2 * 2 * COUNT(steps); n++) {
        begin(1 + n, 4, (uint8_t)(1U << n % 6));
        swap.type = (enum ferry_swap_type)(FERRY_SWAP_TEST + n % 3);
        swap.backwards = n / 3 % 2 == 1;
        swap.mapped = n / 6 % 2 == 1;
        assert_int_equal(ferry_boot_journal_state(&swap, steps[n / 12]), FERRY_OK);
        assert_int_equal(ferry_boot_journal_room(&swap), 3);

        struct ferry_journal journal = read_journal();
        assert_true(journal.found);
        assert_false(journal.finished);
        assert_int_equal(journal.type, swap.type);
        assert_int_equal(journal.backwards, swap.backwards);
        assert_int_equal(journal.mapped, swap.mapped);
        assert_int_equal(journal.blocks, 1 + n);
        assert_int_equal(journal.done, steps[n / 12]);
        assert_int_equal(ferry_boot_journal_room(&swap), 3);
        assert_int_equal(rig.violations, 0);
    }
}

static void the_later_state_counts(void **state)
{
    struct ferry_journal journal;

    (void)state;
    begin(9, 5, 8);
    for (uint32_t done = 7; done > 4; done--) {
        assert_int_equal(ferry_boot_journal_state(&swap, done), FERRY_OK);
        assert_int_equal(read_journal().done, done);
    }
    assert_int_equal(ferry_boot_journal_finished(&swap), FERRY_OK);
    journal = read_journal();
    assert_true(journal.finished);
    assert_int_equal(journal.done, 5);
    /* The end is the end. */
    assert_int_equal(ferry_boot_journal_state(&swap, 6), FERRY_OK);
    assert_true(read_journal().finished);
}

/* Records of another type are left from the swap before; swap_info may be missing, or one bit off:
 * then image_ok tells. */
static void records_of_another_swap_count_for_nothing(void **state)
{
    static const enum ferry_swap_type types[] = {FERRY_SWAP_TEST, FERRY_SWAP_PERM,
                                                 FERRY_SWAP_REVERT};

    (void)state;
    for (size_t t = 0; t < COUNT(types); t++) {
        for (uint32_t told = FERRY_SWAP_NONE; told <= FERRY_SWAP_REVERT; told++) {
            for (int ok = 0; ok < 2; ok++) {
                struct ferry_trailer trailer = trailer_of((enum ferry_swap_type)told);
                struct ferry_journal journal;
                bool test = types[t] == FERRY_SWAP_TEST;
                bool revert = types[t] == FERRY_SWAP_REVERT;
                bool mine = told == (uint32_t)types[t];

                begin(9, 6, 8);
                swap.type = types[t];
                assert_int_equal(ferry_boot_journal_state(&swap, 3), FERRY_OK);
                assert_int_equal(ferry_boot_journal_finished(&swap), FERRY_OK);
                trailer.image_ok = ok == 1 ? FERRY_SET : FERRY_UNSET;
                if (told == FERRY_SWAP_NONE || (!revert && told != FERRY_SWAP_REVERT)) {
                    mine = mine || test == (ok == 0);
                }
                assert_int_equal(ferry_journal_read(swap.slots, &swap.layout, &trailer,
                                                    FERRY_JOURNAL_ANY, &journal),
                                 FERRY_OK);
                assert_int_equal(journal.found, mine);
                assert_int_equal(journal.finished, mine);
                /* The next record goes behind all of them. */
                assert_int_equal(journal.end, SIZE - swap.layout.size + 2 * RECORD);
            }
        }
    }
}

/* A record tells of one step more than is marked or was told of, at most: more is noise. */
static void a_record_beyond_the_marks_is_noise(void **state)
{
    const struct ferry_trailer trailer = trailer_of(FERRY_SWAP_TEST);

    (void)state;
    for (uint32_t marks = 0; marks < 6; marks++) {
        for (uint32_t told = 0; told < 8; told++) {
            struct ferry_journal journal;
            bool counts = told <= marks + 1;

            begin(9, 6, 8);
            assert_int_equal(ferry_boot_journal_state(&swap, told), FERRY_OK);
            assert_int_equal(
                ferry_journal_read(swap.slots, &swap.layout, &trailer, marks, &journal), FERRY_OK);
            assert_int_equal(journal.found, counts);
            assert_int_equal(journal.done, counts ? told : 0);
            /* The next one goes on from it. */
            assert_int_equal(ferry_boot_journal_state(&swap, told + 1), FERRY_OK);
            assert_int_equal(
                ferry_journal_read(swap.slots, &swap.layout, &trailer, marks, &journal), FERRY_OK);
            assert_int_equal(journal.done, counts ? told + 1 : 0);
            assert_int_equal(journal.end, SIZE - swap.layout.size + 2 * RECORD);
        }
    }
}

/* ---- Damage ------------------------------------------------------------------------------- */

static void any_flipped_bit_is_put_right(void **state)
{
    (void)state;
    for (uint32_t bit = 0; bit < 2 * 8 * RECORD; bit++) {
        uint32_t bits = 0;

        begin(77, 6, 8);
        swap.type = FERRY_SWAP_REVERT;
        swap.backwards = true;
        assert_int_equal(ferry_boot_journal_state(&swap, 5), FERRY_OK);
        assert_int_equal(ferry_boot_journal_map(&swap, 2, 0x80000001), FERRY_OK);
        record(0)[bit / 8] ^= (uint8_t)(1U << bit % 8);
        put_swap_size(swap.size);
        struct ferry_journal journal = read_journal();
        assert_true(journal.found && journal.backwards);
        assert_false(journal.finished || journal.mapped);
        assert_int_equal(journal.type, FERRY_SWAP_REVERT);
        assert_int_equal(journal.blocks, 77);
        assert_int_equal(journal.done, 5);
        assert_int_equal(ferry_boot_journal_map_read(&swap, 2, &bits), FERRY_OK);
        assert_int_equal(bits, 0x80000001);
        assert_int_equal(ferry_boot_journal_map_read(&swap, 0, &bits), FERRY_E_NOT_FOUND);
        assert_int_equal(ferry_boot_journal_room(&swap), 4);
    }
}

/* Two flipped bits are no record, and never another one; what stands before it counts. */
static void two_flipped_bits_are_no_record(void **state)
{
    uint32_t pairs = 0;

    (void)state;
    begin(77, 6, 8);
    assert_int_equal(ferry_boot_journal_state(&swap, 5), FERRY_OK);
    assert_int_equal(ferry_boot_journal_state(&swap, 6), FERRY_OK);
    for (uint32_t i = 0; i < 8 * RECORD; i++) {
        for (uint32_t j = 0; j < i; j++) {
            record(1)[i / 8] ^= (uint8_t)(1U << i % 8);
            record(1)[j / 8] ^= (uint8_t)(1U << j % 8);
            assert_int_equal(read_journal().done, 5);
            assert_int_equal(ferry_boot_journal_room(&swap), 4);
            record(1)[i / 8] ^= (uint8_t)(1U << i % 8);
            record(1)[j / 8] ^= (uint8_t)(1U << j % 8);
            pairs++;
        }
    }
    assert_int_equal(read_journal().done, 6);
    assert_int_equal(pairs, 64 * 63 / 2);
}

/* A record that was cut, or cannot be read, is none; the next one goes behind it. */
static void a_record_that_was_cut_is_stepped_over(void **state)
{
    static const enum place_way ways[] = {PLACE_BEFORE, PLACE_HALF, PLACE_TORN, PLACE_ECC,
                                          PLACE_UNSTABLE};

    (void)state;
    for (size_t w = 0; w < COUNT(ways); w++) {
        begin(9, 6, 8);
        assert_int_equal(ferry_boot_journal_state(&swap, 1), FERRY_OK);
        place_power_on(&rig, 1, ways[w]);
        assert_int_equal(ferry_boot_journal_state(&swap, 2), FERRY_E_POWER);
        place_power_on(&rig, 0, PLACE_BEFORE);
        assert_int_equal(read_journal().done, 1);
        assert_int_equal(ferry_boot_journal_room(&swap), ways[w] == PLACE_BEFORE ? 5 : 4);
        assert_int_equal(ferry_boot_journal_state(&swap, 3), FERRY_OK);
        assert_int_equal(read_journal().done, 3);
        assert_int_equal(rig.violations, 0);
    }
}

/* Half a record that reads right now and then was believed, and the next boot went another way. */
static void a_record_that_reads_right_now_and_then_is_none(void **state)
{
    (void)state;
    begin(9, 6, 1);
    assert_int_equal(ferry_boot_journal_state(&swap, 1), FERRY_OK);
    assert_int_equal(ferry_boot_journal_finished(&swap), FERRY_OK);
    rig.slot[1].state[record(1) - rig.slot[1].memory + RECORD - 1] = PLACE_UNSTEADY;
    for (int boot = 0; boot < 2000; boot++) {
        struct ferry_journal journal = read_journal();

        assert_true(journal.found && !journal.finished);
        assert_int_equal(journal.done, 1);
    }
}

/* Three places are tried. */
static void a_record_that_does_not_take_goes_to_the_next_place(void **state)
{
    (void)state;
    begin(9, 6, 8);
    place_power_on(&rig, 1, PLACE_FAILS);
    assert_int_equal(ferry_boot_journal_state(&swap, 4), FERRY_OK);
    assert_int_equal(rig.operations, 2);
    assert_int_equal(report.failure.area, FERRY_AREA_SECONDARY);
    assert_int_equal(report.failure.sector, (SIZE - swap.layout.size) / SECTOR);
    assert_int_equal(read_journal().done, 4);

    /* The whole flash is dead. */
    begin(9, 6, 8);
    memset(rig.slot[1].dead, true, sizeof(rig.slot[1].dead));
    place_power_on(&rig, 0, PLACE_BEFORE);
    assert_int_equal(ferry_boot_journal_state(&swap, 4), FERRY_E_FLASH);
    assert_int_equal(rig.operations, 3);
    assert_int_equal(ferry_boot_journal_room(&swap), 3);
}

static void a_full_journal_says_so(void **state)
{
    (void)state;
    begin(9, 3, 8);
    for (uint32_t done = 1; done <= 3; done++) {
        assert_int_equal(ferry_boot_journal_room(&swap), 4 - done);
        assert_int_equal(ferry_boot_journal_state(&swap, done), FERRY_OK);
    }
    assert_int_equal(ferry_boot_journal_room(&swap), 0);
    uint32_t operations = rig.operations;
    assert_int_equal(ferry_boot_journal_state(&swap, 4), FERRY_E_FULL);
    assert_int_equal(ferry_boot_journal_finished(&swap), FERRY_E_FULL);
    assert_int_equal(ferry_boot_journal_map(&swap, 0, 1), FERRY_E_FULL);
    assert_int_equal(rig.operations, operations);
    assert_int_equal(read_journal().done, 3);
    /* The fields behind it are not touched. */
    assert_true(ferry_all_equal(rig.slot[1].memory + SIZE - 48, 48, 0xff));

    /* No place at all. */
    begin(9, 0, 8);
    assert_int_equal(ferry_boot_journal_state(&swap, 1), FERRY_E_FULL);
    assert_false(read_journal().found);
}

static void the_power_ends_everything(void **state)
{
    const struct ferry_trailer trailer = trailer_of(FERRY_SWAP_TEST);
    struct ferry_journal journal;
    uint32_t bits;

    (void)state;
    begin(9, 6, 8);
    rig.off = true;
    assert_int_equal(
        ferry_journal_read(swap.slots, &swap.layout, &trailer, FERRY_JOURNAL_ANY, &journal),
        FERRY_E_POWER);
    assert_int_equal(ferry_boot_journal_map_read(&swap, 0, &bits), FERRY_E_POWER);
    assert_int_equal(ferry_boot_journal_state(&swap, 1), FERRY_E_POWER);
    assert_int_equal(ferry_boot_differ_find(&swap, 9), FERRY_E_POWER);
}

/* ---- Blocks that differ --------------------------------------------------------------------- */

/* Make the blocks differ that are set. */
static void arrange(const bool *differ, uint32_t blocks)
{
    for (uint32_t i = 0; i < blocks * SECTOR; i++) {
        rig.slot[0].memory[i] = (uint8_t)(i * 7);
        rig.slot[1].memory[i] = (uint8_t)(i * 7);
        if (differ[i / SECTOR] && i % SECTOR == (i / SECTOR) % SECTOR) {
            rig.slot[1].memory[i] ^= 0x10;
        }
    }
}

/* The blocks swap->differing counts are exactly these. */
static void expect_blocks(const bool *differ, uint32_t blocks)
{
    uint32_t n = 0;
    uint32_t index = 0;

    for (uint32_t i = 0; i < blocks; i++) {
        if (differ[i]) {
            assert_int_equal(ferry_boot_differ_at(&swap, n, &index), FERRY_OK);
            assert_int_equal(index, i);
            n++;
        }
    }
    assert_int_equal(swap.differing, n);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525U + 1013904223U;
    return *seed >> 16;
}

/* Found, and found again by a boot that resumes: as many blocks as two maps and a part hold, with a
 * difference anywhere in the block. */
static void the_map_comes_back(void **state)
{
    uint32_t seed = 1;
    uint32_t mapped = 0;

    (void)state;
    for (uint32_t blocks = 1; blocks <= 80; blocks++) {
        for (uint32_t share = 0; share <= 4; share++) {
            bool differ[80];

            for (uint32_t i = 0; i < blocks; i++) {
                differ[i] = next_random(&seed) % 4 < share;
            }
            begin(blocks, 12, 1);
            arrange(differ, blocks);
            assert_int_equal(ferry_boot_differ_find(&swap, blocks), FERRY_OK);
            expect_blocks(differ, blocks);
            /* All of them need no map. */
            assert_int_equal(swap.mapped, swap.differing < blocks);
            assert_int_equal(ferry_boot_journal_room(&swap),
                             12 - (swap.mapped ? (blocks + 31) / 32 : 0));
            assert_int_equal(ferry_boot_journal_state(&swap, 0), FERRY_OK);

            uint32_t found = swap.differing;
            struct ferry_journal journal = read_journal();
            assert_int_equal(journal.mapped, swap.mapped);
            swap.differing = 0;
            assert_int_equal(ferry_boot_differ_resume(&swap, blocks), FERRY_OK);
            assert_int_equal(swap.differing, found);
            expect_blocks(differ, blocks);
            mapped += swap.mapped ? 1 : 0;
        }
    }
    printf("%u maps\n", mapped);
    assert_true(mapped > 200);
}

/* Behind the images nothing counts, be it different. */
static void only_the_images_are_compared(void **state)
{
    const bool same[3] = {false, false, false};

    (void)state;
    begin(3, 12, 1);
    arrange(same, 3);
    swap.size = 2 * SECTOR + 5;
    rig.slot[0].memory[2 * SECTOR + 5] ^= 1;
    assert_int_equal(ferry_boot_blocks(&swap), 3);
    assert_int_equal(ferry_boot_differ_find(&swap, 3), FERRY_OK);
    assert_int_equal(swap.differing, 0);
    rig.slot[0].memory[2 * SECTOR + 4] ^= 1;
    swap.journal = SIZE - swap.layout.size;
    memset(rig.slot[1].memory + swap.journal, 0xff, 12 * RECORD);
    assert_int_equal(ferry_boot_differ_find(&swap, 3), FERRY_OK);
    assert_int_equal(swap.differing, 1);
}

static void blocks_of_a_size(void **state)
{
    (void)state;
    begin(1, 4, 1);
    for (uint32_t size = 0; size <= SIZE; size++) {
        swap.size = size;
        assert_int_equal(ferry_boot_blocks(&swap), (size + SECTOR - 1) / SECTOR);
    }
    swap.size = SIZE + 1;
    assert_int_equal(ferry_boot_blocks(&swap), 0);
}

/* A block that cannot be read counts as one that differs: the move will tell. */
static void an_unreadable_block_differs(void **state)
{
    const bool same[40] = {false};
    bool expected[40] = {false};

    (void)state;
    begin(40, 12, 1);
    arrange(same, 40);
    rig.slot[0].state[33 * SECTOR] = PLACE_UNREADABLE;
    rig.slot[1].state[2 * SECTOR + 31] = PLACE_UNREADABLE;
    expected[33] = true;
    expected[2] = true;
    assert_int_equal(ferry_boot_differ_find(&swap, 40), FERRY_OK);
    assert_true(swap.mapped);
    expect_blocks(expected, 40);
}

/* Five places stay for boots that resume; without room all blocks count. */
static void a_map_that_does_not_fit_is_left_out(void **state)
{
    const bool same[40] = {false};

    (void)state;
    for (uint32_t places = 0; places <= 10; places++) {
        begin(40, places, 1);
        arrange(same, 40);
        assert_int_equal(ferry_boot_differ_find(&swap, 40), FERRY_OK);
        assert_int_equal(swap.mapped, places >= 2 + 5);
        assert_int_equal(swap.differing, places >= 2 + 5 ? 0 : 40);
        assert_int_equal(ferry_boot_journal_room(&swap), places >= 7 ? places - 2 : places);
        if (!swap.mapped) {
            bool all[40];
            memset(all, true, sizeof(all));
            expect_blocks(all, 40);
            assert_int_equal(rig.operations, 0);
        }
    }
}

/* A map that was lost is an error, not a guess. */
static void a_lost_map_is_an_error(void **state)
{
    const bool same[70] = {false};
    uint32_t index;

    (void)state;
    for (uint32_t lost = 0; lost < 3; lost++) {
        begin(70, 12, 1);
        arrange(same, 70);
        rig.slot[1].memory[69 * SECTOR] ^= 1;
        assert_int_equal(ferry_boot_differ_find(&swap, 70), FERRY_OK);
        assert_int_equal(ferry_boot_differ_at(&swap, 0, &index), FERRY_OK);
        assert_int_equal(index, 69);
        assert_int_equal(ferry_boot_differ_at(&swap, 1, &index), FERRY_E_FLASH);
        memset(record(lost), 0x00, 2);
        assert_int_equal(ferry_boot_differ_resume(&swap, 70), FERRY_E_FLASH);
        assert_int_equal(ferry_boot_differ_at(&swap, 0, &index), FERRY_E_FLASH);
    }
}

/* A map that the flash does not take costs nothing but moves. */
static void a_map_that_does_not_take_is_left_out(void **state)
{
    const bool same[40] = {false};

    (void)state;
    begin(40, 12, 1);
    arrange(same, 40);
    memset(rig.slot[1].dead, true, sizeof(rig.slot[1].dead));
    assert_int_equal(ferry_boot_differ_find(&swap, 40), FERRY_OK);
    assert_false(swap.mapped);
    assert_int_equal(swap.differing, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_erased_journal_says_nothing),
        cmocka_unit_test(a_state_comes_back),
        cmocka_unit_test(the_later_state_counts),
        cmocka_unit_test(records_of_another_swap_count_for_nothing),
        cmocka_unit_test(a_record_beyond_the_marks_is_noise),
        cmocka_unit_test(any_flipped_bit_is_put_right),
        cmocka_unit_test(two_flipped_bits_are_no_record),
        cmocka_unit_test(a_record_that_was_cut_is_stepped_over),
        cmocka_unit_test(a_record_that_reads_right_now_and_then_is_none),
        cmocka_unit_test(a_record_that_does_not_take_goes_to_the_next_place),
        cmocka_unit_test(a_full_journal_says_so),
        cmocka_unit_test(the_power_ends_everything),
        cmocka_unit_test(the_map_comes_back),
        cmocka_unit_test(only_the_images_are_compared),
        cmocka_unit_test(blocks_of_a_size),
        cmocka_unit_test(an_unreadable_block_differs),
        cmocka_unit_test(a_map_that_does_not_fit_is_left_out),
        cmocka_unit_test(a_lost_map_is_an_error),
        cmocka_unit_test(a_map_that_does_not_take_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
