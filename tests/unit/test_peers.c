/* SPDX-License-Identifier: Apache-2.0 */
/* Limits on datagrams: rates, who is remembered, who is proven, how much is answered. */
#include "ferry/peers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PLACES = 4 };

static struct {
    struct ferry_peers peers;
    struct ferry_peers_limits limits;
    struct ferry_peers_entry entries[PLACES];
    uint64_t now;
} bench;

static void start(uint16_t each, uint16_t unproven)
{
    memset(&bench, 0, sizeof(bench));
    memset(bench.entries, 0xa5, sizeof(bench.entries));
    bench.limits = (struct ferry_peers_limits){.each = {each, 3}, .unproven = {unproven, 6}};
    assert_int_equal(ferry_peers_init(&bench.peers, &bench.limits, bench.entries, PLACES),
                     FERRY_OK);
}

static struct ferry_bytes who(uint32_t number)
{
    static uint32_t address;

    address = number;
    return (struct ferry_bytes){(const uint8_t *)&address, sizeof(address)};
}

static bool comes(uint32_t number)
{
    return ferry_peers_admit(&bench.peers, who(number), bench.now);
}

static unsigned many(uint32_t number, unsigned count)
{
    unsigned admitted = 0;

    while (count-- > 0) {
        admitted += comes(number) ? 1 : 0;
    }
    return admitted;
}

static bool proven(uint32_t number)
{
    return ferry_peers_proven(&bench.peers, who(number), bench.now);
}

static void prove(uint32_t number)
{
    ferry_peers_prove(&bench.peers, who(number), bench.now);
}

/* ---- Rates -------------------------------------------------------------------------------------
 */

static void each_has_its_rate(void **state)
{
    (void)state;

    start(10, 0);
    assert_int_equal(many(1, 9), 3);
    assert_int_equal(many(2, 9), 3); /* its own */
    bench.now += 99;
    assert_int_equal(many(1, 9), 0);
    bench.now += 1;
    assert_int_equal(many(1, 9), 1);
    bench.now += 50; /* what is half there stays */
    assert_int_equal(many(1, 9), 0);
    bench.now += 50;
    assert_int_equal(many(1, 9), 1);
    bench.now += 1000000000;
    assert_int_equal(many(1, 9), 3);
    assert_int_equal(bench.peers.counters.refused, 6 + 6 + 9 + 8 + 9 + 8 + 6);
}

/* However many addresses somebody has: of all that are not proven no more is taken together. */
static void unproven_ones_have_one_together(void **state)
{
    (void)state;
    unsigned admitted = 0;

    start(10, 20);
    for (uint32_t i = 1; i <= 1000; i++) {
        admitted += many(i, 2);
    }
    assert_int_equal(admitted, 6);
    prove(5000); /* and does not delay who is */
    assert_int_equal(many(5000, 9), 3);
    bench.now += 1000;
    admitted = 0;
    for (uint32_t i = 1; i <= 1000; i++) {
        admitted += many(i, 2);
    }
    assert_int_equal(admitted, 6);
    assert_int_equal(many(5000, 9), 3);
}

static void who_is_proven_takes_nothing_of_the_others(void **state)
{
    (void)state;
    start(10, 20);
    prove(5000);
    assert_int_equal(many(5000, 9), 3);
    assert_int_equal(many(1, 3) + many(2, 9), 6);
}

static void no_rate_is_no_limit(void **state)
{
    (void)state;

    start(0, 0);
    assert_int_equal(many(1, 100000), 100000);
    assert_int_equal(bench.peers.counters.refused, 0);
}

/* A clock that goes back gives nothing, and takes nothing for ever. */
static void a_clock_that_goes_back(void **state)
{
    (void)state;

    start(10, 0);
    bench.now = 1000000;
    assert_int_equal(many(1, 9), 3);
    bench.now = 10;
    assert_int_equal(many(1, 9), 0);
    bench.now = 110;
    assert_int_equal(many(1, 9), 1);
}

