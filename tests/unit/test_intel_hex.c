/* SPDX-License-Identifier: Apache-2.0 */
/* Intel HEX: what is read, what is refused and in which words, what is written. */
#include "cli/image/intel_hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define END "\n:00000001FF\n"

/* A record of any type with a good checksum, without the line's end. Returns a static string; four
 * of them stay. */
static const char *record(unsigned type, unsigned address, const char *hex)
{
    static char lines[4][600];
    static unsigned next;
    char *line = lines[next++ % 4];
    unsigned len = (unsigned)strlen(hex) / 2;
    unsigned sum = len + (address >> 8) + (address & 0xff) + type;
    for (unsigned i = 0; i < len; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        sum += byte;
    }
    snprintf(line, 600, ":%02X%04X%02X%s%02X", len, address, type, hex, (0x100 - sum) & 0xff);
    return line;
}

static int read_text(const char *text, struct memory_map *map, struct memory_fault *fault)
{
    *map = (struct memory_map){0};
    fault->text[0] = '\0';
    return intel_hex_read((const uint8_t *)text, strlen(text), map, fault);
}

/* "8000:010203 10000:ff": the pieces of a text, or the words that refuse it. */
static const char *told(const char *text)
{
    static char out[1024];
    struct memory_map map;
    struct memory_fault fault;
    size_t len = 0;
    out[0] = '\0';
    if (read_text(text, &map, &fault) != FERRY_OK) {
        snprintf(out, sizeof out, "%s", fault.text);
        memory_map_free(&map);
        return out;
    }
    for (size_t i = 0; i < map.count; i++) {
        len += (size_t)snprintf(out + len, sizeof out - len, "%s%x:", i > 0 ? " " : "",
                                (unsigned)map.pieces[i].address);
        for (uint32_t n = 0; n < map.pieces[i].len; n++) {
            len += (size_t)snprintf(out + len, sizeof out - len, "%02x", map.pieces[i].data[n]);
        }
    }
    memory_map_free(&map);
    return out;
}

/* The same of lines that are joined. */
static const char *told_of(const char *a, const char *b, const char *c)
{
    static char text[2048];
    snprintf(text, sizeof text, "%s\n%s\n%s" END, a, b, c);
    return told(text);
}

/* ---- Reading -------------------------------------------------------------------------------- */

static void data_stand_where_they_say(void **state)
{
    (void)state;
    assert_string_equal(told(":0300300002337A1E" END), "30:02337a"); /* the specification's */
    assert_string_equal(told_of(record(0, 0x8000, "0102"), record(0, 0x7ffe, "0A0B"), ""),
                        "7ffe:0a0b 8000:0102");
    assert_string_equal(told(":00000001FF"), "");
    assert_string_equal(told_of(record(0, 0x10, ""), "", ""), "");
}

static void lines_end_in_any_way(void **state)
{
    (void)state;
    assert_string_equal(told(":0300300002337A1E\r\n:00000001FF\r\n"), "30:02337a");
    assert_string_equal(told(":0300300002337A1E\r:00000001FF\r"), "30:02337a");
    assert_string_equal(told("\n\n :0300300002337a1e \t\n\r\n:00000001ff"), "30:02337a");
    assert_string_equal(told(":0300300002337A1E" END "\r\n  \n"), "30:02337a");
}

static void addresses_have_a_base(void **state)
{
    (void)state;
    assert_string_equal(told_of(record(4, 0, "0800"), record(0, 0x1234, "55"), ""), "8001234:55");
    assert_string_equal(told_of(record(2, 0, "1234"), record(0, 0x0010, "55"), ""), "12350:55");
    assert_string_equal(told_of(record(4, 0, "0800"), record(2, 0, "1000"), record(0, 1, "55")),
                        "10001:55");
    assert_string_equal(
        told_of(record(5, 0, "08000101"), record(3, 0, "00000000"), record(0, 1, "55")), "1:55");
}

