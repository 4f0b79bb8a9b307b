/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of flash: slices, memory, and the decorators that count and cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/flash.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Three runs of unequal sectors: 4 of 256, 2 of 1024, 1 of 4096. */
#define MIXED_SIZE    (4 * 256 + 2 * 1024 + 4096)
#define MIXED_SECTORS 7

struct device {
    struct ferry_flash_ram ram;
    uint8_t memory[MIXED_SIZE];
};

static const struct ferry_flash *device_init(struct device *device, uint8_t write_size,
                                             uint8_t erased_value)
{
    device->ram.flash = (struct ferry_flash){.size = MIXED_SIZE,
                                             .write_size = write_size,
                                             .erased_value = erased_value,
                                             .run_count = 3,
                                             .runs = {{4, 256}, {2, 1024}, {1, 4096}}};
    memset(device->memory, erased_value, sizeof(device->memory));
    assert_int_equal(ferry_flash_ram_init(&device->ram, device->memory), FERRY_OK);
    return &device->ram.flash;
}

static const struct ferry_flash_sector mixed[MIXED_SECTORS] = {
    {0, 0, 256},     {1, 256, 256},   {2, 512, 256},  {3, 768, 256},
    {4, 1024, 1024}, {5, 2048, 1024}, {6, 3072, 4096}};

/* ---- Slice --------------------------------------------------------------------------------- */

static void a_slice_has_the_sectors_of_its_part(void **state)
{
    struct device device;
    const struct ferry_flash *parent = device_init(&device, 4, 0xff);

    (void)state;
    for (uint32_t a = 0; a < MIXED_SECTORS; a++) {
        for (uint32_t b = a; b < MIXED_SECTORS; b++) {
            struct ferry_flash_slice slice;
            struct ferry_flash_sector sector;
            uint32_t offset = mixed[a].offset;
            uint32_t size = mixed[b].offset + mixed[b].size - offset;

            assert_int_equal(ferry_flash_slice_init(&slice, parent, offset, size), FERRY_OK);
            assert_int_equal(ferry_flash_check(&slice.flash), FERRY_OK);
            assert_int_equal(slice.flash.size, size);
            assert_int_equal(ferry_flash_sector_count(&slice.flash), b - a + 1);
            for (uint32_t i = a; i <= b; i++) {
                assert_int_equal(ferry_flash_sector(&slice.flash, i - a, &sector), FERRY_OK);
                assert_int_equal(sector.offset, mixed[i].offset - offset);
                assert_int_equal(sector.size, mixed[i].size);
            }
        }
    }
}

static void a_slice_reaches_its_part_only(void **state)
{
    struct device device;
    const struct ferry_flash *parent = device_init(&device, 4, 0xff);
    struct ferry_flash_slice slice;
    struct ferry_flash_slice inner;
    uint8_t bytes[1024];

    (void)state;
    assert_int_equal(ferry_flash_slice_init(&slice, parent, 512, 2560), FERRY_OK);
    assert_int_equal(ferry_flash_slice_init(&inner, &slice.flash, 512, 1024), FERRY_OK);
    memset(bytes, 0x22, sizeof(bytes));
    assert_int_equal(ferry_flash_program(&inner.flash, 0, bytes, 1024), FERRY_OK);
    assert_true(ferry_all_equal(device.memory, 1024, 0xff));
    assert_true(ferry_all_equal(device.memory + 1024, 1024, 0x22));
    assert_true(ferry_all_equal(device.memory + 2048, MIXED_SIZE - 2048, 0xff));
    assert_int_equal(ferry_flash_read(&slice.flash, 508, bytes, 8), FERRY_OK);
    assert_memory_equal(bytes, "\xff\xff\xff\xff\x22\x22\x22\x22", 8);
    assert_int_equal(ferry_flash_read(&inner.flash, 1020, bytes, 8), FERRY_E_BOUNDS);
    assert_int_equal(ferry_flash_program(&inner.flash, 1024, bytes, 4), FERRY_E_BOUNDS);
    assert_int_equal(ferry_flash_erase(&inner.flash, 0, 1024), FERRY_OK);
    assert_true(ferry_all_equal(device.memory, MIXED_SIZE, 0xff));
}

