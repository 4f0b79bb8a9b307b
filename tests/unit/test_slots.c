/* SPDX-License-Identifier: Apache-2.0 */
/* A pair of slots: checks and the largest image against the formulas, test and confirm against
 * what MCUboot's application code does, with a power cut at every operation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/slots.h"

#include <stdio.h>
#include <string.h>

#define SLOT_MAX 0x44000

/* Two slots in memory behind one power supply. */
struct pair {
    uint8_t memory[2][SLOT_MAX];
    struct ferry_flash_ram ram[2];
    struct ferry_flash_counter counter[2];
    struct ferry_flash_cutter cutter[2];
    struct ferry_power power;
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
    ferry_flash_counter_init(&pair.counter[i], flash, NULL);
    ferry_flash_cutter_init(&pair.cutter[i], &pair.counter[i].flash, &pair.power);
}

/* Erased slots of so many sectors, swap-move, the smallest maximum alignment that fits. */
static const struct ferry_slots *pair_init(uint32_t primary, uint32_t secondary, uint32_t size,
                                           uint32_t write_size)
{
    memset(&pair, 0, sizeof pair);
    memset(pair.memory, 0xff, sizeof pair.memory);
    slot_init(0, primary, size, write_size);
    slot_init(1, secondary, size, write_size);
    pair.slots = (struct ferry_slots){.primary = &pair.cutter[0].flash,
                                      .secondary = &pair.cutter[1].flash,
                                      .strategy = &ferry_traits_swap_move,
                                      .max_align = write_size < 8 ? 8 : write_size,
                                      .max_sectors = 128};
    return &pair.slots;
}

static uint32_t operations(void)
{
    return pair.counter[0].counts.programs + pair.counter[0].counts.erases +
           pair.counter[1].counts.programs + pair.counter[1].counts.erases;
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
    assert_int_equal(ferry_slots_check(slots), FERRY_OK);
    pair.slots.max_align = 32;
    assert_int_equal(ferry_slots_check(slots), FERRY_OK); /* 4000 = 125 * 32 */
    slots = pair_init(3, 3, 1000, 8);
    pair.slots.strategy = &ferry_traits_overwrite;
    pair.slots.max_align = 32;
    assert_int_equal(ferry_slots_check(slots), FERRY_E_LAYOUT);
    /* One of them is enough. */
    for (int odd = 0; odd < 2; odd++) {
        slots = pair_init(4, 4, 1000, 8);
        slot_init(odd, 3, 1000, 8);
        pair.slots.strategy = &ferry_traits_overwrite;
        pair.slots.max_align = 32;
        assert_int_equal(ferry_slots_check(slots), FERRY_E_LAYOUT);
    }
}

/* ---- Test and confirm ------------------------------------------------------------------- */

static enum ferry_swap_type next_swap(const struct ferry_slots *slots)
{
    enum ferry_swap_type type;
    assert_int_equal(ferry_slots_swap_type(slots, &type), FERRY_OK);
    return type;
}

/* A request is what MCUboot's own code leaves: magic, image_ok for good, swap_info; asking for the
 * same again writes nothing. */
static void set_pending_at_rest(void **state)
{
    (void)state;
    for (int permanent = 0; permanent < 2; permanent++) {
        const struct ferry_slots *slots = pair_init(16, 16, 4096, 8);
        assert_int_equal(next_swap(slots), FERRY_SWAP_NONE);
        assert_int_equal(ferry_slots_set_pending(slots, permanent != 0), FERRY_OK);
        assert_int_equal(next_swap(slots), permanent ? FERRY_SWAP_PERM : FERRY_SWAP_TEST);

        uint8_t expected[48];
        memset(expected, 0xff, sizeof expected);
        ferry_trailer_magic(8, expected + 32);
        if (permanent) {
            expected[24] = 1;
        }
        expected[8] = permanent ? 3 : 2;
        assert_memory_equal(pair.memory[1] + slots->secondary->size - 48, expected, 48);

        uint32_t before = operations();
        assert_int_equal(before, permanent ? 3 : 2);
        assert_int_equal(ferry_slots_set_pending(slots, permanent != 0), FERRY_OK);
        assert_int_equal(ferry_slots_set_pending(slots, permanent == 0), FERRY_E_STATE);
        assert_int_equal(operations(), before);
        assert_int_equal(pair.counter[0].counts.programs, 0);
    }
}

