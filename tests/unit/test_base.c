/* SPDX-License-Identifier: Apache-2.0 */
/* Floor 0 without CBOR and flash: errors in words, bytes, CRC, base64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/base64.h"
#include "ferry/bytes.h"
#include "ferry/crc.h"
#include "ferry/error.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- Errors ----------------------------------------------------------------------- */

static const int numbers[] = {
#define NUMBER(name, number, text, remedy) number,
    FERRY_ERRORS(NUMBER)
#undef NUMBER
};

static void every_error_has_name_text_and_remedy(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        assert_int_equal(strncmp(ferry_error_name(numbers[i]), "FERRY_E_", 8), 0);
        assert_string_not_equal(ferry_error_name(numbers[i]), "FERRY_E_?");
        assert_true(strlen(ferry_error_text(numbers[i])) > 0);
        assert_true(strlen(ferry_error_remedy(numbers[i])) > 0);
    }
}

static void error_numbers_and_names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        assert_true(numbers[i] < 0);
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(numbers[i], numbers[j]);
            assert_string_not_equal(ferry_error_name(numbers[i]), ferry_error_name(numbers[j]));
        }
    }
}

static void known_errors_answer_for_themselves(void **state)
{
    (void)state;
    assert_string_equal(ferry_error_name(FERRY_E_SHORT), "FERRY_E_SHORT");
    assert_string_equal(ferry_error_text(FERRY_E_POWER), "the power is off");
    assert_string_equal(ferry_error_remedy(FERRY_E_NOT_ERASED), "erase the sector first");
    assert_string_equal(ferry_error_name(FERRY_E_CANCELLED), "FERRY_E_CANCELLED");
}

static void sizes_count_as_ok(void **state)
{
    static const int sizes[] = {0, 1, 4096, INT_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT(sizes); i++) {
        assert_string_equal(ferry_error_name(sizes[i]), "FERRY_OK");
        assert_string_equal(ferry_error_text(sizes[i]), "no error");
        assert_string_equal(ferry_error_remedy(sizes[i]), "");
    }
}

static void numbers_outside_the_list_are_unknown(void **state)
{
    const int outside[] = {-(int)COUNT(numbers) - 1, -1000, INT_MIN + 1, INT_MIN};

    (void)state;
    for (size_t i = 0; i < COUNT(outside); i++) {
        assert_string_equal(ferry_error_name(outside[i]), "FERRY_E_?");
        assert_string_equal(ferry_error_text(outside[i]), "unknown error");
        assert_string_equal(ferry_error_remedy(outside[i]), "");
    }
}

/* ---- Bytes ------------------------------------------------------------------------- */

static void integers_are_read_in_both_orders(void **state)
{
    /* From an odd address, with every top bit set once. */
    static const uint8_t b[] = {0, 0x81, 0x92, 0xa3, 0xb4, 0xc5, 0xd6, 0xe7, 0xf8};

    (void)state;
    assert_int_equal(ferry_load_be16(b + 1), 0x8192);
    assert_int_equal(ferry_load_le16(b + 1), 0x9281);
    assert_int_equal(ferry_load_be32(b + 1), 0x8192a3b4);
    assert_int_equal(ferry_load_le32(b + 1), 0xb4a39281);
    assert_true(ferry_load_be64(b + 1) == 0x8192a3b4c5d6e7f8);
}

static void integers_are_written_in_exactly_their_width(void **state)
{
    uint8_t b[6];

    (void)state;
    memset(b, 0xee, sizeof(b));
    ferry_store_be16(b + 1, 0x8192);
    assert_memory_equal(b, "\xee\x81\x92\xee", 4);
    ferry_store_le16(b + 1, 0x8192);
    assert_memory_equal(b, "\xee\x92\x81\xee", 4);
    ferry_store_be32(b + 1, 0x8192a3b4);
    assert_memory_equal(b, "\xee\x81\x92\xa3\xb4\xee", 6);
    ferry_store_le32(b + 1, 0x8192a3b4);
    assert_memory_equal(b, "\xee\xb4\xa3\x92\x81\xee", 6);
}

static void additions_do_not_wrap(void **state)
{
    uint32_t sum = 7;

    (void)state;
    assert_true(ferry_add32(UINT32_MAX - 1, 1, &sum));
    assert_int_equal(sum, UINT32_MAX);
    sum = 7;
    assert_false(ferry_add32(UINT32_MAX, 1, &sum));
    assert_false(ferry_add32(1, UINT32_MAX, &sum));
    assert_int_equal(sum, 7);
}

static void ranges_are_inside_or_not(void **state)
{
    (void)state;
    assert_true(ferry_inside(0, 0, 0));
    assert_true(ferry_inside(0, 16, 16));
    assert_true(ferry_inside(16, 0, 16));
    assert_false(ferry_inside(17, 0, 16));
    assert_false(ferry_inside(1, 16, 16));
    assert_false(ferry_inside(8, SIZE_MAX, 16));
    assert_false(ferry_inside(UINT32_MAX, 2, 16));
}

