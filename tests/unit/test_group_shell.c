/* SPDX-License-Identifier: Apache-2.0 */
/* Group shell, with a shell of the test's own. */
#include "ferry/group_shell.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { SHELL = FERRY_SMP_GROUP_SHELL, WRITE = FERRY_SMP_WRITE };

#define LINE 16

struct bench {
    struct ferry_shell_group_config config;
    struct ferry_server_mount mount;
    struct ferry_server_config server_config;
    struct ferry_server server;
    char line[LINE];
    char got[LINE]; /* the last line that was run */
    int runs;
    const char *parts[4]; /* what the next line says */
    int ret;
};

static struct bench bench;

static int run(void *context, const char *line, size_t len, const struct ferry_shell_output *output)
{
    struct bench *b = context;

    assert_int_equal(line[len], '\0');
    assert_true(len < LINE);
    memcpy(b->got, line, len + 1);
    b->runs++;
    for (size_t i = 0; i < 4 && b->parts[i] != NULL; i++) {
        output->write(output, b->parts[i], strlen(b->parts[i]));
    }
    return b->ret;
}

static int set_up(void **state)
{
    (void)state;
    bench = (struct bench){.config = {.run = run, .context = &bench, .line_size = LINE}};
    bench.config.line = bench.line;
    bench.mount = (struct ferry_server_mount){&ferry_shell_group_table, &bench.config};
    bench.server_config = (struct ferry_server_config){
        .groups = &bench.mount, .group_count = 1, .buf_size = 512, .buf_count = 1};
    return ferry_server_init(&bench.server, &bench.server_config);
}

static void expect(const char *json, const char *answer)
{
    struct rig_answer got;

    rig_ask(&bench.server, WRITE, SHELL, FERRY_SMP_SHELL_EXEC, json, &got);
    assert_string_equal(got.json, answer);
}

static void expect_v1(const char *json, const char *answer)
{
    struct rig_answer got;

    rig_ask_v1(&bench.server, WRITE, SHELL, FERRY_SMP_SHELL_EXEC, json, &got);
    assert_string_equal(got.json, answer);
}

static void elements_are_joined_by_a_blank(void **state)
{
    (void)state;
    bench.parts[0] = "Uptime: ";
    bench.parts[1] = "1234 ms\r\n";
    expect("{\"argv\":[\"kernel\",\"uptime\"]}", "{\"o\":\"Uptime: 1234 ms\r\n\",\"ret\":0}");
    assert_string_equal(bench.got, "kernel uptime");
    expect("{\"argv\":[\"a b\",\"\",\"c\"]}", "{\"o\":\"Uptime: 1234 ms\r\n\",\"ret\":0}");
    assert_string_equal(bench.got, "a b  c");
    rig_expect_vector(&bench.server, FERRY_TEST_DATA, "shell_exec_req", "shell_exec_rsp");
}

static void the_result_is_the_command_s(void **state)
{
    (void)state;
    bench.ret = FERRY_SHELL_NO_COMMAND;
    expect("{\"argv\":[\"x\"]}", "{\"o\":\"\",\"ret\":-8}");
    expect_v1("{\"argv\":[\"x\"]}", "{\"o\":\"\",\"ret\":-8}");
    bench.ret = INT32_MIN;
    bench.config.legacy_rc = true;
    expect("{\"argv\":[\"x\"]}", "{\"o\":\"\",\"rc\":-2147483648}");
}

static void what_is_wrong_is_not_run(void **state)
{
    (void)state;
    expect("{}", "{\"rc\":3}");
    expect("{\"argv\":\"x\"}", "{\"rc\":3}");
    expect("{\"argv\":[\"x\",1]}", "{\"rc\":3}");
    expect("{\"argv\":[\"1234567890123456\",1]}", "{\"rc\":3}");
    expect("{\"argv\":[\"12345678\",\"1234567\"]}", "{\"err\":{\"group\":9,\"rc\":2}}");
    expect("{\"argv\":[\"                \"]}", "{\"err\":{\"group\":9,\"rc\":2}}");
    expect("{\"argv\":[]}", "{\"err\":{\"group\":9,\"rc\":3}}");
    expect("{\"argv\":[\" \",\"\"]}", "{\"err\":{\"group\":9,\"rc\":3}}");
    expect_v1("{\"argv\":[\"12345678\",\"1234567\"]}", "{\"rc\":3}");
    expect_v1("{\"argv\":[]}", "{\"rc\":3}");
    assert_int_equal(bench.runs, 0);
    expect("{\"argv\":[\"12345678\",\"123456\"]}", "{\"o\":\"\",\"ret\":0}");
    assert_int_equal(bench.runs, 1);
}

