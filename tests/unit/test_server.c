/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatcher: every rc of smp.md §1.5, both versions, gate and observer, two servers beside
 * each other. */
#include "test_server_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* ---- Damage, versions, operations -------------------------------------------- */

static void test_short_packets_get_no_answer(void **context)
{
    static const uint8_t bytes[8] = {0x08, 0, 0, 0, 0, GROUP, 0, C_COUNT};
    struct server_rig rig;
    struct rig_answer answer;
    (void)context;

    server_rig_set_up(&rig);
    for (size_t len = 0; len < 8; len++) {
        struct ferry_bytes packet = {bytes, len};

        assert_int_equal(rig_send(&rig.server, packet, &answer).len, 0);
        assert_int_equal(answer.size, 0);
    }
    server_rig_expect_header(&rig, bytes, 0x09, "{\"n\":1}");
}

static void test_length_beyond_the_packet_is_rc_9(void **context)
{
    struct server_rig rig;
    (void)context;

    server_rig_set_up(&rig);
    server_rig_expect_header(&rig, (uint8_t[]){0x08, 0, 0, 1, 0, GROUP, 9, C_COUNT}, 0x09,
                             "{\"rc\":9}");
    server_rig_expect_header(&rig, (uint8_t[]){0x02, 0, 0xff, 0xff, 0, GROUP, 9, C_COUNT}, 0x03,
                             "{\"rc\":9}");
    /* before version and operation are looked at */
    server_rig_expect_header(&rig, (uint8_t[]){0x1d, 0, 0, 1, 0, GROUP, 9, C_COUNT}, 0x0b,
                             "{\"rc\":9}");
    assert_int_equal(rig.state.calls, 0);
}

static void test_operations_that_are_no_requests_are_rc_8(void **context)
{
    static const uint8_t ops[] = {1, 3, 4, 5, 6, 7};
    struct server_rig rig;
    (void)context;

    server_rig_set_up(&rig);
    for (size_t i = 0; i < sizeof(ops); i++) {
        uint8_t op = ops[i];

        server_rig_expect_header(&rig,
                                 (uint8_t[]){(uint8_t)(8 | op), 0, 0, 0, 0, GROUP, 1, C_COUNT},
                                 0x0b, "{\"rc\":8}");
        server_rig_expect_header(&rig, (uint8_t[]){op, 0, 0, 0, 0, GROUP, 1, C_COUNT}, 0x03,
                                 "{\"rc\":8}");
    }
    assert_int_equal(rig.state.calls, 0);
}

static void test_versions(void **context)
{
    struct server_rig rig;
    (void)context;

    server_rig_set_up(&rig);
    server_rig_expect_header(&rig, (uint8_t[]){0x10, 0, 0, 0, 0, GROUP, 1, C_COUNT}, 0x09,
                             "{\"rc\":13}");
    server_rig_expect_header(&rig, (uint8_t[]){0x1a, 0, 0, 0, 0, GROUP, 1, C_RC}, 0x0b,
                             "{\"rc\":13}");
    server_rig_expect_header(&rig, (uint8_t[]){0x00, 0, 0, 0, 0, GROUP, 1, C_COUNT}, 0x01,
                             "{\"n\":1}");
    /* reserved bits and flags are ignored */
    server_rig_expect_header(&rig, (uint8_t[]){0xe8, 0xff, 0, 0, 0, GROUP, 1, C_COUNT}, 0x09,
                             "{\"n\":2}");
    rig.config.refuse_v1 = true;
    server_rig_expect_header(&rig, (uint8_t[]){0x00, 0, 0, 0, 0, GROUP, 1, C_COUNT}, 0x01,
                             "{\"rc\":12}");
    server_rig_expect_header(&rig, (uint8_t[]){0x08, 0, 0, 0, 0, GROUP, 1, C_COUNT}, 0x09,
                             "{\"n\":3}");
    /* the version comes before the group */
    server_rig_expect_header(&rig, (uint8_t[]){0x18, 0, 0, 0, 9, 9, 1, C_COUNT}, 0x09,
                             "{\"rc\":13}");
    rig_expect_vector(&rig.server, FERRY_TEST_DATA, "generic_too_new_req", "generic_too_new_rsp");
}

