/* SPDX-License-Identifier: Apache-2.0 */
/* Group os: date and time, and the calendar below it. [smp.md §3.0] */
#include "ferry/group_os.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct rig {
    struct ferry_server server;
    struct ferry_server_config config;
    struct ferry_server_mount mount;
    struct ferry_os_group os;
    struct ferry_os_group_config os_config;
    struct ferry_os_clock clock;
    struct ferry_os_datetime now;
    int get_result, set_result;
    int sets;
    int events;
};

static int get(void *context, struct ferry_os_datetime *now)
{
    const struct rig *rig = context;

    *now = rig->now;
    return rig->get_result;
}

static int set(void *context, const struct ferry_os_datetime *now)
{
    struct rig *rig = context;

    rig->sets++;
    if (rig->set_result == FERRY_OK) {
        rig->now = *now;
        rig->get_result = FERRY_OK;
    }
    return rig->set_result;
}

static void observe(void *context, const struct ferry_server_call *call,
                    const struct ferry_server_event *event)
{
    struct rig *rig = context;
    (void)call;

    assert_int_equal(event->kind, FERRY_EVENT_CLOCK_SET);
    rig->events++;
}

static void set_up(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->clock = (struct ferry_os_clock){.get = get, .set = set};
    rig->get_result = FERRY_E_NOT_FOUND;
    rig->os_config = (struct ferry_os_group_config){.clock = &rig->clock, .context = rig};
    ferry_os_group_init(&rig->os, &rig->os_config);
    rig->mount = (struct ferry_server_mount){&ferry_os_group_table, &rig->os};
    rig->config = (struct ferry_server_config){.groups = &rig->mount,
                                               .group_count = 1,
                                               .buf_size = 384,
                                               .buf_count = 4,
                                               .observe = observe,
                                               .observe_context = rig};
    assert_int_equal(ferry_server_init(&rig->server, &rig->config), FERRY_OK);
}

static void expect(struct rig *rig, uint8_t op, const char *request, const char *json)
{
    struct rig_answer answer;

    rig_ask(&rig->server, op, 0, FERRY_SMP_OS_DATETIME, request, &answer);
    assert_string_equal(answer.json, json);
}

static void expect_v1(struct rig *rig, uint8_t op, const char *request, const char *json)
{
    struct rig_answer answer;

    rig_ask_v1(&rig->server, op, 0, FERRY_SMP_OS_DATETIME, request, &answer);
    assert_string_equal(answer.json, json);
}

/* Set to this text; expect what is read afterwards, or with NULL that it is refused. */
static void expect_text(struct rig *rig, const char *text, const char *read)
{
    char request[100];
    char answer[100];
    int sets = rig->sets;

    (void)snprintf(request, sizeof(request), "{\"datetime\":\"%s\"}", text);
    if (read == NULL) {
        expect(rig, FERRY_SMP_WRITE, request, "{\"rc\":3}");
        assert_int_equal(rig->sets, sets);
        return;
    }
    expect(rig, FERRY_SMP_WRITE, request, "{}");
    (void)snprintf(answer, sizeof(answer), "{\"datetime\":\"%s\"}", read);
    expect(rig, FERRY_SMP_READ, "{}", answer);
}

/* ---- The command ------------------------------------------------------------- */

static void test_vectors(void **context)
{
    struct rig rig;
    uint8_t request[64];
    struct rig_answer answer;
    (void)context;

    set_up(&rig);

    size_t size = rig_vector(FERRY_TEST_DATA, "os_datetime_write_req", request, sizeof(request));

    (void)rig_send(&rig.server, (struct ferry_bytes){request, size}, &answer);
    assert_string_equal(answer.json, "{}");
    expect(&rig, FERRY_SMP_READ, NULL, "{\"datetime\":\"2026-01-31T23:59:58\"}");
}

static void test_a_clock_that_was_never_set(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig);
    expect(&rig, FERRY_SMP_READ, "{}", "{\"err\":{\"group\":0,\"rc\":4}}");
    expect_v1(&rig, FERRY_SMP_READ, "{}", "{\"rc\":5}");
    expect_text(&rig, "2026-01-31T23:59:58", "2026-01-31T23:59:58");
}

