/* SPDX-License-Identifier: Apache-2.0 */
/* The cases of ble_example.h. */
#include "ble_example.h"
#include "ble_server.h"
#include "test_server_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ANSWER 300

static const struct ble_example_stack *stack;
static struct server_rig rig;
static int asked;
static char asked_as[64];

/* ---- The air -------------------------------------------------------------------------------- */

bool ble_example_lax;
static size_t room;   /* notifications the stack takes */
static size_t queued; /* of them */
static uint8_t heard[2][4096];
static size_t heard_len[2];
static size_t longest;

bool ble_example_queue(uint16_t conn, const void *value, size_t len)
{
    if (queued == room) {
        return false;
    }
    queued++;
    longest = len > longest ? len : longest;
    assert_true(conn < 2 && heard_len[conn] + len <= sizeof(heard[conn]));
    memcpy(heard[conn] + heard_len[conn], value, len);
    heard_len[conn] += len;
    return true;
}

bool ble_example_leave(void)
{
    if (queued == 0) {
        return false;
    }
    queued--;
    return true;
}

/* ---- The client ----------------------------------------------------------------------------- */

static int gate(void *context, struct ferry_server_call *call)
{
    (void)context;
    asked++;
    assert_int_equal(call->transport, BLE_TRANSPORT);
    assert_int_equal(call->peer->security, FERRY_PEER_AUTHENTICATED);
    (void)strcpy(asked_as, call->peer->identity != NULL ? call->peer->identity : "");
    return FERRY_RC_OK;
}

static void begin(void)
{
    server_rig_set_up(&rig);
    rig.config.gate = gate;
    rig.state.rc = ANSWER;
    ble_example_lax = false;
    room = SIZE_MAX;
    queued = 0;
    asked = 0;
    longest = 0;
    memset(heard_len, 0, sizeof(heard_len));
    stack->begin(&rig.server);
}

static void pair(uint16_t conn)
{
    stack->connect(conn);
    stack->secure(conn, FERRY_PEER_AUTHENTICATED);
    stack->subscribe(conn, true);
}

/* A request in fragments of so many bytes. */
static void put(uint16_t conn, uint8_t command, size_t fragment)
{
    uint8_t request[64];
    size_t len = rig_request(0, 1, GROUP, command, "{\"n\":1,\"t\":\"twenty bytes of a text\"}",
                             request, sizeof(request));
    struct ferry_bytes rest = {request, len};

    assert_true(len > 20);
    while (rest.len > 0) {
        struct ferry_bytes next = ferry_ble_cut(&rest, fragment);

        stack->write(conn, next.data, (uint16_t)next.len);
    }
}

/* One whose answer is long. */
static void ask(uint16_t conn, size_t fragment)
{
    put(conn, C_BIG, fragment);
    stack->work();
}

static void expect_answer(uint16_t conn)
{
    for (int rounds = 0; !ble_server_idle(); rounds++) {
        assert_true(rounds < 100);
        stack->leave();
        stack->work();
    }
    assert_int_equal(heard_len[conn], FERRY_SMP_HEADER_SIZE + 1 + 2 + 3 + ANSWER + 1);
    assert_int_equal(heard[conn][0], 0x09);
    assert_int_equal(ferry_load_be16(heard[conn] + 2), heard_len[conn] - FERRY_SMP_HEADER_SIZE);
    assert_int_equal(heard[conn][heard_len[conn] - 1], 0xff); /* the map's end */
    heard_len[conn] = 0;
}

/* ---- Cases ---------------------------------------------------------------------------------- */

static void a_request_is_answered(void **state)
{
    (void)state;
    begin();
    pair(0);
    ask(0, 20);
    assert_int_equal(asked, 1);
    expect_answer(0);
    assert_int_equal(longest, 20);
    stack->mtu(0, 185);
    ask(0, 182);
    expect_answer(0);
    assert_int_equal(longest, 182);
}

/* However few notifications it takes at a time. */
static void a_busy_stack_gets_all_of_it(void **state)
{
    (void)state;
    for (size_t n = 1; n < 4; n++) {
        begin();
        pair(0);
        room = n;
        ask(0, 20);
        assert_false(ble_server_idle());
        expect_answer(0);
    }
}

