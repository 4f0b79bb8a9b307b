/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR: the examples of RFC 8949 appendix A and the malformed ones of appendix F, written by
 * hand as tables; every truncation; depth. Maps and the writer are in test_cbor_map.c. Every input
 * is decoded from a heap block of exactly its size, so that AddressSanitizer sees any byte read too
 * many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/cbor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_BYTES    256

/* Bytes on the heap; free() them. */
static struct ferry_bytes from_hex(const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *data = malloc(len == 0 ? 1 : len);

    assert_non_null(data);
    for (size_t i = 0; i < len; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

        data[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return (struct ferry_bytes){.data = data, .len = len};
}

static void release(struct ferry_bytes bytes)
{
    /* Through a copy of the pointer's bits: free() takes no const. */
    void *data;

    memcpy(&data, &bytes.data, sizeof(data));
    free(data);
}

/* ferry_cbor_read() of the first len bytes, from a block of its own. */
static int read_prefix(struct ferry_bytes bytes, size_t len)
{
    uint8_t *copy = malloc(len == 0 ? 1 : len);
    struct ferry_cbor_reader reader;
    struct ferry_cbor_item item;

    assert_non_null(copy);
    memcpy(copy, bytes.data, len);
    ferry_cbor_reader_init(&reader, (struct ferry_bytes){.data = copy, .len = len});
    int rc = ferry_cbor_read(&reader, &item);
    free(copy);
    return rc;
}

static int read_hex(const char *hex)
{
    struct ferry_bytes bytes = from_hex(hex);
    int rc = read_prefix(bytes, bytes.len);

    release(bytes);
    return rc;
}

/* ---- Appendix A ------------------------------------------------------------------ */

struct example {
    const char *hex;
    enum ferry_cbor_kind kind;
    uint64_t value;      /* numbers, bool, float bits, simple */
    const char *content; /* strings: the bytes in hex; lists and maps: what is inside */
};

/* clang-format off */
static const struct example examples[] = {
    {"00", FERRY_CBOR_UINT, 0, NULL},
    {"01", FERRY_CBOR_UINT, 1, NULL},
    {"0a", FERRY_CBOR_UINT, 10, NULL},
    {"17", FERRY_CBOR_UINT, 23, NULL},
    {"1818", FERRY_CBOR_UINT, 24, NULL},
    {"1819", FERRY_CBOR_UINT, 25, NULL},
    {"1864", FERRY_CBOR_UINT, 100, NULL},
    {"1903e8", FERRY_CBOR_UINT, 1000, NULL},
    {"1a000f4240", FERRY_CBOR_UINT, 1000000, NULL},
    {"1b000000e8d4a51000", FERRY_CBOR_UINT, 1000000000000, NULL},
    {"1bffffffffffffffff", FERRY_CBOR_UINT, UINT64_MAX, NULL},
    {"c249010000000000000000", FERRY_CBOR_BYTES, 0, "010000000000000000"},
    {"3bffffffffffffffff", FERRY_CBOR_NEGATIVE, UINT64_MAX, NULL},
    {"c349010000000000000000", FERRY_CBOR_BYTES, 0, "010000000000000000"},
    {"20", FERRY_CBOR_NEGATIVE, 0, NULL},
    {"29", FERRY_CBOR_NEGATIVE, 9, NULL},
    {"3863", FERRY_CBOR_NEGATIVE, 99, NULL},
    {"3903e7", FERRY_CBOR_NEGATIVE, 999, NULL},
    {"f90000", FERRY_CBOR_FLOAT, 0x0000, NULL},
    {"f98000", FERRY_CBOR_FLOAT, 0x8000, NULL},
    {"f93c00", FERRY_CBOR_FLOAT, 0x3c00, NULL},
    {"fb3ff199999999999a", FERRY_CBOR_FLOAT, 0x3ff199999999999a, NULL},
    {"f93e00", FERRY_CBOR_FLOAT, 0x3e00, NULL},
    {"f97bff", FERRY_CBOR_FLOAT, 0x7bff, NULL},
    {"fa47c35000", FERRY_CBOR_FLOAT, 0x47c35000, NULL},
    {"fa7f7fffff", FERRY_CBOR_FLOAT, 0x7f7fffff, NULL},
    {"fb7e37e43c8800759c", FERRY_CBOR_FLOAT, 0x7e37e43c8800759c, NULL},
    {"f90001", FERRY_CBOR_FLOAT, 0x0001, NULL},
    {"f90400", FERRY_CBOR_FLOAT, 0x0400, NULL},
    {"f9c400", FERRY_CBOR_FLOAT, 0xc400, NULL},
    {"fbc010666666666666", FERRY_CBOR_FLOAT, 0xc010666666666666, NULL},
    {"f97c00", FERRY_CBOR_FLOAT, 0x7c00, NULL},
    {"f97e00", FERRY_CBOR_FLOAT, 0x7e00, NULL},
    {"f9fc00", FERRY_CBOR_FLOAT, 0xfc00, NULL},
    {"fa7f800000", FERRY_CBOR_FLOAT, 0x7f800000, NULL},
    {"fa7fc00000", FERRY_CBOR_FLOAT, 0x7fc00000, NULL},
    {"faff800000", FERRY_CBOR_FLOAT, 0xff800000, NULL},
    {"fb7ff0000000000000", FERRY_CBOR_FLOAT, 0x7ff0000000000000, NULL},
    {"fb7ff8000000000000", FERRY_CBOR_FLOAT, 0x7ff8000000000000, NULL},
    {"fbfff0000000000000", FERRY_CBOR_FLOAT, 0xfff0000000000000, NULL},
    {"f4", FERRY_CBOR_BOOL, 0, NULL},
    {"f5", FERRY_CBOR_BOOL, 1, NULL},
    {"f6", FERRY_CBOR_NULL, 0, NULL},
    {"f7", FERRY_CBOR_NULL, 0, NULL},
    {"f0", FERRY_CBOR_SIMPLE, 16, NULL},
    {"f8ff", FERRY_CBOR_SIMPLE, 255, NULL},
    {"c074323031332d30332d32315432303a30343a30305a", FERRY_CBOR_TEXT, 0,
     "323031332d30332d32315432303a30343a30305a"},
    {"c11a514b67b0", FERRY_CBOR_UINT, 1363896240, NULL},
    {"c1fb41d452d9ec200000", FERRY_CBOR_FLOAT, 0x41d452d9ec200000, NULL},
    {"d74401020304", FERRY_CBOR_BYTES, 0, "01020304"},
    {"d818456449455446", FERRY_CBOR_BYTES, 0, "6449455446"},
    {"d82076687474703a2f2f7777772e6578616d706c652e636f6d", FERRY_CBOR_TEXT, 0,
     "687474703a2f2f7777772e6578616d706c652e636f6d"},
    {"40", FERRY_CBOR_BYTES, 0, ""},
    {"4401020304", FERRY_CBOR_BYTES, 0, "01020304"},
    {"60", FERRY_CBOR_TEXT, 0, ""},
    {"6161", FERRY_CBOR_TEXT, 0, "61"},
    {"6449455446", FERRY_CBOR_TEXT, 0, "49455446"},
    {"62225c", FERRY_CBOR_TEXT, 0, "225c"},
    {"62c3bc", FERRY_CBOR_TEXT, 0, "c3bc"},
    {"63e6b0b4", FERRY_CBOR_TEXT, 0, "e6b0b4"},
    {"64f0908591", FERRY_CBOR_TEXT, 0, "f0908591"},
    {"80", FERRY_CBOR_LIST, 0, ""},
    {"83010203", FERRY_CBOR_LIST, 0, "010203"},
    {"8301820203820405", FERRY_CBOR_LIST, 0, "01820203820405"},
    {"98190102030405060708090a0b0c0d0e0f101112131415161718181819", FERRY_CBOR_LIST, 0,
     "0102030405060708090a0b0c0d0e0f101112131415161718181819"},
    {"a0", FERRY_CBOR_MAP, 0, ""},
    {"a201020304", FERRY_CBOR_MAP, 0, "01020304"},
    {"a26161016162820203", FERRY_CBOR_MAP, 0, "6161016162820203"},
    {"826161a161626163", FERRY_CBOR_LIST, 0, "6161a161626163"},
    {"a56161614161626142616361436164614461656145", FERRY_CBOR_MAP, 0,
     "6161614161626142616361436164614461656145"},
    {"5f42010243030405ff", FERRY_CBOR_BYTES, 0, "0102030405"},
    {"7f657374726561646d696e67ff", FERRY_CBOR_TEXT, 0, "73747265616d696e67"},
    {"9fff", FERRY_CBOR_LIST, 0, ""},
    {"9f018202039f0405ffff", FERRY_CBOR_LIST, 0, "018202039f0405ff"},
    {"9f01820203820405ff", FERRY_CBOR_LIST, 0, "01820203820405"},
    {"83018202039f0405ff", FERRY_CBOR_LIST, 0, "018202039f0405ff"},
    {"83019f0203ff820405", FERRY_CBOR_LIST, 0, "019f0203ff820405"},
    {"9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", FERRY_CBOR_LIST, 0,
     "0102030405060708090a0b0c0d0e0f101112131415161718181819"},
    {"bf61610161629f0203ffff", FERRY_CBOR_MAP, 0, "61610161629f0203ff"},
    {"826161bf61626163ff", FERRY_CBOR_LIST, 0, "6161bf61626163ff"},
    {"bf6346756ef563416d7421ff", FERRY_CBOR_MAP, 0, "6346756ef563416d7421"},
    /* Beyond the appendix: longer heads than needed, empty open items, chains of tags. */
    {"1800", FERRY_CBOR_UINT, 0, NULL},
    {"190000", FERRY_CBOR_UINT, 0, NULL},
    {"1a00000001", FERRY_CBOR_UINT, 1, NULL},
    {"1b0000000000000001", FERRY_CBOR_UINT, 1, NULL},
    {"3800", FERRY_CBOR_NEGATIVE, 0, NULL},
    {"3b7fffffffffffffff", FERRY_CBOR_NEGATIVE, INT64_MAX, NULL},
    {"580161", FERRY_CBOR_BYTES, 0, "61"},
    {"59000161", FERRY_CBOR_BYTES, 0, "61"},
    {"7a0000000161", FERRY_CBOR_TEXT, 0, "61"},
    {"7b000000000000000161", FERRY_CBOR_TEXT, 0, "61"},
    {"9b000000000000000101", FERRY_CBOR_LIST, 0, "01"},
    {"ba000000010102", FERRY_CBOR_MAP, 0, "0102"},
    {"5fff", FERRY_CBOR_BYTES, 0, ""},
    {"7fff", FERRY_CBOR_TEXT, 0, ""},
    {"7f6060ff", FERRY_CBOR_TEXT, 0, ""},
    {"bfff", FERRY_CBOR_MAP, 0, ""},
    {"c0c1c2d8ff01", FERRY_CBOR_UINT, 1, NULL},
    {"f820", FERRY_CBOR_SIMPLE, 32, NULL},
    {"83c001c1c18002", FERRY_CBOR_LIST, 0, "c001c1c18002"},
};
/* clang-format on */

static void check_content(const struct example *example, const struct ferry_cbor_item *item)
{
    struct ferry_bytes wanted = from_hex(example->content);
    uint8_t copy[MAX_BYTES];

    if (item->kind == FERRY_CBOR_BYTES || item->kind == FERRY_CBOR_TEXT) {
        assert_int_equal(ferry_cbor_copy(item, copy, sizeof(copy)), wanted.len);
        assert_memory_equal(copy, wanted.data, wanted.len);
        assert_int_equal(ferry_cbor_copy(item, copy, wanted.len), wanted.len);
        if (wanted.len > 0) {
            assert_int_equal(ferry_cbor_copy(item, copy, wanted.len - 1), FERRY_E_SPACE);
        }
    } else {
        assert_int_equal(item->bytes.len, wanted.len);
        assert_memory_equal(item->bytes.data, wanted.data, wanted.len);
        assert_int_equal(ferry_cbor_copy(item, copy, sizeof(copy)), FERRY_E_TYPE);
    }
    release(wanted);
}

static void every_example_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        const struct example *example = &examples[i];
        struct ferry_bytes bytes = from_hex(example->hex);
        struct ferry_cbor_reader reader;
        struct ferry_cbor_item item;

        ferry_cbor_reader_init(&reader, bytes);
        assert_int_equal(ferry_cbor_read(&reader, &item), FERRY_OK);
        assert_true(ferry_cbor_at_end(&reader));
        assert_int_equal(item.kind, example->kind);
        if (example->content != NULL) {
            check_content(example, &item);
        } else {
            assert_true(item.value == example->value);
        }
        release(bytes);
    }
}