/* Cut a request before, inside and after each of its operations: there is no request, or the one
 * asked for. Asked for again it is there, unless half a magic was written. */
static void set_pending_cut_anywhere(void **state)
{
    (void)state;
    static const enum ferry_cut hows[] = {FERRY_CUT_BEFORE, FERRY_CUT_AFTER, FERRY_CUT_INSIDE};
    int cuts = 0;
    int damaged = 0;
    for (int permanent = 0; permanent < 2; permanent++) {
        for (uint32_t w = 1; w <= 32; w *= 2) {
            for (int n = 0; n < 3 * (permanent ? 3 : 2); n++) {
                const struct ferry_slots *slots = pair_init(16, 16, 16384, w);
                enum ferry_swap_type asked = permanent ? FERRY_SWAP_PERM : FERRY_SWAP_TEST;
                pair.power.cut_at = (uint64_t)(n / 3 + 1);
                pair.power.how = hows[n % 3];
                int rc = ferry_slots_set_pending(slots, permanent != 0);
                assert_true(pair.power.off);
                cuts++;

                memset(&pair.power, 0, sizeof pair.power);
                enum ferry_swap_type type = next_swap(slots);
                assert_true(type == FERRY_SWAP_NONE || type == asked);
                if (rc == FERRY_OK) {
                    assert_int_equal(type, asked);
                }
                rc = ferry_slots_set_pending(slots, permanent != 0);
                if (rc == FERRY_E_STATE) {
                    assert_int_equal(type, FERRY_SWAP_NONE);
                    damaged++;
                } else {
                    assert_int_equal(rc, FERRY_OK);
                    assert_int_equal(next_swap(slots), asked);
                }
            }
        }
    }
    printf("%d cuts, %d of them left half a magic\n", cuts, damaged);
    assert_int_equal(cuts, 6 * 3 * (2 + 3));
    /* Half a magic is possible while the write size is below 16, in either kind of request. */
    assert_int_equal(damaged, 2 * 4);
}

/* A permanent request that was cut behind image_ok: a test must not become permanent by it. */
static void set_pending_with_leftovers(void **state)
{
    (void)state;
    const struct ferry_slots *slots = pair_init(16, 16, 4096, 8);
    assert_int_equal(ferry_trailer_write_image_ok(slots->secondary, 8), FERRY_OK);
    assert_int_equal(ferry_slots_set_pending(slots, false), FERRY_E_STATE);
    assert_int_equal(next_swap(slots), FERRY_SWAP_NONE);
    assert_int_equal(ferry_slots_set_pending(slots, true), FERRY_OK);
    assert_int_equal(next_swap(slots), FERRY_SWAP_PERM);

    /* A damaged image_ok would make a request that means nothing. */
    for (int permanent = 0; permanent < 2; permanent++) {
        slots = pair_init(16, 16, 4096, 8);
        pair.memory[1][slots->secondary->size - 24] = 0x55;
        assert_int_equal(ferry_slots_set_pending(slots, permanent != 0), FERRY_E_STATE);
        assert_int_equal(operations(), 0);
        assert_int_equal(ferry_trailer_write_magic(slots->secondary, 8), FERRY_OK);
        assert_int_equal(ferry_slots_set_pending(slots, permanent != 0), FERRY_E_STATE);
    }

    /* A damaged magic. */
    slots = pair_init(16, 16, 4096, 8);
    pair.memory[1][slots->secondary->size - 1] = 0x7f;
    assert_int_equal(ferry_slots_set_pending(slots, false), FERRY_E_STATE);
    assert_int_equal(ferry_slots_set_pending(slots, true), FERRY_E_STATE);
    assert_int_equal(operations(), 0);

    /* swap_info is in use: the request counts without it. */
    slots = pair_init(16, 16, 4096, 8);
    assert_int_equal(ferry_trailer_write_swap_info(slots->secondary, 8, 0, FERRY_SWAP_PERM),
                     FERRY_OK);
    assert_int_equal(ferry_slots_set_pending(slots, false), FERRY_OK);
    assert_int_equal(next_swap(slots), FERRY_SWAP_TEST);
    assert_int_equal(pair.memory[1][slots->secondary->size - 40], 0x03);
}