static void the_largest_numbers(void **state)
{
    (void)state;

    start(0, 0);
    bench.limits.each = (struct ferry_peers_rate){UINT16_MAX, UINT16_MAX};
    bench.limits.unproven = bench.limits.each;
    assert_int_equal(ferry_peers_init(&bench.peers, &bench.limits, bench.entries, PLACES),
                     FERRY_OK);
    assert_int_equal(many(1, 70000), UINT16_MAX);
    bench.now = 1;
    assert_int_equal(many(1, 70000), 65);
    bench.now = UINT64_MAX;
    assert_int_equal(many(1, 70000), UINT16_MAX);
}

/* ---- Who is remembered -------------------------------------------------------------------------
 */

static void the_one_heard_longest_ago_is_forgotten(void **state)
{
    (void)state;

    start(1, 0);
    for (uint32_t i = 1; i <= PLACES; i++) {
        assert_int_equal(many(i, 4), 3);
        bench.now++;
    }
    assert_int_equal(many(1, 1), 0); /* heard again: now 2 is the oldest */
    bench.now++;
    assert_int_equal(many(100, 4), 3);
    assert_int_equal(bench.peers.counters.evicted, 1);
    assert_int_equal(many(1, 1), 0);
    assert_int_equal(many(2, 4), 3); /* as a new one */
}

static void who_is_proven_stays(void **state)
{
    (void)state;

    start(0, 6);
    prove(1);
    prove(2);
    for (uint32_t i = 100; i < 1100; i++) {
        (void)comes(i);
        bench.now++;
    }
    assert_true(proven(1) && proven(2));
    assert_false(proven(3) || proven(1099));
    prove(3);
    prove(4);
    bench.now += 1000;
    assert_int_equal(many(100, 20), 6); /* no place is left, the common rate counts */
    assert_int_equal(many(101, 20), 0);
    assert_true(proven(1) && proven(2) && proven(3) && proven(4));
    assert_true(comes(1));
    prove(5); /* gives a proven one's place to another: 2, heard longest ago */
    assert_true(proven(1) && !proven(2) && proven(5));
}

static void proofs_end(void **state)
{
    (void)state;

    start(0, 0);
    bench.now = 5;
    prove(1);
    bench.now += FERRY_PEERS_PROVEN_MS - 1;
    assert_true(comes(1)); /* which does not make it last */
    assert_true(proven(1));
    bench.now++;
    assert_false(proven(1));
    bench.limits.proven_ms = 10;
    prove(1);
    bench.now += 9;
    assert_true(proven(1));
    bench.now -= 10; /* before it was proven */
    assert_false(proven(1));
}

static void addresses_are_whole(void **state)
{
    (void)state;
    static const uint8_t address[FERRY_PEERS_ADDRESS + 1] = {1, 2, 3};

    start(1, 0);
    ferry_peers_prove(&bench.peers, (struct ferry_bytes){address, 6}, 0);
    assert_true(ferry_peers_proven(&bench.peers, (struct ferry_bytes){address, 6}, 0));
    assert_false(ferry_peers_proven(&bench.peers, (struct ferry_bytes){address, 5}, 0));
    assert_false(ferry_peers_proven(&bench.peers, (struct ferry_bytes){address, 7}, 0));
    assert_false(ferry_peers_proven(&bench.peers, (struct ferry_bytes){address, 18}, 0));
    ferry_peers_prove(&bench.peers, (struct ferry_bytes){address, 18}, 0);
    assert_true(ferry_peers_proven(&bench.peers, (struct ferry_bytes){address, 19}, 0));
    assert_false(ferry_peers_admit(&bench.peers, (struct ferry_bytes){address, 0}, 0));
    ferry_peers_prove(&bench.peers, (struct ferry_bytes){address, 0}, 0);
    assert_false(ferry_peers_proven(&bench.peers, (struct ferry_bytes){address, 0}, 0));
}