static void every_truncation_is_short(void **state)
{
    size_t tried = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        struct ferry_bytes bytes = from_hex(examples[i].hex);

        for (size_t len = 0; len < bytes.len; len++) {
            assert_int_equal(read_prefix(bytes, len), FERRY_E_SHORT);
            tried++;
        }
        release(bytes);
    }
    print_message("%zu truncations\n", tried);
}

/* Any byte of any example replaced by any value: an answer, never a crash or a read too far. */
static void every_changed_byte_is_survived(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        struct ferry_bytes bytes = from_hex(examples[i].hex);
        uint8_t changed[MAX_BYTES];

        memcpy(changed, bytes.data, bytes.len);
        for (size_t at = 0; at < bytes.len; at++) {
            for (int value = 0; value < 256; value++) {
                changed[at] = (uint8_t)value;
                int rc = read_prefix((struct ferry_bytes){changed, bytes.len}, bytes.len);
                assert_true(rc == FERRY_OK || rc == FERRY_E_SHORT || rc == FERRY_E_FORMAT ||
                            rc == FERRY_E_DEPTH);
            }
            changed[at] = bytes.data[at];
        }
        release(bytes);
    }
}

/* Each example as an item among others: what stands behind it is found. */
static void items_are_read_one_after_the_other(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        char hex[2 * MAX_BYTES];
        struct ferry_cbor_reader reader;
        struct ferry_cbor_item item;
        int64_t number;

        (void)snprintf(hex, sizeof(hex), "9f%s1864ff07", examples[i].hex);
        struct ferry_bytes bytes = from_hex(hex);
        ferry_cbor_reader_init(&reader, bytes);
        assert_int_equal(ferry_cbor_read(&reader, &item), FERRY_OK);

        struct ferry_cbor_reader inside = ferry_cbor_enter(&item);
        assert_int_equal(ferry_cbor_read(&inside, &item), FERRY_OK);
        assert_int_equal(item.kind, examples[i].kind);
        assert_int_equal(ferry_cbor_read(&inside, &item), FERRY_OK);
        assert_int_equal(ferry_cbor_to_int(&item, &number), FERRY_OK);
        assert_int_equal(number, 100);
        assert_true(ferry_cbor_at_end(&inside));
        assert_int_equal(ferry_cbor_read(&inside, &item), FERRY_E_SHORT);

        assert_int_equal(ferry_cbor_read(&reader, &item), FERRY_OK);
        assert_int_equal(item.value, 7);
        assert_true(ferry_cbor_at_end(&reader));
        release(bytes);
    }
}