static void confirm_every_state(void **state)
{
    (void)state;
    const struct ferry_slots *slots = pair_init(16, 16, 4096, 8);
    uint8_t *end = pair.memory[0] + slots->primary->size;

    /* Never swapped: nothing to confirm, nothing written. */
    assert_int_equal(ferry_slots_confirm(slots), FERRY_OK);
    assert_int_equal(operations(), 0);

    /* Under test: one write, and the revert is off. */
    assert_int_equal(ferry_trailer_write_magic(slots->primary, 8), FERRY_OK);
    assert_int_equal(ferry_trailer_write_copy_done(slots->primary, 8), FERRY_OK);
    assert_int_equal(next_swap(slots), FERRY_SWAP_REVERT);
    assert_int_equal(ferry_slots_confirm(slots), FERRY_OK);
    assert_int_equal(operations(), 3);
    assert_int_equal(end[-24], 0x01);
    assert_int_equal(next_swap(slots), FERRY_SWAP_NONE);

    /* Confirmed: nothing is written. */
    assert_int_equal(ferry_slots_confirm(slots), FERRY_OK);
    assert_int_equal(operations(), 3);

    /* Damaged: said so. */
    end[-24] = 0x03;
    assert_int_equal(ferry_slots_confirm(slots), FERRY_E_STATE);
    end[-24] = 0xff;
    end[-1] = 0x00;
    assert_int_equal(ferry_slots_confirm(slots), FERRY_E_STATE);
    assert_int_equal(operations(), 3);
    assert_int_equal(pair.counter[1].counts.programs, 0);
}

static void confirm_cut(void **state)
{
    (void)state;
    static const enum ferry_cut hows[] = {FERRY_CUT_BEFORE, FERRY_CUT_INSIDE, FERRY_CUT_AFTER};
    for (int i = 0; i < 3; i++) {
        const struct ferry_slots *slots = pair_init(16, 16, 4096, 8);
        assert_int_equal(ferry_trailer_write_magic(slots->primary, 8), FERRY_OK);
        assert_int_equal(ferry_trailer_write_copy_done(slots->primary, 8), FERRY_OK);
        pair.power.cut_at = 3;
        pair.power.how = hows[i];
        int rc = ferry_slots_confirm(slots);
        assert_true(pair.power.off);
        memset(&pair.power, 0, sizeof pair.power);
        if (rc == FERRY_OK) {
            assert_int_equal(next_swap(slots), FERRY_SWAP_NONE);
        }
        assert_int_equal(ferry_slots_confirm(slots), FERRY_OK);
        assert_int_equal(next_swap(slots), FERRY_SWAP_NONE);
    }
}

/* ---- The next swap ---------------------------------------------------------------------- */

/* A secondary that cannot be read asks for nothing; a primary that cannot be read is an error. */
static void unreadable_slots(void **state)
{
    (void)state;
    const struct ferry_slots *slots = pair_init(16, 16, 4096, 8);
    assert_int_equal(ferry_slots_set_pending(slots, false), FERRY_OK);
    struct ferry_power dead = {.off = true};
    struct ferry_flash_cutter broken;
    ferry_flash_cutter_init(&broken, &pair.counter[1].flash, &dead);
    pair.slots.secondary = &broken.flash;
    assert_int_equal(next_swap(slots), FERRY_SWAP_NONE);
    assert_int_equal(ferry_slots_set_pending(slots, false), FERRY_E_POWER);

    assert_int_equal(ferry_trailer_write_magic(slots->primary, 8), FERRY_OK);
    assert_int_equal(ferry_trailer_write_copy_done(slots->primary, 8), FERRY_OK);
    assert_int_equal(next_swap(slots), FERRY_SWAP_REVERT);

    pair.slots.primary = &broken.flash;
    enum ferry_swap_type type = FERRY_SWAP_PERM;
    assert_int_equal(ferry_slots_swap_type(slots, &type), FERRY_E_POWER);
    assert_int_equal(type, FERRY_SWAP_PERM);
    assert_int_equal(ferry_slots_confirm(slots), FERRY_E_POWER);
}

