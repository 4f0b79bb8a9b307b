/* SPDX-License-Identifier: Apache-2.0 */
/* What `ferry layout` counts of updates, against what make bench-swap counts of the same slots with
 * a device of its own, and against MCUboot's figures (bench/swap_figures.c). */
#include "cli/layout/estimate.h"
#include "cli/layout/room.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The images of the bench: 50 sectors. */
#define SIZE 204759U

static struct layout layout;
static struct estimate estimate;
static struct estimate_options options;

/* Two slots of 64 sectors of 4096 bytes, N = 64, write size 8. fields: more of the layout's. */
static void make_layout(const char *strategy, const char *image, const char *areas,
                        const char *fields)
{
    char text[2048];
    char why[LAYOUT_WHY_MAX] = "";

    (void)snprintf(text, sizeof text,
                   "{\"flash\": [{\"name\": \"f\", \"sectors\": [{\"count\": 256, \"size\": "
                   "\"4K\"}], \"write_size\": 8, \"erased_value\": 255}], \"areas\": [{\"name\": "
                   "\"bootloader\", \"device\": \"f\", \"offset\": 0, \"size\": \"64K\"}, "
                   "{\"name\": \"a\", \"device\": \"f\", \"offset\": \"256K\", \"size\": "
                   "\"256K\"}, {\"name\": \"b\", \"device\": \"f\", \"offset\": \"512K\", "
                   "\"size\": \"256K\"}%s], \"images\": [{\"strategy\": \"%s\", \"primary\": "
                   "\"a\"%s}], \"max_align\": 8, \"max_sectors\": 64, \"keys\": []%s}",
                   areas, strategy, image, fields);
    int rc = layout_parse(text, &layout, why);
    assert_string_equal(why, "");
    assert_int_equal(rc, FERRY_OK);
}

static void run(uint32_t size)
{
    const uint32_t sizes[FERRY_VCHIP_IMAGES] = {size, size, size, size};
    int rc = estimate_updates(&layout, 1, sizes, &options, &estimate);

    if (rc != FERRY_OK) {
        fail_msg("%s: %s", estimate.what, ferry_error_name(rc));
    }
}

static const struct estimate_cost *cost(const char *area, enum estimate_phase phase)
{
    return &estimate.areas[layout_area(&layout, area) - layout.areas].phases[phase];
}

static double wear(const char *area)
{
    return estimate.areas[layout_area(&layout, area) - layout.areas].wear;
}

#define STORE ", {\"name\": \"store\", \"device\": \"f\", \"offset\": \"64K\", \"size\": \"8K\"}"
#define SCRATCH(size)                                                                              \
    STORE ", {\"name\": \"s\", \"device\": \"f\", \"offset\": \"128K\", \"size\": " size "}"
#define RAM       ", \"ram\": {\"address\": \"0x20000000\", \"size\": \"256K\"}"
#define SECONDARY ", \"secondary\": \"b\""

/* Erases of primary, secondary and scratch; wear of the hottest sector of the slots. */
struct row {
    const char *strategy, *image, *areas, *fields;
    uint32_t install[3], revert[3];
    double wear;
};

static const struct row rows[] = {
    {"swap-move", SECONDARY, STORE, "", {101, 51, 0}, {101, 51, 0}, 2},
    {"swap-offset", SECONDARY, STORE, "", {51, 50, 0}, {51, 51, 0}, 2},
    /* One more than the bench has, which erases the whole slot before it uploads: the server leaves
     * the last sector of an image that is one sector up to the bootloader. */
    {"swap-shift", SECONDARY, STORE, "", {51, 52, 0}, {51, 50, 0}, 2},
    {"swap-scratch",
     SECONDARY ", \"scratch\": \"s\"",
     SCRATCH("\"4K\""),
     "",
     {51, 51, 50},
     {51, 51, 50},
     2},
    {"swap-scratch",
     SECONDARY ", \"scratch\": \"s\"",
     SCRATCH("\"16K\""),
     "",
     {51, 51, 50},
     {51, 51, 50},
     2},
    {"overwrite", SECONDARY, STORE, "", {50, 2, 0}, {0, 0, 0}, 1},
    {"direct-xip", SECONDARY, STORE, "", {0, 0, 0}, {0, 0, 0}, 0.5},
    {"direct-xip-revert", SECONDARY, STORE, "", {0, 0, 0}, {2, 0, 0}, 0.5},
    {"ram-load", SECONDARY, STORE, RAM, {0, 0, 0}, {0, 0, 0}, 0.5},
    {"ram-load-revert", SECONDARY, STORE, RAM, {0, 0, 0}, {2, 0, 0}, 0.5},
    {"single-slot", "", STORE, "", {0, 0, 0}, {0, 0, 0}, 1},
};

