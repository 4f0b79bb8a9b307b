/* SPDX-License-Identifier: Apache-2.0 */
/* A pair of slots: checks, places and the largest image against the formulas. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/slots.h"

#include <stdio.h>
#include <string.h>

#define SLOT_MAX 0x44000

/* Two slots and a scratch area in memory. */
struct pair {
    uint8_t memory[3][SLOT_MAX];
    struct ferry_flash_ram ram[3];
    struct ferry_slots slots;
};

static struct pair pair;

static void slot_init(int i, uint32_t count, uint32_t size, uint32_t write_size)
{
    struct ferry_flash *flash = &pair.ram[i].flash;
    assert_true(count * size <= SLOT_MAX);
    flash->size = count * size;
    flash->write_size = (uint8_t)write_size;
    flash->erased_value = 0xff;
    flash->run_count = 1;
    flash->runs[0] = (struct ferry_flash_run){count, size};
    assert_int_equal(ferry_flash_ram_init(&pair.ram[i], pair.memory[i]), FERRY_OK);
}

/* Erased slots of so many sectors, swap-move, the smallest maximum alignment that fits. */
static const struct ferry_slots *pair_init(uint32_t primary, uint32_t secondary, uint32_t size,
                                           uint32_t write_size)
{
    memset(&pair, 0, sizeof pair);
    memset(pair.memory, 0xff, sizeof pair.memory);
    slot_init(0, primary, size, write_size);
    slot_init(1, secondary, size, write_size);
    pair.slots = (struct ferry_slots){.primary = &pair.ram[0].flash,
                                      .secondary = &pair.ram[1].flash,
                                      .strategy = &ferry_traits_swap_move,
                                      .state = &ferry_slots_by_swap,
                                      .max_align = write_size < 8 ? 8 : write_size,
                                      .max_sectors = 128};
    return &pair.slots;
}

/* ---- Traits ----------------------------------------------------------------------------- */

static void traits_say_what_strategies_are(void **state)
{
    (void)state;
    assert_ptr_equal(ferry_strategy_traits_find("swap-move"), &ferry_traits_swap_move);
    assert_ptr_equal(ferry_strategy_traits_find("overwrite"), &ferry_traits_overwrite);
    assert_null(ferry_strategy_traits_find(""));
    assert_null(ferry_strategy_traits_find("swap"));
    assert_null(ferry_strategy_traits_find("swap-move "));
    assert_null(ferry_strategy_traits_find("overwrit"));

    const struct ferry_strategy_traits *move = &ferry_traits_swap_move;
    assert_int_equal(move->mode, 3);
    assert_int_equal(move->sector_states, 3);
    assert_true(move->reverts && move->keeps_old);
    assert_false(move->needs_recovery || move->tlv_sizes);
    const struct ferry_strategy_traits *overwrite = &ferry_traits_overwrite;
    assert_int_equal(overwrite->mode, 2);
    assert_false(overwrite->reverts || overwrite->keeps_old);
    assert_false(overwrite->needs_recovery || overwrite->tlv_sizes);
}

/* ---- The largest image ------------------------------------------------------------------ */

/* min((P - 1) * sz, S * sz) - ALIGN_UP(trailer, sz), the trailer from its own formula. */
static int64_t move_formula(int64_t p, int64_t s, int64_t sz, int64_t w, int64_t align, int64_t n)
{
    int64_t info = (align > 16 ? align : 16) + 4 * align;
    int64_t trailer = n * 3 * w + info;
    int64_t room = p - 1 < s ? (p - 1) * sz : s * sz;
    int64_t result = room - (trailer + sz - 1) / sz * sz;
    return result > 0 ? result : 0;
}