/* The table itself, for the error no request provokes. */
static void every_error_has_an_rc_of_version_1(void **state)
{
    (void)state;
    assert_int_equal(ferry_shell_group_table.v1_rc_count, 4);
    assert_int_equal(ferry_shell_group_table.v1_rc[FERRY_SHELL_ERR_UNKNOWN], FERRY_RC_UNKNOWN);
    assert_int_equal(ferry_shell_group_table.v1_rc[FERRY_SHELL_ERR_COMMAND_TOO_LONG],
                     FERRY_RC_INVALID);
    assert_int_equal(ferry_shell_group_table.v1_rc[FERRY_SHELL_ERR_EMPTY_COMMAND],
                     FERRY_RC_INVALID);
}

/* ---- Output that does not fit ------------------------------------------------- */

/* Ask with room for cap bytes of answer. Returns the packet's size; json is its payload's. */
static size_t ask_within(size_t cap, char *json, size_t json_cap)
{
    uint8_t request[64];
    uint8_t answer[RIG_MAX];
    struct ferry_bytes packet = {request, 0};

    packet.len = rig_request(WRITE, FERRY_SMP_VERSION_2, SHELL, FERRY_SMP_SHELL_EXEC,
                             "{\"argv\":[\"x\"]}", request, sizeof(request));
    memset(answer, 0xaa, sizeof(answer));

    size_t size = ferry_server_handle(&bench.server, &packet, 0, answer, cap);

    assert_true(size > FERRY_SMP_HEADER_SIZE && size <= cap);
    assert_int_equal(answer[cap], 0xaa);
    rig_json((struct ferry_bytes){answer + FERRY_SMP_HEADER_SIZE, size - FERRY_SMP_HEADER_SIZE},
             json, json_cap);
    return size;
}

/* Bytes of the "o" of an answer. */
static size_t said(const char *json)
{
    const char *end = strstr(json, "\",\"ret\":-2000000000}");

    assert_non_null(end);
    assert_memory_equal(json, "{\"o\":\"", 6);
    return (size_t)(end - json) - 6;
}

static void output_is_cut_to_what_fits(void **state)
{
    static char text[1200];
    char json[2 * sizeof(text)];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    bench.parts[0] = text;
    bench.parts[1] = "behind";
    bench.ret = -2000000000; /* the longest form */
    for (size_t cap = 24; cap <= 1000; cap++) {
        int runs = bench.runs;

        (void)ask_within(cap, json, sizeof(json));
        /* Header 8, open map 1, "o" 2, the text's head 3 at most, what is behind 10. */
        assert_int_equal(said(json), cap - 24);
        assert_int_equal(bench.runs, runs + 1);
    }
}

/* A buffer too small for any answer is found before the line is run. */
static void no_room_at_all_runs_nothing(void **state)
{
    char json[64];

    (void)state;
    for (size_t cap = FERRY_SERVER_ANSWER_MIN; cap < 24; cap++) {
        (void)ask_within(cap, json, sizeof(json));
        assert_string_equal(json, "{\"rc\":7}");
    }
    assert_int_equal(bench.runs, 0);
}

/* What is cut ends in a whole character; what comes behind a cut is dropped, too. */
static void characters_are_whole(void **state)
{
    static const struct {
        const char *text;
        size_t sizes[12]; /* bytes left of it, by the room there is */
    } cases[] = {
        {"a\xc3\xa9"
         "b",
         {0, 1, 1, 3, 4}},
        {"\xe2\x82\xac"
         "b",
         {0, 0, 0, 3, 4}},
        {"\xf0\x9f\x9a\xa2"
         "b",
         {0, 0, 0, 0, 4, 5}},
        {"\x80\x80\x80\x80", {0, 1, 2, 3, 4}}, /* not UTF-8: left alone */
    };
    char json[64];

    (void)state;
    bench.ret = -2000000000;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t room = 0; room <= strlen(cases[i].text); room++) {
            bench.parts[0] = cases[i].text;
            bench.parts[1] = room < strlen(cases[i].text) ? "c" : "";
            (void)ask_within(24 + room, json, sizeof(json));
            assert_int_equal(said(json), cases[i].sizes[room]);
        }
    }
}

/* Every length of output, in the shortest form of its head. */
static void heads_are_shortest(void **state)
{
    static char text[301];
    char json[2 * sizeof(text)];

    (void)state;
    bench.ret = -2000000000;
    bench.parts[0] = text;
    for (size_t len = 0; len < sizeof(text); len++) {
        size_t head = len < 24 ? 1 : len < 256 ? 2 : 3;

        assert_int_equal(ask_within(1000, json, sizeof(json)), 8 + 1 + 2 + head + len + 10);
        assert_int_equal(said(json), len);
        text[len] = 'y';
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(elements_are_joined_by_a_blank, set_up),
        cmocka_unit_test_setup(the_result_is_the_command_s, set_up),
        cmocka_unit_test_setup(what_is_wrong_is_not_run, set_up),
        cmocka_unit_test_setup(every_error_has_an_rc_of_version_1, set_up),
        cmocka_unit_test_setup(output_is_cut_to_what_fits, set_up),
        cmocka_unit_test_setup(no_room_at_all_runs_nothing, set_up),
        cmocka_unit_test_setup(characters_are_whole, set_up),
        cmocka_unit_test_setup(heads_are_shortest, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
