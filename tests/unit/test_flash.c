/* SPDX-License-Identifier: Apache-2.0 */
/* Flash: geometry, checked access, and what is built on it. Kinds of flash and decorators are in
 * test_flash_kinds.c. */
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

/* ---- Geometry ----------------------------------------------------------------------- */

static void check_takes_what_is_right(void **state)
{
    struct device device;

    (void)state;
    for (uint8_t write_size = 1; write_size <= FERRY_FLASH_WRITE_MAX; write_size *= 2) {
        (void)device_init(&device, write_size, 0xff);
        (void)device_init(&device, write_size, 0x00);
    }
}

static void check_refuses_each_wrong_field(void **state)
{
    struct device device;
    const struct ferry_flash good = *device_init(&device, 4, 0xff);
    struct ferry_flash bad[15];

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        bad[i] = good;
    }
    bad[0].ops = NULL;
    bad[1].write_size = 0;
    bad[2].write_size = 3;
    bad[3].write_size = 64;
    bad[4].erased_value = 0xfe;
    bad[5].run_count = 0;
    bad[6].run_count = FERRY_FLASH_RUNS + 1;
    bad[7].runs[1].count = 0;
    bad[8].runs[1].size = 0;
    bad[9].runs[1].size = 1023;
    bad[10].size--;
    bad[11].size++;
    bad[12].runs[0].count = UINT32_MAX;                        /* beyond 32 bits */
    bad[13].runs[2] = (struct ferry_flash_run){1, 0xfffff800}; /* beyond, by the sum */
    bad[14].run_count = 2;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(ferry_flash_check(&bad[i]), FERRY_E_CONFIG);
    }
    assert_int_equal(ferry_flash_check(NULL), FERRY_E_CONFIG);
    assert_int_equal(ferry_flash_check(&good), FERRY_OK);
}

static void an_area_may_have_nearly_all_of_32_bits(void **state)
{
    struct device device;
    struct ferry_flash large = *device_init(&device, 1, 0xff);
    struct ferry_flash_sector sector;

    (void)state;
    large.size = 0xffff0000;
    large.run_count = 1;
    large.runs[0] = (struct ferry_flash_run){0xffff, 0x10000};
    assert_int_equal(ferry_flash_check(&large), FERRY_OK);
    assert_int_equal(ferry_flash_sector(&large, 0xfffe, &sector), FERRY_OK);
    assert_int_equal(sector.offset, 0xfffe0000);
    assert_int_equal(ferry_flash_sector_at(&large, 0xfffeffff, &sector), FERRY_OK);
    assert_int_equal(sector.index, 0xfffe);
    assert_int_equal(ferry_flash_sector_at(&large, 0xffff0000, &sector), FERRY_E_BOUNDS);
}

static void sectors_are_found_by_number_and_by_offset(void **state)
{
    struct device device;
    const struct ferry_flash *flash = device_init(&device, 4, 0xff);
    struct ferry_flash_sector got;

    (void)state;
    assert_int_equal(ferry_flash_sector_count(flash), MIXED_SECTORS);
    for (uint32_t i = 0; i < MIXED_SECTORS; i++) {
        assert_int_equal(ferry_flash_sector(flash, i, &got), FERRY_OK);
        assert_memory_equal(&got, &mixed[i], sizeof(got));
        for (uint32_t at = mixed[i].offset; at < mixed[i].offset + mixed[i].size; at++) {
            assert_int_equal(ferry_flash_sector_at(flash, at, &got), FERRY_OK);
            assert_memory_equal(&got, &mixed[i], sizeof(got));
            assert_int_equal(ferry_flash_is_edge(flash, at), at == mixed[i].offset);
        }
    }
    assert_true(ferry_flash_is_edge(flash, MIXED_SIZE));
    assert_false(ferry_flash_is_edge(flash, MIXED_SIZE + 1));
    assert_int_equal(ferry_flash_sector(flash, MIXED_SECTORS, &got), FERRY_E_BOUNDS);
    assert_int_equal(ferry_flash_sector(flash, UINT32_MAX, &got), FERRY_E_BOUNDS);
    assert_int_equal(ferry_flash_sector_at(flash, MIXED_SIZE, &got), FERRY_E_BOUNDS);
    assert_int_equal(ferry_flash_sector_at(flash, UINT32_MAX, &got), FERRY_E_BOUNDS);
}

/* ---- Access ------------------------------------------------------------------------- */

