/* SPDX-License-Identifier: Apache-2.0 */
/* Group settings, over a provider of the test's own: what is asked of it, and what its results are
 * on the wire. */
#include "ferry/group_settings.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { SETTINGS = FERRY_SMP_GROUP_SETTINGS, READ = FERRY_SMP_READ, WRITE = FERRY_SMP_WRITE };
enum {
    VALUE = FERRY_SMP_SETTINGS_VALUE,
    DELETE = FERRY_SMP_SETTINGS_DELETE,
    COMMIT = FERRY_SMP_SETTINGS_COMMIT,
    STORAGE = FERRY_SMP_SETTINGS_STORAGE
};

struct bench {
    struct ferry_settings_provider provider;
    struct ferry_settings_group_config config;
    struct ferry_server_mount mount;
    struct ferry_server_config server_config;
    struct ferry_server server;
    int result;        /* of the provider, below 0; else it does what it is asked */
    char asked[128];   /* what it was asked, in words */
    uint8_t value[64]; /* what it reads */
    int len;
    int permitted; /* rc of the hook */
    bool fails;    /* the hook answers a group error */
    int permits;
    int action;
};

static struct bench bench;

static void note(const char *what, struct ferry_bytes name)
{
    (void)snprintf(bench.asked, sizeof(bench.asked), "%s %.*s", what, (int)name.len,
                   name.len > 0 ? (const char *)name.data : "");
}

static int read_value(void *context, struct ferry_bytes name, uint8_t *data, size_t cap)
{
    assert_ptr_equal(context, &bench);
    note("read", name);
    memcpy(data, bench.value, (size_t)bench.len < cap ? (size_t)bench.len : cap);
    return bench.result < 0 ? bench.result : bench.len;
}

static int write_value(void *context, struct ferry_bytes name, struct ferry_bytes value)
{
    assert_ptr_equal(context, &bench);
    note("write", name);
    assert_true(value.len <= sizeof(bench.value));
    if (value.len > 0) {
        memcpy(bench.value, value.data, value.len);
    }
    bench.len = (int)value.len;
    return bench.result;
}

static int remove_value(void *context, struct ferry_bytes name)
{
    assert_ptr_equal(context, &bench);
    note("remove", name);
    return bench.result;
}

static int commit(void *context)
{
    assert_ptr_equal(context, &bench);
    note("commit", (struct ferry_bytes){0});
    return bench.result;
}

static int load(void *context)
{
    assert_ptr_equal(context, &bench);
    note("load", (struct ferry_bytes){0});
    return bench.result;
}

static int save(void *context, struct ferry_bytes name)
{
    assert_ptr_equal(context, &bench);
    note("save", name);
    return bench.result;
}

static int permit(void *context, struct ferry_server_call *call, enum ferry_settings_action action,
                  struct ferry_bytes name)
{
    assert_ptr_equal(context, &bench);
    (void)name;
    bench.permits++;
    bench.action = (int)action;
    return bench.fails ? ferry_server_error(call, 64, 5) : bench.permitted;
}

static int set_up(void **state)
{
    (void)state;
    bench = (struct bench){.provider = {.read = read_value,
                                        .write = write_value,
                                        .remove = remove_value,
                                        .commit = commit,
                                        .load = load,
                                        .save = save}};
    bench.config =
        (struct ferry_settings_group_config){.provider = &bench.provider, .context = &bench};
    bench.mount = (struct ferry_server_mount){&ferry_settings_group_table, &bench.config};
    bench.server_config = (struct ferry_server_config){
        .groups = &bench.mount, .group_count = 1, .buf_size = 512, .buf_count = 1};
    return ferry_server_init(&bench.server, &bench.server_config);
}

/* Ask in version 2 and in version 1; answer_v1 NULL: the same. asked: what the provider is then
 * asked, "" for nothing. */
static void expect(uint8_t op, uint8_t id, const char *json, const char *answer,
                   const char *answer_v1, const char *asked)
{
    struct rig_answer got;

    for (int version = 2; version > 0; version--) {
        bench.asked[0] = '\0';
        if (version == 2) {
            rig_ask(&bench.server, op, SETTINGS, id, json, &got);
        } else {
            rig_ask_v1(&bench.server, op, SETTINGS, id, json, &got);
        }
        assert_string_equal(got.json, version == 1 && answer_v1 != NULL ? answer_v1 : answer);
        assert_string_equal(bench.asked, asked);
    }
}

