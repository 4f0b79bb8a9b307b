/* SPDX-License-Identifier: Apache-2.0 */
/* Test, confirm, cancel and the next swap of the strategies that move images: byte for byte what
 * MCUboot's application code leaves, with damaged trailers, and under every fault. */
#include "place_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SECTOR       256
#define SECTORS      8
#define SIZE         (SECTOR * SECTORS)

static struct place_rig rig;
static struct place_image v1;
static struct place_image v2;
static struct place_image large; /* reaches into the trailer's sector */

static const struct ferry_strategy_traits *const swaps[] = {
    &ferry_traits_swap_move, &ferry_traits_swap_scratch, &ferry_traits_swap_offset,
    &ferry_traits_swap_shift};

/* The strategies whose images may share the trailer's sector. */
static const struct ferry_strategy_traits *const sharing[] = {&ferry_traits_overwrite,
                                                              &ferry_traits_swap_scratch};

static const struct ferry_slots *slots(void)
{
    return &rig.image.slots;
}

/* Put an image at an offset of the secondary. */
static void put_secondary(const struct place_image *image, uint32_t offset)
{
    place_load(&rig, 1, NULL);
    assert_true(offset + image->size <= SIZE);
    memcpy(rig.slot[1].memory + offset, image->bytes, image->size);
}

static void put_swap_size(uint32_t image_size)
{
    struct ferry_trailer_layout layout;

    assert_int_equal(ferry_slots_trailer(slots(), &layout), FERRY_OK);
    memcpy(rig.slot[1].memory + SIZE - layout.swap_size,
           (uint8_t[]){(uint8_t)image_size, (uint8_t)(image_size >> 8), 0, 0}, 4);
}

/* v1 runs, v2 is where uploads go; sectors of 256 bytes, write size 8. */
static void begin(const struct ferry_strategy_traits *traits, bool with_store)
{
    const struct ferry_flash_run run = {SECTORS, SECTOR};

    place_init(&rig, traits, with_store);
    place_geometry(&rig.slot[0], &run, 1, 8, 0xff);
    place_geometry(&rig.slot[1], &run, 1, 8, 0xff);
    rig.image.slots.max_sectors = SECTORS;
    rig.image.slots.number = 3;
    rig.image.slots.state = with_store ? &ferry_slots_by_swap : &ferry_slots_by_swap_no_store;
    place_load(&rig, 0, &v1);
    put_secondary(&v2, ferry_slots_upload_offset(slots()));
    assert_int_equal(ferry_slots_check(slots()), FERRY_OK);
}

static int setup(void **state)
{
    (void)state;
    place_build(&v1, 1, 400, 0, 0);
    place_build(&v2, 2, 500, 0, 0);
    place_build(&large, 2, SIZE - 240 - 72, 0, 0);
    assert_int_equal(large.size, SIZE - 240);
    begin(&ferry_traits_swap_move, false);
    return 0;
}

static bool new_is_there(void)
{
    return memcmp(rig.slot[1].memory + ferry_slots_upload_offset(slots()), v2.bytes, v2.size) == 0;
}

static void expect_fields(uint32_t slot, const char *fields)
{
    assert_string_equal(place_fields(&rig, slot), fields);
}

static void expect_next(enum ferry_swap_type type)
{
    struct ferry_slots_next next = {9, FERRY_SWAP_NONE};
    assert_int_equal(ferry_slots_next_boot(slots(), &next), FERRY_OK);
    assert_string_equal(ferry_swap_type_name(next.type), ferry_swap_type_name(type));
    assert_int_equal(next.slot, type == FERRY_SWAP_NONE ? 0 : 1);
}

/* ---- Requests --------------------------------------------------------------------------- */

/* A request is what MCUboot's own code leaves: magic, image_ok for good, swap_info. */
static void expect_request(bool permanent, uint8_t swap_info)
{
    uint8_t expected[48];
    memset(expected, 0xff, sizeof expected);
    ferry_trailer_magic(8, expected + 32);
    if (permanent) {
        expected[24] = 1;
    }
    expected[8] = swap_info;
    assert_memory_equal(rig.slot[1].memory + SIZE - 48, expected, 48);
}

