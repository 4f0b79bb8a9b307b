/* SPDX-License-Identifier: Apache-2.0 */
/* Test, confirm, cancel and the next boot of images that run in place, byte for byte as MCUboot's
 * application code leaves the trailers, and under every fault of every operation. */
#include "place_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct place_rig rig;
static struct place_image v1;
static struct place_image v2;
static struct place_image large; /* version 2, up to the trailer of slot 1 */

static const struct ferry_strategy_traits *const reverting[] = {&ferry_traits_direct_xip_revert,
                                                                &ferry_traits_ram_load_revert};
static const struct ferry_strategy_traits *const plain[] = {&ferry_traits_direct_xip,
                                                            &ferry_traits_ram_load};

/* What damaged flags are in this test. */
static uint8_t damage = PLACE_UNREADABLE;

/* v1 in slot 0 runs, v2 is in slot 1. */
static void begin(const struct ferry_strategy_traits *traits, bool with_store)
{
    place_init(&rig, traits, with_store);
    rig.damage = damage;
    place_load(&rig, 0, &v1);
    place_load(&rig, 1, &v2);
}

static int setup(void **state)
{
    (void)state;
    place_build(&v1, 1, 400, 0, 0);
    place_build(&v2, 2, 500, 0, 0);
    place_build(&large, 2, 1536 - 40 - 72, 0, 0);
    assert_int_equal(large.size, 1536 - 40);
    begin(&ferry_traits_direct_xip_revert, false);
    return 0;
}

static int setup_unsteady(void **state)
{
    damage = PLACE_UNSTEADY;
    return setup(state);
}

static int teardown(void **state)
{
    (void)state;
    damage = PLACE_UNREADABLE;
    return 0;
}

static const struct ferry_slots *slots(void)
{
    return &rig.image.slots;
}

static void expect_fields(uint32_t slot, const char *fields)
{
    assert_string_equal(place_fields(&rig, slot), fields);
}

static void expect_next(uint8_t slot, enum ferry_swap_type type)
{
    struct ferry_slots_next next = {9, FERRY_SWAP_NONE};
    assert_int_equal(ferry_slots_next_boot(slots(), &next), FERRY_OK);
    assert_string_equal(ferry_swap_type_name(next.type), ferry_swap_type_name(type));
    assert_int_equal(next.slot, slot);
}

/* ---- Traits ------------------------------------------------------------------------------- */

struct trait_row {
    const char *name;
    const struct ferry_strategy_traits *traits;
    uint8_t mode; /* [mcuboot-format.md §2.8] */
    uint8_t slots;
    bool reverts, needs_recovery;
};

static const struct trait_row trait_rows[] = {
    {"direct-xip", &ferry_traits_direct_xip, 4, 2, false, false},
    {"direct-xip-revert", &ferry_traits_direct_xip_revert, 5, 2, true, false},
    {"ram-load", &ferry_traits_ram_load, 6, 2, false, false},
    {"ram-load-revert", &ferry_traits_ram_load_revert, 6, 2, true, false},
    {"single-slot", &ferry_traits_single_slot, 0, 1, false, true},
};

static void test_traits(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(trait_rows); i++) {
        const struct trait_row *row = &trait_rows[i];
        assert_ptr_equal(ferry_strategy_traits_find(row->name), row->traits);
        assert_string_equal(row->traits->name, row->name);
        assert_int_equal(row->traits->mode, row->mode);
        assert_int_equal(row->traits->slot_count, row->slots);
        assert_int_equal(row->traits->reverts, row->reverts);
        assert_int_equal(row->traits->needs_recovery, row->needs_recovery);
        assert_true(row->traits->in_place);
        assert_false(row->traits->scratch || row->traits->tlv_sizes);
    }
}

/* The formulas of mcuboot-format.md §2.6 "Sizes", and its table of distances. */
static void test_sizes(void **state)
{
    static const uint32_t swap_info[] = {40, 64, 128};
    static const uint32_t swap_size[] = {48, 80, 160};
    (void)state;
    for (size_t i = 0; i < COUNT(trait_rows); i++) {
        for (uint32_t a = 0; a < 3; a++) {
            place_init(&rig, trait_rows[i].traits, false);
            rig.image.slots.max_align = 8U << a;
            uint32_t want = trait_rows[i].slots == 1 ? 2048 - swap_size[a] : 1536 - swap_info[a];
            assert_int_equal(ferry_slots_check(slots()), FERRY_OK);
            assert_int_equal(ferry_slots_max_image(slots()), want);
        }
    }
}