static void test_unknown_groups_and_commands_are_rc_8(void **context)
{
    struct server_rig rig;
    struct rig_answer answer;
    (void)context;

    server_rig_set_up(&rig);
    rig_ask(&rig.server, FERRY_SMP_READ, 77, 0, "{}", &answer);
    assert_string_equal(answer.json, "{\"rc\":8}");
    server_rig_expect(&rig, FERRY_SMP_READ, C_COMMANDS, "{\"rc\":8}");
    server_rig_expect(&rig, FERRY_SMP_READ, 255, "{\"rc\":8}");
    server_rig_expect(&rig, FERRY_SMP_READ, C_NOTHING, "{\"rc\":8}");
    server_rig_expect(&rig, FERRY_SMP_WRITE, C_NOTHING, "{\"rc\":8}");
    server_rig_expect(&rig, FERRY_SMP_WRITE, C_COUNT, "{\"rc\":8}");
    server_rig_expect_v1(&rig, FERRY_SMP_WRITE, C_COUNT, "{\"rc\":8}");
    assert_int_equal(rig.state.calls, 0);
}

/* ---- Errors ------------------------------------------------------------------ */

static void test_rc_errors_throw_the_answer_away(void **context)
{
    static const struct {
        int rc;
        const char *json;
    } rows[] = {
        {1, "{\"rc\":1}"},     {3, "{\"rc\":3}"},         {23, "{\"rc\":23}"},
        {256, "{\"rc\":256}"}, {65535, "{\"rc\":65535}"}, {65536, "{\"rc\":1}"},
        {-5, "{\"rc\":1}"},
    };
    struct server_rig rig;
    (void)context;

    server_rig_set_up(&rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rig.state.rc = rows[i].rc;
        server_rig_expect(&rig, FERRY_SMP_READ, C_RC, rows[i].json);
        server_rig_expect_v1(&rig, FERRY_SMP_WRITE, C_RC, rows[i].json);
    }
}

static void test_a_verbose_server_adds_the_reason_to_rc_answers(void **context)
{
    struct server_rig rig;
    (void)context;

    server_rig_set_up(&rig);
    rig.config.verbose = true;
    rig.state.rc = 4;
    server_rig_expect(&rig, FERRY_SMP_READ, C_RC, "{\"rc\":4,\"rsn\":\"because\"}");
    server_rig_expect(&rig, FERRY_SMP_READ, C_ERROR,
                      "{\"err\":{\"group\":70,\"rc\":4},\"beside\":5}");
    server_rig_expect_v1(&rig, FERRY_SMP_READ, C_ERROR, "{\"rc\":5,\"rsn\":\"because\"}");
    server_rig_expect(&rig, FERRY_SMP_READ, C_NOTHING, "{\"rc\":8}");
}

static void test_group_errors_and_their_translation(void **context)
{
    static const struct {
        int error;
        const char *v2;
        const char *v1;
    } rows[] = {
        {1, "{\"err\":{\"group\":70,\"rc\":1},\"beside\":5}", "{\"rc\":1}"},
        {2, "{\"err\":{\"group\":70,\"rc\":2},\"beside\":5}", "{\"rc\":3}"},
        {3, "{\"err\":{\"group\":70,\"rc\":3},\"beside\":5}", "{\"rc\":1}"}, /* never rc 0 */
        {4, "{\"err\":{\"group\":70,\"rc\":4},\"beside\":5}", "{\"rc\":5}"},
        {5, "{\"err\":{\"group\":70,\"rc\":5},\"beside\":5}", "{\"rc\":1}"},
        {999, "{\"err\":{\"group\":70,\"rc\":999},\"beside\":5}", "{\"rc\":1}"},
    };
    struct server_rig rig;
    struct rig_answer answer;
    (void)context;

    server_rig_set_up(&rig);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rig.state.rc = rows[i].error;
        server_rig_expect(&rig, FERRY_SMP_WRITE, C_ERROR, rows[i].v2);
        server_rig_expect_v1(&rig, FERRY_SMP_WRITE, C_ERROR, rows[i].v1);
    }
    /* an error of another group goes by that group's table */
    server_rig_expect(&rig, FERRY_SMP_READ, C_FOREIGN, "{\"err\":{\"group\":71,\"rc\":2}}");
    server_rig_expect_v1(&rig, FERRY_SMP_READ, C_FOREIGN, "{\"rc\":10}");
    rig.other.rc = 2;
    rig_ask_v1(&rig.server, FERRY_SMP_READ, 72, C_ERROR, "{}", &answer);
    assert_string_equal(answer.json, "{\"rc\":1}"); /* no table at all */
}