static void wrong_limits(void **state)
{
    (void)state;
    struct ferry_peers_limits limits = {.each = {1, 1}};
    struct ferry_peers peers;

    assert_int_equal(ferry_peers_init(&peers, &limits, NULL, PLACES), FERRY_E_CONFIG);
    assert_int_equal(ferry_peers_init(&peers, &limits, bench.entries, 0), FERRY_E_CONFIG);
    limits.each.burst = 0;
    assert_int_equal(ferry_peers_init(&peers, &limits, bench.entries, 1), FERRY_E_CONFIG);
    limits.each.rate = 0;
    limits.unproven.rate = 1;
    assert_int_equal(ferry_peers_init(&peers, &limits, bench.entries, 1), FERRY_E_CONFIG);
}

/* ---- Answers -----------------------------------------------------------------------------------
 */

enum { IP_UDP = 28, MTU = 1500 };

/* Whatever is asked, and however many answers there are: on the wire they are never more than three
 * times the request, and one never needs two packets. */
static void never_three_times_as_much(void **state)
{
    (void)state;

    start(0, 0);
    for (size_t request = 0; request <= 4096; request++) {
        struct ferry_peers_grant grant = ferry_peers_begin(&bench.peers, who(1), 0, request);
        size_t on_wire = 0;
        size_t room;

        while ((room = ferry_peers_room(&grant, 2048)) > 0) {
            size_t answer = 1 + request % room;

            assert_true(room + IP_UDP <= MTU);
            on_wire += answer + IP_UDP;
            ferry_peers_spend(&grant, answer);
            assert_true(on_wire <= 3 * (request + IP_UDP));
        }
    }
}

static void padded_requests_lack_nothing(void **state)
{
    (void)state;

    start(0, 0);
    for (size_t cap = 14; cap <= 4096; cap++) {
        struct ferry_peers_grant grant;
        uint16_t pad = ferry_peers_pad(cap);
        size_t full = cap < MTU - IP_UDP ? cap : MTU - IP_UDP;

        grant = ferry_peers_begin(&bench.peers, who(1), 0, pad);
        assert_int_equal(ferry_peers_room(&grant, cap), full);
        if (pad > 0) {
            grant = ferry_peers_begin(&bench.peers, who(1), 0, pad - 1U);
            assert_true(ferry_peers_room(&grant, cap) < full);
        }
    }
    assert_int_equal(ferry_peers_pad(2048), 472);
}

static void who_is_proven_gets_all(void **state)
{
    (void)state;
    struct ferry_peers_grant grant;

    start(0, 0);
    prove(1);
    grant = ferry_peers_begin(&bench.peers, who(1), 0, 9);
    assert_int_equal(ferry_peers_room(&grant, 2048), 2048);
    ferry_peers_spend(&grant, 2048);
    assert_int_equal(ferry_peers_room(&grant, 2048), 2048);
    grant = ferry_peers_begin(&bench.peers, who(2), 0, 9);
    assert_int_equal(ferry_peers_room(&grant, 2048), 3 * (9 + IP_UDP) - IP_UDP);
    assert_int_equal(ferry_peers_room(&grant, 20), 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_has_its_rate),
        cmocka_unit_test(unproven_ones_have_one_together),
        cmocka_unit_test(who_is_proven_takes_nothing_of_the_others),
        cmocka_unit_test(no_rate_is_no_limit),
        cmocka_unit_test(a_clock_that_goes_back),
        cmocka_unit_test(the_largest_numbers),
        cmocka_unit_test(the_one_heard_longest_ago_is_forgotten),
        cmocka_unit_test(who_is_proven_stays),
        cmocka_unit_test(proofs_end),
        cmocka_unit_test(addresses_are_whole),
        cmocka_unit_test(wrong_limits),
        cmocka_unit_test(never_three_times_as_much),
        cmocka_unit_test(padded_requests_lack_nothing),
        cmocka_unit_test(who_is_proven_gets_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