static void a_slice_ends_on_sector_edges(void **state)
{
    static const struct {
        uint32_t offset;
        uint32_t size;
        int rc;
    } cases[] = {{0, 0, FERRY_E_BOUNDS},
                 {0, MIXED_SIZE + 1, FERRY_E_BOUNDS},
                 {MIXED_SIZE, 256, FERRY_E_BOUNDS},
                 {256, UINT32_MAX, FERRY_E_BOUNDS},
                 {4, 252, FERRY_E_ALIGN},
                 {0, 252, FERRY_E_ALIGN},
                 {1024, 256, FERRY_E_ALIGN},
                 {1280, 768, FERRY_E_ALIGN},
                 {0, MIXED_SIZE, FERRY_OK}};
    struct device device;
    const struct ferry_flash *parent = device_init(&device, 4, 0xff);
    struct ferry_flash_slice slice;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(ferry_flash_slice_init(&slice, parent, cases[i].offset, cases[i].size),
                         cases[i].rc);
    }
}

/* ---- Memory --------------------------------------------------------------------------------- */

static void ram_is_nor(void **state)
{
    static const uint8_t erased[] = {0xff, 0x00};
    struct device device;

    (void)state;
    for (size_t e = 0; e < COUNT(erased); e++) {
        const struct ferry_flash *flash = device_init(&device, 1, erased[e]);

        for (unsigned old = 0; old < 256; old++) {
            for (unsigned new = 0; new < 256; new ++) {
                uint8_t byte = (uint8_t) new;
                /* Bits that are not as erased may only become more. */
                bool can = (((old ^ erased[e]) & ~(new ^ erased[e])) & 0xff) == 0;

                device.memory[5] = (uint8_t)old;
                assert_int_equal(ferry_flash_program(flash, 5, &byte, 1),
                                 can ? FERRY_OK : FERRY_E_NOT_ERASED);
                assert_int_equal(device.memory[5], can ? new : old);
            }
        }
    }
}

static void ram_refuses_a_program_whole(void **state)
{
    struct device device;
    const struct ferry_flash *flash = device_init(&device, 4, 0xff);

    (void)state;
    device.memory[7] = 0;
    assert_int_equal(ferry_flash_program(flash, 0, "12345678", 8), FERRY_E_NOT_ERASED);
    assert_true(ferry_all_equal(device.memory, 7, 0xff));
}

static void ram_checks_its_geometry(void **state)
{
    struct device device;

    (void)state;
    (void)device_init(&device, 4, 0xff);
    assert_int_equal(ferry_flash_ram_init(&device.ram, NULL), FERRY_E_CONFIG);
    device.ram.flash.write_size = 5;
    assert_int_equal(ferry_flash_ram_init(&device.ram, device.memory), FERRY_E_CONFIG);
}

static void rom_is_read_only(void **state)
{
    static const uint8_t bytes[] = "an image in a file";
    struct ferry_flash_ram rom;
    uint8_t got[8];

    (void)state;
    assert_int_equal(ferry_flash_rom_init(&rom, bytes, sizeof(bytes)), FERRY_OK);
    assert_int_equal(rom.flash.size, sizeof(bytes));
    assert_int_equal(ferry_flash_read(&rom.flash, 3, got, 5), FERRY_OK);
    assert_memory_equal(got, "image", 5);
    assert_int_equal(ferry_flash_read(&rom.flash, sizeof(bytes) - 4, got, 5), FERRY_E_BOUNDS);
    assert_int_equal(ferry_flash_program(&rom.flash, 0, got, 1), FERRY_E_UNSUPPORTED);
    assert_int_equal(ferry_flash_erase(&rom.flash, 0, sizeof(bytes)), FERRY_E_UNSUPPORTED);
    assert_int_equal(ferry_flash_rom_init(&rom, bytes, 0), FERRY_E_CONFIG);
    assert_int_equal(ferry_flash_rom_init(&rom, NULL, 8), FERRY_E_CONFIG);
}