/* Asking for the same again writes nothing; a request for good is not lowered to a test. */
static void set_pending_at_rest(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(swaps); t++) {
        for (int permanent = 0; permanent < 2; permanent++) {
            begin(swaps[t], false);
            expect_next(FERRY_SWAP_NONE);
            assert_int_equal(ferry_slots_set_pending(slots(), permanent != 0), FERRY_OK);
            expect_next(permanent ? FERRY_SWAP_PERM : FERRY_SWAP_TEST);
            expect_request(permanent != 0, permanent ? 0x33 : 0x32);
            assert_int_equal(rig.operations, permanent ? 3 : 2);
            assert_int_equal(ferry_slots_set_pending(slots(), permanent != 0), FERRY_OK);
            assert_int_equal(rig.operations, permanent ? 3 : 2);
        }
        assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_E_STATE);
        assert_int_equal(rig.operations, 3);
        expect_request(true, 0x33);
        assert_string_equal(rig.log, " S7");
    }
}

struct request_row {
    const char *before;
    bool permanent;
    int result;
    const char *after;
    uint32_t operations;
};

/* A damaged trailer costs an erase; a flag without a magic would be another request. */
static const struct request_row request_rows[] = {
    {"", false, FERRY_OK, "m", 2},   {"", true, FERRY_OK, "mk", 3},
    {"m", false, FERRY_OK, "m", 0},  {"m", true, FERRY_OK, "mk", 1},
    {"mk", true, FERRY_OK, "mk", 0}, {"mk", false, FERRY_E_STATE, "mk", 0},
    {"k", false, FERRY_OK, "m", 3},  {"k", true, FERRY_OK, "mk", 4},
    {"d", false, FERRY_OK, "m", 3},  {"d", true, FERRY_OK, "mk", 4},
    {"M", false, FERRY_OK, "m", 3},  {"M", true, FERRY_OK, "mk", 4},
    {"Mk", false, FERRY_OK, "m", 3}, {"Mk", true, FERRY_OK, "mk", 4},
    {"K", false, FERRY_OK, "m", 3},  {"K", true, FERRY_OK, "mk", 4},
    {"D", false, FERRY_OK, "m", 3},  {"D", true, FERRY_OK, "mk", 4},
    {"mK", false, FERRY_OK, "m", 3}, {"mK", true, FERRY_OK, "mk", 4},
};

static void requests_over_damage(void **state)
{
    (void)state;
    for (size_t t = 0; t < 2 * COUNT(swaps); t++) {
        for (size_t i = 0; i < COUNT(request_rows); i++) {
            const struct request_row *row = &request_rows[i];
            begin(swaps[t / 2], false);
            rig.damage = t % 2 == 0 ? PLACE_UNREADABLE : PLACE_UNSTEADY;
            place_trailer(&rig, 1, row->before);
            assert_int_equal(ferry_slots_set_pending(slots(), row->permanent), row->result);
            expect_fields(1, row->after);
            assert_int_equal(rig.operations, row->operations);
            assert_int_equal(rig.violations, 0);
            assert_true(new_is_there());
            expect_fields(0, "");
            if (row->result == FERRY_OK) {
                expect_next(row->permanent ? FERRY_SWAP_PERM : FERRY_SWAP_TEST);
            }
            if (row->operations > 1) {
                expect_request(row->permanent, row->permanent ? 0x33 : 0x32);
            }
        }
    }
}

/* swap_info of somebody else would be taken for this request's. */
static void a_stale_swap_info_is_cleared(void **state)
{
    (void)state;
    assert_int_equal(ferry_trailer_write_swap_info(&rig.slot[1].flash, 8, 0, FERRY_SWAP_REVERT),
                     FERRY_OK);
    assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_OK);
    expect_request(false, 0x32);
    expect_next(FERRY_SWAP_TEST);
}