/* ---- Gate and observer ------------------------------------------------------- */

static void test_the_gate_refuses(void **context)
{
    struct server_rig rig;
    (void)context;

    server_rig_set_up(&rig);
    server_rig_guard(&rig);
    server_rig_expect(&rig, FERRY_SMP_READ, C_COUNT, "{\"n\":1}");
    assert_int_equal(rig.gate_calls, 1);
    assert_int_equal(rig.gate_transport, 3);
    assert_int_equal(rig.events, 0);
    rig.gate_rc = FERRY_RC_ACCESS_DENIED;
    server_rig_expect(&rig, FERRY_SMP_READ, C_COUNT, "{\"rc\":11}");
    assert_int_equal(rig.events, 1);
    assert_int_equal(rig.event.kind, FERRY_EVENT_REFUSED);
    assert_int_equal(rig.event.value, 11);
    rig.gate_error = 2;
    server_rig_expect(&rig, FERRY_SMP_READ, C_COUNT, "{\"err\":{\"group\":64,\"rc\":2}}");
    server_rig_expect_v1(&rig, FERRY_SMP_READ, C_COUNT, "{\"rc\":1}");
    assert_int_equal(rig.state.calls, 1);
    assert_int_equal(rig.gate_calls, 4);
    /* what does not exist is not asked about */
    server_rig_expect(&rig, FERRY_SMP_READ, C_NOTHING, "{\"rc\":8}");
    assert_int_equal(rig.gate_calls, 4);
}

/* The last events, "kind value" each; the call of the last one. */
static char seen[256];

static void see(void *context, const struct ferry_server_call *call,
                const struct ferry_server_event *event)
{
    size_t len = strlen(seen);
    (void)context;

    (void)snprintf(seen + len, sizeof(seen) - len, "%s%s %u%s", len > 0 ? ", " : "",
                   event->kind == FERRY_EVENT_RECEIVED  ? "received"
                   : event->kind == FERRY_EVENT_REFUSED ? "refused"
                   : event->kind == FERRY_EVENT_DONE    ? "done"
                                                        : "?",
                   (unsigned)event->value, call->failed ? " failed" : "");
}

static void expect_seen(struct server_rig *rig, uint8_t id, const char *json, const char *events)
{
    seen[0] = '\0';
    server_rig_expect(rig, FERRY_SMP_READ, id, json);
    assert_string_equal(seen, events);
}

static void test_the_observer_sees_every_command(void **context)
{
    struct server_rig rig;
    (void)context;

    server_rig_set_up(&rig);
    server_rig_guard(&rig);
    rig.config.observe = see;
    expect_seen(&rig, C_COUNT, "{\"n\":1}", "");
    rig.config.observe_all = true;
    expect_seen(&rig, C_COUNT, "{\"n\":2}", "received 0, done 0");
    expect_seen(&rig, C_NOTHING, "{\"rc\":8}", "done 8");
    rig.state.rc = 5;
    expect_seen(&rig, C_RC, "{\"rc\":5}", "received 0, done 5");
    rig.state.rc = -1;
    expect_seen(&rig, C_RC, "{\"rc\":1}", "received 0, done 1");
    rig.state.rc = 3;
    expect_seen(&rig, C_ERROR, "{\"err\":{\"group\":70,\"rc\":3},\"beside\":5}",
                "received 0, done 0 failed");
    rig.state.rc = 10000;
    expect_seen(&rig, C_BIG, "{\"rc\":7}", "received 0, done 7");
    rig.gate_rc = FERRY_RC_ACCESS_DENIED;
    expect_seen(&rig, C_COUNT, "{\"rc\":11}", "received 0, refused 11, done 11");
    seen[0] = '\0';
    server_rig_expect_header(&rig, (uint8_t[]){0x08, 0, 0, 1, 0, GROUP, 9, C_COUNT}, 0x09,
                             "{\"rc\":9}");
    assert_string_equal(seen, "done 9");
}