static void test_check(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(trait_rows); i++) {
        place_init(&rig, trait_rows[i].traits, false);
        rig.image.slots.secondary = trait_rows[i].slots == 1 ? &rig.slot[1].flash : NULL;
        assert_int_equal(ferry_slots_check(slots()), FERRY_E_CONFIG);
        place_init(&rig, trait_rows[i].traits, false);
        rig.image.slots.primary = NULL;
        assert_int_equal(ferry_slots_check(slots()), FERRY_E_CONFIG);
        place_init(&rig, trait_rows[i].traits, false);
        rig.slot[0].flash.size = 40;
        rig.slot[0].flash.runs[0] = (struct ferry_flash_run){1, 40};
        assert_int_equal(ferry_slots_check(slots()), FERRY_E_LAYOUT);
    }
}

static void test_single_slot_records_nothing(void **state)
{
    struct ferry_flash_slice view;
    (void)state;
    place_init(&rig, &ferry_traits_single_slot, false);
    place_load(&rig, 0, &v1);
    expect_next(0, FERRY_SWAP_NONE);
    assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_E_UNSUPPORTED);
    assert_int_equal(ferry_slots_cancel(slots()), FERRY_E_UNSUPPORTED);
    assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
    assert_int_equal(rig.operations, 0);
    assert_int_equal(ferry_slots_view(slots(), 0, &view, NULL), FERRY_OK);
    assert_int_equal(ferry_slots_view(slots(), 1, &view, NULL), FERRY_E_NOT_FOUND);
    assert_null(ferry_slots_slot(slots(), 1));
}

/* ---- The next boot ------------------------------------------------------------------------ */

struct next_row {
    const char *fields[2]; /* of the trailers; NULL: an erased slot */
    uint8_t active;
    uint8_t slot;
    enum ferry_swap_type type;
};

/* Version 1 is in slot 0, version 2 in slot 1. */
static const struct next_row next_rows[] = {
    {{"mdk", ""}, 0, 0, FERRY_SWAP_NONE},     /* an upload nobody asked for */
    {{"mdk", "M"}, 0, 0, FERRY_SWAP_NONE},    /* a request that was cut */
    {{"mdk", "m"}, 0, 1, FERRY_SWAP_TEST},    /* a test */
    {{"mdk", "mK"}, 0, 1, FERRY_SWAP_TEST},   /* for good, cut: a test */
    {{"mdk", "mdk"}, 0, 1, FERRY_SWAP_PERM},  /* for good */
    {{"mdk", "mk"}, 0, 1, FERRY_SWAP_PERM},   /* by imgtool --confirm */
    {{"mdk", "md"}, 0, 0, FERRY_SWAP_NONE},   /* was taken back, but not erased */
    {{"mdk", "md"}, 1, 0, FERRY_SWAP_REVERT}, /* on trial */
    {{"mdk", "mD"}, 1, 0, FERRY_SWAP_REVERT}, /* copy_done half written */
    {{"mdk", "mdk"}, 1, 1, FERRY_SWAP_NONE},  /* confirmed */
    {{"mdk", "mdK"}, 1, 1, FERRY_SWAP_NONE},  /* only a confirm has written there */
    {{"mdk", "mDk"}, 1, 1, FERRY_SWAP_NONE},
    {{NULL, "md"}, 1, 1, FERRY_SWAP_NONE},   /* nothing to go back to */
    {{"", "md"}, 1, 0, FERRY_SWAP_REVERT},   /* back to what was never confirmed */
    {{"md", "md"}, 1, 0, FERRY_SWAP_REVERT}, /* of two on trial the older one */
    {{"md", ""}, 0, 0, FERRY_SWAP_NONE},     /* not to what nobody asked for */
    {{"", ""}, 0, 0, FERRY_SWAP_NONE},
    {{"", NULL}, 0, 0, FERRY_SWAP_NONE},
    {{NULL, NULL}, 0, 0, FERRY_SWAP_NONE},
    {{NULL, "m"}, 0, 1, FERRY_SWAP_TEST},
    {{NULL, "mdk"}, 0, 1, FERRY_SWAP_PERM},
    {{"m", "mdk"}, 1, 1, FERRY_SWAP_NONE},  /* asked for in vain: it is older */
    {{"mdk", NULL}, 1, 0, FERRY_SWAP_PERM}, /* the other image is all there is */
};