static void test_a_clock_that_fails(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig);
    rig.get_result = FERRY_E_IO;
    rig.set_result = FERRY_E_IO;
    expect(&rig, FERRY_SMP_READ, "{}", "{\"err\":{\"group\":0,\"rc\":5}}");
    expect_v1(&rig, FERRY_SMP_READ, "{}", "{\"rc\":1}");
    expect(&rig, FERRY_SMP_WRITE, "{\"datetime\":\"2026-01-31T23:59:58\"}",
           "{\"err\":{\"group\":0,\"rc\":5}}");
    expect_v1(&rig, FERRY_SMP_WRITE, "{\"datetime\":\"2026-01-31T23:59:58\"}", "{\"rc\":1}");
    assert_int_equal(rig.events, 0);
}

static void test_what_the_clock_cannot_is_not_supported(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig);
    rig.clock.set = NULL;
    expect(&rig, FERRY_SMP_READ, "{}", "{\"err\":{\"group\":0,\"rc\":4}}");
    expect(&rig, FERRY_SMP_WRITE, "{\"datetime\":\"2026-01-31T23:59:58\"}", "{\"rc\":8}");
    rig.clock = (struct ferry_os_clock){.set = set};
    expect(&rig, FERRY_SMP_READ, "{}", "{\"rc\":8}");
    rig.os_config.clock = NULL;
    expect(&rig, FERRY_SMP_READ, "{}", "{\"rc\":8}");
    expect(&rig, FERRY_SMP_WRITE, "{\"datetime\":\"2026-01-31T23:59:58\"}", "{\"rc\":8}");
}

static void test_texts_that_are_taken(void **context)
{
    static const char *const rows[][2] = {
        {"1900-01-01T00:00:00", "1900-01-01T00:00:00"},
        {"2024-02-29T12:34:56", "2024-02-29T12:34:56"},
        {"2000-02-29T12:34:56", "2000-02-29T12:34:56"},
        {"9999-12-31T23:59:59", "9999-12-31T23:59:59"},
        {"11899-12-31T23:59:59", "11899-12-31T23:59:59"},
        {"2026/01/31 23.59.58", "2026-01-31T23:59:58"}, /* any one character between */
        {"2026a01b31c23d59e58", "2026-01-31T23:59:58"},
        {"2026-1-31T23:59:58.0", "2026-01-31T23:59:58"}, /* 19 characters and more */
        {"2026-01-31T23:59:58Z", "2026-01-31T23:59:58"}, /* a zone is not looked at */
        {"2026-01-31T23:59:58+01:00", "2026-01-31T23:59:58"},
        {"2026-01-31T23:59:58.123", "2026-01-31T23:59:58"},
        {"2026-01-31T23:59:58.123456", "2026-01-31T23:59:58"},      /* 26 characters */
        {"2026-01-31T23:59:58.123456789+1", "2026-01-31T23:59:58"}, /* 31 characters */
        {"2026-01-31T23:59:58 (a comment)", "2026-01-31T23:59:58"},
    };
    struct rig rig;
    (void)context;

    set_up(&rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect_text(&rig, rows[i][0], rows[i][1]);
    }
    assert_int_equal(rig.events, sizeof(rows) / sizeof(rows[0]));
}

static void test_texts_that_are_refused(void **context)
{
    static const char *const texts[] = {
        "",
        "2026-01-31",
        "2026-01-31T23:59:5",               /* 18 characters */
        "2026-1-31T23:59:58",               /* and again, though it is a date */
        "2026-01-31T23:59:58.123456789+12", /* 32 */
        "yyyy-MM-ddTHH:MM:SS",
        "2026-01-31T23:59:xx",
        "2026-01-31T23:59::58",
        "2026--01-31T23:59:58", /* two characters between */
        "2026-+1-31T23:59:58",
        "2026-01-31T 3:59:58",
        " 2026-01-31T23:59:58",
        "-2026-01-31T23:59:58",
        "2026-01-31T23:59       ",
        "1899-12-31T23:59:59",
        "11900-01-01T00:00:00",
        "99999999999-01-01T00",
        "4294969322-01-31T23:59:58", /* 2026 in 32 bits */
        "2026-00-31T23:59:58",
        "2026-13-31T23:59:58",
        "2026-01-00T23:59:58",
        "2026-01-32T23:59:58",
        "2026-02-29T23:59:58", /* no such day */
        "1900-02-29T23:59:58",
        "2026-04-31T23:59:58",
        "2026-01-31T24:00:00",
        "2026-01-31T23:60:00",
        "2026-01-31T23:59:60",
    };
    struct rig rig;
    (void)context;

    set_up(&rig);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        expect_text(&rig, texts[i], NULL);
    }
    expect(&rig, FERRY_SMP_WRITE, "{}", "{\"rc\":3}");
    expect(&rig, FERRY_SMP_WRITE, NULL, "{\"rc\":3}");
    expect(&rig, FERRY_SMP_WRITE, "{\"datetime\":1}", "{\"rc\":3}");
    expect(&rig, FERRY_SMP_WRITE, "{\"datetime\":\"h'00'\"}", "{\"rc\":3}");
    expect_v1(&rig, FERRY_SMP_WRITE, "{\"datetime\":\"\"}", "{\"rc\":3}");
    assert_int_equal(rig.events, 0);
}