static void max_image_swap_move(void **state)
{
    (void)state;
    int fit = 0;
    int none = 0;
    for (uint32_t size = 256; size <= 16384; size *= 4) {
        for (uint32_t w = 1; w <= 32; w *= 2) {
            for (uint32_t s = 2; s <= 16; s++) {
                for (uint32_t p = s; p <= s + 1; p++) {
                    const struct ferry_slots *slots = pair_init(p, s, size, w);
                    uint32_t align = slots->max_align;
                    int64_t expected = move_formula(p, s, size, w, align, 128);
                    assert_int_equal(ferry_slots_max_image(slots), expected);
                    if (expected == 0) {
                        assert_int_equal(ferry_slots_check(slots), FERRY_E_LAYOUT);
                        none++;
                    } else {
                        assert_int_equal(ferry_slots_check(slots), FERRY_OK);
                        fit++;
                    }
                }
            }
        }
    }
    printf("%d layouts with room, %d without\n", fit, none);
    assert_int_equal(fit + none, 4 * 6 * 15 * 2);
    assert_true(fit > 100 && none > 100);
}

/* Known by heart: 4 KiB sectors, 128 KiB slots, write size 8: one sector to move into, and one for
 * a trailer of 3120 bytes. */
static void max_image_by_hand(void **state)
{
    (void)state;
    assert_int_equal(ferry_slots_max_image(pair_init(32, 32, 4096, 8)), 30 * 4096);
    assert_int_equal(ferry_slots_max_image(pair_init(33, 32, 4096, 8)), 31 * 4096);
    const struct ferry_slots *slots = pair_init(32, 32, 4096, 8);
    pair.slots.strategy = &ferry_traits_overwrite;
    pair.slots.state = ferry_slots_state_of(pair.slots.strategy);
    assert_int_equal(ferry_slots_max_image(slots), 32 * 4096 - 40);
}

/* The larger write size of both slots counts. */
static void max_image_takes_the_larger_write_size(void **state)
{
    (void)state;
    const struct ferry_slots *slots = pair_init(32, 32, 4096, 4);
    assert_int_equal(ferry_slots_max_image(slots), 30 * 4096);
    slot_init(1, 32, 4096, 16);
    assert_int_equal(ferry_slots_check(slots), FERRY_E_CONFIG); /* 8 is too small an alignment */
    assert_int_equal(ferry_slots_max_image(slots), 0);
    pair.slots.max_align = 16;
    struct ferry_trailer_layout layout;
    assert_int_equal(ferry_slots_trailer(slots, &layout), FERRY_OK);
    assert_int_equal(layout.size, 6224);
    assert_int_equal(ferry_slots_max_image(slots), 29 * 4096);
    assert_int_equal(ferry_slots_check(slots), FERRY_OK);
}

/* min(P * sz, (S - 1) * sz) - ALIGN_UP(trailer, sz): the old image stands one sector up, or the
 * new one did. Only swap-offset has a field more. */
static void max_image_shifted(void **state)
{
    (void)state;
    int checked = 0;
    for (uint32_t w = 1; w <= 32; w *= 2) {
        for (uint32_t p = 4; p <= 9; p++) {
            for (uint32_t s = p - 1; s <= p + 2; s++) {
                for (int shift = 0; shift < 2; shift++) {
                    const struct ferry_slots *slots = pair_init(p, s, 1024, w);
                    pair.slots.strategy =
                        shift ? &ferry_traits_swap_shift : &ferry_traits_swap_offset;
                    pair.slots.max_sectors = 9;
                    uint32_t align = pair.slots.max_align;
                    uint32_t fields = (align > 16 ? align : 16) + (shift ? 4 : 5) * align;
                    uint32_t trailer = (9 * 2 * w + fields + 1023) / 1024 * 1024;
                    uint32_t room = (p < s - 1 ? p : s - 1) * 1024;
                    assert_int_equal(ferry_slots_max_image(slots), room - trailer);
                    bool journal = 9 * 2 * w >= 6 * (w > 8 ? w : 8);
                    bool fits = (s == p || s == p + 1) && s <= 9 && journal;
                    assert_int_equal(ferry_slots_check(slots), fits ? FERRY_OK : FERRY_E_LAYOUT);
                    checked++;
                }
            }
        }
    }
    assert_int_equal(checked, 6 * 6 * 4 * 2);
}