static void small_arithmetic(void **state)
{
    (void)state;
    assert_int_equal(ferry_min32(1, UINT32_MAX), 1);
    assert_int_equal(ferry_max32(1, UINT32_MAX), UINT32_MAX);
    assert_int_equal(ferry_align_up(0, 8), 0);
    assert_int_equal(ferry_align_up(1, 8), 8);
    assert_int_equal(ferry_align_up(8, 8), 8);
    assert_int_equal(ferry_align_up(9, 16), 16);
}

static void all_equal_looks_at_every_byte(void **state)
{
    uint8_t b[70];

    (void)state;
    memset(b, 0xff, sizeof(b));
    assert_true(ferry_all_equal(NULL, 0, 0xff));
    assert_true(ferry_all_equal(b, sizeof(b), 0xff));
    assert_false(ferry_all_equal(b, sizeof(b), 0x00));
    for (size_t i = 0; i < sizeof(b); i++) {
        b[i] = 0xfe;
        assert_false(ferry_all_equal(b, sizeof(b), 0xff));
        assert_true(ferry_all_equal(b, i, 0xff));
        b[i] = 0xff;
    }
}

/* ---- CRC ----------------------------------------------------------------------------- */

/* The definition, bit by bit. */
static uint16_t crc_by_bits(uint16_t crc, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        crc = (uint16_t)(crc ^ data[i] << 8);
        for (int bit = 0; bit < 8; bit++) {
            crc = (uint16_t)((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
        }
    }
    return crc;
}

static void crc_has_its_check_value(void **state)
{
    (void)state;
    assert_int_equal(ferry_crc16(0, (const uint8_t *)"123456789", 9), 0x31c3);
    assert_int_equal(ferry_crc16(0, NULL, 0), 0);
    assert_int_equal(ferry_crc16(0x1234, NULL, 0), 0x1234);
}

static void crc_equals_its_definition_for_every_state_and_byte(void **state)
{
    (void)state;
    for (uint32_t crc = 0; crc <= UINT16_MAX; crc++) {
        uint8_t byte = (uint8_t)(crc * 31 + 7);

        assert_int_equal(ferry_crc16((uint16_t)crc, &byte, 1),
                         crc_by_bits((uint16_t)crc, &byte, 1));
    }
    for (uint32_t value = 0; value < 256; value++) {
        uint8_t byte = (uint8_t)value;

        assert_int_equal(ferry_crc16(0xbeef, &byte, 1), crc_by_bits(0xbeef, &byte, 1));
    }
}

static void crc_may_be_taken_in_parts_and_ends_at_zero(void **state)
{
    uint8_t b[] = "Ferry carries firmware\0\0";
    size_t len = sizeof(b) - 3;
    uint16_t whole = ferry_crc16(0, b, len);

    (void)state;
    for (size_t cut = 0; cut <= len; cut++) {
        assert_int_equal(ferry_crc16(ferry_crc16(0, b, cut), b + cut, len - cut), whole);
    }
    ferry_store_be16(b + len, whole);
    assert_int_equal(ferry_crc16(0, b, len + 2), 0);
}

/* CRC-32, bit by bit. */
static uint32_t crc32_by_bits(uint32_t crc, const uint8_t *data, size_t len)
{
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? (crc >> 1) ^ 0xedb88320 : crc >> 1;
        }
    }
    return ~crc;
}

static void crc32_equals_its_definition_whole_and_in_parts(void **state)
{
    uint8_t bytes[256];

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 167 + 13); /* every byte once */
    }
    assert_int_equal(ferry_crc32(0, (const uint8_t *)"123456789", 9), 0xcbf43926);
    assert_int_equal(ferry_crc32(0, NULL, 0), 0);
    for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
        uint32_t part = ferry_crc32(0, bytes, cut);

        assert_int_equal(part, crc32_by_bits(0, bytes, cut));
        assert_int_equal(ferry_crc32(part, bytes + cut, sizeof(bytes) - cut),
                         crc32_by_bits(0, bytes, sizeof(bytes)));
    }
}

/* ---- Base64 --------------------------------------------------------------------------- */

static const struct {
    const char *bytes;
    const char *text;
} pairs[] = {
    /* RFC 4648 §10 */
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xbf", "+/+/"},
};

static void base64_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pairs); i++) {
        size_t len = strlen(pairs[i].bytes);
        size_t chars = strlen(pairs[i].text);
        char text[16];
        uint8_t bytes[16];

        assert_int_equal(FERRY_BASE64_LEN(len), chars);
        assert_int_equal(ferry_base64_encode((const uint8_t *)pairs[i].bytes, len, text), chars);
        assert_memory_equal(text, pairs[i].text, chars);
        assert_int_equal(ferry_base64_decode(pairs[i].text, chars, bytes, sizeof(bytes)), len);
        assert_memory_equal(bytes, pairs[i].bytes, len);
    }
}

