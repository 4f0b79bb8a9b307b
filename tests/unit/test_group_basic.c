/* SPDX-License-Identifier: Apache-2.0 */
/* Zephyr's basic group. [smp.md §3.10] */
#include "ferry/group_basic.h"
#include "test_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

struct rig {
    struct ferry_server server;
    struct ferry_server_config config;
    struct ferry_server_mount mount;
    struct ferry_basic_group_config basic;
    int result;
    int erases;
    int events;
};

static int erase(void *context)
{
    struct rig *rig = context;

    rig->erases++;
    return rig->result;
}

static void observe(void *context, const struct ferry_server_call *call,
                    const struct ferry_server_event *event)
{
    struct rig *rig = context;
    (void)call;

    assert_int_equal(event->kind, FERRY_EVENT_STORAGE_ERASED);
    rig->events++;
}

static void set_up(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->basic = (struct ferry_basic_group_config){.erase = erase, .context = rig};
    rig->mount = (struct ferry_server_mount){&ferry_basic_group_table, &rig->basic};
    rig->config = (struct ferry_server_config){.groups = &rig->mount,
                                               .group_count = 1,
                                               .buf_size = 384,
                                               .buf_count = 4,
                                               .observe = observe,
                                               .observe_context = rig};
    assert_int_equal(ferry_server_init(&rig->server, &rig->config), FERRY_OK);
}

static void expect(struct rig *rig, const char *json, const char *json_v1)
{
    struct rig_answer answer;

    rig_ask(&rig->server, FERRY_SMP_WRITE, 63, 0, "{}", &answer);
    assert_string_equal(answer.json, json);
    rig_ask_v1(&rig->server, FERRY_SMP_WRITE, 63, 0, NULL, &answer);
    assert_string_equal(answer.json, json_v1);
}

static void test_erase(void **context)
{
    struct rig rig;
    struct rig_answer answer;
    uint8_t request[16];
    (void)context;

    set_up(&rig);
    expect(&rig, "{}", "{}");
    assert_int_equal(rig.erases, 2);
    assert_int_equal(rig.events, 2);

    size_t size = rig_vector(FERRY_TEST_DATA, "basic_erase_storage_req", request, sizeof(request));

    (void)rig_send(&rig.server, (struct ferry_bytes){request, size}, &answer);
    assert_string_equal(answer.json, "{}");
    rig_ask(&rig.server, FERRY_SMP_READ, 63, 0, "{}", &answer);
    assert_string_equal(answer.json, "{\"rc\":8}");
    rig_ask(&rig.server, FERRY_SMP_WRITE, 63, 1, "{}", &answer);
    assert_string_equal(answer.json, "{\"rc\":8}");
    assert_int_equal(rig.erases, 3);
}

/* Version 1 is never told 0, which would say success: Zephyr's 3 and 4 are. */
static void test_errors(void **context)
{
    static const struct {
        int result;
        const char *json, *json_v1;
    } rows[] = {
        {FERRY_E_NOT_FOUND, "{\"err\":{\"group\":63,\"rc\":2}}", "{\"rc\":5}"},
        {FERRY_E_CONFIG, "{\"err\":{\"group\":63,\"rc\":3}}", "{\"rc\":1}"},
        {FERRY_E_IO, "{\"err\":{\"group\":63,\"rc\":4}}", "{\"rc\":1}"},
        {FERRY_E_BOUNDS, "{\"err\":{\"group\":63,\"rc\":4}}", "{\"rc\":1}"},
    };
    struct rig rig;
    (void)context;

    set_up(&rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rig.result = rows[i].result;
        expect(&rig, rows[i].json, rows[i].json_v1);
    }
    assert_int_equal(rig.events, 0);
    assert_int_equal(ferry_basic_group_table.v1_rc[FERRY_BASIC_ERR_UNKNOWN], FERRY_RC_UNKNOWN);
    rig.basic.erase = NULL;
    expect(&rig, "{\"rc\":8}", "{\"rc\":8}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_erase),
        cmocka_unit_test(test_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