/* ---- Appendix F ------------------------------------------------------------------ */

static void malformed_input_is_refused(void **state)
{
    static const char *const malformed[] = {
        /* reserved additional information */
        "1c", "1d", "1e", "3c", "3d", "3e", "5c", "5d", "5e", "7c", "7d", "7e", "9c", "9d", "9e",
        "bc", "bd", "be", "dc", "dd", "de", "fc", "fd", "fe",
        /* reserved two-byte simple values */
        "f800", "f801", "f818", "f81f",
        /* chunks of the wrong type, of open strings in open strings, tagged ones */
        "5f00ff", "5f21ff", "5f6100ff", "5f80ff", "5fa0ff", "5fc000ff", "5fe0ff", "7f4100ff",
        "5f5f4100ffff", "7f7f6100ffff", "5fc04100ff",
        /* breaks where none may be */
        "ff", "81ff", "8200ff", "a1ff00", "a100ff", "9f81ff", "9f829f819f9fffffffff", "c0ff",
        "9fc0ff", "bfc0ff",
        /* an open map with a key and no value */
        "bf00ff", "bf000000ff", "bf6161ff",
        /* open forms of types that have none */
        "1f", "3f", "df"};

    (void)state;
    for (size_t i = 0; i < COUNT(malformed); i++) {
        assert_int_equal(read_hex(malformed[i]), FERRY_E_FORMAT);
    }
}