static void data_wrap_as_the_format_says(void **state)
{
    (void)state;
    /* In a segment, and before any base, at the end of 64 KiB. */
    assert_string_equal(told_of(record(0, 0xfffe, "01020304"), "", ""), "0:0304 fffe:0102");
    assert_string_equal(told_of(record(2, 0, "1000"), record(0, 0xfffe, "01020304"), ""),
                        "10000:0304 1fffe:0102");
    /* Behind a linear base at the end of 4 GiB. */
    assert_string_equal(told_of(record(4, 0, "0001"), record(0, 0xfffe, "01020304"), ""),
                        "1fffe:01020304");
    assert_string_equal(told_of(record(4, 0, "FFFF"), record(0, 0xfffe, "01020304"), ""),
                        "0:0304 fffffffe:0102");
}

static void damage_is_named(void **state)
{
    static const struct {
        const char *text;
        const char *words;
    } rows[] = {
        {":0300300002337A1F" END, "line 1: the checksum is 0x1F, and 0x1E is expected"},
        {"\n:0300300002337A1" END, "line 2 has an odd number of digits, 15"},
        {":0300300002331E" END, "line 1 says that it has 3 bytes of data, and has 2"},
        {":03003000" END, "line 1 is too short: 8 digits, and the shortest has 10"},
        {":0300300002337AxE" END, "line 1: 'x' is no hexadecimal digit"},
        {":03003000\x01" END, "line 1: byte 0x01 is no hexadecimal digit"},
        {":0300300002337A1E\n0300300002337A1E" END, "line 2 does not begin with a colon"},
        {":0300300002337A1E\n", "it ends behind line 1 without an end record: it was cut off"},
        {"", "it ends behind line 0 without an end record: it was cut off"},
        {":00000001FF\n\n:0300300002337A1E\n", "line 3 stands behind the end record"},
        {":00000001FF" END, "line 2 stands behind the end record"},
        {":00000006FA" END, "line 1: a record of type 0x06 is not known"},
        {":0100000400FB" END, "line 1: a record of type 04 has 2 bytes, and not 1"},
        {":00000003FD" END, "line 1: a record of type 03 has 4 bytes, and not 0"},
        {":0100000100FE", "line 1: a record of type 01 has 0 bytes, and not 1"},
        {":0300300002337A1E\n:0100310000CE" END,
         "line 1 and line 2 both have data for address 0x31"},
        {":0100310000CE\n\n:0300300002337A1E" END,
         "line 1 and line 3 both have data for address 0x31"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_string_equal(told(rows[i].text), rows[i].words);
    }
}

static bool begins(const char *text, size_t len)
{
    return intel_hex_begins((const uint8_t *)text, len);
}

static void hex_is_known_by_its_beginning(void **state)
{
    (void)state;
    assert_true(begins(":00000001FF", 11));
    assert_true(begins("\r\n :00000001\x80", 13)); /* and is refused when it is read */
    assert_true(begins(":xx not hex, but text\n", 22));
    assert_true(begins(":", 1));
    assert_false(begins(":\0\0\0\0\0\0\0\0", 9));
    assert_false(begins(":0000000\0", 9));
    assert_true(begins("\xef\xbb\xbf:00000001FF", 14));
    assert_string_equal(told("\xef\xbb\xbf:00000001FF"), "line 1 does not begin with a colon");
    assert_false(begins("S00000", 6));
    assert_false(begins("  \n", 3));
    assert_false(begins("", 0));
}

/* ---- Writing -------------------------------------------------------------------------------- */

/* What is written for one piece of len bytes, all 0x55. */
static char *written(uint32_t address, uint32_t len)
{
    uint8_t *bytes = malloc(len);
    struct memory_map map = {0};
    size_t size;
    assert_non_null(bytes);
    memset(bytes, 0x55, len);
    assert_int_equal(memory_map_add(&map, address, bytes, len, 0), FERRY_OK);
    char *text = intel_hex_write(&map, &size);
    assert_non_null(text);
    text = realloc(text, size + 1);
    text[size] = '\0';
    memory_map_free(&map);
    free(bytes);
    return text;
}

static void expect_written(uint32_t address, uint32_t len, const char *expected)
{
    char *text = written(address, len);
    assert_string_equal(text, expected);
    free(text);
}

static void records_have_sixteen_bytes(void **state)
{
    (void)state;
    expect_written(0x10, 17,
                   ":1000100055555555555555555555555555555555"
                   "90\n:0100200055"
                   "8A" END);
    /* A base is written only where something is above 64 KiB, then before each 64 KiB. */
    expect_written(0xffff, 1, ":01FFFF0055AC" END);
    expect_written(0xffff, 2, ":020000040000FA\n:01FFFF0055AC\n:020000040001F9\n:0100000055AA" END);
    expect_written(0xffffffff, 1, ":02000004FFFFFC\n:01FFFF0055AC" END);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    for (uint32_t address = 0xffe0; address <= 0x10010; address++) {
        for (uint32_t len = 1; len < 50; len++) {
            struct memory_map map;
            struct memory_fault fault;
            char *text = written(address, len);
            assert_int_equal(read_text(text, &map, &fault), FERRY_OK);
            assert_int_equal(map.pieces[0].address, address);
            assert_int_equal(memory_map_span(&map), len);
            assert_int_equal(memory_map_ranges(&map), 1);
            memory_map_free(&map);
            free(text);
        }
    }
}

/* ---- Maps ----------------------------------------------------------------------------------- */

static void a_cut_keeps_both_parts(void **state)
{
    static const uint8_t bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    struct memory_map map = {0};
    struct memory_map outside = {0};
    char text[MEMORY_RANGES_MAX];
    uint8_t block[16];
    (void)state;
    assert_int_equal(memory_map_add(&map, 0, bytes, 4, 0), FERRY_OK);
    assert_int_equal(memory_map_add(&map, 8, bytes + 8, 8, 1), FERRY_OK);
    assert_int_equal(memory_map_add(&map, 0xfffffff0, bytes, 16, 2), FERRY_OK);
    assert_string_equal(memory_map_text(&map, text), "0x0-0x3, 0x8-0xf, 0xfffffff0-0xffffffff");
    assert_int_equal(memory_map_cut(&map, 2, 9, &outside), FERRY_OK);
    assert_string_equal(memory_map_text(&map, text), "0x2-0x3, 0x8-0x9");
    assert_string_equal(memory_map_text(&outside, text), "0x0-0x1, 0xa-0xf, 0xfffffff0-0xffffffff");
    assert_int_equal(memory_map_span(&map), 8);
    memory_map_flatten(&map, 0xff, block);
    assert_memory_equal(block, ((const uint8_t[]){3, 4, 0xff, 0xff, 0xff, 0xff, 9, 10}), 8);
    memory_map_free(&map);
    memory_map_free(&outside);
}

static void many_ranges_are_counted(void **state)
{
    struct memory_map map = {0};
    char text[MEMORY_RANGES_MAX];
    (void)state;
    for (uint32_t i = 0; i < 9; i++) {
        assert_int_equal(memory_map_add(&map, 0xffffff00 + 2 * i, (const uint8_t *)"", 1, i), 0);
    }
    assert_non_null(strstr(memory_map_text(&map, text), "0xffffff0a-0xffffff0a and 3 more"));
    memory_map_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_stand_where_they_say),
        cmocka_unit_test(lines_end_in_any_way),
        cmocka_unit_test(addresses_have_a_base),
        cmocka_unit_test(data_wrap_as_the_format_says),
        cmocka_unit_test(damage_is_named),
        cmocka_unit_test(hex_is_known_by_its_beginning),
        cmocka_unit_test(records_have_sixteen_bytes),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_cut_keeps_both_parts),
        cmocka_unit_test(many_ranges_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
