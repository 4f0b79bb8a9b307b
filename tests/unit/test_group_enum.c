/* SPDX-License-Identifier: Apache-2.0 */
/* Group enum. [smp.md §3.8, §8] */
#include "ferry/group_enum.h"
#include "ferry/group_os.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static int nothing(struct ferry_server_call *call)
{
    (void)call;
    return FERRY_RC_OK;
}

static const struct ferry_command seven[7] = {[6] = {.read = nothing}};
static const struct ferry_group image = {
    .id = 1, .name = "img mgmt", .commands = seven, .command_count = 7};
static const struct ferry_group shell = {
    .id = 9, .name = "shell mgmt", .commands = seven, .command_count = 1};
static const struct ferry_group user = {.id = 65535, .commands = seven, .command_count = 7};

struct rig {
    struct ferry_server server;
    struct ferry_server_config config;
    struct ferry_server_mount mounts[5];
    struct ferry_os_group os;
};

static void set_up(struct rig *rig, size_t count)
{
    static const struct ferry_os_group_config os_config = {.bootloader_mode = 3};

    memset(rig, 0, sizeof(*rig));
    ferry_os_group_init(&rig->os, &os_config);
    rig->mounts[0] = (struct ferry_server_mount){&ferry_os_group_table, &rig->os};
    rig->mounts[1] = (struct ferry_server_mount){&image, NULL};
    rig->mounts[2] = (struct ferry_server_mount){&shell, NULL};
    rig->mounts[3] = (struct ferry_server_mount){&ferry_enum_group_table, NULL};
    rig->mounts[4] = (struct ferry_server_mount){&user, NULL};
    rig->config = (struct ferry_server_config){
        .groups = rig->mounts, .group_count = count, .buf_size = 384, .buf_count = 4};
    assert_int_equal(ferry_server_init(&rig->server, &rig->config), FERRY_OK);
}

static void expect(struct rig *rig, uint8_t id, const char *request, const char *json)
{
    struct rig_answer answer;

    rig_ask(&rig->server, FERRY_SMP_READ, 10, id, request, &answer);
    assert_string_equal(answer.json, json);
    rig_ask(&rig->server, FERRY_SMP_WRITE, 10, id, request, &answer);
    assert_string_equal(answer.json, "{\"rc\":8}");
}

static void expect_v1(struct rig *rig, uint8_t id, const char *request, const char *json)
{
    struct rig_answer answer;

    rig_ask_v1(&rig->server, FERRY_SMP_READ, 10, id, request, &answer);
    assert_string_equal(answer.json, json);
}

/* The answer of a vector, without the request: byte for byte. */
static void expect_vector(struct rig *rig, uint8_t id, const char *json, const char *name)
{
    uint8_t wanted[RIG_MAX];
    uint8_t request[64];
    size_t size = rig_vector(FERRY_TEST_DATA, name, wanted, sizeof(wanted));
    size_t asked = rig_request(FERRY_SMP_READ, 1, 10, id, json, request, sizeof(request));
    struct rig_answer answer;

    request[6] = wanted[6]; /* the sequence number */
    (void)rig_send(&rig->server, (struct ferry_bytes){request, asked}, &answer);
    assert_int_equal(answer.size, size);
    assert_memory_equal(answer.bytes, wanted, size);
}

static void test_vectors(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig, 4);
    expect_vector(&rig, 0, "{}", "enum_count_rsp");
    expect_vector(&rig, 1, "{}", "enum_list_rsp");
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "enum_single_req", "enum_single_rsp_end");
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "enum_details_req", "enum_details_rsp");
}

static void test_count_and_list(void **context)
{
    struct rig rig;
    (void)context;

    set_up(&rig, 5);
    expect(&rig, 0, "{}", "{\"count\":5}");
    expect(&rig, 0, NULL, "{\"count\":5}");
    expect(&rig, 1, "{}", "{\"groups\":[0,1,9,10,65535]}");
    expect(&rig, 1, NULL, "{\"groups\":[0,1,9,10,65535]}");
    expect_v1(&rig, 1, "{}", "{\"groups\":[0,1,9,10,65535]}");
    expect(&rig, 4, "{}", "{\"rc\":8}");
}