static void lengths_beyond_the_input_are_short(void **state)
{
    static const char *const cut[] = {
        "5affffffff00", "5bffffffffffffffff010203", "7affffffff00", "7b7fffffffffffffff01",
        "9affffffff00", "9bffffffffffffffff", "9b800000000000000000", "baffffffff00",
        "bbffffffffffffffff000000", "bb800000000000000000",
        /* appendix F has these under breaks; here the count alone says that it cannot fit */
        "a1ff", "a20000ff"};

    (void)state;
    for (size_t i = 0; i < COUNT(cut); i++) {
        assert_int_equal(read_hex(cut[i]), FERRY_E_SHORT);
    }
}

/* ---- Depth ----------------------------------------------------------------------- */

/* depth containers in each other, opened by the byte and closed (when open) by breaks. */
static size_t nest(uint8_t *out, size_t depth, uint8_t opening, bool closed)
{
    size_t len = 0;

    for (size_t i = 0; i < depth; i++) {
        out[len++] = opening;
        if (opening == 0xa1 || opening == 0xbf) {
            out[len++] = 0x01;
        }
    }
    out[len++] = 0x00;
    for (size_t i = 0; closed && i < depth; i++) {
        out[len++] = 0xff;
    }
    return len;
}

static void depth_is_bounded(void **state)
{
    static const uint8_t openings[] = {0x81, 0x9f, 0xa1, 0xbf};

    (void)state;
    for (size_t i = 0; i < COUNT(openings); i++) {
        for (size_t depth = 1; depth <= 64; depth++) {
            uint8_t bytes[MAX_BYTES];
            bool open = openings[i] == 0x9f || openings[i] == 0xbf;
            size_t len = nest(bytes, depth, openings[i], open);

            assert_int_equal(read_prefix((struct ferry_bytes){bytes, len}, len),
                             depth <= FERRY_CBOR_DEPTH ? FERRY_OK : FERRY_E_DEPTH);
        }
    }
}

