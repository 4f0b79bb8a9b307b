/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR: maps read into fields, and the writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/cbor.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

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

static struct ferry_cbor_item read_item(struct ferry_bytes bytes)
{
    struct ferry_cbor_reader reader;
    struct ferry_cbor_item item;

    ferry_cbor_reader_init(&reader, bytes);
    assert_int_equal(ferry_cbor_read(&reader, &item), FERRY_OK);
    return item;
}

/* ---- Maps ---------------------------------------------------------------------------- */

enum { F_OFF, F_DATA, F_NAME, F_RC, F_ANY, F_COUNT };

static void set_fields(struct ferry_cbor_field *fields)
{
    const struct ferry_cbor_field fresh[F_COUNT] = {
        [F_OFF] = {.key = "off", .kind = FERRY_CBOR_UINT, .present = true},
        [F_DATA] = {.key = "data", .kind = FERRY_CBOR_BYTES, .present = true},
        [F_NAME] = {.key = "name", .kind = FERRY_CBOR_TEXT},
        [F_RC] = {.key = "rc", .kind = FERRY_CBOR_NEGATIVE},
        [F_ANY] = {.key = "any", .kind = FERRY_CBOR_ANY},
    };

    memcpy(fields, fresh, sizeof(fresh));
}

/* ferry_cbor_read_map() of hex; the bytes are freed, so only kinds and values may be used. */
static int read_map(const char *hex, struct ferry_cbor_field *fields)
{
    struct ferry_bytes bytes = from_hex(hex);

    set_fields(fields);
    int rc = ferry_cbor_read_map(bytes, fields, F_COUNT);
    release(bytes);
    return rc;
}

#define K_OFF  "636f6666"
#define K_DATA "6464617461"
#define K_NAME "646e616d65"
#define K_RC   "627263"
#define K_ANY  "63616e79"
#define K_FOO  "63666f6f"

static void a_map_is_read_in_any_order(void **state)
{
    static const char *const maps[] = {
        "a3" K_OFF "1864" K_DATA "42aabb" K_RC "20",
        "bf" K_RC "20" K_DATA "5f41aa41bbff" K_OFF "19"
        "0064"
        "ff",
        "a5" K_FOO "a1" K_OFF "01" K_RC "3800" K_FOO "f6" K_OFF "1864" K_DATA "42aabb",
        "bf" K_DATA "42aabb"
        "7f626f666166ff"
        "1864" K_RC "20"
        "ff",
    };
    struct ferry_cbor_field fields[F_COUNT];

    (void)state;
    for (size_t i = 0; i < COUNT(maps); i++) {
        struct ferry_bytes bytes = from_hex(maps[i]);
        uint8_t data[2];
        int64_t rc;

        set_fields(fields);
        assert_int_equal(ferry_cbor_read_map(bytes, fields, F_COUNT), FERRY_OK);
        assert_true(fields[F_OFF].present && fields[F_DATA].present && fields[F_RC].present);
        assert_false(fields[F_NAME].present || fields[F_ANY].present);
        assert_int_equal(fields[F_OFF].item.value, 100);
        assert_int_equal(ferry_cbor_copy(&fields[F_DATA].item, data, sizeof(data)), 2);
        assert_memory_equal(data, "\xaa\xbb", 2);
        assert_int_equal(ferry_cbor_to_int(&fields[F_RC].item, &rc), FERRY_OK);
        assert_int_equal(rc, -1);
        release(bytes);
    }
}