/* ---- Counting ---------------------------------------------------------------------------------
 */

static void the_counter_counts(void **state)
{
    struct device device;
    struct ferry_flash_counter counter;
    uint32_t wear[MIXED_SECTORS] = {0};
    uint8_t bytes[64] = {0};

    (void)state;
    ferry_flash_counter_init(&counter, device_init(&device, 4, 0xff), wear);
    assert_int_equal(ferry_flash_check(&counter.flash), FERRY_OK);
    assert_int_equal(ferry_flash_program(&counter.flash, 0, bytes, 64), FERRY_OK);
    assert_int_equal(ferry_flash_program(&counter.flash, 64, bytes, 4), FERRY_OK);
    assert_int_equal(ferry_flash_program(&counter.flash, 65, bytes, 4), FERRY_E_ALIGN);
    assert_int_equal(ferry_flash_read(&counter.flash, 1, bytes, 33), FERRY_OK);
    assert_int_equal(ferry_flash_erase(&counter.flash, 0, 256), FERRY_OK);
    assert_int_equal(ferry_flash_erase(&counter.flash, 768, 1280), FERRY_OK);
    assert_int_equal(counter.counts.programs, 2);
    assert_int_equal(counter.counts.bytes_programmed, 68);
    assert_int_equal(counter.counts.reads, 1);
    assert_int_equal(counter.counts.bytes_read, 33);
    assert_int_equal(counter.counts.erases, 2);
    assert_int_equal(counter.counts.sectors_erased, 3);
    assert_memory_equal(wear, ((uint32_t[]){1, 0, 0, 1, 1, 0, 0}), sizeof(wear));
}

/* ---- Power cut ---------------------------------------------------------------------------------
 */

struct powered {
    struct device device;
    struct ferry_power power;
    struct ferry_flash_cutter cutter;
};

static const struct ferry_flash *powered_init(struct powered *powered, uint64_t cut_at,
                                              enum ferry_cut how)
{
    powered->power = (struct ferry_power){.cut_at = cut_at, .how = how};
    ferry_flash_cutter_init(&powered->cutter, device_init(&powered->device, 4, 0xff),
                            &powered->power);
    return &powered->cutter.flash;
}

static void without_a_cut_everything_passes(void **state)
{
    struct powered powered;
    const struct ferry_flash *flash = powered_init(&powered, 0, FERRY_CUT_BEFORE);
    uint8_t byte;

    (void)state;
    assert_int_equal(ferry_flash_check(flash), FERRY_OK);
    assert_int_equal(ferry_flash_program(flash, 0, "abcd", 4), FERRY_OK);
    assert_int_equal(ferry_flash_read(flash, 3, &byte, 1), FERRY_OK);
    assert_int_equal(byte, 'd');
    assert_int_equal(ferry_flash_program(flash, 0, "zzzz", 4), FERRY_E_NOT_ERASED);
    assert_int_equal(ferry_flash_erase(flash, 0, 256), FERRY_OK);
    assert_int_equal(powered.power.operations, 3);
    assert_false(powered.power.off);
}

static void a_program_is_cut(void **state)
{
    static const size_t done[] = {
        [FERRY_CUT_BEFORE] = 0, [FERRY_CUT_AFTER] = 20, [FERRY_CUT_INSIDE] = 8};
    uint8_t bytes[20] = {0};

    (void)state;
    for (size_t how = 0; how < COUNT(done); how++) {
        struct powered powered;
        const struct ferry_flash *flash = powered_init(&powered, 2, (enum ferry_cut)how);

        assert_int_equal(ferry_flash_program(flash, 0, bytes, 4), FERRY_OK);
        assert_int_equal(ferry_flash_program(flash, 64, bytes, 20), FERRY_E_POWER);
        assert_true(ferry_all_equal(powered.device.memory + 64, done[how], 0));
        assert_true(ferry_all_equal(powered.device.memory + 64 + done[how], 64, 0xff));
        assert_int_equal(powered.power.operations, 2);
        assert_true(powered.power.off);
    }
}

