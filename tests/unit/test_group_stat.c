/* SPDX-License-Identifier: Apache-2.0 */
/* Group stat. [smp.md §3.2, §8] */
#include "ferry/group_stat.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

struct widths {
    uint8_t one;
    uint16_t two;
    uint32_t four;
    uint64_t eight;
};

static struct widths widths;
static uint32_t ticks = 1234;
static int update_result;

/* A value that is computed when asked. */
static int update(void *context)
{
    struct widths *values = context;

    values->four++;
    return update_result;
}

static const struct ferry_stat_counter widths_counters[] = {
    FERRY_STAT(struct widths, one),
    FERRY_STAT(struct widths, two),
    FERRY_STAT(struct widths, four),
    FERRY_STAT(struct widths, eight),
};
static const struct ferry_stat_counter ticks_counters[] = {{"ticks", 0, sizeof(ticks)}};
static const struct ferry_stat_counter odd_counters[] = {{"good", 0, 4}, {"odd", 0, 3}};

#define LONGEST "a_name_of_31_characters_exactly"

static const struct ferry_stat_set sets[] = {
    {.name = "smp_svr_stats", .counters = ticks_counters, .count = 1, .values = &ticks},
    {.name = "widths",
     .counters = widths_counters,
     .count = 4,
     .values = &widths,
     .update = update,
     .context = &widths},
    {.name = "odd", .counters = odd_counters, .count = 2, .values = &ticks},
    {.name = "none", .count = 1, .values = &ticks},
    {.name = "nowhere", .counters = ticks_counters, .count = 1},
    {.name = "empty"},
    {.name = LONGEST, .counters = ticks_counters, .count = 1, .values = &ticks},
};

struct rig {
    struct ferry_server server;
    struct ferry_server_config config;
    struct ferry_server_mount mount;
    struct ferry_stat_group_config stat;
};

static void set_up(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    memset(&widths, 0, sizeof(widths));
    update_result = FERRY_OK;
    rig->stat =
        (struct ferry_stat_group_config){.sets = sets, .set_count = sizeof(sets) / sizeof(sets[0])};
    rig->mount = (struct ferry_server_mount){&ferry_stat_group_table, &rig->stat};
    rig->config = (struct ferry_server_config){
        .groups = &rig->mount, .group_count = 1, .buf_size = 384, .buf_count = 4};
    assert_int_equal(ferry_server_init(&rig->server, &rig->config), FERRY_OK);
}

static void expect(struct rig *rig, uint8_t id, const char *request, const char *json)
{
    struct rig_answer answer;

    rig_ask(&rig->server, FERRY_SMP_READ, 2, id, request, &answer);
    assert_string_equal(answer.json, json);
}

static void expect_v1(struct rig *rig, const char *request, const char *json)
{
    struct rig_answer answer;

    rig_ask_v1(&rig->server, FERRY_SMP_READ, 2, 0, request, &answer);
    assert_string_equal(answer.json, json);
}

static void test_vectors(void **context)
{
    struct rig rig;
    uint8_t request[16];
    struct rig_answer answer;
    (void)context;

    set_up(&rig);
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "stat_read_req", "stat_read_rsp");
    rig.stat.set_count = 1;

    size_t size = rig_vector(FERRY_TEST_DATA, "stat_list_req", request, sizeof(request));

    (void)rig_send(&rig.server, (struct ferry_bytes){request, size}, &answer);
    assert_string_equal(answer.json, "{\"stat_list\":[\"smp_svr_stats\"]}"); /* and no rc */
}

static void test_list(void **context)
{
    struct rig rig;
    struct rig_answer answer;
    (void)context;

    set_up(&rig);
    expect(&rig, 1, NULL,
           "{\"stat_list\":[\"smp_svr_stats\",\"widths\",\"odd\",\"none\",\"nowhere\",\"empty\","
           "\"" LONGEST "\"]}");
    rig.stat.set_count = 0;
    expect(&rig, 1, "{}", "{\"stat_list\":[]}");
    for (uint8_t id = 0; id < 3; id++) {
        rig_ask(&rig.server, FERRY_SMP_WRITE, 2, id, "{}", &answer);
        assert_string_equal(answer.json, "{\"rc\":8}");
    }
    expect(&rig, 2, "{}", "{\"rc\":8}");
}