static void depth_counts_what_is_open_not_what_was(void **state)
{
    (void)state;
    /* Many short lists side by side on the deepest level but one. */
    assert_int_equal(read_hex("818181818181"
                              "8680808080809fff"),
                     FERRY_OK);
    assert_int_equal(read_hex("81818181818181"
                              "8180"),
                     FERRY_E_DEPTH);
    /* Tags and chunks are no containers. */
    assert_int_equal(read_hex("8181818181818181c0c1c2c3c4c5c6c7c8c97f6161ff"), FERRY_OK);
}

static void a_deep_item_can_be_entered_step_by_step(void **state)
{
    struct ferry_bytes bytes = from_hex("818181818181818107");
    struct ferry_cbor_reader reader;
    struct ferry_cbor_item item;

    (void)state;
    ferry_cbor_reader_init(&reader, bytes);
    for (int i = 0; i < FERRY_CBOR_DEPTH; i++) {
        assert_int_equal(ferry_cbor_read(&reader, &item), FERRY_OK);
        assert_int_equal(item.kind, FERRY_CBOR_LIST);
        reader = ferry_cbor_enter(&item);
    }
    assert_int_equal(ferry_cbor_read(&reader, &item), FERRY_OK);
    assert_int_equal(item.value, 7);
    release(bytes);
}

/* ---- Items ------------------------------------------------------------------------ */

static struct ferry_cbor_item read_item(struct ferry_bytes bytes)
{
    struct ferry_cbor_reader reader;
    struct ferry_cbor_item item;

    ferry_cbor_reader_init(&reader, bytes);
    assert_int_equal(ferry_cbor_read(&reader, &item), FERRY_OK);
    return item;
}