static void access_outside_is_refused(void **state)
{
    static const struct {
        uint32_t offset;
        size_t len;
    } outside[] = {{MIXED_SIZE, 8},     {MIXED_SIZE - 8, 16}, {0, MIXED_SIZE + 8},
                   {UINT32_MAX - 7, 8}, {8, SIZE_MAX - 7},    {UINT32_MAX - 7, SIZE_MAX - 7}};
    struct device device;
    const struct ferry_flash *flash = device_init(&device, 8, 0xff);
    uint8_t bytes[16] = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(outside); i++) {
        uint32_t offset = outside[i].offset;
        size_t len = outside[i].len;

        assert_int_equal(ferry_flash_read(flash, offset, bytes, len), FERRY_E_BOUNDS);
        assert_int_equal(ferry_flash_program(flash, offset, bytes, len), FERRY_E_BOUNDS);
        assert_int_equal(ferry_flash_erase(flash, offset, len), FERRY_E_BOUNDS);
        assert_int_equal(ferry_flash_erase_dirty(flash, offset, len), FERRY_E_BOUNDS);
        assert_int_equal(ferry_flash_is_erased(flash, offset, len), FERRY_E_BOUNDS);
    }
    assert_true(ferry_all_equal(device.memory, MIXED_SIZE, 0xff));
}

static void nothing_of_no_length_is_done(void **state)
{
    struct device device;
    const struct ferry_flash *flash = device_init(&device, 8, 0xff);

    (void)state;
    assert_int_equal(ferry_flash_read(flash, 3, NULL, 0), FERRY_OK);
    assert_int_equal(ferry_flash_program(flash, 3, NULL, 0), FERRY_OK);
    assert_int_equal(ferry_flash_erase(flash, 3, 0), FERRY_OK);
    assert_int_equal(ferry_flash_erase_dirty(flash, 3, 0), FERRY_OK);
    assert_int_equal(ferry_flash_is_erased(flash, 3, 0), 1);
}

static void program_is_aligned_to_the_write_size(void **state)
{
    struct device device;
    uint8_t bytes[96] = {0};

    (void)state;
    for (uint8_t unit = 1; unit <= FERRY_FLASH_WRITE_MAX; unit *= 2) {
        const struct ferry_flash *flash = device_init(&device, unit, 0xff);

        for (uint32_t offset = 0; offset < 64; offset++) {
            for (size_t len = 1; len <= 32; len++) {
                bool legal = offset % unit == 0 && len % unit == 0;

                memset(device.memory, 0xff, 128);
                assert_int_equal(ferry_flash_program(flash, offset, bytes, len),
                                 legal ? FERRY_OK : FERRY_E_ALIGN);
                assert_true(ferry_all_equal(device.memory + offset, len, legal ? 0 : 0xff));
                assert_true(ferry_all_equal(device.memory, offset, 0xff));
                assert_true(ferry_all_equal(device.memory + offset + len, 32, 0xff));
            }
        }
    }
}

static void erase_covers_whole_sectors(void **state)
{
    struct device device;
    const struct ferry_flash *flash = device_init(&device, 4, 0xff);

    (void)state;
    for (uint32_t from = 0; from < MIXED_SIZE; from += 128) {
        for (uint32_t end = from + 128; end <= MIXED_SIZE; end += 128) {
            bool legal = ferry_flash_is_edge(flash, from) && ferry_flash_is_edge(flash, end);

            memset(device.memory, 0x11, MIXED_SIZE);
            assert_int_equal(ferry_flash_erase(flash, from, end - from),
                             legal ? FERRY_OK : FERRY_E_ALIGN);
            assert_true(ferry_all_equal(device.memory, from, 0x11));
            assert_true(ferry_all_equal(device.memory + from, end - from, legal ? 0xff : 0x11));
            assert_true(ferry_all_equal(device.memory + end, MIXED_SIZE - end, 0x11));
        }
    }
}

static void program_padded_fills_whole_units(void **state)
{
    static const uint8_t erased[] = {0xff, 0x00};
    struct device device;
    uint8_t bytes[FERRY_FLASH_WRITE_MAX];

    (void)state;
    memset(bytes, 0x5a, sizeof(bytes));
    for (size_t e = 0; e < COUNT(erased); e++) {
        for (uint8_t unit = 1; unit <= FERRY_FLASH_WRITE_MAX; unit *= 2) {
            for (size_t len = 1; len <= FERRY_FLASH_WRITE_MAX; len++) {
                const struct ferry_flash *flash = device_init(&device, unit, erased[e]);

                assert_int_equal(ferry_flash_program_padded(flash, 64, bytes, len), FERRY_OK);
                assert_true(ferry_all_equal(device.memory, 64, erased[e]));
                assert_true(ferry_all_equal(device.memory + 64, len, 0x5a));
                assert_true(ferry_all_equal(device.memory + 64 + len, 64, erased[e]));
            }
        }
    }
}

