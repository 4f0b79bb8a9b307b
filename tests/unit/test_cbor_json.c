/* SPDX-License-Identifier: Apache-2.0 */
/* CBOR as JSON and back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/cli.h"
#include "cli/packet/cbor_json.h"

#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The JSON of an item that is given in hex; NULL for none. Free it with cJSON_free(). */
static char *json_of(const char *hex)
{
    uint8_t cbor[512];
    int len = cli_unhex(hex, cbor, sizeof cbor);

    assert_true(len >= 0);
    cJSON *json = cbor_json_read((struct ferry_bytes){cbor, (size_t)len});
    char *text = json != NULL ? cbor_json_print(json, false) : NULL;

    cJSON_Delete(json);
    return text;
}

static void expect_json(const char *hex, const char *expected)
{
    char *text = json_of(hex);

    if (text == NULL || strcmp(text, expected) != 0) {
        fail_msg("%s is %s, not %s", hex, text != NULL ? text : "no item", expected);
    }
    cJSON_free(text);
}

/* The CBOR of a JSON text in hex, or the error. */
static int cbor_of(const char *text, char *hex)
{
    uint8_t cbor[512];
    struct ferry_cbor_writer writer;
    size_t where;
    cJSON *json = cbor_json_parse(text, &where);

    assert_non_null(json);
    ferry_cbor_writer_init(&writer, cbor, sizeof cbor);
    int error = cbor_json_write(json, &writer);
    cJSON_Delete(json);
    if (error == FERRY_OK) {
        int len = ferry_cbor_writer_result(&writer);

        assert_true(len > 0);
        cli_hex(cbor, (size_t)len, hex);
    }
    return error;
}

static void expect_cbor(const char *text, const char *expected)
{
    char hex[1025];

    assert_int_equal(cbor_of(text, hex), FERRY_OK);
    if (strcmp(hex, expected) != 0) {
        fail_msg("%s is %s, not %s", text, hex, expected);
    }
}

/* What is the same in both directions. */
static const struct {
    const char *cbor;
    const char *json;
} both[] = {
    {"00", "0"},
    {"17", "23"},
    {"1818", "24"},
    {"20", "-1"},
    {"3863", "-100"},
    {"1a7fffffff", "2147483647"},
    {"1a80000000", "2147483648"},
    {"1b00038d7ea4c67fff", "999999999999999"},
    {"1b00038d7ea4c68000", "1000000000000000"},
    {"3b00038d7ea4c67ffe", "-999999999999999"},
    {"3b00038d7ea4c67fff", "-1000000000000000"},
    {"1b001fffffffffffff", "9007199254740991"},
    {"1b0020000000000001", "9007199254740993"},
    {"1b7fffffffffffffff", "9223372036854775807"},
    {"1bffffffffffffffff", "18446744073709551615"},
    {"3b7fffffffffffffff", "-9223372036854775808"},
    {"3bffffffffffffffff", "-18446744073709551616"},
    {"f4", "false"},
    {"f5", "true"},
    {"f6", "null"},
    {"60", "\"\""},
    {"6161", "\"a\""},
    {"62c3a4", "\"\xc3\xa4\""},
    {"62225c", "\"\\\"\\\\\""},
    {"630a091b", "\"\\n\\t\\u001b\""},
    {"617f", "\"\\u007f\""},
    {"62c29b", "\"\\u009b\""},
    {"40", "\"h''\""},
    {"420a0b", "\"h'0a0b'\""},
    {"80", "[]"},
    {"a0", "{}"},
    {"83010203", "[1,2,3]"},
    {"a2616101616282f5f6", "{\"a\":1,\"b\":[true,null]}"},
    {"a16001", "{\"\":1}"},
    {"fa3f800000", "1.0"},
    {"fa80000000", "-0.0"},
    {"fa3fc00000", "1.5"},
    {"fb3fb999999999999a", "0.1"},
    {"fb7e37e43c8800759c", "1.00000000000000005e+300"},
};

static void test_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(both); i++) {
        expect_json(both[i].cbor, both[i].json);
        expect_cbor(both[i].json, both[i].cbor);
    }
}