/* Any bit that flips in the erased image_ok, or beside it in its unit, leaves a test; raised, the
 * unit is not written again but the trailer anew. */
static void a_test_with_a_flipped_bit_is_raised(void **state)
{
    (void)state;
    for (uint32_t bit = 0; bit < 64; bit++) {
        begin(&ferry_traits_swap_move, false);
        assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_OK);
        rig.slot[1].memory[SIZE - 24 + bit / 8] ^= (uint8_t)(1U << bit % 8);
        expect_next(FERRY_SWAP_TEST);
        assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_OK);
        assert_int_equal(rig.operations, 2);
        assert_int_equal(ferry_slots_set_pending(slots(), true), FERRY_OK);
        expect_next(FERRY_SWAP_PERM);
        expect_request(true, 0x33);
        assert_int_equal(rig.violations, 0);
        assert_true(new_is_there());
    }
}

/* A bit that flips in a request changes nothing of it. */
static void a_request_stands_any_flipped_bit(void **state)
{
    (void)state;
    for (int permanent = 0; permanent < 2; permanent++) {
        for (uint32_t bit = 0; bit < 8 * 48; bit++) {
            begin(&ferry_traits_swap_move, false);
            assert_int_equal(ferry_slots_set_pending(slots(), permanent != 0), FERRY_OK);
            rig.slot[1].memory[SIZE - 48 + bit / 8] ^= (uint8_t)(1U << bit % 8);
            expect_next(permanent ? FERRY_SWAP_PERM : FERRY_SWAP_TEST);
            if (bit >= 8 * 32) { /* of the magic: written anew when somebody asks again */
                assert_int_equal(ferry_slots_set_pending(slots(), permanent != 0), FERRY_OK);
                expect_request(permanent != 0, permanent ? 0x33 : 0x32);
            }
            uint32_t operations = rig.operations;
            assert_int_equal(ferry_slots_set_pending(slots(), permanent != 0), FERRY_OK);
            assert_int_equal(rig.operations, operations);
        }
    }
}

/* Where the image shares the trailer's sector damage stays: the image is worth more. */
static void damage_beside_a_large_image(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(sharing); t++) {
        begin(sharing[t], false);
        put_secondary(&large, 0);
        static const char *const damaged[] = {"M", "k", "mK"};
        for (size_t i = 0; i < COUNT(damaged); i++) {
            place_trailer(&rig, 1, damaged[i]);
            assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_E_STATE);
            assert_int_equal(ferry_slots_set_pending(slots(), true), FERRY_E_STATE);
        }
        place_trailer(&rig, 1, "m");
        rig.slot[1].memory[SIZE - 24] = 0xfe;
        assert_int_equal(ferry_slots_set_pending(slots(), true), FERRY_E_STATE);
        expect_next(FERRY_SWAP_TEST);
        assert_int_equal(rig.operations, 0);
        place_trailer(&rig, 1, "");
        assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_OK);
        assert_int_equal(ferry_slots_set_pending(slots(), true), FERRY_OK);
        expect_next(FERRY_SWAP_PERM);
        assert_true(place_holds(&rig, 1, &large));
        assert_int_equal(rig.violations, 0);
    }
}

/* ---- Cancel ----------------------------------------------------------------------------- */

static void cancel_withdraws(void **state)
{
    (void)state;
    static const char *const rows[] = {"m", "mk", "k", "M", "mK", "Mk", "md"};
    for (size_t t = 0; t < COUNT(swaps); t++) {
        for (size_t i = 0; i < COUNT(rows); i++) {
            begin(swaps[t], false);
            place_trailer(&rig, 0, "mdk");
            place_trailer(&rig, 1, rows[i]);
            assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
            assert_string_equal(rig.log, " eS7");
            expect_fields(1, "");
            expect_fields(0, "mdk");
            expect_next(FERRY_SWAP_NONE);
            assert_true(new_is_there());
            /* Nothing pending: nothing written. */
            assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
            assert_int_equal(rig.operations, 1);
            assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_OK);
            expect_next(FERRY_SWAP_TEST);
        }
    }
}

