/* SPDX-License-Identifier: Apache-2.0 */
/* ELF files: what of them a programmer would put into flash, and why others are refused. */
#include "cli/image/elf_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FILE_MAX 1024

/* A file in the making: headers first, the program from PROGRAM on. */
#define PROGRAM 512

struct form {
    bool wide;
    bool big;
};

static const struct form forms[] = {{false, false}, {false, true}, {true, false}, {true, true}};
#define FORMS (sizeof forms / sizeof forms[0])

struct file {
    struct form form;
    uint8_t bytes[FILE_MAX];
    unsigned segments;
    unsigned sections;
};

static void put(struct file *file, size_t at, uint64_t value, unsigned width)
{
    for (unsigned i = 0; i < width; i++) {
        file->bytes[at + (file->form.big ? width - 1 - i : i)] = (uint8_t)(value >> (8 * i));
    }
}

/* A field that is at one place with 32 bits and at another with 64; width 0: the class's own. */
static void put_field(struct file *file, size_t base, size_t at32, size_t at64, uint64_t value,
                      unsigned width)
{
    bool wide = file->form.wide;
    put(file, base + (wide ? at64 : at32), value, width != 0 ? width : wide ? 8 : 4);
}

static size_t header_size(const struct file *file)
{
    return file->form.wide ? 64 : 52;
}

static void begin(struct file *file, struct form form)
{
    *file = (struct file){.form = form};
    memcpy(file->bytes, "\177ELF", 4);
    file->bytes[4] = form.wide ? 2 : 1;
    file->bytes[5] = form.big ? 2 : 1;
    put_field(file, 0, 28, 32, header_size(file), 0);
    put_field(file, 0, 42, 54, form.wide ? 56 : 32, 2);
    put_field(file, 0, 46, 58, form.wide ? 64 : 40, 2);
    put_field(file, 0, 32, 40, 256, 0);
    for (size_t i = PROGRAM; i < FILE_MAX; i++) {
        file->bytes[i] = (uint8_t)i;
    }
}

static void add_segment(struct file *file, unsigned type, uint64_t offset, uint64_t address,
                        uint64_t size)
{
    size_t base = header_size(file) + file->segments++ * (file->form.wide ? 56u : 32u);
    put(file, base, type, 4);
    put_field(file, base, 4, 8, offset, 0);
    put_field(file, base, 8, 16, 0x20000000, 0); /* the virtual address does not count */
    put_field(file, base, 12, 24, address, 0);
    put_field(file, base, 16, 32, size, 0);
    put_field(file, 0, 44, 56, file->segments, 2);
}

static void add_section(struct file *file, unsigned type, unsigned flags, uint64_t offset,
                        uint64_t size)
{
    size_t base = 256 + file->sections++ * (file->form.wide ? 64u : 40u);
    put(file, base + 4, type, 4);
    put_field(file, base, 8, 8, flags, 0);
    put_field(file, base, 16, 24, offset, 0);
    put_field(file, base, 20, 32, size, 0);
    put_field(file, 0, 48, 60, file->sections, 2);
}

/* "0x8000-0x80ff": the ranges that are taken, or the words that refuse the file. */
static const char *told(const struct file *file, size_t len)
{
    static char text[MEMORY_RANGES_MAX];
    struct memory_map map = {0};
    struct memory_fault fault;
    if (elf_file_read(file->bytes, len, &map, &fault) == FERRY_OK) {
        memory_map_text(&map, text);
        for (size_t i = 0; i < map.count; i++) {
            assert_in_range(map.pieces[i].data - file->bytes, 0, len - map.pieces[i].len);
        }
    } else {
        snprintf(text, sizeof text, "%s", fault.text);
    }
    memory_map_free(&map);
    return text;
}

static void loadable_segments_are_taken_by_physical_address(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        struct file file;
        begin(&file, forms[i]);
        add_segment(&file, 1, PROGRAM + 100, 0x8100, 50);
        add_segment(&file, 1, PROGRAM, 0x8000, 100);
        add_segment(&file, 1, PROGRAM + 10, 0x9000, 0); /* .bss */
        add_segment(&file, 2, PROGRAM, 0x100, 20);      /* not loadable */
        assert_string_equal(told(&file, FILE_MAX), "0x8000-0x8063, 0x8100-0x8131");
    }
}

static void bytes_are_the_segments(void **state)
{
    struct file file;
    struct memory_map map = {0};
    struct memory_fault fault;
    uint8_t block[8];
    (void)state;
    begin(&file, forms[3]);
    add_segment(&file, 1, PROGRAM + 4, 6, 2);
    add_segment(&file, 1, PROGRAM, 0, 4);
    assert_int_equal(elf_file_read(file.bytes, FILE_MAX, &map, &fault), FERRY_OK);
    assert_int_equal(memory_map_span(&map), 8);
    memory_map_flatten(&map, 0xff, block);
    assert_memory_equal(block, ((const uint8_t[]){0, 1, 2, 3, 0xff, 0xff, 4, 5}), 8);
    memory_map_free(&map);
}