/* Every length around the frames of a console, in buffers of exactly the size needed. */
static void base64_round_trip_of_every_length(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 384; len++) {
        size_t chars = FERRY_BASE64_LEN(len);
        uint8_t *bytes = malloc(len);
        uint8_t *back = malloc(len);
        char *text = malloc(chars);

        assert_true(bytes != NULL && back != NULL && text != NULL);
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (uint8_t)(i * 37 + len);
        }
        assert_int_equal(ferry_base64_encode(bytes, len, text), chars);
        assert_int_equal(ferry_base64_decode(text, chars, back, len), len);
        assert_memory_equal(bytes, back, len);
        assert_int_equal(ferry_base64_decode(text, chars, back, len - 1), FERRY_E_SPACE);
        free(bytes);
        free(back);
        free(text);
    }
}

static void base64_decodes_in_place(void **state)
{
    union {
        char text[40];
        uint8_t bytes[40];
    } same;
    uint8_t data[29];

    (void)state;
    for (size_t len = 1; len <= sizeof(data); len++) {
        for (size_t i = 0; i < len; i++) {
            data[i] = (uint8_t)(0xff - 11 * i);
        }
        size_t chars = ferry_base64_encode(data, len, same.text);
        assert_int_equal(ferry_base64_decode(same.text, chars, same.bytes, sizeof(same.bytes)),
                         len);
        assert_memory_equal(same.bytes, data, len);
    }
}

static void base64_refuses_what_is_not_base64(void **state)
{
    static const char *const bad[] = {
        "Z",    "Zg",   "Zg=",   "Zg==Z", "Zg==Zm9v", "Zm=v",     "=m9v",    "Z===",
        "====", "Zm9 ", "Zm9\n", "Zm9-",  "Zm9_",     "Zm9*",     "Zm9,",    "Zm9:",
        "Zm9@", "Zm9[", "Zm9`",  "Zm9{",  "Zm9v=g==", "Zm9vZ=8=", "\x80mmm", "mmm\xff",
    };
    uint8_t out[16];

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(ferry_base64_decode(bad[i], strlen(bad[i]), out, sizeof(out)),
                         FERRY_E_FORMAT);
    }
}

static void base64_knows_exactly_its_alphabet(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    (void)state;
    for (int c = 1; c < 256; c++) {
        char text[4] = {(char)c, 'A', 'A', 'A'};
        uint8_t out[3];
        const char *found = strchr(alphabet, c);
        int rc = ferry_base64_decode(text, 4, out, sizeof(out));

        if (found == NULL) {
            assert_int_equal(rc, FERRY_E_FORMAT);
            continue;
        }
        assert_int_equal(rc, 3);
        assert_int_equal(out[0], (found - alphabet) << 2);
    }
}

static void texts_are_measured(void **state)
{
    (void)state;
    assert_int_equal(ferry_text_length(""), 0);
    assert_int_equal(ferry_text_length("abc"), 3);
}

static void numbers_are_written_in_decimal(void **state)
{
    static const struct {
        uint32_t value;
        size_t width;
        const char *text;
    } rows[] = {{0, 0, "0"},
                {0, 1, "0"},
                {7, 2, "07"},
                {10, 1, "10"},
                {99, 3, "099"},
                {12345, 4, "12345"},
                {65535, 5, "65535"},
                {UINT32_MAX, 1, "4294967295"},
                {1, 12, "000000000001"}};
    char out[13];

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        memset(out, 0, sizeof(out));
        assert_int_equal(ferry_text_decimal(out, rows[i].value, rows[i].width),
                         ferry_text_length(rows[i].text));
        assert_string_equal(out, rows[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_name_text_and_remedy),
        cmocka_unit_test(error_numbers_and_names_are_unique),
        cmocka_unit_test(known_errors_answer_for_themselves),
        cmocka_unit_test(sizes_count_as_ok),
        cmocka_unit_test(numbers_outside_the_list_are_unknown),
        cmocka_unit_test(integers_are_read_in_both_orders),
        cmocka_unit_test(integers_are_written_in_exactly_their_width),
        cmocka_unit_test(additions_do_not_wrap),
        cmocka_unit_test(ranges_are_inside_or_not),
        cmocka_unit_test(small_arithmetic),
        cmocka_unit_test(all_equal_looks_at_every_byte),
        cmocka_unit_test(texts_are_measured),
        cmocka_unit_test(numbers_are_written_in_decimal),
        cmocka_unit_test(crc_has_its_check_value),
        cmocka_unit_test(crc_equals_its_definition_for_every_state_and_byte),
        cmocka_unit_test(crc_may_be_taken_in_parts_and_ends_at_zero),
        cmocka_unit_test(crc32_equals_its_definition_whole_and_in_parts),
        cmocka_unit_test(base64_vectors),
        cmocka_unit_test(base64_round_trip_of_every_length),
        cmocka_unit_test(base64_decodes_in_place),
        cmocka_unit_test(base64_refuses_what_is_not_base64),
        cmocka_unit_test(base64_knows_exactly_its_alphabet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