static void arrange(const struct next_row *row)
{
    place_load(&rig, 0, row->fields[0] != NULL ? &v1 : NULL);
    place_load(&rig, 1, row->fields[1] != NULL ? &v2 : NULL);
    place_trailer(&rig, 0, row->fields[0] != NULL ? row->fields[0] : "");
    place_trailer(&rig, 1, row->fields[1] != NULL ? row->fields[1] : "");
    rig.image.slots.active = row->active;
}

static void test_next_boot_with_reverts(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(reverting); t++) {
        begin(reverting[t], true);
        for (size_t i = 0; i < COUNT(next_rows); i++) {
            arrange(&next_rows[i]);
            expect_next(next_rows[i].slot, next_rows[i].type);
        }
        assert_int_equal(rig.operations, 0);
    }
}

/* Without reverts the newest image runs, whatever the trailers say. */
static void test_next_boot_without_reverts(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(plain); t++) {
        begin(plain[t], true);
        for (size_t i = 0; i < COUNT(next_rows); i++) {
            const struct next_row *row = &next_rows[i];
            bool there = row->fields[row->active] != NULL;
            arrange(row);
            if (row->fields[1] == NULL) {
                expect_next(row->fields[0] != NULL ? 0 : row->active,
                            there || row->fields[0] == NULL ? FERRY_SWAP_NONE : FERRY_SWAP_PERM);
            } else {
                expect_next(1, row->active == 1 ? FERRY_SWAP_NONE : FERRY_SWAP_PERM);
            }
        }
    }
}

/* Equal versions: the primary, as MCUboot has it. Otherwise the build number decides last. */
static void test_equal_versions(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(plain); t++) {
        begin(plain[t], false);
        place_load(&rig, 1, &v1);
        expect_next(0, FERRY_SWAP_NONE);
        rig.image.slots.active = 1;
        expect_next(0, FERRY_SWAP_PERM);
        rig.image.slots.active = 0;
        rig.slot[1].memory[24] = 1;
        expect_next(1, FERRY_SWAP_PERM);
        rig.slot[0].memory[24] = 2;
        expect_next(0, FERRY_SWAP_NONE);
    }
}

/* A header that cannot be read is no image; it must not keep the other one from being found. */
static void test_next_boot_with_unreadable_flash(void **state)
{
    (void)state;
    place_trailer(&rig, 0, "mdk");
    place_trailer(&rig, 1, "m");
    memset(rig.slot[1].state, 1, sizeof(rig.slot[1].state));
    expect_next(0, FERRY_SWAP_NONE);
    memset(rig.slot[1].state, 0, sizeof(rig.slot[1].state));
    memset(rig.slot[0].state, 1, sizeof(rig.slot[0].state));
    expect_next(1, FERRY_SWAP_TEST);
    rig.off = true;
    struct ferry_slots_next next;
    assert_int_equal(ferry_slots_next_boot(slots(), &next), FERRY_E_POWER);
}

/* ---- Requests ----------------------------------------------------------------------------- */

struct request_row {
    const char *before;
    bool permanent;
    int result;
    const char *after;
};