/* What GNU ld does when the program is linked a little behind the begin of a page. */
static void headers_in_a_segment_are_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        struct file file;
        begin(&file, forms[i]);
        add_segment(&file, 1, 0, 0x08000000, PROGRAM + 100);
        assert_string_equal(told(&file, FILE_MAX), "0x8000000-0x8000263"); /* nobody says where */
        add_section(&file, 0, 0, 0, 0);
        add_section(&file, 1, 6, PROGRAM + 50, 50);
        add_section(&file, 1, 6, PROGRAM, 50);
        add_section(&file, 8, 2, 300, 50); /* no bits */
        add_section(&file, 1, 0, 300, 50); /* not allocated */
        assert_string_equal(told(&file, FILE_MAX), "0x8000200-0x8000263");
    }
}

static void a_segment_of_headers_alone_is_none(void **state)
{
    struct file file;
    (void)state;
    begin(&file, forms[0]);
    add_segment(&file, 1, 0, 0x08000000, 256);
    add_segment(&file, 1, PROGRAM, 0x08001000, 16);
    add_section(&file, 1, 6, PROGRAM, 16);
    assert_string_equal(told(&file, FILE_MAX), "0x8001000-0x800100f");
}

static void damage_is_named(void **state)
{
    struct file file;
    (void)state;
    for (size_t i = 0; i < FORMS; i++) {
        bool wide = forms[i].wide;
        begin(&file, forms[i]);
        assert_string_equal(told(&file, FILE_MAX),
                            "it has no segments: link it to a program first");
        add_segment(&file, 3, PROGRAM, 0, 16);
        assert_string_equal(told(&file, FILE_MAX),
                            "it has no loadable segment with bytes in the file");
        add_segment(&file, 1, PROGRAM, 0, FILE_MAX - PROGRAM);
        assert_string_equal(told(&file, FILE_MAX), "0x0-0x1ff");
        assert_string_equal(told(&file, FILE_MAX - 1),
                            "segment 1 reaches out of the file: it was cut off");
        assert_string_equal(told(&file, header_size(&file) + 40),
                            "its program headers do not lie in the file: it was cut off");
        assert_non_null(strstr(told(&file, header_size(&file) - 1), "it ends in its header"));
        add_segment(&file, 1, PROGRAM, 0x1ff, 1);
        assert_string_equal(told(&file, FILE_MAX),
                            "segment 1 and segment 2 both have data for address 0x1ff");
        begin(&file, forms[i]);
        add_segment(&file, 1, wide ? UINT64_MAX : UINT32_MAX, 0, 2);
        assert_string_equal(told(&file, FILE_MAX),
                            "segment 0 reaches out of the file: it was cut off");
    }
}

static void addresses_end_at_32_bits(void **state)
{
    struct file file;
    (void)state;
    begin(&file, forms[0]);
    add_segment(&file, 1, PROGRAM, 0xfffffff0, 16);
    assert_string_equal(told(&file, FILE_MAX), "0xfffffff0-0xffffffff");
    add_segment(&file, 1, PROGRAM, 0xfffffff0, 17);
    assert_string_equal(told(&file, FILE_MAX), "segment 1 lies above 32 bits, at 0xfffffff0");
    begin(&file, forms[2]);
    add_segment(&file, 1, PROGRAM, 0xffffffff80000000, 16);
    assert_string_equal(told(&file, FILE_MAX),
                        "segment 0 lies above 32 bits, at 0xffffffff80000000");
}

static void foreign_heads_are_named(void **state)
{
    struct file file;
    (void)state;
    begin(&file, forms[0]);
    assert_true(elf_file_begins(file.bytes, 4));
    assert_false(elf_file_begins(file.bytes, 3));
    assert_string_equal(told(&file, 3), "it does not begin with the magic of ELF");
    assert_string_equal(told(&file, 15), "it ends in its first 16 bytes");
    file.bytes[4] = 3;
    assert_string_equal(told(&file, FILE_MAX), "class 3 is neither 32 nor 64 bits");
    file.bytes[4] = 1;
    file.bytes[5] = 0;
    assert_string_equal(told(&file, FILE_MAX), "byte order 0 is not known");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loadable_segments_are_taken_by_physical_address),
        cmocka_unit_test(bytes_are_the_segments),
        cmocka_unit_test(headers_in_a_segment_are_left_out),
        cmocka_unit_test(a_segment_of_headers_alone_is_none),
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(addresses_end_at_32_bits),
        cmocka_unit_test(foreign_heads_are_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