/* A revert that is due is no request of anybody, and cannot be withdrawn. */
static void cancel_is_no_confirm(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(swaps); t++) {
        begin(swaps[t], false);
        put_secondary(&v2, ferry_slots_old_offset(slots()));
        place_trailer(&rig, 0, "md");
        assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
        assert_int_equal(rig.operations, 0);
        expect_next(FERRY_SWAP_REVERT);
    }
}

/* The image goes with the request, its header first. */
static void cancel_beside_a_large_image(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(sharing); t++) {
        begin(sharing[t], false);
        put_secondary(&large, 0);
        place_trailer(&rig, 1, "mk");
        assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
        assert_string_equal(rig.log, " eS0 eS7");
        expect_next(FERRY_SWAP_NONE);
        expect_fields(1, "");
        assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
        assert_int_equal(rig.operations, 2);
    }
}

/* ---- Confirm ---------------------------------------------------------------------------- */

struct confirm_row {
    const char *before;
    const char *with_store; /* the trailer afterwards */
    const char *without;
};

/* What cannot be set stands in the store; without one the trailer is erased, which an image without
 * a test has. */
static const struct confirm_row confirm_rows[] = {
    {"", "", ""},          {"d", "d", "d"},      {"md", "mdk", "mdk"}, {"m", "mk", "mk"},
    {"mdk", "mdk", "mdk"}, {"mD", "mDk", "mDk"}, {"mdK", "mdK", ""},   {"Md", "Md", ""},
    {"Mdk", "Mdk", "Mdk"}, {"M", "M", ""},
};

static void confirm_every_state(void **state)
{
    (void)state;
    for (size_t t = 0; t < 4 * COUNT(swaps); t++) {
        bool with_store = t % 2 == 1;
        for (size_t i = 0; i < COUNT(confirm_rows); i++) {
            const struct confirm_row *row = &confirm_rows[i];
            const char *after = with_store ? row->with_store : row->without;
            begin(swaps[t / 4], with_store);
            rig.damage = t % 4 < 2 ? PLACE_UNREADABLE : PLACE_UNSTEADY;
            place_trailer(&rig, 0, row->before);
            assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
            expect_fields(0, after);
            expect_next(FERRY_SWAP_NONE);
            bool silent = strcmp(row->before, after) == 0 &&
                          (!with_store || strcmp(row->before, row->without) == 0);
            assert_int_equal(rig.operations == 0, silent);
            uint32_t operations = rig.operations;
            assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
            assert_int_equal(rig.operations, operations);
            assert_int_equal(rig.violations, 0);
            assert_true(place_holds(&rig, 0, &v1));
            expect_fields(1, "");
        }
    }
}

/* One bit of the erased unit has flipped: the image is on trial as before, the flag cannot be
 * written, and the image is confirmed all the same. */
static void confirm_over_a_flipped_bit(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 2 * 64; n++) {
        bool with_store = n % 2 == 1;
        begin(&ferry_traits_swap_move, with_store);
        place_trailer(&rig, 0, "md");
        rig.slot[0].memory[SIZE - 24 + n / 16] ^= (uint8_t)(1U << n / 2 % 8);
        expect_next(FERRY_SWAP_REVERT);
        assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
        expect_next(FERRY_SWAP_NONE);
        expect_fields(0, with_store ? "md" : "");
        assert_string_equal(rig.log, with_store ? " eT0 T0" : " eP7");
        assert_int_equal(rig.violations, 0);
        assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
        expect_next(FERRY_SWAP_NONE);
    }
}