/* With an image that does not reach into the trailer's sector. */
static const struct request_row request_rows[] = {
    {"", false, FERRY_OK, "m"},
    {"", true, FERRY_OK, "mdk"},
    {"m", false, FERRY_OK, "m"},
    {"m", true, FERRY_OK, "mdk"}, /* raised */
    {"mdk", true, FERRY_OK, "mdk"},
    {"mk", true, FERRY_OK, "mk"},
    {"mdk", false, FERRY_E_STATE, "mdk"},
    {"mk", false, FERRY_E_STATE, "mk"},
    {"md", false, FERRY_OK, "m"}, /* tried once, and to be tried again */
    {"md", true, FERRY_OK, "mdk"},
    {"k", false, FERRY_OK, "m"}, /* a permanent request that was cut */
    {"dk", false, FERRY_OK, "m"},
    {"k", true, FERRY_OK, "mdk"},
    {"dk", true, FERRY_OK, "mdk"},
    {"M", false, FERRY_OK, "m"},
    {"M", true, FERRY_OK, "mdk"},
    {"Mk", false, FERRY_OK, "m"},
    {"K", false, FERRY_OK, "m"},
    {"mK", true, FERRY_OK, "mdk"},
    {"mD", false, FERRY_OK, "m"},
    {"MDK", true, FERRY_OK, "mdk"},
};

static void test_requests(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(reverting); t++) {
        for (size_t i = 0; i < COUNT(request_rows); i++) {
            const struct request_row *row = &request_rows[i];
            begin(reverting[t], t == 0);
            place_trailer(&rig, 0, "mdk");
            place_trailer(&rig, 1, row->before);
            place_power_on(&rig, 0, PLACE_BEFORE);
            assert_int_equal(ferry_slots_set_pending(slots(), row->permanent), row->result);
            expect_fields(1, row->after);
            expect_fields(0, "mdk");
            assert_true(place_holds(&rig, 1, &v2));
            assert_int_equal(rig.violations, 0);
            if (strcmp(row->before, row->after) == 0) {
                assert_int_equal(rig.operations, 0);
            }
            if (row->result == FERRY_OK) {
                expect_next(1, row->permanent ? FERRY_SWAP_PERM : FERRY_SWAP_TEST);
            }
        }
    }
}

/* The slot that does not run is asked for, be it slot 0. */
static void test_request_for_slot_0(void **state)
{
    (void)state;
    place_load(&rig, 0, &v2);
    place_load(&rig, 1, &v1);
    place_trailer(&rig, 1, "mdk");
    rig.image.slots.active = 1;
    assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_OK);
    expect_fields(0, "m");
    expect_fields(1, "mdk");
    expect_next(0, FERRY_SWAP_TEST);
    assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
    expect_fields(0, "");
    expect_next(1, FERRY_SWAP_NONE);
}

/* Where the image shares the trailer's sector it is not erased with it; a clean trailer does. */
static void test_damage_beside_a_large_image(void **state)
{
    (void)state;
    place_load(&rig, 1, &large);
    place_trailer(&rig, 1, "M");
    assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_E_STATE);
    assert_int_equal(ferry_slots_set_pending(slots(), true), FERRY_E_STATE);
    assert_int_equal(rig.operations, 0);
    place_trailer(&rig, 1, "");
    assert_int_equal(ferry_slots_set_pending(slots(), true), FERRY_OK);
    expect_fields(1, "mdk");
    assert_true(place_holds(&rig, 1, &large));
}

/* What an earlier life of the same image left in the store counts no more. */
static void test_a_request_is_a_new_life(void **state)
{
    (void)state;
    begin(&ferry_traits_direct_xip_revert, true);
    place_trailer(&rig, 1, "M");
    rig.image.slots.active = 1;
    assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
    place_trailer(&rig, 1, "md");
    expect_next(1, FERRY_SWAP_NONE);

    TEST_ROM(rom, v2.bytes, v2.size);
    struct ferry_image_info info;
    struct ferry_trial trial;
    assert_int_equal(ferry_image_inspect(&rom.flash, &info), FERRY_OK);
    assert_int_equal(ferry_trial_next(slots(), info.digest, FERRY_CAUSE_OTHER, 1), 1);
    rig.image.slots.active = 0;
    place_trailer(&rig, 0, "mdk");
    place_trailer(&rig, 1, "");
    assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_OK);
    expect_next(1, FERRY_SWAP_TEST);
    assert_int_equal(ferry_trial_read(slots(), info.digest, &trial), FERRY_OK);
    assert_int_equal(trial.boots, 0);
    place_trailer(&rig, 1, "md");
    rig.image.slots.active = 1;
    expect_next(0, FERRY_SWAP_REVERT);
}

