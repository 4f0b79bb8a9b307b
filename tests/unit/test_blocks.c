/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks of a pair of slots with unequal sectors, against the boundaries both slots have, and what
 * swap-scratch demands of them. */
#include "place_rig.h"

#include "core/image/blocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SIZE         2048

static struct place_rig rig;

struct geometry {
    struct ferry_flash_run runs[3];
    uint8_t count;
};

/* All of them 2048 bytes. */
static const struct geometry geometries[] = {
    {{{8, 256}}, 1},
    {{{16, 128}}, 1},
    {{{2, 1024}}, 1},
    {{{1, 2048}}, 1},
    {{{4, 128}, {2, 256}, {1, 1024}}, 3},
    {{{1, 1024}, {4, 256}}, 2},
    {{{2, 384}, {5, 256}}, 2}, /* no multiples of each other */
    {{{5, 384}, {1, 128}}, 2},
};

static const struct ferry_slots *pair(const struct geometry *primary,
                                      const struct geometry *secondary)
{
    place_init(&rig, &ferry_traits_swap_scratch, false);
    place_geometry(&rig.slot[0], primary->runs, primary->count, 8, 0xff);
    place_geometry(&rig.slot[1], secondary->runs, secondary->count, 8, 0xff);
    return &rig.image.slots;
}

static bool is_boundary(const struct geometry *geometry, uint32_t offset)
{
    uint32_t at = 0;

    for (uint8_t run = 0; run < geometry->count; run++) {
        for (uint32_t i = 0; i < geometry->runs[run].count; i++, at += geometry->runs[run].size) {
            if (at == offset) {
                return true;
            }
        }
    }
    return at == offset;
}

/* The next offset behind `offset` at which both slots have a boundary. */
static uint32_t next_boundary(const struct geometry *a, const struct geometry *b, uint32_t offset)
{
    do {
        offset++;
    } while (!is_boundary(a, offset) || !is_boundary(b, offset));
    return offset;
}

static void check_pair(const struct geometry *a, const struct geometry *b)
{
    const struct ferry_slots *slots = pair(a, b);
    struct ferry_flash_sector walked;
    struct ferry_flash_sector found;
    uint32_t index = 0;
    int rc = ferry_block_first(slots, &walked);

    for (uint32_t start = 0; start < SIZE; index++) {
        uint32_t end = next_boundary(a, b, start);

        assert_int_equal(rc, FERRY_OK);
        assert_int_equal(walked.index, index);
        assert_int_equal(walked.offset, start);
        assert_int_equal(walked.size, end - start);
        assert_int_equal(ferry_block_at(slots, index, &found), FERRY_OK);
        assert_memory_equal(&found, &walked, sizeof(found));
        for (uint32_t offset = start; offset < end; offset++) {
            assert_int_equal(ferry_block_of(slots, offset, &found), FERRY_OK);
            assert_memory_equal(&found, &walked, sizeof(found));
        }
        rc = ferry_block_next(slots, &walked);
        start = end;
    }
    assert_int_equal(rc, FERRY_E_BOUNDS);
    assert_int_equal(ferry_block_at(slots, index, &found), FERRY_E_BOUNDS);
    assert_int_equal(ferry_block_of(slots, SIZE, &found), FERRY_E_BOUNDS);
}

static void every_pair_of_geometries(void **state)
{
    (void)state;
    for (size_t a = 0; a < COUNT(geometries); a++) {
        for (size_t b = 0; b < COUNT(geometries); b++) {
            check_pair(&geometries[a], &geometries[b]);
        }
    }
}