/* A secondary of which one read fails, counted from 1. */
struct flaky {
    const struct ferry_flash *inner;
    int fail_at;
    int reads;
};

static int flaky_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    struct flaky *flaky = (struct flaky *)flash->context;
    flaky->reads++;
    return flaky->reads == flaky->fail_at ? FERRY_E_FLASH
                                          : ferry_flash_read(flaky->inner, offset, data, len);
}

static int flaky_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                         size_t len)
{
    const struct flaky *flaky = (const struct flaky *)flash->context;
    return ferry_flash_program(flaky->inner, offset, data, len);
}

/* Whichever read fails, the error comes out, and no request is made that was not asked for. */
static void every_read_may_fail(void **state)
{
    (void)state;
    static const struct ferry_flash_ops ops = {.read = flaky_read, .program = flaky_program};
    int failures = 0;
    for (int fail_at = 1;; fail_at++) {
        const struct ferry_slots *slots = pair_init(16, 16, 4096, 8);
        struct flaky flaky = {.inner = slots->secondary, .fail_at = fail_at};
        struct ferry_flash flash = *slots->secondary;
        flash.ops = &ops;
        flash.context = &flaky;
        pair.slots.secondary = &flash;
        int rc = ferry_slots_set_pending(slots, true);
        if (flaky.reads < fail_at) {
            assert_int_equal(rc, FERRY_OK);
            break;
        }
        assert_int_equal(rc, FERRY_E_FLASH);
        enum ferry_swap_type type = next_swap(slots);
        assert_true(type == FERRY_SWAP_NONE || type == FERRY_SWAP_PERM);
        struct ferry_trailer trailer;
        flaky = (struct flaky){.inner = flaky.inner, .fail_at = fail_at};
        int read = ferry_trailer_read(&flash, 8, &trailer);
        assert_int_equal(read, fail_at <= 4 ? FERRY_E_FLASH : FERRY_OK);
        failures++;
    }
    printf("%d reads failed\n", failures);
    assert_true(failures >= 5);
}

/* The same trailers under a strategy that does not revert, and under one with offset's row. */
static void swap_type_by_strategy(void **state)
{
    (void)state;
    const struct ferry_slots *slots = pair_init(16, 16, 4096, 8);
    assert_int_equal(ferry_trailer_write_magic(slots->primary, 8), FERRY_OK);
    assert_int_equal(ferry_trailer_write_copy_done(slots->primary, 8), FERRY_OK);
    assert_int_equal(next_swap(slots), FERRY_SWAP_REVERT);
    pair.slots.strategy = &ferry_traits_overwrite;
    assert_int_equal(next_swap(slots), FERRY_SWAP_NONE);

    pair.slots.strategy = &ferry_traits_swap_move;
    assert_int_equal(ferry_slots_set_pending(slots, false), FERRY_OK);
    assert_int_equal(ferry_trailer_write_copy_done(slots->secondary, 8), FERRY_OK);
    assert_int_equal(next_swap(slots), FERRY_SWAP_TEST);
    struct ferry_strategy_traits offset = ferry_traits_swap_move;
    offset.mode = FERRY_MODE_SWAP_OFFSET;
    pair.slots.strategy = &offset;
    assert_int_equal(next_swap(slots), FERRY_SWAP_REVERT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traits_say_what_strategies_are),
        cmocka_unit_test(max_image_swap_move),
        cmocka_unit_test(max_image_by_hand),
        cmocka_unit_test(max_image_takes_the_larger_write_size),
        cmocka_unit_test(max_image_overwrite),
        cmocka_unit_test(check_refuses_bad_configurations),
        cmocka_unit_test(check_refuses_bad_layouts),
        cmocka_unit_test(check_refuses_an_odd_end),
        cmocka_unit_test(set_pending_at_rest),
        cmocka_unit_test(set_pending_cut_anywhere),
        cmocka_unit_test(set_pending_with_leftovers),
        cmocka_unit_test(confirm_every_state),
        cmocka_unit_test(confirm_cut),
        cmocka_unit_test(unreadable_slots),
        cmocka_unit_test(every_read_may_fail),
        cmocka_unit_test(swap_type_by_strategy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