/* The store's word is for one image. */
static void a_confirm_in_the_store_is_of_one_image(void **state)
{
    (void)state;
    begin(&ferry_traits_swap_move, true);
    place_trailer(&rig, 0, "md");
    rig.slot[0].memory[SIZE - 24] = 0xfe;
    assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
    expect_next(FERRY_SWAP_NONE);
    place_load(&rig, 0, &v2);
    place_trailer(&rig, 0, "md");
    expect_next(FERRY_SWAP_REVERT);
    /* A request in the secondary goes first. */
    place_load(&rig, 0, &v1);
    place_trailer(&rig, 0, "md");
    expect_next(FERRY_SWAP_NONE);
    place_trailer(&rig, 1, "m");
    expect_next(FERRY_SWAP_TEST);
}

/* With neither a store nor a trailer that could be erased the caller must know. */
static void a_confirm_that_cannot_be_kept_says_so(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(sharing); t++) {
        begin(sharing[t], false);
        place_load(&rig, 0, &large);
        place_trailer(&rig, 0, "Md");
        assert_int_equal(ferry_slots_confirm(slots()), FERRY_E_STATE);
        place_trailer(&rig, 0, "mdK");
        assert_int_equal(ferry_slots_confirm(slots()), FERRY_E_STATE);
        assert_int_equal(rig.operations, 0);
    }
    /* No image: nobody knows where it would end. */
    begin(&ferry_traits_swap_move, false);
    place_load(&rig, 0, NULL);
    place_trailer(&rig, 0, "Md");
    assert_int_equal(ferry_slots_confirm(slots()), FERRY_E_STATE);
    assert_int_equal(rig.operations, 0);
}

/* ---- The next swap ---------------------------------------------------------------------- */

struct next_row {
    const char *primary;
    const char *secondary;
    enum ferry_swap_type type;
};

static const struct next_row next_rows[] = {
    {"", "", FERRY_SWAP_NONE},      {"mdk", "", FERRY_SWAP_NONE},  {"mdk", "m", FERRY_SWAP_TEST},
    {"mdk", "mk", FERRY_SWAP_PERM}, {"md", "", FERRY_SWAP_REVERT}, {"md", "m", FERRY_SWAP_TEST},
    {"md", "M", FERRY_SWAP_REVERT}, {"m", "", FERRY_SWAP_NONE},    {"Md", "", FERRY_SWAP_NONE},
    {"M", "k", FERRY_SWAP_NONE},    {"mD", "", FERRY_SWAP_REVERT}, /* it is written last: the copy
                                                                      is done */
    {"mDK", "", FERRY_SWAP_NONE},   {"mdK", "", FERRY_SWAP_NONE},  /* only a confirm writes there */
    {"", "mK", FERRY_SWAP_TEST}, /* a request for good that was cut */
    {"mdK", "mK", FERRY_SWAP_TEST},
};

static void next_swap_of_damaged_trailers(void **state)
{
    (void)state;
    for (size_t t = 0; t < 2 * COUNT(swaps); t++) {
        for (size_t i = 0; i < COUNT(next_rows); i++) {
            begin(swaps[t / 2], true);
            rig.damage = t % 2 == 0 ? PLACE_UNREADABLE : PLACE_UNSTEADY;
            place_trailer(&rig, 0, next_rows[i].primary);
            place_trailer(&rig, 1, next_rows[i].secondary);
            expect_next(next_rows[i].type);
            assert_int_equal(rig.operations, 0);
        }
    }
}

/* Overwrite takes nothing back; offset's row is offset's alone. */
static void next_swap_by_strategy(void **state)
{
    (void)state;
    begin(&ferry_traits_overwrite, false);
    place_trailer(&rig, 0, "md");
    expect_next(FERRY_SWAP_NONE);
    for (size_t t = 0; t < COUNT(swaps); t++) {
        begin(swaps[t], false);
        place_trailer(&rig, 1, "md");
        expect_next(swaps[t]->tlv_sizes ? FERRY_SWAP_REVERT : FERRY_SWAP_TEST);
    }
}

/* Only the bootloader asks for an image that stands where old ones are kept, or with swap_info of a
 * revert: a revert of its own, cut before it began. */