#define ERR(n) "{\"err\":{\"group\":3,\"rc\":" #n "}}"
#define RC(n)  "{\"rc\":" #n "}"

static void reading(void **state)
{
    (void)state;
    memcpy(bench.value, "\x78\x56\x34\x12", 4);
    bench.len = 4;
    rig_expect_vector(&bench.server, FERRY_TEST_DATA, "settings_read_req", "settings_read_rsp");
    assert_string_equal(bench.asked, "read id/serial");
    expect(READ, VALUE, "{\"name\":\"a\"}", "{\"val\":\"h'78563412'\"}", NULL, "read a");
    expect(READ, VALUE, "{\"name\":\"a\",\"max_size\":2}", "{\"val\":\"h'7856'\"}", NULL, "read a");
    expect(READ, VALUE, "{\"name\":\"a\",\"max_size\":0}", "{\"val\":\"h''\"}", NULL, "read a");
    expect(READ, VALUE, "{\"name\":\"a\",\"max_size\":33}",
           "{\"val\":\"h'78563412'\",\"max_size\":32}", NULL, "read a");
    bench.result = FERRY_E_NOT_FOUND;
    rig_expect_vector(&bench.server, FERRY_TEST_DATA, "settings_read_req",
                      "settings_key_not_found_v2");
}

/* A value that is longer than the limit is cut; who did not ask for a size is told, too. */
static void reading_long_values(void **state)
{
    char expected[128];

    (void)state;
    bench.len = 33;
    (void)snprintf(expected, sizeof(expected), "{\"val\":\"h'%064d'\",\"max_size\":32}", 0);
    expect(READ, VALUE, "{\"name\":\"a\"}", expected, NULL, "read a");
    bench.config.value_max = 2;
    expect(READ, VALUE, "{\"name\":\"a\"}", "{\"val\":\"h'0000'\",\"max_size\":2}", NULL, "read a");
    expect(READ, VALUE, "{\"name\":\"a\",\"max_size\":1}", "{\"val\":\"h'00'\"}", NULL, "read a");
    expect(READ, VALUE, "{\"name\":\"a\",\"max_size\":18446744073709551615}", RC(3), NULL, "");
}

/* 32 zeroes, cut to room bytes; below 0 there is no room for anything. */
static void expect_zeroes(const char *json, int room)
{
    char expected[128];

    if (room < 0) {
        (void)snprintf(expected, sizeof(expected), "{\"rc\":7}");
    } else if (room < 32) {
        (void)snprintf(expected, sizeof(expected), "{\"val\":\"h'%.*s'\",\"max_size\":%d}",
                       2 * room, "00000000000000000000000000000000000000000000000000000000000000",
                       room);
    } else {
        (void)snprintf(expected, sizeof(expected), "{\"val\":\"h'%064d'\"}", 0);
    }
    assert_string_equal(json, expected);
}

/* Answers of every size: never beyond the buffer, the value cut to what is left. */
static void reading_into_small_answers(void **state)
{
    (void)state;
    bench.len = 32;
    for (size_t cap = FERRY_SERVER_ANSWER_MIN; cap < 80; cap++) {
        uint8_t request[64];
        uint8_t answer[80];
        char json[256];
        struct ferry_bytes packet = {request, 0};

        packet.len = rig_request(READ, FERRY_SMP_VERSION_2, SETTINGS, VALUE, "{\"name\":\"a\"}",
                                 request, sizeof(request));
        memset(answer, 0xaa, sizeof(answer));

        size_t size = ferry_server_handle(&bench.server, &packet, 0, answer, cap);

        assert_true(size > FERRY_SMP_HEADER_SIZE && size <= cap && answer[cap] == 0xaa);
        rig_json((struct ferry_bytes){answer + FERRY_SMP_HEADER_SIZE, size - FERRY_SMP_HEADER_SIZE},
                 json, sizeof(json));
        /* Header 8, open map 1, "val" 4, head of the value 3, what is behind 13. */
        expect_zeroes(json, cap < 29 ? -1 : (int)cap - 29);
    }
}

static void values_that_are_written(void **state)
{
    (void)state;
    expect(WRITE, VALUE, "{\"name\":\"a\",\"val\":\"h'0102'\"}", "{}", NULL, "write a");
    assert_int_equal(bench.len, 2);
    expect(WRITE, VALUE, "{\"name\":\"a\"}", "{}", NULL, "write a");
    assert_int_equal(bench.len, 0);
    expect(WRITE, VALUE, "{\"name\":\"a\",\"val\":1}", RC(3), NULL, "");
    bench.result = FERRY_E_RANGE;
    expect(WRITE, VALUE, "{\"name\":\"a\",\"val\":\"h'01'\"}", RC(3), NULL, "write a");
}