/* A store that is dead decides nothing, and keeps nobody from asking. */
static void test_a_request_with_a_dead_store(void **state)
{
    (void)state;
    begin(&ferry_traits_direct_xip_revert, true);
    place_trailer(&rig, 0, "mdk");
    memset(rig.slot[PLACE_STORE_AREA].state, 1, sizeof(rig.slot[PLACE_STORE_AREA].state));
    memset(rig.slot[PLACE_STORE_AREA].dead, true, sizeof(rig.slot[PLACE_STORE_AREA].dead));
    assert_non_null(rig.image.slots.store);
    assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_OK);
    expect_next(1, FERRY_SWAP_TEST);
    assert_int_equal(ferry_slots_set_pending(slots(), true), FERRY_OK);
    expect_next(1, FERRY_SWAP_PERM);
    rig.image.slots.active = 1;
    assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
    /* Where the flags do not hold either, the trailer has another place. */
    place_trailer(&rig, 1, "mdK");
    assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
    expect_next(1, FERRY_SWAP_NONE);
}

/* ---- Cancel --------------------------------------------------------------------------------- */

struct cancel_row {
    const char *before;
    const char *after;
};

static const struct cancel_row cancel_rows[] = {
    {"", ""},   {"m", ""},  {"mdk", ""},
    {"mk", ""}, {"mK", ""}, {"md", "md"}, /* was started: that is no request any more */
    {"M", "M"}, {"k", "k"},
};

static void test_cancel(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(reverting); t++) {
        for (size_t i = 0; i < COUNT(cancel_rows); i++) {
            begin(reverting[t], false);
            place_trailer(&rig, 0, "mdk");
            place_trailer(&rig, 1, cancel_rows[i].before);
            assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
            expect_fields(1, cancel_rows[i].after);
            assert_true(place_holds(&rig, 1, &v2));
            expect_next(0, FERRY_SWAP_NONE);
            if (strcmp(cancel_rows[i].before, cancel_rows[i].after) == 0) {
                assert_int_equal(rig.operations, 0);
            }
            assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
            assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_OK);
            expect_next(1, FERRY_SWAP_TEST);
        }
    }
}

/* The old, confirmed image in the other slot is no request, and a test of it in vain is. */
static void test_cancel_knows_the_old_image(void **state)
{
    (void)state;
    place_trailer(&rig, 0, "mdk");
    place_trailer(&rig, 1, "mdk");
    rig.image.slots.active = 1;
    assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
    assert_int_equal(rig.operations, 0);
    place_trailer(&rig, 0, "m");
    assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
    expect_fields(0, "");
    assert_true(place_holds(&rig, 0, &v1));
    /* On trial: the old image is what there is to go back to. */
    place_trailer(&rig, 0, "mdk");
    place_trailer(&rig, 1, "md");
    rig.operations = 0;
    assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
    assert_int_equal(rig.operations, 0);
    /* Nothing where the running image was: the other one stays. */
    place_load(&rig, 1, NULL);
    assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
    assert_int_equal(rig.operations, 0);
}

static void test_cancel_beside_a_large_image(void **state)
{
    (void)state;
    place_trailer(&rig, 0, "mdk");
    place_load(&rig, 1, &large);
    place_trailer(&rig, 1, "m");
    assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
    expect_fields(1, "");
    assert_false(place_holds(&rig, 1, &large));
    assert_int_equal(ferry_flash_is_erased(&rig.slot[1].flash, 0, 128), 1);
    expect_next(0, FERRY_SWAP_NONE);
}

/* The version alone asks: the image itself must go. */
static void test_cancel_without_reverts(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(plain); t++) {
        begin(plain[t], false);
        assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_OK);
        assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
        expect_next(0, FERRY_SWAP_NONE);
        assert_int_equal(ferry_flash_is_erased(&rig.slot[1].flash, 0, 128), 1);
        expect_fields(1, "");
        rig.operations = 0;
        assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
        assert_int_equal(rig.operations, 0);
        /* An older one is no request. */
        begin(plain[t], false);
        rig.image.slots.active = 1;
        assert_int_equal(ferry_slots_cancel(slots()), FERRY_OK);
        assert_int_equal(rig.operations, 0);
    }
}