static void a_revert_that_was_cut_asks_in_the_secondary(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(swaps); t++) {
        begin(swaps[t], false);
        put_secondary(&v2, ferry_slots_old_offset(slots()));
        place_trailer(&rig, 1, "mk");
        expect_next(FERRY_SWAP_PERM);
        assert_int_equal(ferry_trailer_write_swap_info(&rig.slot[1].flash, 8, 3, FERRY_SWAP_REVERT),
                         FERRY_OK);
        expect_next(FERRY_SWAP_PERM); /* a bit that flipped in swap_info makes no revert */
        put_swap_size(v1.size);
        expect_next(FERRY_SWAP_REVERT);
        place_trailer(&rig, 1, "m");
        expect_next(FERRY_SWAP_TEST);
    }
}

/* A secondary that does not answer asks for nothing; a primary that does not is an error. */
static void slots_that_do_not_answer(void **state)
{
    (void)state;
    enum ferry_swap_type type = FERRY_SWAP_PERM;
    assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_OK);
    memset(rig.slot[1].state, PLACE_UNREADABLE, sizeof rig.slot[1].state);
    expect_next(FERRY_SWAP_NONE);
    assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_E_FLASH);
    assert_int_equal(ferry_slots_cancel(slots()), FERRY_E_FLASH);
    place_trailer(&rig, 0, "md");
    expect_next(FERRY_SWAP_REVERT);

    memset(rig.slot[0].state, PLACE_UNREADABLE, sizeof rig.slot[0].state);
    assert_int_equal(ferry_slots_swap_type(slots(), &type), FERRY_E_FLASH);
    assert_int_equal(ferry_slots_confirm(slots()), FERRY_E_FLASH);
    rig.off = true;
    assert_int_equal(ferry_slots_swap_type(slots(), &type), FERRY_E_POWER);
    assert_int_equal(ferry_slots_confirm(slots()), FERRY_E_POWER);
    assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_E_POWER);
    assert_int_equal(ferry_slots_cancel(slots()), FERRY_E_POWER);
    assert_int_equal(type, FERRY_SWAP_PERM);
}

/* ---- Faults ----------------------------------------------------------------------------- */

enum act {
    ACT_TEST,
    ACT_PERM,
    ACT_RAISE,
    ACT_REPAIR,
    ACT_CONFIRM,
    ACT_CANCEL,
    ACT_CANCEL_PERM,
    ACTS
};

static int act(enum act what)
{
    switch (what) {
    case ACT_TEST:
        return ferry_slots_set_pending(slots(), false);
    case ACT_CONFIRM:
        return ferry_slots_confirm(slots());
    case ACT_CANCEL:
    case ACT_CANCEL_PERM:
        return ferry_slots_cancel(slots());
    default:
        return ferry_slots_set_pending(slots(), true);
    }
}

static const struct {
    const char *primary, *secondary;
    enum ferry_swap_type before, after;
    enum ferry_swap_type between; /* also allowed */
} acts[ACTS] = {
    [ACT_TEST] = {"mdk", "", FERRY_SWAP_NONE, FERRY_SWAP_TEST, FERRY_SWAP_NONE},
    [ACT_PERM] = {"mdk", "", FERRY_SWAP_NONE, FERRY_SWAP_PERM, FERRY_SWAP_NONE},
    [ACT_RAISE] = {"mdk", "m", FERRY_SWAP_TEST, FERRY_SWAP_PERM, FERRY_SWAP_TEST},
    [ACT_REPAIR] = {"mdk", "Mk", FERRY_SWAP_NONE, FERRY_SWAP_PERM, FERRY_SWAP_NONE},
    [ACT_CONFIRM] = {"md", "", FERRY_SWAP_REVERT, FERRY_SWAP_NONE, FERRY_SWAP_NONE},
    [ACT_CANCEL] = {"mdk", "m", FERRY_SWAP_TEST, FERRY_SWAP_NONE, FERRY_SWAP_NONE},
    /* Half erased a request for good is a test, which is taken back by itself. */
    [ACT_CANCEL_PERM] = {"mdk", "mk", FERRY_SWAP_PERM, FERRY_SWAP_NONE, FERRY_SWAP_TEST},
};