/* The same for both: an upload and an old image are one sector apart. */
static void places_of_images(void **state)
{
    (void)state;
    static const struct {
        const struct ferry_strategy_traits *traits;
        uint32_t upload, old;
    } rows[] = {{&ferry_traits_swap_move, 0, 0},
                {&ferry_traits_swap_scratch, 0, 0},
                {&ferry_traits_overwrite, 0, 0},
                {&ferry_traits_swap_offset, 1024, 0},
                {&ferry_traits_swap_shift, 0, 1024}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct ferry_slots *slots = pair_init(8, 8, 1024, 8);
        struct ferry_flash_slice view;
        uint32_t offset = 9;
        pair.slots.strategy = rows[i].traits;
        pair.slots.state = ferry_slots_state_of(pair.slots.strategy);
        assert_int_equal(ferry_slots_upload_offset(slots), rows[i].upload);
        assert_int_equal(ferry_slots_old_offset(slots), rows[i].old);
        /* Nothing there: where an upload begins. */
        assert_int_equal(ferry_slots_view(slots, 1, &view, &offset), FERRY_OK);
        assert_int_equal(offset, rows[i].upload);
        /* A header one sector up; then one at sector 0 as well, which decides. */
        static const uint8_t magic[4] = {0x3d, 0xb8, 0xf3, 0x96};
        memcpy(pair.memory[1] + 1024, magic, sizeof magic);
        assert_int_equal(ferry_slots_view(slots, 1, &view, &offset), FERRY_OK);
        assert_int_equal(offset, rows[i].upload == rows[i].old ? 0 : 1024);
        assert_int_equal(view.flash.size, 8 * 1024 - offset);
        memcpy(pair.memory[1], magic, sizeof magic);
        assert_int_equal(ferry_slots_view(slots, 1, &view, &offset), FERRY_OK);
        assert_int_equal(offset, 0);
        /* The primary has one place. */
        memcpy(pair.memory[0] + 1024, magic, sizeof magic);
        assert_int_equal(ferry_slots_view(slots, 0, &view, &offset), FERRY_OK);
        assert_int_equal(offset, 0);
        assert_int_equal(ferry_slots_view(slots, 2, &view, &offset), FERRY_E_NOT_FOUND);
    }
}

/* slot - trailer - max(0, scratch copy - trailer part in its first sector): the copy has the fields
 * and one sector's entries, and the image's last block fits in front of it. */
static void max_image_scratch(void **state)
{
    (void)state;
    int shared = 0;
    for (uint32_t w = 1; w <= 32; w *= 2) {
        for (uint32_t n = 1; n <= 40; n++) {
            const struct ferry_slots *slots = pair_init(8, 8, 1024, w);
            slot_init(2, 2, 1024, w);
            pair.slots.scratch = &pair.ram[2].flash;
            pair.slots.strategy = &ferry_traits_swap_scratch;
            pair.slots.state = ferry_slots_state_of(pair.slots.strategy);
            pair.slots.max_sectors = n < 8 ? 8 : n;
            uint32_t align = pair.slots.max_align;
            uint32_t fields = (align > 16 ? align : 16) + 4 * align;
            uint32_t trailer = pair.slots.max_sectors * 3 * w + fields;
            uint32_t copy = fields + 3 * w;
            uint32_t part = trailer % 1024 == 0 ? 1024 : trailer % 1024;
            uint32_t expected = 8 * 1024 - trailer - (copy > part ? copy - part : 0);
            bool journal = pair.slots.max_sectors * 3 * w >= 6 * (w > 8 ? w : 8);
            assert_int_equal(ferry_slots_max_image(slots), expected);
            assert_int_equal(ferry_slots_check(slots), journal ? FERRY_OK : FERRY_E_LAYOUT);
            shared += copy > part ? 1 : 0;
        }
    }
    printf("%d layouts where the copy is the larger part\n", shared);
    assert_true(shared > 0);
}

