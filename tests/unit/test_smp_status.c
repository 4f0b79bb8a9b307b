/* SPDX-License-Identifier: Apache-2.0 */
/* What no well-behaved server sends: odd and damaged answers; and the words for every code. */
#include "ferry/smp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* ---- Status ------------------------------------------------------------------------ */

#define BYTES(...)                                                                                 \
    (struct ferry_bytes)                                                                           \
    {                                                                                              \
        (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})                     \
    }
#define RC    0x62, 'r', 'c'
#define ERR   0x63, 'e', 'r', 'r'
#define RSN   0x63, 'r', 's', 'n'
#define GROUP 0x65, 'g', 'r', 'o', 'u', 'p'

static void assert_status(struct ferry_bytes payload, bool grouped, uint16_t group, int64_t rc)
{
    struct ferry_smp_status status;

    assert_int_equal(ferry_smp_status_read(payload, &status), FERRY_OK);
    assert_int_equal(status.grouped, grouped);
    assert_int_equal(status.group, group);
    assert_true(status.rc == rc);
}

static void test_err_wins_over_rc(void **state)
{
    (void)state;
    assert_status(BYTES(0xa2, RC, 0x05, ERR, 0xa2, GROUP, 0x01, RC, 0x08), true, 1, 8);
    assert_status(BYTES(0xa2, ERR, 0xa2, RC, 0x08, GROUP, 0x01, RC, 0x05), true, 1, 8);
    assert_status(BYTES(0xa2, RC, 0x00, ERR, 0xa2, GROUP, 0x18, 63, RC, 0x02), true, 63, 2);
}

/* A zero in one place must not cover a failure in the other. */
static void test_err_zero_covers_nothing(void **state)
{
    (void)state;
    assert_status(BYTES(0xa1, ERR, 0xa2, GROUP, 0x01, RC, 0x00), false, 0, 0);
    assert_status(BYTES(0xa2, RC, 0x05, ERR, 0xa2, GROUP, 0x01, RC, 0x00), false, 0, 5);
}

static void test_other_keys_are_passed_over(void **state)
{
    (void)state;
    /* {"a": [1, {2: 3}], "err": {"a": [1], "rc": 3, "group": 1000}} */
    assert_status(BYTES(0xa2, 0x61, 'a', 0x82, 1, 0xa1, 2, 3, ERR, 0xa3, 0x61, 'a', 0x81, 1, RC,
                        0x03, GROUP, 0x19, 0x03, 0xe8),
                  true, 1000, 3);
    /* keys inside "err" that are no text */
    assert_status(BYTES(0xa1, ERR, 0xa3, 0x01, 0x02, RC, 0x03, GROUP, 0x04), true, 4, 3);
}

static void test_negative_and_wide_codes(void **state)
{
    (void)state;
    assert_status(BYTES(0xa1, RC, 0x27), false, 0, -8);
    assert_status(BYTES(0xa1, RC, 0x1b, 0, 0, 0, 0, 0, 0, 0, 3), false, 0, 3);
    assert_status(BYTES(0xa1, RC, 0x1b, 0x7f, 255, 255, 255, 255, 255, 255, 255), false, 0,
                  INT64_MAX);
    assert_status(BYTES(0xa1, RC, 0x19, 0x01, 0x00), false, 0, 256);
    assert_status(BYTES(0xa1, ERR, 0xa2, GROUP, 0x19, 0xff, 0xff, RC, 0x20), true, 0xffff, -1);
}