/* One fault in one act: what is there is what was or what is asked for; done again it succeeds.
 * Returns whether the fault struck. */
static bool fault(const struct ferry_strategy_traits *traits, enum act what, bool with_store,
                  uint32_t at, enum place_way way)
{
    struct ferry_slots_next next;
    begin(traits, with_store);
    place_trailer(&rig, 0, acts[what].primary);
    place_trailer(&rig, 1, acts[what].secondary);
    place_power_on(&rig, at, way);
    int rc = act(what);
    bool struck = rig.struck;
    assert_true(struck || rc == FERRY_OK);
    place_power_on(&rig, 0, PLACE_BEFORE);
    assert_int_equal(ferry_slots_next_boot(slots(), &next), FERRY_OK);
    if (rc == FERRY_OK) {
        assert_int_equal(next.type, acts[what].after);
    } else if (next.type != acts[what].before && next.type != acts[what].after &&
               next.type != acts[what].between) {
        fail_msg("%s, act %d, store %d, operation %u, way %d: %s", traits->name, what, with_store,
                 at, way, ferry_swap_type_name(next.type));
    }
    if (way != PLACE_DIES) {
        assert_int_equal(act(what), FERRY_OK);
        assert_int_equal(ferry_slots_next_boot(slots(), &next), FERRY_OK);
        assert_int_equal(next.type, acts[what].after);
    }
    assert_int_equal(rig.violations, 0);
    assert_true(place_holds(&rig, 0, &v1) && new_is_there());
    return struck;
}

static void every_fault_of_every_act(void **state)
{
    uint32_t faults = 0;
    (void)state;
    for (size_t n = 0; n < 2 * COUNT(swaps) * ACTS * PLACE_WAYS; n++) {
        bool with_store = n % 2 == 1;
        const struct ferry_strategy_traits *traits = swaps[n / 2 % COUNT(swaps)];
        enum act what = (enum act)(n / 2 / COUNT(swaps) % ACTS);
        enum place_way way = (enum place_way)(n / 2 / COUNT(swaps) / ACTS);
        for (uint32_t at = 1; fault(traits, what, with_store, at, way); at++) {
            faults++;
        }
    }
    printf("%u faults\n", faults);
    /* Operations of the acts: 2, 3, 1, 4, 1, 1, 1. */
    assert_int_equal(faults, 2 * COUNT(swaps) * PLACE_WAYS * 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(set_pending_at_rest, setup),
        cmocka_unit_test_setup(requests_over_damage, setup),
        cmocka_unit_test_setup(a_stale_swap_info_is_cleared, setup),
        cmocka_unit_test_setup(a_test_with_a_flipped_bit_is_raised, setup),
        cmocka_unit_test_setup(a_request_stands_any_flipped_bit, setup),
        cmocka_unit_test_setup(damage_beside_a_large_image, setup),
        cmocka_unit_test_setup(cancel_withdraws, setup),
        cmocka_unit_test_setup(cancel_is_no_confirm, setup),
        cmocka_unit_test_setup(cancel_beside_a_large_image, setup),
        cmocka_unit_test_setup(confirm_every_state, setup),
        cmocka_unit_test_setup(confirm_over_a_flipped_bit, setup),
        cmocka_unit_test_setup(a_confirm_in_the_store_is_of_one_image, setup),
        cmocka_unit_test_setup(a_confirm_that_cannot_be_kept_says_so, setup),
        cmocka_unit_test_setup(next_swap_of_damaged_trailers, setup),
        cmocka_unit_test_setup(next_swap_by_strategy, setup),
        cmocka_unit_test_setup(a_revert_that_was_cut_asks_in_the_secondary, setup),
        cmocka_unit_test_setup(slots_that_do_not_answer, setup),
        cmocka_unit_test_setup(every_fault_of_every_act, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