/* ---- Set-up ------------------------------------------------------------------ */

static void test_two_servers_know_nothing_of_each_other(void **context)
{
    struct server_rig one;
    struct server_rig two;
    (void)context;

    server_rig_set_up(&one);
    server_rig_set_up(&two);
    two.config.refuse_v1 = true;
    server_rig_guard(&two);
    for (int i = 1; i <= 3; i++) {
        char json[32];

        (void)snprintf(json, sizeof(json), "{\"n\":%d}", i);
        server_rig_expect_v1(&one, FERRY_SMP_READ, C_COUNT, json);
        server_rig_expect(&two, FERRY_SMP_READ, C_COUNT, json);
        server_rig_expect_v1(&two, FERRY_SMP_READ, C_COUNT, "{\"rc\":12}");
    }
    two.gate_rc = FERRY_RC_BUSY;
    server_rig_expect(&two, FERRY_SMP_READ, C_COUNT, "{\"rc\":10}");
    server_rig_expect(&one, FERRY_SMP_READ, C_COUNT, "{\"n\":4}");
    assert_int_equal(one.gate_calls, 0);
}

static void test_wrong_configurations_are_refused(void **context)
{
    static const struct ferry_group empty = {73, "empty", server_rig_commands, 0, NULL, 0};
    static const struct ferry_group tableless = {73, "null", NULL, 1, NULL, 0};
    struct server_rig rig;
    (void)context;

    server_rig_set_up(&rig);
    rig.mounts[2].group = &server_rig_group; /* twice */
    assert_int_equal(ferry_server_init(&rig.server, &rig.config), FERRY_E_CONFIG);
    rig.mounts[2].group = NULL;
    assert_int_equal(ferry_server_init(&rig.server, &rig.config), FERRY_E_CONFIG);
    rig.mounts[2].group = &empty;
    assert_int_equal(ferry_server_init(&rig.server, &rig.config), FERRY_E_CONFIG);
    rig.mounts[2].group = &tableless;
    assert_int_equal(ferry_server_init(&rig.server, &rig.config), FERRY_E_CONFIG);
    rig.config.group_count = 2;
    assert_int_equal(ferry_server_init(&rig.server, &rig.config), FERRY_OK);
    rig.config.buf_size = FERRY_SERVER_ANSWER_MIN - 1;
    assert_int_equal(ferry_server_init(&rig.server, &rig.config), FERRY_E_CONFIG);
    rig.config.buf_size = FERRY_SERVER_ANSWER_MIN;
    rig.config.buf_count = 0;
    assert_int_equal(ferry_server_init(&rig.server, &rig.config), FERRY_E_CONFIG);
    rig.config.buf_count = 1;
    rig.config.group_count = 0;
    assert_int_equal(ferry_server_init(&rig.server, &rig.config), FERRY_OK);
    server_rig_expect(&rig, FERRY_SMP_READ, C_COUNT, "{\"rc\":8}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_packets_get_no_answer),
        cmocka_unit_test(test_length_beyond_the_packet_is_rc_9),
        cmocka_unit_test(test_operations_that_are_no_requests_are_rc_8),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_unknown_groups_and_commands_are_rc_8),
        cmocka_unit_test(test_rc_errors_throw_the_answer_away),
        cmocka_unit_test(test_a_verbose_server_adds_the_reason_to_rc_answers),
        cmocka_unit_test(test_group_errors_and_their_translation),
        cmocka_unit_test(test_the_gate_refuses),
        cmocka_unit_test(test_the_observer_sees_every_command),
        cmocka_unit_test(test_two_servers_know_nothing_of_each_other),
        cmocka_unit_test(test_wrong_configurations_are_refused),
    };

    return cmocka_run_group_tests_name("server", tests, NULL, NULL);
}