static void program_padded_checks(void **state)
{
    struct device device;
    const struct ferry_flash *flash = device_init(&device, 8, 0xff);
    uint8_t bytes[64] = {0};

    (void)state;
    assert_int_equal(ferry_flash_program_padded(flash, 0, bytes, 0), FERRY_E_RANGE);
    assert_int_equal(ferry_flash_program_padded(flash, 0, bytes, 33), FERRY_E_RANGE);
    assert_int_equal(ferry_flash_program_padded(flash, 4, bytes, 4), FERRY_E_ALIGN);
    assert_int_equal(ferry_flash_program_padded(flash, MIXED_SIZE, bytes, 4), FERRY_E_BOUNDS);
    assert_int_equal(ferry_flash_program_padded(flash, MIXED_SIZE - 8, bytes, 9), FERRY_E_BOUNDS);
}

/* ---- Built from the verbs --------------------------------------------------------------- */

static void is_erased_sees_every_byte(void **state)
{
    static const uint8_t erased[] = {0xff, 0x00};
    struct device device;

    (void)state;
    for (size_t e = 0; e < COUNT(erased); e++) {
        const struct ferry_flash *flash = device_init(&device, 1, erased[e]);

        for (uint32_t at = 0; at < 300; at++) {
            device.memory[at] ^= 0x10;
            assert_int_equal(ferry_flash_is_erased(flash, 0, at), 1);
            assert_int_equal(ferry_flash_is_erased(flash, 0, at + 1), 0);
            assert_int_equal(ferry_flash_is_erased(flash, at, 1), 0);
            assert_int_equal(ferry_flash_is_erased(flash, at + 1, MIXED_SIZE - at - 1), 1);
            device.memory[at] ^= 0x10;
        }
    }
}

static void erase_dirty_erases_only_what_it_must(void **state)
{
    struct device device;
    struct ferry_flash_counter counter;
    uint32_t wear[MIXED_SECTORS] = {0};

    (void)state;
    ferry_flash_counter_init(&counter, device_init(&device, 1, 0xff), wear);
    device.memory[255] = 1;            /* sector 0 */
    device.memory[768] = 1;            /* sector 3 */
    device.memory[2047] = 1;           /* sector 4 */
    device.memory[MIXED_SIZE - 1] = 1; /* sector 6 */
    /* From inside sector 1 to inside sector 4. */
    assert_int_equal(ferry_flash_erase_dirty(&counter.flash, 300, 1024 - 300 + 1), FERRY_OK);
    assert_int_equal(device.memory[255], 1);
    assert_int_equal(device.memory[MIXED_SIZE - 1], 1);
    assert_memory_equal(wear, ((uint32_t[]){0, 0, 0, 1, 1, 0, 0}), sizeof(wear));
    assert_int_equal(ferry_flash_erase_dirty(&counter.flash, 0, MIXED_SIZE), FERRY_OK);
    assert_memory_equal(wear, ((uint32_t[]){1, 0, 0, 1, 1, 0, 1}), sizeof(wear));
    assert_true(ferry_all_equal(device.memory, MIXED_SIZE, 0xff));
    assert_int_equal(ferry_flash_erase_dirty(&counter.flash, 0, MIXED_SIZE), FERRY_OK);
    assert_int_equal(counter.counts.erases, 4);
}

/* A chip with ECC and a torn unit: reads of sector 3 fail until it is erased. */
static int ecc_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    const struct device *device = flash->context;

    if (device->memory[768] == 0xba && offset < 1024 && offset + len > 768) {
        return FERRY_E_FLASH;
    }
    memcpy(data, device->memory + offset, len);
    return FERRY_OK;
}

static int ecc_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    struct device *device = flash->context;

    memset(device->memory + offset, 0xff, len);
    return FERRY_OK;
}

static void erase_dirty_heals_what_cannot_be_read(void **state)
{
    static const struct ferry_flash_ops ops = {.read = ecc_read, .erase = ecc_erase};
    struct device device;
    struct ferry_flash flash = *device_init(&device, 4, 0xff);

    (void)state;
    flash.ops = &ops;
    flash.context = &device;
    device.memory[768] = 0xba;
    assert_int_equal(ferry_flash_is_erased(&flash, 768, 256), FERRY_E_FLASH);
    assert_int_equal(ferry_flash_erase_dirty(&flash, 0, 2048), FERRY_OK);
    assert_int_equal(ferry_flash_is_erased(&flash, 0, MIXED_SIZE), 1);
}