static void an_erase_is_cut(void **state)
{
    static const size_t done[] = {
        [FERRY_CUT_BEFORE] = 0, [FERRY_CUT_AFTER] = 256, [FERRY_CUT_INSIDE] = 128};

    (void)state;
    for (size_t how = 0; how < COUNT(done); how++) {
        struct powered powered;
        const struct ferry_flash *flash = powered_init(&powered, 1, (enum ferry_cut)how);

        memset(powered.device.memory, 0x33, MIXED_SIZE);
        assert_int_equal(ferry_flash_erase(flash, 256, 256), FERRY_E_POWER);
        assert_true(ferry_all_equal(powered.device.memory, 256, 0x33));
        assert_true(ferry_all_equal(powered.device.memory + 256, done[how], 0xff));
        assert_true(ferry_all_equal(powered.device.memory + 256 + done[how], 256, 0x33));
    }
}

static void a_program_of_one_unit_cannot_be_halved(void **state)
{
    struct powered powered;
    const struct ferry_flash *flash = powered_init(&powered, 1, FERRY_CUT_INSIDE);

    (void)state;
    assert_int_equal(ferry_flash_program(flash, 0, "abcd", 4), FERRY_E_POWER);
    assert_true(ferry_all_equal(powered.device.memory, 4, 0xff));
    assert_true(powered.power.off);
}

static void without_power_nothing_answers(void **state)
{
    struct powered powered;
    const struct ferry_flash *flash = powered_init(&powered, 1, FERRY_CUT_BEFORE);
    uint8_t bytes[4] = {0};

    (void)state;
    assert_int_equal(ferry_flash_program(flash, 0, bytes, 4), FERRY_E_POWER);
    assert_int_equal(ferry_flash_read(flash, 0, bytes, 4), FERRY_E_POWER);
    assert_int_equal(ferry_flash_program(flash, 0, bytes, 4), FERRY_E_POWER);
    assert_int_equal(ferry_flash_erase(flash, 0, 256), FERRY_E_POWER);
    assert_int_equal(ferry_flash_is_erased(flash, 0, 256), FERRY_E_POWER);
    assert_int_equal(ferry_flash_erase_dirty(flash, 0, 256), FERRY_E_POWER);
    assert_int_equal(ferry_flash_copy(flash, 0, flash, 256, 4, bytes, 4), FERRY_E_POWER);
    assert_int_equal(powered.power.operations, 1);
    powered.power.off = false;
    assert_int_equal(ferry_flash_program(flash, 0, bytes, 4), FERRY_OK);
}

static void all_areas_share_the_power(void **state)
{
    struct powered powered;
    const struct ferry_flash *first = powered_init(&powered, 2, FERRY_CUT_AFTER);
    struct device other;
    struct ferry_flash_cutter second;
    uint8_t bytes[4] = {0};

    (void)state;
    ferry_flash_cutter_init(&second, device_init(&other, 4, 0xff), &powered.power);
    assert_int_equal(ferry_flash_program(first, 0, bytes, 4), FERRY_OK);
    assert_int_equal(ferry_flash_program(&second.flash, 0, bytes, 4), FERRY_E_POWER);
    assert_true(ferry_all_equal(other.memory, 4, 0));
    assert_int_equal(ferry_flash_read(first, 0, bytes, 4), FERRY_E_POWER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slice_has_the_sectors_of_its_part),
        cmocka_unit_test(a_slice_reaches_its_part_only),
        cmocka_unit_test(a_slice_ends_on_sector_edges),
        cmocka_unit_test(ram_is_nor),
        cmocka_unit_test(ram_refuses_a_program_whole),
        cmocka_unit_test(ram_checks_its_geometry),
        cmocka_unit_test(rom_is_read_only),
        cmocka_unit_test(the_counter_counts),
        cmocka_unit_test(without_a_cut_everything_passes),
        cmocka_unit_test(a_program_is_cut),
        cmocka_unit_test(an_erase_is_cut),
        cmocka_unit_test(a_program_of_one_unit_cannot_be_halved),
        cmocka_unit_test(without_power_nothing_answers),
        cmocka_unit_test(all_areas_share_the_power),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