/* Mynewt's config: a text as value; "save", and everything when there is no name. */
static void writing_as_mynewt_does(void **state)
{
    (void)state;
    expect(WRITE, VALUE, "{\"name\":\"a\",\"val\":\"text\"}", "{}", NULL, "write a");
    assert_int_equal(bench.len, 4);
    expect(WRITE, VALUE, "{\"name\":\"a\",\"val\":\"x\",\"save\":true}", "{}", NULL, "save a");
    expect(WRITE, VALUE, "{\"name\":\"a\",\"val\":\"x\",\"save\":false}", "{}", NULL, "write a");
    expect(WRITE, VALUE, "{\"name\":\"\",\"val\":\"\",\"save\":true}", "{}", NULL, "save ");
    expect(WRITE, VALUE, "{\"name\":\"\",\"val\":\"x\",\"save\":true}", RC(3), NULL, "");
    bench.provider.save = NULL;
    expect(WRITE, VALUE, "{\"name\":\"a\",\"val\":\"x\",\"save\":true}", ERR(8), RC(1), "write a");
    bench.result = FERRY_E_NOT_FOUND;
    expect(WRITE, VALUE, "{\"name\":\"a\",\"val\":\"x\",\"save\":true}", ERR(3), RC(5), "write a");
}

static void the_other_commands(void **state)
{
    (void)state;
    expect(WRITE, DELETE, "{\"name\":\"a/b\"}", "{}", NULL, "remove a/b");
    expect(WRITE, COMMIT, "{}", "{}", NULL, "commit ");
    expect(WRITE, COMMIT, NULL, "{}", NULL, "commit ");
    expect(READ, STORAGE, "{}", "{}", NULL, "load ");
    expect(READ, STORAGE, NULL, "{}", NULL, "load ");
    expect(WRITE, STORAGE, "{}", "{}", NULL, "save ");
    expect(WRITE, STORAGE, NULL, "{}", NULL, "save ");
    expect(WRITE, STORAGE, "{\"name\":\"\"}", "{}", NULL, "save ");
    expect(WRITE, STORAGE, "{\"name\":\"a\"}", "{}", NULL, "save a");
    expect(WRITE, STORAGE, "{\"name\":1}", RC(3), NULL, "");
    expect(READ, DELETE, "{\"name\":\"a\"}", RC(8), NULL, "");
    expect(READ, COMMIT, "{}", RC(8), NULL, "");
}

static const char name_31[] = "{\"name\":\"1234567890123456789012345678901\"}";
static const char name_32[] = "{\"name\":\"12345678901234567890123456789012\"}";

static void names(void **state)
{
    static const struct {
        uint8_t op, id;
    } named[] = {{READ, VALUE}, {WRITE, VALUE}, {WRITE, DELETE}};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        expect(named[i].op, named[i].id, NULL, RC(3), NULL, "");
        expect(named[i].op, named[i].id, "{}", RC(3), NULL, "");
        expect(named[i].op, named[i].id, "{\"name\":\"\"}", RC(3), NULL, "");
        expect(named[i].op, named[i].id, "{\"name\":\"h'61'\"}", RC(3), NULL, "");
        expect(named[i].op, named[i].id, name_32, ERR(2), RC(3), "");
    }
    expect(WRITE, DELETE, name_31, "{}", NULL, "remove 1234567890123456789012345678901");
    expect(WRITE, STORAGE, name_32, ERR(2), RC(3), "");
    bench.config.name_max = 3;
    expect(WRITE, DELETE, "{\"name\":\"abc\"}", "{}", NULL, "remove abc");
    expect(WRITE, DELETE, "{\"name\":\"abcd\"}", ERR(2), RC(3), "");
}

static void what_the_provider_has_not(void **state)
{
    (void)state;
    bench.provider = (struct ferry_settings_provider){0};
    expect(READ, VALUE, "{\"name\":\"a\"}", ERR(4), RC(5), "");
    expect(WRITE, VALUE, "{\"name\":\"a\"}", ERR(6), RC(1), "");
    expect(WRITE, DELETE, "{\"name\":\"a\"}", ERR(7), RC(1), "");
    expect(WRITE, COMMIT, "{}", "{}", NULL, "");
    expect(READ, STORAGE, "{}", RC(8), NULL, "");
    expect(WRITE, STORAGE, "{}", ERR(8), RC(1), "");
    /* The name comes first. */
    expect(READ, VALUE, name_32, ERR(2), RC(3), "");
}