static void test_milliseconds(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig);
    rig.clock.milliseconds = true;
    expect_text(&rig, "2026-01-31T23:59:58", "2026-01-31T23:59:58.000");
    expect_text(&rig, "2026-01-31T23:59:58.", "2026-01-31T23:59:58.000");
    expect_text(&rig, "2026-01-31T23:59:58.5", "2026-01-31T23:59:58.500");
    expect_text(&rig, "2026-01-31T23:59:58.05Z", "2026-01-31T23:59:58.050");
    expect_text(&rig, "2026-01-31T23:59:58.123", "2026-01-31T23:59:58.123");
    expect_text(&rig, "2026-01-31T23:59:58.9996", "2026-01-31T23:59:58.999");
    expect_text(&rig, "2026-01-31T23:59:58,123", "2026-01-31T23:59:58.000");
}

/* A clock that says anything does no harm. */
static void test_a_clock_with_wild_numbers(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig);
    rig.clock.milliseconds = true;
    rig.get_result = FERRY_OK;
    memset(&rig.now, 0xff, sizeof(rig.now));
    expect(&rig, FERRY_SMP_READ, "{}", "{\"datetime\":\"65535-255-255T255:255:255.65535\"}");
}

/* ---- The calendar ------------------------------------------------------------ */

static void expect_same_as_the_libc(int64_t seconds)
{
    time_t when = (time_t)seconds;
    struct tm tm;
    struct ferry_os_datetime date;

    assert_non_null(gmtime_r(&when, &tm));
    ferry_os_datetime_from_ms(seconds * 1000 + 7, &date);
    assert_int_equal(date.year, tm.tm_year + 1900);
    assert_int_equal(date.month, tm.tm_mon + 1);
    assert_int_equal(date.day, tm.tm_mday);
    assert_int_equal(date.hour, tm.tm_hour);
    assert_int_equal(date.minute, tm.tm_min);
    assert_int_equal(date.second, tm.tm_sec);
    assert_int_equal(date.millisecond, 7);
    assert_int_equal(ferry_os_datetime_to_ms(&date), seconds * 1000 + 7);
}

#define FIRST  (-2208988800LL) /* 1900-01-01T00:00:00 */
#define BEHIND 313360531200LL  /* 11900-01-01T00:00:00 */

/* The first and the last second of every day of these ten thousand years. */
static void test_every_day(void **context)
{
    (void)context;
    for (int64_t day = FIRST; day < BEHIND; day += 86400) {
        expect_same_as_the_libc(day);
        expect_same_as_the_libc(day + 86399);
    }
}

static void test_what_is_beyond_the_years_is_the_nearest(void **context)
{
    struct ferry_os_datetime date;
    (void)context;

    ferry_os_datetime_from_ms(INT64_MIN, &date);
    assert_int_equal(ferry_os_datetime_to_ms(&date), FIRST * 1000);
    ferry_os_datetime_from_ms(FIRST * 1000 - 1, &date);
    assert_int_equal(ferry_os_datetime_to_ms(&date), FIRST * 1000);
    ferry_os_datetime_from_ms(INT64_MAX, &date);
    assert_int_equal(ferry_os_datetime_to_ms(&date), BEHIND * 1000 - 1);
    ferry_os_datetime_from_ms(BEHIND * 1000, &date);
    assert_int_equal(ferry_os_datetime_to_ms(&date), BEHIND * 1000 - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_a_clock_that_was_never_set),
        cmocka_unit_test(test_a_clock_that_fails),
        cmocka_unit_test(test_what_the_clock_cannot_is_not_supported),
        cmocka_unit_test(test_texts_that_are_taken),
        cmocka_unit_test(test_texts_that_are_refused),
        cmocka_unit_test(test_milliseconds),
        cmocka_unit_test(test_a_clock_with_wild_numbers),
        cmocka_unit_test(test_every_day),
        cmocka_unit_test(test_what_is_beyond_the_years_is_the_nearest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