static void maps_that_are_wrong_are_refused(void **state)
{
    static const struct {
        const char *hex;
        int rc;
    } cases[] = {
        {"", FERRY_E_SHORT},
        {"80", FERRY_E_TYPE},               /* no map */
        {"01", FERRY_E_TYPE},               /* no map */
        {"a1" K_OFF "20", FERRY_E_TYPE},    /* negative for unsigned */
        {"a1" K_OFF "6131", FERRY_E_TYPE},  /* text for a number */
        {"a1" K_OFF "f6", FERRY_E_TYPE},    /* null for a number */
        {"a1" K_DATA "6161", FERRY_E_TYPE}, /* text for bytes */
        {"a1" K_NAME "4161", FERRY_E_TYPE}, /* bytes for text */
        {"a1" K_RC "f5", FERRY_E_TYPE},     /* bool for an integer */
        {"a10101", FERRY_E_TYPE},           /* key is a number */
        {"a143"
         "6f6666"
         "01",
         FERRY_E_TYPE}, /* key is bytes */
        {"a2" K_OFF "01"
         "f601",
         FERRY_E_TYPE},                               /* key is null */
        {"a2" K_OFF "01" K_OFF "01", FERRY_E_FORMAT}, /* twice */
        {"a2" K_OFF "01"
         "7f616f626666ff"
         "01",
         FERRY_E_FORMAT},                                        /* twice, chunked */
        {"a3" K_OFF "01" K_FOO "01" K_OFF "02", FERRY_E_FORMAT}, /* twice, not adjacent */
        {"a2" K_OFF "01" K_RC, FERRY_E_SHORT},
        {"a1" K_OFF "1c", FERRY_E_FORMAT},
        {"bf" K_OFF "ff", FERRY_E_FORMAT},
        {"a1" K_FOO "818181818181818100", FERRY_E_DEPTH},
    };
    struct ferry_cbor_field fields[F_COUNT];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(read_map(cases[i].hex, fields), cases[i].rc);
    }
}

static void what_is_no_error_of_a_map(void **state)
{
    static const char *const fine[] = {
        "a0",
        "bfff",
        "a0"
        "ffffff", /* bytes behind the map */
        "d9d9f7"
        "a1" K_OFF "01",            /* the tag "this is CBOR" */
        "a2" K_FOO "01" K_FOO "02", /* an unknown key twice */
        "a1" K_RC "01",             /* an integer of either sign */
        "a1"
        "636f6665"
        "01", /* "ofe" is not "off" */
        "a1"
        "626f66"
        "20", /* "of" neither */
        "a1"
        "646f666600"
        "20", /* nor "off\0" */
    };
    struct ferry_cbor_field fields[F_COUNT];

    (void)state;
    for (size_t i = 0; i < COUNT(fine); i++) {
        assert_int_equal(read_map(fine[i], fields), FERRY_OK);
    }
}

/* ---- Writer --------------------------------------------------------------------------- */

static void check_written(const struct ferry_cbor_writer *writer, const char *hex)
{
    struct ferry_bytes wanted = from_hex(hex);

    assert_int_equal(ferry_cbor_writer_result(writer), wanted.len);
    assert_memory_equal(writer->buf, wanted.data, wanted.len);
    release(wanted);
}