/* Found by `ferry layout` on random layouts: the largest image would have been refused at its boot,
 * since what is copied to the scratch area ends inside a write unit of it. */
static void a_scratch_area_writes_no_more_than_the_maximum_alignment(void **state)
{
    (void)state;
    for (uint32_t align = 8; align <= 32; align *= 2) {
        for (uint32_t w = 1; w <= 32; w *= 2) {
            const struct ferry_slots *slots = pair_init(8, 8, 1024, 8);
            slot_init(2, 2, 1024, w);
            pair.slots.scratch = &pair.ram[2].flash;
            pair.slots.strategy = &ferry_traits_swap_scratch;
            pair.slots.max_align = align;
            assert_int_equal(ferry_slots_check(slots), w <= align ? FERRY_OK : FERRY_E_LAYOUT);
        }
    }
}

static void max_image_overwrite(void **state)
{
    (void)state;
    static const uint32_t swap_info[] = {40, 64, 128};
    int checked = 0;
    for (uint32_t a = 0; a < 3; a++) {
        for (uint32_t p = 1; p <= 9; p += 2) {
            for (uint32_t s = 1; s <= 9; s += 2) {
                const struct ferry_slots *slots = pair_init(p, s, 1024, 8);
                pair.slots.strategy = &ferry_traits_overwrite;
                pair.slots.state = ferry_slots_state_of(pair.slots.strategy);
                pair.slots.max_align = 8U << a;
                uint32_t smaller = (p < s ? p : s) * 1024;
                assert_int_equal(ferry_slots_max_image(slots), smaller - swap_info[a]);
                assert_int_equal(ferry_slots_check(slots), FERRY_OK);
                checked++;
            }
        }
    }
    assert_int_equal(checked, 75);
    /* The trailer and nothing else: no room. */
    const struct ferry_slots *slots = pair_init(1, 1, 128, 8);
    pair.slots.strategy = &ferry_traits_overwrite;
    pair.slots.state = ferry_slots_state_of(pair.slots.strategy);
    pair.slots.max_align = 32;
    assert_int_equal(ferry_slots_max_image(slots), 0);
    assert_int_equal(ferry_slots_check(slots), FERRY_E_LAYOUT);
    pair.slots.max_align = 12;
    assert_int_equal(ferry_slots_max_image(slots), 0);
}

/* ---- Checks ----------------------------------------------------------------------------- */

static void check_refuses_bad_configurations(void **state)
{
    (void)state;
    const struct ferry_slots *slots = pair_init(16, 16, 4096, 8);
    const struct ferry_slots good = *slots;
    assert_int_equal(ferry_slots_check(slots), FERRY_OK);

    pair.slots.primary = NULL;
    assert_int_equal(ferry_slots_check(slots), FERRY_E_CONFIG);
    pair.slots = good;
    pair.slots.secondary = NULL;
    assert_int_equal(ferry_slots_check(slots), FERRY_E_CONFIG);
    pair.slots = good;
    pair.slots.strategy = NULL;
    assert_int_equal(ferry_slots_check(slots), FERRY_E_CONFIG);
    pair.slots = good;
    pair.slots.max_sectors = 0;
    assert_int_equal(ferry_slots_check(slots), FERRY_E_CONFIG);
    pair.slots = good;
    static const uint32_t aligns[] = {0, 1, 4, 7, 12, 24, 64, UINT32_MAX};
    for (size_t i = 0; i < sizeof aligns / sizeof aligns[0]; i++) {
        pair.slots.max_align = aligns[i];
        assert_int_equal(ferry_slots_check(slots), FERRY_E_CONFIG);
    }
    pair.slots = good;
    struct ferry_flash broken = *good.secondary;
    broken.write_size = 3;
    pair.slots.secondary = &broken;
    assert_int_equal(ferry_slots_check(slots), FERRY_E_CONFIG);
    broken = *good.primary;
    broken.size += 4096;
    pair.slots = good;
    pair.slots.primary = &broken;
    assert_int_equal(ferry_slots_check(slots), FERRY_E_CONFIG);
}