/* What cannot be read is an error, never a success. */
static void test_damaged_answers(void **state)
{
    const struct {
        struct ferry_bytes payload;
        int error;
    } cases[] = {
        {BYTES(0xa1, ERR, 0xa1, GROUP, 0x01), FERRY_E_FORMAT},
        {BYTES(0xa1, ERR, 0xa1, RC, 0x01), FERRY_E_FORMAT},
        {BYTES(0xa1, ERR, 0xa0), FERRY_E_FORMAT},
        {BYTES(0xa1, ERR, 0x05), FERRY_E_TYPE},
        {BYTES(0xa1, RC, 0x61, '0'), FERRY_E_TYPE},
        {BYTES(0xa1, RC, 0xf4), FERRY_E_TYPE},
        {BYTES(0xa1, ERR, 0xa2, GROUP, 0x01, RC, 0x61, '8'), FERRY_E_TYPE},
        {BYTES(0xa1, ERR, 0xa2, GROUP, 0x61, '1', RC, 0x08), FERRY_E_TYPE},
        {BYTES(0xa1, ERR, 0xa2, GROUP, 0x1a, 0, 1, 0, 0, RC, 0x08), FERRY_E_RANGE},
        {BYTES(0xa1, ERR, 0xa2, GROUP, 0x20, RC, 0x08), FERRY_E_RANGE},
        {BYTES(0xa1, RC, 0x1b, 255, 255, 255, 255, 255, 255, 255, 255), FERRY_E_RANGE},
        {BYTES(0xa2, RC, 0x00, RC, 0x05), FERRY_E_FORMAT},
        {BYTES(0x81, 0x00), FERRY_E_TYPE},
        {BYTES(0xbf, RC, 0x00), FERRY_E_SHORT},
        {{NULL, 0}, FERRY_E_SHORT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ferry_smp_status status = {.rc = 77};

        assert_int_equal(ferry_smp_status_read(cases[i].payload, &status), cases[i].error);
        assert_true(status.rc == 77);
    }
}

static void assert_reason(struct ferry_bytes payload, const char *reason)
{
    struct ferry_smp_status status;

    assert_int_equal(ferry_smp_status_read(payload, &status), FERRY_OK);
    assert_true(status.rc == 1);
    assert_int_equal(status.reason.len, strlen(reason));
    if (status.reason.len > 0) {
        assert_memory_equal(status.reason.data, reason, status.reason.len);
    }
}

/* The reason is only an extra: a strange one must not hide the code. */
static void test_reasons(void **state)
{
    (void)state;
    assert_reason(BYTES(0xa2, RC, 0x01, RSN, 0x62, 'n', 'o'), "no");
    assert_reason(BYTES(0xa2, RSN, 0x62, 'n', 'o', RC, 0x01), "no");
    assert_reason(BYTES(0xa2, RC, 0x01, RSN, 0x60), "");
    assert_reason(BYTES(0xa2, RC, 0x01, RSN, 0x42, 'n', 'o'), "");
    assert_reason(BYTES(0xa2, RC, 0x01, RSN, 0x05), "");
    assert_reason(BYTES(0xa2, RC, 0x01, RSN, 0x7f, 0x62, 'n', 'o', 0xff), "");
}

/* ---- Words -------------------------------------------------------------------------- */

static bool is_capitals(const char *name)
{
    return name[0] != '\0' && strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_") == strlen(name);
}

static bool is_sentence(const char *text)
{
    size_t len = strlen(text);

    return len > 0 && len <= 90 && text[len - 1] != '.' && text[len - 1] != ' ';
}

static void assert_good_words(struct ferry_smp_words words)
{
    assert_true(is_capitals(words.name));
    assert_string_not_equal(words.name, "UNKNOWN_CODE");
    assert_true(is_sentence(words.cause));
    assert_true(is_sentence(words.remedy));
}

/* smp.md §3: the last number of every group's table. */
static const struct {
    uint16_t group;
    const char *name;
    int64_t last;
} groups[] = {
    {FERRY_SMP_GROUP_OS, "os", 7},       {FERRY_SMP_GROUP_IMAGE, "image", 34},
    {FERRY_SMP_GROUP_STAT, "stat", 5},   {FERRY_SMP_GROUP_SETTINGS, "settings", 8},
    {FERRY_SMP_GROUP_LOG, "log", 1},     {FERRY_SMP_GROUP_CRASH, "crash", 1},
    {FERRY_SMP_GROUP_SPLIT, "split", 1}, {FERRY_SMP_GROUP_RUN, "run", 1},
    {FERRY_SMP_GROUP_FS, "fs", 17},      {FERRY_SMP_GROUP_SHELL, "shell", 3},
    {FERRY_SMP_GROUP_ENUM, "enum", 4},   {FERRY_SMP_GROUP_TRANSPORT, "transport", 17},
    {FERRY_SMP_GROUP_BASIC, "basic", 4},
};

static void assert_names_differ(uint16_t group, int64_t last)
{
    for (int64_t a = 0; a <= last; a++) {
        for (int64_t b = a + 1; b <= last; b++) {
            assert_string_not_equal(ferry_smp_group_words(group, a).name,
                                    ferry_smp_group_words(group, b).name);
        }
    }
}

static void test_group_words_are_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        uint16_t group = groups[i].group;

        assert_string_equal(ferry_smp_group_name(group), groups[i].name);
        assert_string_equal(ferry_smp_group_words(group, 0).name, "OK");
        assert_string_equal(ferry_smp_group_words(group, 1).name, "UNKNOWN");
        for (int64_t rc = 1; rc <= groups[i].last; rc++) {
            assert_good_words(ferry_smp_group_words(group, rc));
        }
        assert_names_differ(group, groups[i].last);
        assert_string_equal(ferry_smp_group_words(group, groups[i].last + 1).name, "UNKNOWN_CODE");
        assert_string_equal(ferry_smp_group_words(group, -1).name, "UNKNOWN_CODE");
        assert_string_equal(ferry_smp_group_words(group, INT64_MAX).name, "UNKNOWN_CODE");
        assert_string_equal(ferry_smp_group_words(group, INT64_MIN).name, "UNKNOWN_CODE");
        assert_string_equal(ferry_smp_group_words(group, 0x100000002).name, "UNKNOWN_CODE");
    }
}