static void copy_copies_with_every_buffer(void **state)
{
    struct device from;
    struct device to;
    uint8_t buf[300];

    (void)state;
    for (size_t cap = 8; cap <= sizeof(buf); cap++) {
        const struct ferry_flash *source = device_init(&from, 1, 0xff);
        const struct ferry_flash *target = device_init(&to, 8, 0xff);

        for (size_t i = 0; i < MIXED_SIZE; i++) {
            from.memory[i] = (uint8_t)(i * 7 + i / 256);
        }
        assert_int_equal(ferry_flash_copy(source, 3, target, 16, 1000, buf, cap), FERRY_OK);
        assert_memory_equal(to.memory + 16, from.memory + 3, 1000);
        assert_true(ferry_all_equal(to.memory, 16, 0xff));
        assert_true(ferry_all_equal(to.memory + 1016, MIXED_SIZE - 1016, 0xff));
    }
}

static void copy_within_one_area(void **state)
{
    struct device device;
    const struct ferry_flash *flash = device_init(&device, 4, 0xff);
    uint8_t buf[32];

    (void)state;
    for (size_t i = 0; i < 1024; i++) {
        device.memory[i] = (uint8_t)i;
    }
    assert_int_equal(ferry_flash_copy(flash, 0, flash, 2048, 1024, buf, sizeof(buf)), FERRY_OK);
    assert_memory_equal(device.memory, device.memory + 2048, 1024);
}

static void copy_leaves_out_erased_chunks(void **state)
{
    struct device from;
    struct device to;
    struct ferry_flash_counter counter;
    uint8_t buf[64];

    (void)state;
    ferry_flash_counter_init(&counter, device_init(&to, 4, 0xff), NULL);
    const struct ferry_flash *source = device_init(&from, 4, 0xff);
    from.memory[64] = 1;
    from.memory[255] = 1;
    assert_int_equal(ferry_flash_copy(source, 0, &counter.flash, 0, 256, buf, 64), FERRY_OK);
    assert_int_equal(counter.counts.programs, 2);
    assert_memory_equal(to.memory, from.memory, 256);
}

/* 0xff is a content where flash erases to 0x00. */
static void copy_between_unlike_erased_values(void **state)
{
    struct device from;
    struct device to;
    uint8_t buf[64];
    const struct ferry_flash *source = device_init(&from, 4, 0xff);
    const struct ferry_flash *target = device_init(&to, 4, 0x00);

    (void)state;
    from.memory[100] = 0;
    assert_int_equal(ferry_flash_copy(source, 0, target, 0, 1024, buf, sizeof(buf)), FERRY_OK);
    assert_memory_equal(to.memory, from.memory, 1024);
}

static void copy_checks_before_it_begins(void **state)
{
    struct device from;
    struct device to;
    uint8_t buf[64];
    const struct ferry_flash *source = device_init(&from, 1, 0xff);
    const struct ferry_flash *target = device_init(&to, 8, 0xff);

    (void)state;
    memset(from.memory, 0, MIXED_SIZE);
    assert_int_equal(ferry_flash_copy(source, 0, target, 4, 64, buf, 64), FERRY_E_ALIGN);
    assert_int_equal(ferry_flash_copy(source, 0, target, 0, 65, buf, 64), FERRY_E_ALIGN);
    assert_int_equal(ferry_flash_copy(source, 0, target, 0, 64, buf, 7), FERRY_E_SPACE);
    assert_int_equal(ferry_flash_copy(source, 8, target, 0, MIXED_SIZE, buf, 64), FERRY_E_BOUNDS);
    assert_int_equal(ferry_flash_copy(source, 0, target, 8, MIXED_SIZE, buf, 64), FERRY_E_BOUNDS);
    assert_true(ferry_all_equal(to.memory, MIXED_SIZE, 0xff));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_takes_what_is_right),
        cmocka_unit_test(check_refuses_each_wrong_field),
        cmocka_unit_test(an_area_may_have_nearly_all_of_32_bits),
        cmocka_unit_test(sectors_are_found_by_number_and_by_offset),
        cmocka_unit_test(access_outside_is_refused),
        cmocka_unit_test(nothing_of_no_length_is_done),
        cmocka_unit_test(program_is_aligned_to_the_write_size),
        cmocka_unit_test(erase_covers_whole_sectors),
        cmocka_unit_test(program_padded_fills_whole_units),
        cmocka_unit_test(program_padded_checks),
        cmocka_unit_test(is_erased_sees_every_byte),
        cmocka_unit_test(erase_dirty_erases_only_what_it_must),
        cmocka_unit_test(erase_dirty_heals_what_cannot_be_read),
        cmocka_unit_test(copy_copies_with_every_buffer),
        cmocka_unit_test(copy_within_one_area),
        cmocka_unit_test(copy_leaves_out_erased_chunks),
        cmocka_unit_test(copy_between_unlike_erased_values),
        cmocka_unit_test(copy_checks_before_it_begins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