/* swap-move takes equal sectors, as many in both slots or one more in the primary, N at most. */
static void check_refuses_bad_layouts(void **state)
{
    (void)state;
    int accepted = 0;
    for (uint32_t p = 3; p <= 12; p++) {
        for (uint32_t s = 3; s <= 12; s++) {
            const struct ferry_slots *slots = pair_init(p, s, 4096, 8);
            pair.slots.max_sectors = 10;
            bool fits = (p == s || p == s + 1) && p <= 10;
            assert_int_equal(ferry_slots_check(slots), fits ? FERRY_OK : FERRY_E_LAYOUT);
            accepted += fits;
        }
    }
    assert_int_equal(accepted, 8 + 7);

    const struct ferry_slots *slots = pair_init(16, 16, 4096, 8);
    slot_init(1, 16, 2048, 8);
    assert_int_equal(ferry_slots_check(slots), FERRY_E_LAYOUT);

    /* Unequal sectors inside one slot. */
    slots = pair_init(16, 16, 4096, 8);
    pair.ram[0].flash.run_count = 2;
    pair.ram[0].flash.runs[0] = (struct ferry_flash_run){8, 4096};
    pair.ram[0].flash.runs[1] = (struct ferry_flash_run){16, 2048};
    pair.slots.primary = &pair.ram[0].flash;
    assert_int_equal(ferry_slots_check(slots), FERRY_E_LAYOUT);
    assert_int_equal(ferry_slots_max_image(slots), 0);
    /* In runs, but equal. */
    pair.ram[0].flash.runs[1] = (struct ferry_flash_run){8, 4096};
    assert_int_equal(ferry_slots_check(slots), FERRY_OK);
}

/* A slot that does not end where a trailer field may end. */
static void check_refuses_an_odd_end(void **state)
{
    (void)state;
    const struct ferry_slots *slots = pair_init(4, 4, 1000, 8);
    pair.slots.strategy = &ferry_traits_overwrite;
    pair.slots.state = ferry_slots_state_of(pair.slots.strategy);
    assert_int_equal(ferry_slots_check(slots), FERRY_OK);
    pair.slots.max_align = 32;
    assert_int_equal(ferry_slots_check(slots), FERRY_OK); /* 4000 = 125 * 32 */
    slots = pair_init(3, 3, 1000, 8);
    pair.slots.strategy = &ferry_traits_overwrite;
    pair.slots.state = ferry_slots_state_of(pair.slots.strategy);
    pair.slots.max_align = 32;
    assert_int_equal(ferry_slots_check(slots), FERRY_E_LAYOUT);
    /* One of them is enough. */
    for (int odd = 0; odd < 2; odd++) {
        slots = pair_init(4, 4, 1000, 8);
        slot_init(odd, 3, 1000, 8);
        pair.slots.strategy = &ferry_traits_overwrite;
        pair.slots.state = ferry_slots_state_of(pair.slots.strategy);
        pair.slots.max_align = 32;
        assert_int_equal(ferry_slots_check(slots), FERRY_E_LAYOUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traits_say_what_strategies_are),
        cmocka_unit_test(max_image_swap_move),
        cmocka_unit_test(max_image_by_hand),
        cmocka_unit_test(max_image_takes_the_larger_write_size),
        cmocka_unit_test(max_image_shifted),
        cmocka_unit_test(max_image_scratch),
        cmocka_unit_test(a_scratch_area_writes_no_more_than_the_maximum_alignment),
        cmocka_unit_test(max_image_overwrite),
        cmocka_unit_test(places_of_images),
        cmocka_unit_test(check_refuses_bad_configurations),
        cmocka_unit_test(check_refuses_bad_layouts),
        cmocka_unit_test(check_refuses_an_odd_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