static void test_single(void **context)
{
    static const char *const rows[][2] = {
        {"{}", "{\"group\":0}"},
        {"{\"index\":0}", "{\"group\":0}"},
        {"{\"index\":2}", "{\"group\":9}"},
        {"{\"index\":4}", "{\"group\":65535,\"end\":true}"},
        {"{\"index\":5}", "{\"err\":{\"group\":10,\"rc\":4}}"},
        {"{\"index\":65535}", "{\"err\":{\"group\":10,\"rc\":4}}"},
        {"{\"index\":65536}", "{\"rc\":3}"},
        {"{\"index\":4294967296}", "{\"rc\":3}"},
        {"{\"index\":-1}", "{\"rc\":3}"},
        {"{\"index\":\"1\"}", "{\"rc\":3}"},
        {"[]", "{\"rc\":3}"},
        {NULL, "{\"rc\":3}"},
    };
    struct rig rig;
    (void)context;

    set_up(&rig, 5);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect(&rig, 2, rows[i][0], rows[i][1]);
    }
    expect_v1(&rig, 2, "{\"index\":5}", "{\"rc\":1}");
}

#define OS    "{\"group\":0,\"name\":\"os mgmt\",\"handlers\":9}"
#define IMAGE "{\"group\":1,\"name\":\"img mgmt\",\"handlers\":7}"
#define SHELL "{\"group\":9,\"name\":\"shell mgmt\",\"handlers\":1}"
#define ENUM  "{\"group\":10,\"name\":\"enum mgmt\",\"handlers\":4}"
#define USER  "{\"group\":65535,\"handlers\":7}"
#define ALL   "{\"groups\":[" OS "," IMAGE "," SHELL "," ENUM "," USER "]}"

static void test_details(void **context)
{
    static const char *const rows[][2] = {
        {"{}", ALL},
        {"{\"groups\":[]}", ALL},
        {"{\"groups\":[10,0,77]}", "{\"groups\":[" OS "," ENUM "]}"},
        {"{\"groups\":[65535,65535]}", "{\"groups\":[" USER "]}"},
        {"{\"groups\":[77]}", "{\"groups\":[]}"},
        {"{\"groups\":[65536,4294967305]}", "{\"groups\":[]}"},
        {"{\"groups\":[0,\"1\"]}", "{\"rc\":3}"},
        {"{\"groups\":[0,-1]}", "{\"rc\":3}"},
        {"{\"groups\":[[0]]}", "{\"rc\":3}"},
        {"{\"groups\":0}", "{\"rc\":3}"},
        {"[0]", "{\"rc\":3}"},
        {NULL, "{\"rc\":3}"},
    };
    struct rig rig;
    (void)context;

    set_up(&rig, 5);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect(&rig, 3, rows[i][0], rows[i][1]);
    }
}

static void test_filters_of_indefinite_length(void **context)
{
    static const uint8_t packet[] = {0x08, 0,   0,   13,  0,   10,   1,    3,    0xbf, 0x66, 'g',
                                     'r',  'o', 'u', 'p', 's', 0x9f, 0x18, 0x09, 0x00, 0xff, 0xff};
    uint8_t request[sizeof(packet)];
    struct rig rig;
    struct rig_answer answer;
    (void)context;

    set_up(&rig, 5);
    memcpy(request, packet, sizeof(packet));
    request[3] = sizeof(packet) - FERRY_SMP_HEADER_SIZE;
    (void)rig_send(&rig.server, (struct ferry_bytes){request, sizeof(request)}, &answer);
    assert_string_equal(answer.json, "{\"groups\":[" OS "," SHELL "]}");
}

/* A server of any number of groups in a buffer of any size: the whole answer, or rc 7. */
static void test_answers_that_do_not_fit(void **context)
{
    struct rig rig;
    uint8_t request[16];
    uint8_t out[384];
    (void)context;

    for (size_t count = 4; count <= 5; count++) {
        set_up(&rig, count);
        for (uint8_t id = 1; id < 4; id++) {
            size_t asked = rig_request(FERRY_SMP_READ, 1, 10, id, "{}", request, sizeof(request));
            struct ferry_bytes pending = {request, asked};
            size_t whole = ferry_server_handle(&rig.server, &pending, 0, out, sizeof(out));

            for (size_t cap = FERRY_SERVER_ANSWER_MIN; cap <= whole; cap++) {
                pending = (struct ferry_bytes){request, asked};
                assert_int_equal(ferry_server_handle(&rig.server, &pending, 0, out, cap),
                                 cap < whole ? 14 : whole);
            }
        }
    }
}

/* Those that no request leads to. [smp.md §1.7] */
static void test_translation_to_version_1(void **context)
{
    const struct ferry_group *group = &ferry_enum_group_table;
    static const uint8_t wanted[] = {0, 1, 3, 1, 1};
    (void)context;

    assert_int_equal(group->v1_rc_count, sizeof(wanted));
    assert_memory_equal(group->v1_rc, wanted, sizeof(wanted));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_count_and_list),
        cmocka_unit_test(test_single),
        cmocka_unit_test(test_details),
        cmocka_unit_test(test_filters_of_indefinite_length),
        cmocka_unit_test(test_answers_that_do_not_fit),
        cmocka_unit_test(test_translation_to_version_1),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