/* Every integer of the appendix, and the edges of every width, in the shortest form. */
static void integers_are_written_shortest(void **state)
{
    static const struct {
        int64_t value;
        const char *hex;
    } cases[] = {
        {0, "00"},
        {1, "01"},
        {10, "0a"},
        {23, "17"},
        {24, "1818"},
        {25, "1819"},
        {100, "1864"},
        {255, "18ff"},
        {256, "190100"},
        {1000, "1903e8"},
        {65535, "19ffff"},
        {65536, "1a00010000"},
        {1000000, "1a000f4240"},
        {UINT32_MAX, "1affffffff"},
        {(int64_t)UINT32_MAX + 1, "1b0000000100000000"},
        {1000000000000, "1b000000e8d4a51000"},
        {INT64_MAX, "1b7fffffffffffffff"},
        {-1, "20"},
        {-10, "29"},
        {-24, "37"},
        {-25, "3818"},
        {-100, "3863"},
        {-256, "38ff"},
        {-257, "390100"},
        {-1000, "3903e7"},
        {-65536, "39ffff"},
        {-65537, "3a00010000"},
        {INT64_MIN, "3b7fffffffffffffff"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct ferry_cbor_writer w;
        uint8_t buf[16];
        int64_t back;

        ferry_cbor_writer_init(&w, buf, sizeof(buf));
        ferry_cbor_put_int(&w, cases[i].value);
        check_written(&w, cases[i].hex);
        struct ferry_cbor_item item = read_item((struct ferry_bytes){buf, w.len});
        assert_int_equal(ferry_cbor_to_int(&item, &back), FERRY_OK);
        assert_true(back == cases[i].value);
        if (cases[i].value >= 0) {
            ferry_cbor_writer_init(&w, buf, sizeof(buf));
            ferry_cbor_put_uint(&w, (uint64_t)cases[i].value);
            check_written(&w, cases[i].hex);
        }
    }
}

static void the_largest_unsigned_is_written(void **state)
{
    struct ferry_cbor_writer w;
    uint8_t buf[16];

    (void)state;
    ferry_cbor_writer_init(&w, buf, sizeof(buf));
    ferry_cbor_put_uint(&w, UINT64_MAX);
    check_written(&w, "1bffffffffffffffff");
}

/* One of everything; used by the tests below. */
static void write_everything(struct ferry_cbor_writer *w)
{
    ferry_cbor_open_map(w);
    ferry_cbor_pair_uint(w, "off", 1000);
    ferry_cbor_pair_int(w, "rc", -25);
    ferry_cbor_pair_bool(w, "t", true);
    ferry_cbor_pair_bool(w, "f", false);
    ferry_cbor_pair_text(w, "name", "ferry");
    ferry_cbor_pair_bytes(w, "data", (const uint8_t *)"\x01\x02\x03", 3);
    ferry_cbor_put_text(w, "l");
    ferry_cbor_put_list(w, 2);
    ferry_cbor_put_null(w);
    ferry_cbor_put_map(w, 1);
    ferry_cbor_put_text_n(w, "keys", 1);
    ferry_cbor_open_list(w);
    ferry_cbor_put_bytes(w, NULL, 0);
    ferry_cbor_put_text(w, "");
    ferry_cbor_close(w);
    ferry_cbor_close(w);
}

#define EVERYTHING                                                                                 \
    "bf636f66661903e862726338186174f56166f4646e616d65656665727279"                                 \
    "646461746143010203616c82f6a1616b9f4060ffff"

static void everything_is_written(void **state)
{
    struct ferry_cbor_writer w;
    uint8_t buf[128];

    (void)state;
    ferry_cbor_writer_init(&w, buf, sizeof(buf));
    write_everything(&w);
    check_written(&w, EVERYTHING);
    assert_int_equal(read_item((struct ferry_bytes){buf, w.len}).kind, FERRY_CBOR_MAP);
}

/* In a buffer of every size: never beyond it, and the length needed is right all the same. */
static void no_buffer_is_overrun(void **state)
{
    struct ferry_bytes wanted = from_hex(EVERYTHING);

    (void)state;
    for (size_t cap = 0; cap <= wanted.len; cap++) {
        uint8_t *buf = cap == 0 ? NULL : malloc(cap);
        struct ferry_cbor_writer w;

        ferry_cbor_writer_init(&w, buf, cap);
        write_everything(&w);
        assert_int_equal(w.len, wanted.len);
        assert_int_equal(ferry_cbor_writer_result(&w),
                         cap == wanted.len ? (int)wanted.len : FERRY_E_SPACE);
        free(buf);
    }
    release(wanted);
}

/* What does not fit is not followed by something small that would. */
static void nothing_is_written_after_a_gap(void **state)
{
    struct ferry_cbor_writer w;
    uint8_t buf[4] = {0xee, 0xee, 0xee, 0xee};

    (void)state;
    ferry_cbor_writer_init(&w, buf, sizeof(buf));
    ferry_cbor_put_bytes(&w, (const uint8_t *)"12345", 5);
    ferry_cbor_put_uint(&w, 1);
    assert_memory_equal(buf, "\x45\xee\xee\xee", 4);
    assert_int_equal(w.len, 7);
}

static void the_length_needed_does_not_wrap(void **state)
{
    struct ferry_cbor_writer w = {.buf = NULL, .cap = 0, .len = SIZE_MAX - 1};

    (void)state;
    ferry_cbor_put_uint(&w, 1);
    ferry_cbor_put_uint(&w, 1);
    assert_true(w.len == SIZE_MAX);
    assert_int_equal(ferry_cbor_writer_result(&w), FERRY_E_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_is_read_in_any_order),
        cmocka_unit_test(maps_that_are_wrong_are_refused),
        cmocka_unit_test(what_is_no_error_of_a_map),
        cmocka_unit_test(integers_are_written_shortest),
        cmocka_unit_test(the_largest_unsigned_is_written),
        cmocka_unit_test(everything_is_written),
        cmocka_unit_test(no_buffer_is_overrun),
        cmocka_unit_test(nothing_is_written_after_a_gap),
        cmocka_unit_test(the_length_needed_does_not_wrap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