static void the_figures_are_those_of_the_bench(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        const bool scratch = strstr(row->areas, "\"s\"") != NULL;

        print_message("%s\n", row->strategy);
        make_layout(row->strategy, row->image, row->areas, row->fields);
        run(SIZE);
        assert_int_equal(cost("a", ESTIMATE_INSTALL)->erases, row->install[0]);
        assert_int_equal(cost("b", ESTIMATE_INSTALL)->erases, row->install[1]);
        assert_int_equal(cost("a", ESTIMATE_REVERT)->erases + cost("b", ESTIMATE_REVERT)->erases,
                         row->revert[0] + row->revert[1]);
        if (scratch) {
            assert_int_equal(cost("s", ESTIMATE_INSTALL)->erases, row->install[2]);
            assert_int_equal(cost("s", ESTIMATE_REVERT)->erases, row->revert[2]);
        }
        assert_true(wear("a") <= row->wear && wear("b") <= row->wear);
        assert_true(wear("a") == row->wear || wear("b") == row->wear);
    }
}

/* Beyond what the bench counts the install has the confirm: one unit of image_ok. */
static void what_is_written_is_that_of_the_bench(void **state)
{
    (void)state;
    make_layout("swap-move", SECONDARY, STORE, "");
    run(SIZE);
    assert_int_equal(cost("a", ESTIMATE_INSTALL)->written + cost("b", ESTIMATE_INSTALL)->written,
                     615528 + 8);
    assert_int_equal(cost("a", ESTIMATE_REVERT)->written + cost("b", ESTIMATE_REVERT)->written,
                     615576);
}

static void seconds_are_erases_writes_and_reads(void **state)
{
    (void)state;
    make_layout("overwrite", SECONDARY, STORE, "");
    options = (struct estimate_options){.erase_ms = 100, .program_us = 50};
    run(SIZE);
    const struct estimate_cost *upload = &estimate.phases[ESTIMATE_UPLOAD];
    double seconds = upload->erases * 0.1 + (double)upload->written / 8 * 50e-6;
    assert_true(upload->seconds > seconds - 1e-6 && upload->seconds < seconds + 1e-6);
    options.read_kib_s = 1024;
    run(SIZE);
    seconds += (double)upload->read / 1024 / 1024;
    assert_true(upload->seconds > seconds - 1e-6 && upload->seconds < seconds + 1e-6);
    options = (struct estimate_options){0};
}

/* A sector of 64 KiB takes as long as 16 of 4 KiB, and words count by their bytes, unless the
 * layout says otherwise; what the command line says counts before that. */
static void times_are_told_or_known(void **state)
{
    struct layout_device device = {.geometry = {.write_size = 16}};
    struct estimate_options said = {0};

    (void)state;
    assert_true(estimate_erase_ms(&device, &said, 4096) == 85);
    assert_true(estimate_erase_ms(&device, &said, 65536) == 16 * 85);
    assert_true(estimate_erase_ms(&device, &said, 512) == 85);
    assert_true(estimate_program_us(&device, &said) == 4 * 41);
    assert_int_equal(estimate_endurance(&device, &said), 10000);
    device.erase_ms = 7;
    device.program_us = 8;
    device.endurance = 9;
    assert_true(estimate_erase_ms(&device, &said, 65536) == 7);
    assert_true(estimate_program_us(&device, &said) == 8);
    assert_int_equal(estimate_endurance(&device, &said), 9);
    said = (struct estimate_options){.erase_ms = 1, .program_us = 2, .endurance = 3};
    assert_true(estimate_erase_ms(&device, &said, 65536) == 1);
    assert_true(estimate_program_us(&device, &said) == 2);
    assert_int_equal(estimate_endurance(&device, &said), 3);
}