/* What only devices write. */
static const struct {
    const char *cbor;
    const char *json;
} read_only[] = {
    {"bf6161019f0203ffff", NULL}, /* a list as key, and its value missing */
    {"bf616101ff", "{\"a\":1}"},
    {"bf61619f0203ffff", "{\"a\":[2,3]}"},
    {"1800", "0"},
    {"1b0000000000000001", "1"},
    {"5f410a420b0cff", "\"h'0a0b0c'\""},
    {"5fff", "\"h''\""},
    {"7f61616162ff", "\"ab\""},
    {"7f61c361a4ff", "\"\xc3\xa4\""},
    {"f7", "null"},
    {"f0", "\"simple(16)\""},
    {"f8ff", "\"simple(255)\""},
    {"f93c00", "1.0"},
    {"f93e00", "1.5"},
    {"f90001", "5.9604644775390625e-08"},
    {"f9c400", "-4.0"},
    {"f97c00", "\"Infinity\""},
    {"f9fc00", "\"-Infinity\""},
    {"f97e00", "\"NaN\""},
    {"fa7f800000", "\"Infinity\""},
    {"fb7ff8000000000000", "\"NaN\""},
    {"c11a514b67b0", "1363896240"},
    {"d9d9f7f93c00", "1.0"},
    {"c1c2fa3fc00000", "1.5"},
    {"a201020304", "{\"1\":2,\"3\":4}"},
    {"a12001", "{\"-1\":1}"},
    {"a1410a01", "{\"h'0a'\":1}"},
    {"a1f501", "{\"true\":1}"},
    {"a1810101", "{\"[1]\":1}"},
    {"a2616101616102", "{\"a\":1,\"a\":2}"},
    {"6180", "\"\xef\xbf\xbd\""},
    {"6300ff61", "\"\xef\xbf\xbd\xef\xbf\xbd"
                 "a\""},
    {"63eda080", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {"62c080", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {"62e282", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {"64f09f9880", "\"\xf0\x9f\x98\x80\""},
    {"64f4908080", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {"8181818181818180", "[[[[[[[[]]]]]]]]"},
};

static void test_what_devices_write(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(read_only); i++) {
        if (read_only[i].json != NULL) {
            expect_json(read_only[i].cbor, read_only[i].json);
        } else {
            assert_null(json_of(read_only[i].cbor));
        }
    }
}

static void test_what_is_not_one_item(void **state)
{
    static const char *const bad[] = {"",
                                      "18",
                                      "ff",
                                      "6261",
                                      "a1",
                                      "a16161",
                                      "bf6161",
                                      "0000",
                                      "1c",
                                      "5f6161ff",
                                      "818181818181818180",
                                      "f81f"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_null(json_of(bad[i]));
    }
}

static void test_items_one_after_the_other(void **state)
{
    const uint8_t cbor[] = {0x01, 0xa0, 0x61};
    struct ferry_cbor_reader reader;
    int error;

    (void)state;
    ferry_cbor_reader_init(&reader, (struct ferry_bytes){cbor, sizeof cbor});
    cJSON *json = cbor_json_next(&reader, &error);
    assert_true(cJSON_IsNumber(json) && json->valueint == 1);
    cJSON_Delete(json);
    json = cbor_json_next(&reader, &error);
    assert_true(cJSON_IsObject(json));
    cJSON_Delete(json);
    assert_null(cbor_json_next(&reader, &error));
    assert_int_equal(error, FERRY_E_SHORT);
    assert_ptr_equal(reader.next, cbor + 2);
}

static void test_what_people_write(void **state)
{
    (void)state;
    expect_cbor(" { \"a\" : -0 , \"n\\\"1\": [2.5e0, 1e3, \"7\\\\\", 18446744073709551615] } ",
                "a2616100636e223184fa40200000fa447a0000"
                "62375c1bffffffffffffffff");
    expect_cbor("\"h'0a 0B'\"", "420a0b");
    expect_cbor("\"h'\"", "6268"
                          "27");
    expect_cbor("\"h\"", "6168");
    expect_cbor("\"\\u00e4\"", "62c3a4");
    expect_cbor("12.0", "fa41400000");
}

static void test_what_cannot_be_written(void **state)
{
    char hex[1025];

    (void)state;
    assert_int_equal(cbor_of("{\"a\":1,\"b\":{\"c\":1,\"c\":2}}", hex), FERRY_E_FORMAT);
    assert_int_equal(cbor_of("\"h'0'\"", hex), FERRY_E_FORMAT);
    assert_int_equal(cbor_of("\"h'0g'\"", hex), FERRY_E_FORMAT);
    assert_int_equal(cbor_of("18446744073709551616", hex), FERRY_E_RANGE);
    assert_int_equal(cbor_of("-18446744073709551617", hex), FERRY_E_RANGE);
    assert_int_equal(cbor_of("1e999", hex), FERRY_E_RANGE);
    assert_int_equal(cbor_of("[[[[[[[[]]]]]]]]", hex), FERRY_OK);
    assert_int_equal(cbor_of("[[[[[[[[[]]]]]]]]]", hex), FERRY_E_DEPTH);
}

static void test_a_writer_without_room_measures(void **state)
{
    struct ferry_cbor_writer writer;
    size_t where;
    cJSON *json = cbor_json_parse("[-9223372036854775809, 0.1, 1.5, \"h'00'\"]", &where);

    (void)state;
    ferry_cbor_writer_init(&writer, NULL, 0);
    assert_int_equal(cbor_json_write(json, &writer), FERRY_OK);
    assert_int_equal(writer.len, 1 + 9 + 9 + 5 + 2);
    cJSON_Delete(json);
}

static void test_bad_json_is_told_with_its_place(void **state)
{
    size_t where = 0;

    (void)state;
    assert_null(cbor_json_parse("", &where));
    assert_null(cbor_json_parse("{\"a\":1} x", &where));
    assert_int_equal(where, 8);
    assert_null(cbor_json_parse("{\"a\":wrong}", &where));
    assert_int_equal(where, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways),
        cmocka_unit_test(test_what_devices_write),
        cmocka_unit_test(test_what_is_not_one_item),
        cmocka_unit_test(test_items_one_after_the_other),
        cmocka_unit_test(test_what_people_write),
        cmocka_unit_test(test_what_cannot_be_written),
        cmocka_unit_test(test_a_writer_without_room_measures),
        cmocka_unit_test(test_bad_json_is_told_with_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