/* 32 bits of every width. */
static void test_widths(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig);
    widths = (struct widths){1, 2, 2, 4};
    expect(&rig, 0, "{\"name\":\"widths\"}",
           "{\"name\":\"widths\",\"fields\":{\"one\":1,\"two\":2,\"four\":3,\"eight\":4}}");
    widths = (struct widths){UINT8_MAX, UINT16_MAX, UINT32_MAX - 1, UINT64_MAX};
    expect(&rig, 0, "{\"name\":\"widths\"}",
           "{\"name\":\"widths\",\"fields\":{\"one\":255,\"two\":65535,\"four\":4294967295,"
           "\"eight\":4294967295}}");
    widths.eight = 0x100000007U;
    widths.four = 0;
    expect(&rig, 0, "{\"name\":\"widths\"}",
           "{\"name\":\"widths\",\"fields\":{\"one\":255,\"two\":65535,\"four\":1,\"eight\":7}}");
    expect(&rig, 0, "{\"name\":\"empty\"}", "{\"name\":\"empty\",\"fields\":{}}");
}

static void test_names(void **context)
{
    static const char *const refused[] = {
        "{}", "{\"name\":\"\"}", "{\"name\":1}", "{\"name\":\"h'00'\"}", "[]", NULL,
    };
    struct rig rig;
    (void)context;

    set_up(&rig);
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        expect(&rig, 0, refused[i], "{\"rc\":3}");
        expect_v1(&rig, refused[i], "{\"rc\":3}");
    }
    expect(&rig, 0, "{\"name\":\"" LONGEST "y\"}", "{\"rc\":3}");
    expect(&rig, 0, "{\"name\":\"" LONGEST "\"}",
           "{\"name\":\"" LONGEST "\",\"fields\":{\"ticks\":1234}}");
    expect(&rig, 0, "{\"name\":\"width\"}", "{\"err\":{\"group\":2,\"rc\":3}}");
    expect(&rig, 0, "{\"name\":\"widths2\"}", "{\"err\":{\"group\":2,\"rc\":3}}");
    expect_v1(&rig, "{\"name\":\"width\"}", "{\"rc\":5}");
    rig.stat.name_max = 5;
    expect(&rig, 0, "{\"name\":\"widths\"}", "{\"rc\":3}");
    expect(&rig, 0, "{\"name\":\"empty\"}", "{\"name\":\"empty\",\"fields\":{}}");
}

static void test_errors(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig);
    expect(&rig, 0, "{\"name\":\"none\"}", "{\"err\":{\"group\":2,\"rc\":2}}");
    expect_v1(&rig, "{\"name\":\"none\"}", "{\"rc\":5}");
    expect(&rig, 0, "{\"name\":\"nowhere\"}", "{\"err\":{\"group\":2,\"rc\":2}}");
    expect(&rig, 0, "{\"name\":\"odd\"}", "{\"err\":{\"group\":2,\"rc\":4}}");
    expect_v1(&rig, "{\"name\":\"odd\"}", "{\"rc\":3}");
    update_result = FERRY_E_IO;
    expect(&rig, 0, "{\"name\":\"widths\"}", "{\"err\":{\"group\":2,\"rc\":5}}");
    expect_v1(&rig, "{\"name\":\"widths\"}", "{\"rc\":1}");
    assert_int_equal(ferry_stat_group_table.v1_rc[FERRY_STAT_ERR_UNKNOWN], FERRY_RC_UNKNOWN);
}

static void test_answers_that_do_not_fit(void **context)
{
    struct rig rig;
    uint8_t request[64];
    uint8_t out[384];
    (void)context;

    set_up(&rig);
    for (uint8_t id = 0; id < 2; id++) {
        size_t asked = rig_request(FERRY_SMP_READ, 1, 2, id, "{\"name\":\"smp_svr_stats\"}",
                                   request, sizeof(request));
        struct ferry_bytes pending = {request, asked};
        size_t whole = ferry_server_handle(&rig.server, &pending, 0, out, sizeof(out));

        for (size_t cap = FERRY_SERVER_ANSWER_MIN; cap <= whole; cap++) {
            pending = (struct ferry_bytes){request, asked};
            assert_int_equal(ferry_server_handle(&rig.server, &pending, 0, out, cap),
                             cap < whole ? 14 : whole);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors), cmocka_unit_test(test_list),
        cmocka_unit_test(test_widths),  cmocka_unit_test(test_names),
        cmocka_unit_test(test_errors),  cmocka_unit_test(test_answers_that_do_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