/* The area that is worn out first, by its own part's endurance. */
static void the_first_area_to_go_is_told(void **state)
{
    (void)state;
    make_layout("swap-scratch", SECONDARY ", \"scratch\": \"s\"", SCRATCH("\"4K\""), "");
    run(SIZE);
    assert_string_equal(layout.areas[estimate.hottest].name, "s");
    assert_true(wear("s") == 50);
    assert_int_equal(estimate.areas[estimate.hottest].updates, 10000 / 50);
    /* A record now and then: a sector of the store is erased once in some fifty updates. */
    assert_true(estimate.store_updates > 100);
    assert_true(wear("store") > 0.005 && wear("store") < 0.05);
}

/* Without a store the boots of an image that is not confirmed are MCUboot's: one. */
static void a_device_without_a_store_is_estimated_too(void **state)
{
    (void)state;
    make_layout("swap-move", SECONDARY, "", ", \"trials\": 5");
    run(SIZE);
    assert_int_equal(estimate.phases[ESTIMATE_INSTALL].erases, 152);
    assert_int_equal(estimate.phases[ESTIMATE_REVERT].erases, 152);
    assert_int_equal(estimate.store_updates, 0);
    make_layout("swap-move", SECONDARY, STORE, ", \"trials\": 5");
    run(SIZE);
    assert_int_equal(estimate.phases[ESTIMATE_REVERT].erases, 152);
    assert_true(cost("store", ESTIMATE_REVERT)->written > 4 * 16);
}

/* All sizes from the smallest to the largest can be estimated; beyond that it is said. */
static void sizes_have_limits(void **state)
{
    uint32_t sizes[FERRY_VCHIP_IMAGES] = {0};
    struct room room;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make_layout(rows[i].strategy, rows[i].image, rows[i].areas, rows[i].fields);
        assert_int_equal(room_of(&layout, 0, &room), FERRY_OK);
        run(MODEL_IMAGE_MIN);
        run(4096);
        run(room.limit);
        sizes[0] = room.limit + 1;
        assert_int_equal(estimate_updates(&layout, 1, sizes, &options, &estimate),
                         FERRY_E_TOO_LARGE);
        sizes[0] = MODEL_IMAGE_MIN - 1;
        assert_int_equal(estimate_updates(&layout, 1, sizes, &options, &estimate),
                         FERRY_E_IMAGE_SIZE);
    }
}

/* What is told of the room of a slot adds up to the slot. */
static void what_takes_the_rest_adds_up(void **state)
{
    struct room room;
    char text[ROOM_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        make_layout(rows[i].strategy, rows[i].image, rows[i].areas, rows[i].fields);
        assert_int_equal(room_of(&layout, 0, &room), FERRY_OK);
        assert_int_equal(room.slot, 256 * 1024);
        if (!room.shared) {
            assert_int_equal(room.max_image + room.sectors + room.spare, room.slot);
        }
        room_text(&room, text);
        assert_non_null(strstr(text, "262144 bytes of its slot"));
    }
    make_layout("ram-load", SECONDARY, STORE,
                ", \"ram\": {\"address\": \"0x20000000\", \"size\": \"128K\"}");
    assert_int_equal(room_of(&layout, 0, &room), FERRY_OK);
    assert_int_equal(room.limit, 128 * 1024);
    assert_string_equal(room.limited_by, "ram");
    run(0);
}

/* ---- Random layouts ------------------------------------------------------------------------ */

static uint32_t dice_state;

static uint32_t dice(uint32_t sides)
{
    dice_state = dice_state * 1664525U + 1013904223U;
    return (dice_state >> 8) % sides;
}

static const char *one_of(const char *const *list, uint32_t count)
{
    return list[dice(count)];
}