static void every_result_of_the_provider(void **state)
{
    static const struct {
        int result;
        const char *v2, *v1;
    } rows[] = {
        {FERRY_E_NOT_FOUND, ERR(3), RC(5)}, {FERRY_E_NO_OWNER, ERR(5), RC(1)},
        {FERRY_E_RANGE, RC(3), RC(3)},      {FERRY_E_FULL, RC(2), RC(2)},
        {FERRY_E_BUSY, RC(10), RC(10)},     {FERRY_E_FLASH, ERR(1), RC(1)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool unknown = rows[i].result == FERRY_E_NO_OWNER; /* to delete it is only not there */

        bench.result = rows[i].result;
        expect(READ, VALUE, "{\"name\":\"a\"}", rows[i].v2, rows[i].v1, "read a");
        expect(WRITE, VALUE, "{\"name\":\"a\"}", rows[i].v2, rows[i].v1, "write a");
        expect(WRITE, DELETE, "{\"name\":\"a\"}", unknown ? ERR(3) : rows[i].v2,
               unknown ? RC(5) : rows[i].v1, "remove a");
        expect(WRITE, COMMIT, "{}", rows[i].v2, rows[i].v1, "commit ");
        expect(READ, STORAGE, "{}", rows[i].v2, rows[i].v1, "load ");
        expect(WRITE, STORAGE, "{\"name\":\"a\"}", rows[i].v2, rows[i].v1, "save a");
    }
    bench.result = FERRY_E_UNSUPPORTED;
    expect(READ, VALUE, "{\"name\":\"a\"}", ERR(4), RC(5), "read a");
    expect(WRITE, VALUE, "{\"name\":\"a\"}", ERR(6), RC(1), "write a");
    expect(WRITE, DELETE, "{\"name\":\"a\"}", ERR(7), RC(1), "remove a");
    expect(WRITE, COMMIT, "{}", RC(8), NULL, "commit ");
    expect(READ, STORAGE, "{}", RC(8), NULL, "load ");
    expect(WRITE, STORAGE, "{}", ERR(8), RC(1), "save ");
}

/* The hook is asked behind the checks of the name, before the provider. */
static void the_hook(void **state)
{
    static const struct {
        uint8_t op, id;
        enum ferry_settings_action action;
    } rows[] = {
        {READ, VALUE, FERRY_SETTINGS_READ},     {WRITE, VALUE, FERRY_SETTINGS_WRITE},
        {WRITE, DELETE, FERRY_SETTINGS_DELETE}, {WRITE, COMMIT, FERRY_SETTINGS_COMMIT},
        {READ, STORAGE, FERRY_SETTINGS_LOAD},   {WRITE, STORAGE, FERRY_SETTINGS_SAVE},
    };

    (void)state;
    bench.config.permit = permit;
    bench.config.permit_context = &bench;
    expect(WRITE, DELETE, name_32, ERR(2), RC(3), "");
    assert_int_equal(bench.permits, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bench.permitted = FERRY_RC_ACCESS_DENIED;
        bench.fails = false;
        expect(rows[i].op, rows[i].id, "{\"name\":\"a\"}", RC(11), NULL, "");
        assert_int_equal(bench.action, rows[i].action);
        bench.fails = true;
        expect(rows[i].op, rows[i].id, "{\"name\":\"a\"}", "{\"err\":{\"group\":64,\"rc\":5}}",
               RC(1), "");
    }
    bench.fails = false;
    bench.permitted = FERRY_RC_OK;
    expect(WRITE, VALUE, "{\"name\":\"a\",\"save\":true}", "{}", NULL, "save a");
    assert_int_equal(bench.action, FERRY_SETTINGS_SAVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reading, set_up),
        cmocka_unit_test_setup(reading_long_values, set_up),
        cmocka_unit_test_setup(reading_into_small_answers, set_up),
        cmocka_unit_test_setup(values_that_are_written, set_up),
        cmocka_unit_test_setup(writing_as_mynewt_does, set_up),
        cmocka_unit_test_setup(the_other_commands, set_up),
        cmocka_unit_test_setup(names, set_up),
        cmocka_unit_test_setup(what_the_provider_has_not, set_up),
        cmocka_unit_test_setup(every_result_of_the_provider, set_up),
        cmocka_unit_test_setup(the_hook, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