/* ---- Confirm -------------------------------------------------------------------------------- */

struct confirm_row {
    const char *before;
    const char *after; /* damage is recorded elsewhere */
};

static const struct confirm_row confirm_rows[] = {
    {"md", "mdk"},  {"m", "mdk"},   {"", "mdk"},  {"mdk", "mdk"}, {"mk", "mk"},
    {"mDk", "mDk"}, {"mD", "mDk"},  {"k", "mdk"}, {"dk", "mdk"},  {"M", "M"},
    {"Md", "Md"},   {"mdK", "mdK"}, {"mK", "mK"},
};

static void test_confirm(void **state)
{
    (void)state;
    for (size_t t = 0; t < 2 * COUNT(reverting); t++) {
        bool with_store = t % 2 == 1;
        for (size_t i = 0; i < COUNT(confirm_rows); i++) {
            const struct confirm_row *row = &confirm_rows[i];
            begin(reverting[t / 2], with_store);
            rig.image.slots.active = 1;
            place_trailer(&rig, 0, "mdk");
            place_trailer(&rig, 1, row->before);
            place_power_on(&rig, 0, PLACE_BEFORE);
            assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
            expect_fields(1, row->after);
            expect_fields(0, "mdk");
            expect_next(1, FERRY_SWAP_NONE);
            if (strchr(row->before, 'k') != NULL && strcmp(row->before, row->after) == 0) {
                assert_int_equal(rig.operations, 0);
            }
            /* Once is enough. */
            uint32_t operations = rig.operations;
            assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
            assert_int_equal(rig.operations, operations);
            assert_int_equal(rig.violations, 0);
            assert_true(place_holds(&rig, 1, &v2));
        }
    }
}

/* A large image leaves room for the mark, too; and where that is spoilt as well, it is told. */
static void test_confirm_of_a_large_image(void **state)
{
    (void)state;
    place_load(&rig, 1, &large);
    place_trailer(&rig, 1, "M");
    rig.image.slots.active = 1;
    rig.slot[1].memory[1536 - 40] ^= 0x80;
    assert_int_equal(ferry_slots_confirm(slots()), FERRY_E_STATE);
    assert_int_equal(rig.operations, 0);
    rig.slot[1].memory[1536 - 40] ^= 0x80;
    assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
    assert_int_equal(rig.operations, 1);
    expect_next(1, FERRY_SWAP_NONE);
    assert_true(place_holds(&rig, 1, &large));
    /* As a request it would be permanent: a test of it is refused. */
    place_trailer(&rig, 0, "mdk");
    rig.image.slots.active = 0;
    assert_int_equal(ferry_slots_set_pending(slots(), false), FERRY_E_STATE);
}

/* A magic that a flipped bit has come near to its limit does not carry a confirm alone. */
static void test_confirm_behind_a_magic_that_is_near(void **state)
{
    (void)state;
    for (int with_store = 0; with_store < 2; with_store++) {
        begin(&ferry_traits_direct_xip_revert, with_store == 1);
        place_trailer(&rig, 0, "mdk");
        place_trailer(&rig, 1, "md");
        rig.slot[1].memory[1536 - 3] ^= 0x0f;
        rig.image.slots.active = 1;
        expect_next(0, FERRY_SWAP_REVERT);
        assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
        expect_fields(1, "mdk");
        expect_next(1, FERRY_SWAP_NONE);
        rig.slot[1].memory[1536 - 3] ^= 0x10;
        expect_fields(1, "Mdk");
        expect_next(1, FERRY_SWAP_NONE);
        uint32_t operations = rig.operations;
        assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
        assert_int_equal(rig.operations, operations);
    }
}

/* No single flipped bit looks like a mark. */
static void test_a_flipped_bit_is_no_mark(void **state)
{
    (void)state;
    for (uint8_t bit = 0; bit < 8; bit++) {
        for (uint8_t slot = 0; slot < 2; slot++) {
            begin(&ferry_traits_direct_xip_revert, false);
            place_trailer(&rig, 0, "mdk");
            place_trailer(&rig, 1, "m");
            struct place_flash *flash = &rig.slot[slot];
            flash->memory[flash->flash.size - 40] ^= (uint8_t)(1U << bit);
            expect_next(1, FERRY_SWAP_TEST);
        }
    }
}