/* A layout of two flash devices that may be; text has 2048 bytes. */
static void random_layout(const struct ferry_strategy_traits *traits, char *text)
{
    static const char *const sizes[] = {"512", "1024", "2048", "4096"};
    static const char *const units[] = {"1", "2", "4", "8", "16", "32"};
    static const char *const aligns[] = {"8", "16", "32"};
    static const char *const sectors[] = {"16", "64", "128"};
    static const char *const more[] = {
        "", ", \"trials\": 0", ", \"trials\": 3", ", \"enc_tlv\": 80",
        ", \"policy\": {\"no_downgrade\": true, \"security_counter\": true}"};
    bool two = dice(3) == 0;

    (void)snprintf(
        text, 2048,
        "{\"flash\": [{\"name\": \"f\", \"sectors\": [{\"count\": 32, \"size\": %s}, "
        "{\"count\": 32, \"size\": %s}], \"write_size\": %s, \"erased_value\": 255}, {\"name\": "
        "\"g\", \"sectors\": [{\"count\": 64, \"size\": 4096}], \"write_size\": %s, "
        "\"erased_value\": %s}], \"areas\": [{\"name\": \"bootloader\", \"device\": \"g\", "
        "\"offset\": 0, \"size\": 4096}, {\"name\": \"secrets\", \"device\": \"g\", \"offset\": "
        "4096, \"size\": 4096}, {\"name\": \"%s\", \"device\": \"g\", \"offset\": \"16K\", "
        "\"size\": \"16K\"}, {\"name\": \"s\", \"device\": \"g\", \"offset\": \"32K\", \"size\": "
        "\"16K\"}, {\"name\": \"a\", \"device\": \"f\", \"offset\": 0, \"size\": 16384}, "
        "{\"name\": \"b\", \"device\": \"%s\", \"offset\": %u, \"size\": 16384}], \"images\": "
        "[{\"strategy\": \"%s\", \"primary\": \"a\"%s%s}], \"ram\": {\"address\": "
        "\"0x20000000\", \"size\": \"%s\"}, \"max_align\": %s, \"max_sectors\": %s, \"keys\": "
        "[]%s}",
        one_of(sizes, 4), one_of(sizes, 4), one_of(units, 6), one_of(units, 6),
        dice(2) == 0 ? "0" : "255", dice(4) == 0 ? "other" : "store", two ? "g" : "f",
        two ? 65536U : 16384U, traits->name, traits->slot_count == 2 ? SECONDARY : "",
        traits->scratch ? ", \"scratch\": \"s\"" : "", dice(2) == 0 ? "8K" : "64K",
        one_of(aligns, 3), one_of(sectors, 3), one_of(more, 5));
}

/* What the reader takes, a device of it can do. */
static void every_layout_that_is_read_can_be_estimated(void **state)
{
    char text[2048];
    char why[LAYOUT_WHY_MAX];

    (void)state;
    dice_state = 7;
    for (size_t i = 0; ferry_strategy_traits_at(i) != NULL; i++) {
        const struct ferry_strategy_traits *traits = ferry_strategy_traits_at(i);
        uint32_t read = 0;

        for (uint32_t n = 0; n < 30 && !traits->own_primary; n++) {
            random_layout(traits, text);
            if (layout_parse(text, &layout, why) != FERRY_OK) {
                continue;
            }
            const uint32_t sizes[FERRY_VCHIP_IMAGES] = {dice(2) == 0 ? 0 : 1000 + dice(3000)};
            int rc = estimate_updates(&layout, 1, sizes, &options, &estimate);
            if (rc != FERRY_OK && (rc != FERRY_E_TOO_LARGE || sizes[0] == 0)) {
                fail_msg("%s: %s\n%s", estimate.what, ferry_error_name(rc), text);
            }
            read++;
        }
        print_message("%-18s %u layouts\n", traits->name, (unsigned)read);
        assert_true(traits->own_primary || read > 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_figures_are_those_of_the_bench),
        cmocka_unit_test(what_is_written_is_that_of_the_bench),
        cmocka_unit_test(seconds_are_erases_writes_and_reads),
        cmocka_unit_test(times_are_told_or_known),
        cmocka_unit_test(the_first_area_to_go_is_told),
        cmocka_unit_test(a_device_without_a_store_is_estimated_too),
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(what_takes_the_rest_adds_up),
        cmocka_unit_test(every_layout_that_is_read_can_be_estimated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