static void to_int_takes_what_fits(void **state)
{
    static const struct {
        const char *hex;
        int rc;
        int64_t value;
    } cases[] = {
        {"00", FERRY_OK, 0},
        {"1b7fffffffffffffff", FERRY_OK, INT64_MAX},
        {"1b8000000000000000", FERRY_E_RANGE, 0},
        {"20", FERRY_OK, -1},
        {"3903e7", FERRY_OK, -1000},
        {"3b7fffffffffffffff", FERRY_OK, INT64_MIN},
        {"3b8000000000000000", FERRY_E_RANGE, 0},
        {"6131", FERRY_E_TYPE, 0},
        {"f5", FERRY_E_TYPE, 0},
        {"f93c00", FERRY_E_TYPE, 0},
        {"80", FERRY_E_TYPE, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ferry_bytes bytes = from_hex(cases[i].hex);
        struct ferry_cbor_item item = read_item(bytes);
        int64_t value = 0;

        assert_int_equal(ferry_cbor_to_int(&item, &value), cases[i].rc);
        assert_true(value == cases[i].value);
        release(bytes);
    }
}

static void is_text_compares_all_of_both(void **state)
{
    static const struct {
        const char *hex;
        const char *text;
        bool equal;
    } cases[] = {
        {"63616263", "abc", true},
        {"63616263", "ab", false},
        {"63616263", "abcd", false},
        {"63616263", "abd", false},
        {"60", "", true},
        {"60", "a", false},
        {"43616263", "abc", false},
        {"7f61616062626300ff", "abc", false},
        {"7f616160626263ff", "abc", true},
        {"7f616160626263ff", "ab", false},
        {"7f616160626263ff", "abcd", false},
        {"7fff", "", true},
        {"7fff", "a", false},
        {"63610063", "a", false},
        {"6100", "", false},
        {"01", "", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ferry_bytes bytes = from_hex(cases[i].hex);
        struct ferry_cbor_reader reader;
        struct ferry_cbor_item item;

        ferry_cbor_reader_init(&reader, bytes);
        if (ferry_cbor_read(&reader, &item) == FERRY_OK) {
            assert_int_equal(ferry_cbor_is_text(&item, cases[i].text), cases[i].equal);
        } else {
            assert_false(cases[i].equal);
        }
        release(bytes);
    }
}

static void a_failed_read_changes_nothing(void **state)
{
    struct ferry_bytes bytes = from_hex("8201");
    struct ferry_cbor_reader reader;
    struct ferry_cbor_item item = {.kind = FERRY_CBOR_SIMPLE, .value = 77};

    (void)state;
    ferry_cbor_reader_init(&reader, bytes);
    assert_int_equal(ferry_cbor_read(&reader, &item), FERRY_E_SHORT);
    assert_int_equal(item.kind, FERRY_CBOR_SIMPLE);
    assert_int_equal(item.value, 77);
    assert_ptr_equal(reader.next, bytes.data);
    release(bytes);
}

static void no_bytes_at_all_are_short(void **state)
{
    struct ferry_cbor_reader reader;
    struct ferry_cbor_item item;

    (void)state;
    ferry_cbor_reader_init(&reader, (struct ferry_bytes){.data = NULL, .len = 0});
    assert_true(ferry_cbor_at_end(&reader));
    assert_int_equal(ferry_cbor_read(&reader, &item), FERRY_E_SHORT);
}

/* ---- Inside a map ---------------------------------------------------------------- */

/* Each example as the value of an unknown key and of one that takes all. */
static void every_example_is_skipped_or_taken_in_a_map(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(examples); i++) {
        struct ferry_cbor_field fields[] = {{.key = "off", .kind = FERRY_CBOR_UINT},
                                            {.key = "any", .kind = FERRY_CBOR_ANY}};
        char hex[3 * MAX_BYTES];

        /* foo: example, off: 7, any: example, c: example */
        (void)snprintf(hex, sizeof(hex), "a463666f6f%s636f66660763616e79%s6163%s", examples[i].hex,
                       examples[i].hex, examples[i].hex);
        struct ferry_bytes bytes = from_hex(hex);
        assert_int_equal(ferry_cbor_read_map(bytes, fields, COUNT(fields)), FERRY_OK);
        assert_true(fields[0].present && fields[1].present);
        assert_int_equal(fields[0].item.value, 7);
        assert_int_equal(fields[1].item.kind, examples[i].kind);
        release(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_is_read),
        cmocka_unit_test(every_truncation_is_short),
        cmocka_unit_test(every_changed_byte_is_survived),
        cmocka_unit_test(items_are_read_one_after_the_other),
        cmocka_unit_test(malformed_input_is_refused),
        cmocka_unit_test(lengths_beyond_the_input_are_short),
        cmocka_unit_test(depth_is_bounded),
        cmocka_unit_test(depth_counts_what_is_open_not_what_was),
        cmocka_unit_test(a_deep_item_can_be_entered_step_by_step),
        cmocka_unit_test(to_int_takes_what_fits),
        cmocka_unit_test(is_text_compares_all_of_both),
        cmocka_unit_test(a_failed_read_changes_nothing),
        cmocka_unit_test(no_bytes_at_all_are_short),
        cmocka_unit_test(every_example_is_skipped_or_taken_in_a_map),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