static void test_rc_words(void **state)
{
    static const char *const names[] = {"EOK",
                                        "EUNKNOWN",
                                        "ENOMEM",
                                        "EINVAL",
                                        "ETIMEOUT",
                                        "ENOENT",
                                        "EBADSTATE",
                                        "EMSGSIZE",
                                        "ENOTSUP",
                                        "ECORRUPT",
                                        "EBUSY",
                                        "EACCESSDENIED",
                                        "UNSUPPORTED_TOO_OLD",
                                        "UNSUPPORTED_TOO_NEW"};

    (void)state;
    for (int64_t rc = 0; rc <= FERRY_RC_TOO_NEW; rc++) {
        assert_string_equal(ferry_smp_rc_words(rc).name, names[rc]);
    }
    for (int64_t rc = 1; rc <= FERRY_RC_TOO_NEW; rc++) {
        assert_good_words(ferry_smp_rc_words(rc));
    }
    assert_string_equal(ferry_smp_rc_words(0).remedy, "");
    assert_string_equal(ferry_smp_rc_words(14).name, "UNKNOWN_CODE");
    assert_string_equal(ferry_smp_rc_words(255).name, "UNKNOWN_CODE");
    assert_string_equal(ferry_smp_rc_words(-1).name, "UNKNOWN_CODE");
    assert_string_equal(ferry_smp_rc_words(INT64_MIN).name, "UNKNOWN_CODE");
    assert_good_words(ferry_smp_rc_words(256));
    assert_string_equal(ferry_smp_rc_words(256).name, "EPERUSER");
    assert_string_equal(ferry_smp_rc_words(INT64_MAX).name, "EPERUSER");
}

/* Numbers people meet most, each against smp.md. */
static void test_some_words_stand_at_their_number(void **state)
{
    static const struct {
        uint16_t group;
        int64_t rc;
        const char *name;
    } expected[] = {
        {0, 2, "INVALID_FORMAT"},
        {0, 7, "HEAP_STATS_FETCH_FAILED"},
        {1, 3, "NO_IMAGE"},
        {1, 8, "HASH_NOT_FOUND"},
        {1, 9, "NO_FREE_SLOT"},
        {1, 14, "INVALID_SLOT"},
        {1, 19, "INVALID_PAGE_OFFSET"},
        {1, 23, "INVALID_IMAGE_HEADER_MAGIC"},
        {1, 27, "CURRENT_VERSION_IS_NEWER"},
        {1, 28, "IMAGE_ALREADY_PENDING"},
        {1, 30, "INVALID_IMAGE_TOO_LARGE"},
        {1, 34, "ACTIVE_SLOT_NOT_KNOWN"},
        {2, 3, "INVALID_STAT_NAME"},
        {3, 5, "ROOT_KEY_NOT_FOUND"},
        {3, 8, "SAVE_NOT_SUPPORTED"},
        {8, 3, "FILE_NOT_FOUND"},
        {8, 11, "FILE_OFFSET_NOT_VALID"},
        {8, 16, "FILE_EMPTY"},
        {9, 3, "EMPTY_COMMAND"},
        {10, 4, "INDEX_TOO_LARGE"},
        {11, 9, "SAME_DEVICE"},
        {63, 4, "FLASH_ERASE_FAILED"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        assert_string_equal(ferry_smp_group_words(expected[i].group, expected[i].rc).name,
                            expected[i].name);
    }
}

static void test_groups_without_words(void **state)
{
    (void)state;
    assert_string_equal(ferry_smp_group_name(12), "group");
    assert_string_equal(ferry_smp_group_name(62), "group");
    assert_string_equal(ferry_smp_group_name(64), "user");
    assert_string_equal(ferry_smp_group_name(0xffff), "user");
    /* 0 and 1 mean the same in every group; the rest is the application's. */
    assert_string_equal(ferry_smp_group_words(64, 0).name, "OK");
    assert_string_equal(ferry_smp_group_words(64, 1).name, "UNKNOWN");
    assert_string_equal(ferry_smp_group_words(64, 2).name, "UNKNOWN_CODE");
    assert_string_equal(ferry_smp_group_words(4, 2).name, "UNKNOWN_CODE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err_wins_over_rc),
        cmocka_unit_test(test_err_zero_covers_nothing),
        cmocka_unit_test(test_other_keys_are_passed_over),
        cmocka_unit_test(test_negative_and_wide_codes),
        cmocka_unit_test(test_damaged_answers),
        cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_group_words_are_complete),
        cmocka_unit_test(test_rc_words),
        cmocka_unit_test(test_some_words_stand_at_their_number),
        cmocka_unit_test(test_groups_without_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