/* One flipped bit in an erased unit: it reads as unset and takes no program. */
static void test_spoilt_units(void **state)
{
    static const uint32_t distances[] = {16, 9, 24, 20, 32, 25};
    (void)state;
    for (size_t i = 0; i < COUNT(distances); i++) {
        for (int permanent = 0; permanent < 2; permanent++) {
            begin(&ferry_traits_direct_xip_revert, false);
            place_trailer(&rig, 0, "mdk");
            rig.slot[1].memory[1536 - distances[i]] ^= 0x10;
            assert_int_equal(ferry_slots_set_pending(slots(), permanent == 1), FERRY_OK);
            expect_fields(1, permanent == 1 ? "mdk" : "m");
            assert_int_equal(rig.slot[1].memory[1536 - 32], permanent == 1 ? 0x01 : 0x00);
            assert_int_equal(rig.violations, 0);
        }
        /* A test that is raised, and one that is confirmed. */
        for (int confirm = 0; confirm < 2; confirm++) {
            begin(&ferry_traits_direct_xip_revert, false);
            place_trailer(&rig, 0, "mdk");
            place_trailer(&rig, 1, confirm == 1 ? "md" : "m");
            if (distances[i] > 16 && distances[i] <= 24) {
                rig.slot[1].memory[1536 - distances[i]] ^= 0x10;
            }
            rig.image.slots.active = (uint8_t)confirm;
            assert_int_equal(confirm == 1 ? ferry_slots_confirm(slots())
                                          : ferry_slots_set_pending(slots(), true),
                             FERRY_OK);
            if (confirm == 0 || distances[i] <= 16 || distances[i] > 24) {
                expect_fields(1, "mdk");
            }
            expect_next(1, confirm == 1 ? FERRY_SWAP_NONE : FERRY_SWAP_PERM);
            assert_int_equal(rig.violations, 0);
        }
    }
}

static void test_confirm_without_reverts(void **state)
{
    static const char *const rows[][2] = {{"", "mdk"}, {"mdk", "mdk"}, {"M", "M"}, {"mK", "mK"}};
    (void)state;
    for (size_t t = 0; t < COUNT(plain); t++) {
        for (size_t i = 0; i < COUNT(rows); i++) {
            begin(plain[t], false);
            rig.image.slots.active = 1;
            place_trailer(&rig, 1, rows[i][0]);
            assert_int_equal(ferry_slots_confirm(slots()), FERRY_OK);
            expect_fields(1, rows[i][1]);
            expect_next(1, FERRY_SWAP_NONE);
        }
    }
}

/* ---- Faults -----------------------------------------------------------------------------------
 */

enum act { ACT_TEST, ACT_PERM, ACT_RAISE, ACT_CONFIRM, ACT_CANCEL, ACTS };

static int act(enum act what)
{
    switch (what) {
    case ACT_TEST:
        return ferry_slots_set_pending(slots(), false);
    case ACT_CONFIRM:
        return ferry_slots_confirm(slots());
    case ACT_CANCEL:
        return ferry_slots_cancel(slots());
    default:
        return ferry_slots_set_pending(slots(), true);
    }
}

static void arrange_act(enum act what, bool with_store)
{
    static const char *const before[ACTS] = {"", "", "m", "md", "m"};
    begin(&ferry_traits_direct_xip_revert, with_store);
    place_trailer(&rig, 0, "mdk");
    place_trailer(&rig, 1, before[what]);
    rig.image.slots.active = what == ACT_CONFIRM ? 1 : 0;
}

/* What the next boot does before or after the act; nothing in between may be seen. */
static bool is_between(enum act what)
{
    static const enum ferry_swap_type types[ACTS][2] = {{FERRY_SWAP_NONE, FERRY_SWAP_TEST},
                                                        {FERRY_SWAP_NONE, FERRY_SWAP_PERM},
                                                        {FERRY_SWAP_TEST, FERRY_SWAP_PERM},
                                                        {FERRY_SWAP_REVERT, FERRY_SWAP_NONE},
                                                        {FERRY_SWAP_TEST, FERRY_SWAP_NONE}};
    struct ferry_slots_next next;
    assert_int_equal(ferry_slots_next_boot(slots(), &next), FERRY_OK);
    if (next.type != types[what][0] && next.type != types[what][1]) {
        print_error("next: %s\n", ferry_swap_type_name(next.type));
        return false;
    }
    return true;
}