/* Slots of different size: the last blocks that both have, and nothing behind. */
static void no_common_end(void **state)
{
    static const struct geometry shorter = {{{7, 256}}, 1};
    static const struct geometry odd = {{{5, 384}}, 1};
    struct ferry_flash_sector block;
    const struct ferry_slots *slots = pair(&geometries[0], &shorter);

    (void)state;
    assert_int_equal(ferry_block_at(slots, 6, &block), FERRY_OK);
    assert_int_equal(ferry_block_next(slots, &block), FERRY_E_BOUNDS);
    assert_int_equal(ferry_block_of(slots, 7 * 256, &block), FERRY_E_BOUNDS);
    /* 768 and 1536 are boundaries of both; 1920 and 2048 are not. */
    slots = pair(&odd, &geometries[0]);
    assert_int_equal(ferry_block_of(slots, 1535, &block), FERRY_OK);
    assert_int_equal(block.offset, 768);
    assert_int_equal(block.index, 1);
    assert_int_equal(ferry_block_next(slots, &block), FERRY_E_BOUNDS);
    /* None at all. */
    static const struct geometry whole = {{{1, 2048}}, 1};
    slots = pair(&shorter, &whole);
    assert_int_equal(ferry_block_first(slots, &block), FERRY_E_BOUNDS);
    assert_int_equal(ferry_block_of(slots, 0, &block), FERRY_E_BOUNDS);
}

/* ---- What swap-scratch takes ------------------------------------------------------------- */

/* Every block fits the scratch area, there are at most N of them, and both slots end together. */
static void scratch_takes_blocks_that_fit(void **state)
{
    uint32_t taken = 0;

    (void)state;
    for (size_t a = 0; a < COUNT(geometries); a++) {
        for (size_t b = 0; b < COUNT(geometries); b++) {
            for (uint32_t scratch = 256; scratch <= 2048; scratch *= 2) {
                const struct ferry_slots *slots = pair(&geometries[a], &geometries[b]);
                const struct ferry_flash_run run = {scratch / 128, 128};
                uint32_t largest = 0;
                uint32_t count = 0;

                for (uint32_t start = 0; start < SIZE; count++) {
                    uint32_t end = next_boundary(&geometries[a], &geometries[b], start);
                    largest = end - start > largest ? end - start : largest;
                    start = end;
                }
                place_geometry(&rig.slot[PLACE_SCRATCH], &run, 1, 8, 0xff);
                /* One block alone has no room for the journal. */
                bool fits = largest <= scratch && count > 1;
                rig.image.slots.max_sectors = count;
                assert_int_equal(ferry_slots_check(slots), fits ? FERRY_OK : FERRY_E_LAYOUT);
                taken += fits ? 1 : 0;
                if (count > 1) {
                    rig.image.slots.max_sectors = count - 1;
                    assert_int_equal(ferry_slots_check(slots), FERRY_E_LAYOUT);
                }
            }
        }
    }
    printf("%u layouts of %zu\n", taken, COUNT(geometries) * COUNT(geometries) * 4);
    assert_true(taken > 64 && taken < 192);
}

static void scratch_refuses_other_layouts(void **state)
{
    static const struct geometry shorter = {{{7, 256}}, 1};
    const struct ferry_slots *slots = pair(&geometries[0], &geometries[0]);

    (void)state;
    rig.image.slots.max_sectors = 8;
    assert_int_equal(ferry_slots_check(slots), FERRY_OK);
    rig.image.slots.scratch = NULL;
    assert_int_equal(ferry_slots_check(slots), FERRY_E_LAYOUT);
    slots = pair(&geometries[0], &geometries[0]);
    rig.slot[PLACE_SCRATCH].flash.write_size = 3;
    assert_int_equal(ferry_slots_check(slots), FERRY_E_LAYOUT);
    slots = pair(&geometries[0], &shorter);
    assert_int_equal(ferry_slots_check(slots), FERRY_E_LAYOUT);
    slots = pair(&shorter, &geometries[0]);
    assert_int_equal(ferry_slots_check(slots), FERRY_E_LAYOUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_geometries),
        cmocka_unit_test(no_common_end),
        cmocka_unit_test(scratch_takes_blocks_that_fit),
        cmocka_unit_test(scratch_refuses_other_layouts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