/* Whatever the stack's own table lets through. */
static void who_is_not_paired_is_not_served(void **state)
{
    (void)state;
    for (int lax = 0; lax < 2; lax++) {
        begin();
        ble_example_lax = lax != 0;
        stack->connect(0);
        stack->subscribe(0, true);
        ask(0, 20);
        stack->secure(0, FERRY_PEER_ENCRYPTED);
        stack->subscribe(0, false);
        stack->subscribe(0, true);
        ask(0, 20);
        assert_int_equal(asked, 0);
        assert_int_equal(heard_len[0], 0);
    }
}

/* Pairing comes with the subscription, or after it: the client subscribes once, or once again. */
static void who_pairs_to_subscribe_is_served(void **state)
{
    (void)state;
    begin();
    stack->connect(0);
    stack->subscribe(0, true);
    stack->secure(0, FERRY_PEER_AUTHENTICATED);
    stack->subscribe(0, true);
    ask(0, 20);
    expect_answer(0);
}

static void who_is_bonded_need_not_subscribe_again(void **state)
{
    (void)state;
    begin();
    stack->connect(0);
    stack->secure(0, FERRY_PEER_AUTHENTICATED);
    stack->restore(0);
    ask(0, 20);
    expect_answer(0);
}

/* One is worked on, and none waits beside it. */
static void a_request_too_many_is_dropped(void **state)
{
    (void)state;
    begin();
    pair(0);
    put(0, C_BIG, 20);
    put(0, C_COUNT, 20);
    stack->work();
    expect_answer(0);
    assert_int_equal(asked, 1);
    ask(0, 20);
    expect_answer(0);
}

static void the_second_link_waits_for_the_first(void **state)
{
    (void)state;
    begin();
    pair(0);
    pair(1);
    ask(1, 20);
    assert_int_equal(asked, 0);
    ask(0, 20);
    expect_answer(0);
    stack->disconnect(0);
    stack->subscribe(1, true);
    ask(1, 20);
    expect_answer(1);
}

/* The number comes again in the middle of an answer. */
static void a_lost_link_takes_its_answer_along(void **state)
{
    (void)state;
    begin();
    pair(0);
    room = 1;
    ask(0, 20);
    assert_int_equal(heard_len[0], 20);
    ask(0, 20); /* waits for the first one to leave */
    assert_int_equal(asked, 1);
    stack->disconnect(0);
    queued = 0;
    room = SIZE_MAX;
    heard_len[0] = 0;
    pair(0);
    stack->leave();
    stack->work();
    assert_int_equal(heard_len[0], 0);
    assert_int_equal(asked, 1);
    ask(0, 20);
    expect_answer(0);
}

static void nothing_comes_after_the_subscription(void **state)
{
    (void)state;
    begin();
    pair(0);
    room = 1;
    ask(0, 20);
    stack->subscribe(0, false);
    room = SIZE_MAX;
    stack->leave();
    stack->work();
    assert_int_equal(heard_len[0], 20);
    assert_true(ble_server_idle());
}

static void the_gate_is_told_who_it_is(void **state)
{
    char text[BLE_IDENTITY] = "";

    (void)state;
    begin();
    pair(0);
    ask(0, 20);
    assert_string_equal(asked_as, ble_identity(1, text) ? "C0:00:00:00:00:01" : "");
}

int ble_example_run(const struct ble_example_stack *with)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_answered),
        cmocka_unit_test(a_busy_stack_gets_all_of_it),
        cmocka_unit_test(who_is_not_paired_is_not_served),
        cmocka_unit_test(who_pairs_to_subscribe_is_served),
        cmocka_unit_test(who_is_bonded_need_not_subscribe_again),
        cmocka_unit_test(a_request_too_many_is_dropped),
        cmocka_unit_test(the_second_link_waits_for_the_first),
        cmocka_unit_test(a_lost_link_takes_its_answer_along),
        cmocka_unit_test(nothing_comes_after_the_subscription),
        cmocka_unit_test(the_gate_is_told_who_it_is),
    };

    stack = with;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