/* One fault in one act. Returns whether it struck. */
static bool fault(enum act what, bool with_store, uint32_t at, enum place_way way)
{
    arrange_act(what, with_store);
    place_power_on(&rig, at, way);
    int rc = act(what);
    bool struck = rig.struck > 0;
    assert_true(struck || rc == FERRY_OK);
    place_power_on(&rig, 0, PLACE_BEFORE);
    if (!is_between(what)) {
        fail_msg("act %d, store %d, operation %u, way %d", what, with_store, at, way);
    }
    assert_true(place_holds(&rig, 0, &v1) && place_holds(&rig, 1, &v2));
    expect_fields(0, "mdk");
    assert_int_equal(rig.violations, 0);
    /* Done again it succeeds, unless the very sector is worn out. */
    if (way != PLACE_DIES) {
        rc = act(what);
        assert_true(rc == FERRY_OK || (rc == FERRY_E_STATE && what == ACT_TEST));
        assert_int_equal(rig.violations, 0);
    }
    return struck;
}

static void test_every_fault_of_every_act(void **state)
{
    uint32_t faults = 0;
    (void)state;
    for (int what = 0; what < ACTS; what++) {
        for (int store = 0; store < 2; store++) {
            for (int way = 0; way < PLACE_WAYS; way++) {
                for (uint32_t at = 1; fault((enum act)what, store == 1, at, (enum place_way)way);
                     at++) {
                    faults++;
                }
            }
        }
    }
    assert_true(faults > 2 * PLACE_WAYS * ACTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_traits, setup),
        cmocka_unit_test_setup(test_sizes, setup),
        cmocka_unit_test_setup(test_check, setup),
        cmocka_unit_test_setup(test_single_slot_records_nothing, setup),
        cmocka_unit_test_setup(test_next_boot_with_reverts, setup),
        cmocka_unit_test_setup_teardown(test_next_boot_with_reverts, setup_unsteady, teardown),
        cmocka_unit_test_setup(test_next_boot_without_reverts, setup),
        cmocka_unit_test_setup(test_equal_versions, setup),
        cmocka_unit_test_setup(test_next_boot_with_unreadable_flash, setup),
        cmocka_unit_test_setup(test_requests, setup),
        cmocka_unit_test_setup_teardown(test_requests, setup_unsteady, teardown),
        cmocka_unit_test_setup(test_request_for_slot_0, setup),
        cmocka_unit_test_setup(test_damage_beside_a_large_image, setup),
        cmocka_unit_test_setup(test_a_request_is_a_new_life, setup),
        cmocka_unit_test_setup(test_a_request_with_a_dead_store, setup),
        cmocka_unit_test_setup(test_cancel, setup),
        cmocka_unit_test_setup_teardown(test_cancel, setup_unsteady, teardown),
        cmocka_unit_test_setup(test_cancel_knows_the_old_image, setup),
        cmocka_unit_test_setup(test_cancel_beside_a_large_image, setup),
        cmocka_unit_test_setup(test_cancel_without_reverts, setup),
        cmocka_unit_test_setup(test_confirm, setup),
        cmocka_unit_test_setup(test_confirm_of_a_large_image, setup),
        cmocka_unit_test_setup(test_confirm_behind_a_magic_that_is_near, setup),
        cmocka_unit_test_setup(test_a_flipped_bit_is_no_mark, setup),
        cmocka_unit_test_setup(test_spoilt_units, setup),
        cmocka_unit_test_setup_teardown(test_confirm, setup_unsteady, teardown),
        cmocka_unit_test_setup(test_confirm_without_reverts, setup),
        cmocka_unit_test_setup_teardown(test_confirm_without_reverts, setup_unsteady, teardown),
        cmocka_unit_test_setup(test_every_fault_of_every_act, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
