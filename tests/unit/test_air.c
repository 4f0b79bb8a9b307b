/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual air's model of time: what a connection interval lets through, and when. */
#include "radio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdlib.h>

#define INTERVAL 30000
#define SLOT     2500

static const struct radio_config config = {
    .interval_us = INTERVAL, .slot_us = SLOT, .packets = 6, .payload = 251, .queue = 12};

static struct radio air;
static struct radio_pdu pdus[64];

static void begin(const struct radio_config *with)
{
    uint64_t seed = 1;

    radio_begin(&air, with, 1000, &seed);
}

static void put(enum radio_way way, struct radio_pdu *pdu, size_t len, uint64_t now)
{
    radio_put(&air, way, pdu, len, now);
}

/* How many arrive until a time, one way. */
static int arrive(enum radio_way wanted, uint64_t now)
{
    enum radio_way way;
    int count = 0;

    while (radio_next(&air, now, &way) != NULL) {
        count += way == wanted;
    }
    return count;
}

static void an_event_takes_so_many_packets(void **state)
{
    (void)state;
    begin(&config);
    for (int i = 0; i < 13; i++) {
        put(RADIO_TO_PERIPHERAL, &pdus[i], 247, 2000);
    }
    assert_int_equal(radio_due(&air), 1000 + INTERVAL);
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + INTERVAL - 1), 0);
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + INTERVAL), 1);
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + INTERVAL + 4 * SLOT), 4);
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + 2 * INTERVAL - 1), 1);
    assert_int_equal(radio_due(&air), 1000 + 2 * INTERVAL);
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + 3 * INTERVAL - 1), 6);
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + 3 * INTERVAL), 1);
    assert_true(radio_due(&air) == UINT64_MAX);
}

static void both_ways_go_at_once(void **state)
{
    (void)state;
    begin(&config);
    for (int i = 0; i < 6; i++) {
        put(RADIO_TO_PERIPHERAL, &pdus[i], 247, 2000);
        put(RADIO_TO_CENTRAL, &pdus[6 + i], 247, 2000);
    }
    assert_int_equal(arrive(RADIO_TO_CENTRAL, 1000 + INTERVAL + 5 * SLOT), 6);
    assert_true(radio_due(&air) == UINT64_MAX);
}

static void an_answer_waits_for_the_next_event_unless_this_one_goes_on(void **state)
{
    (void)state;
    begin(&config);
    put(RADIO_TO_PERIPHERAL, &pdus[0], 247, 2000);
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + INTERVAL), 1);
    put(RADIO_TO_CENTRAL, &pdus[1], 20, 1000 + INTERVAL + 100);
    assert_int_equal(radio_due(&air), 1000 + 2 * INTERVAL);
    assert_int_equal(arrive(RADIO_TO_CENTRAL, 1000 + 2 * INTERVAL), 1);

    put(RADIO_TO_PERIPHERAL, &pdus[0], 247, 1000 + 2 * INTERVAL + 100);
    put(RADIO_TO_PERIPHERAL, &pdus[1], 247, 1000 + 2 * INTERVAL + 100);
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + 3 * INTERVAL), 1);
    put(RADIO_TO_CENTRAL, &pdus[2], 20, 1000 + 3 * INTERVAL + 100);
    assert_int_equal(arrive(RADIO_TO_CENTRAL, 1000 + 3 * INTERVAL + SLOT), 1);
}

static void a_large_value_takes_several_packets(void **state)
{
    struct radio_config small = config;

    (void)state;
    begin(&config);
    put(RADIO_TO_PERIPHERAL, &pdus[0], 498, 2000); /* 502 bytes with L2CAP's header */
    put(RADIO_TO_PERIPHERAL, &pdus[1], 499, 2000);
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + INTERVAL + SLOT - 1), 0);
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + INTERVAL + SLOT), 1);
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + INTERVAL + 4 * SLOT), 1);
    assert_int_equal(air.packets[RADIO_TO_PERIPHERAL], 5);

    small.payload = 27;
    begin(&small);
    put(RADIO_TO_PERIPHERAL, &pdus[0], 23, 2000);
    put(RADIO_TO_PERIPHERAL, &pdus[1], 247, 2000); /* ten packets: five in each event */
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + INTERVAL), 1);
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + 2 * INTERVAL + 3 * SLOT), 0);
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + 2 * INTERVAL + 4 * SLOT), 1);
}

static void a_late_look_finds_what_was_over(void **state)
{
    (void)state;
    begin(&config);
    for (int i = 0; i < 40; i++) {
        put(RADIO_TO_PERIPHERAL, &pdus[i], 247, 2000);
    }
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + 6 * INTERVAL - 1), 30);
}

static void after_silence_the_next_event_is_the_next_one(void **state)
{
    (void)state;
    begin(&config);
    put(RADIO_TO_PERIPHERAL, &pdus[0], 20, 1000 + 10 * INTERVAL + 1);
    assert_int_equal(radio_due(&air), 1000 + 11 * INTERVAL);
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + 11 * INTERVAL), 1);
    put(RADIO_TO_PERIPHERAL, &pdus[0], 20, 1000 + 20 * INTERVAL);
    assert_int_equal(radio_due(&air), 1000 + 20 * INTERVAL);
}

static void the_queue_has_a_bound(void **state)
{
    (void)state;
    begin(&config);
    for (int i = 0; i < 12; i++) {
        assert_false(radio_full(&air, RADIO_TO_PERIPHERAL));
        put(RADIO_TO_PERIPHERAL, &pdus[i], 247, 2000);
    }
    assert_true(radio_full(&air, RADIO_TO_PERIPHERAL));
    assert_false(radio_full(&air, RADIO_TO_CENTRAL));
    assert_int_equal(arrive(RADIO_TO_PERIPHERAL, 1000 + INTERVAL), 1);
    assert_false(radio_full(&air, RADIO_TO_PERIPHERAL));
}

static void what_waits_comes_back(void **state)
{
    (void)state;
    begin(&config);
    put(RADIO_TO_PERIPHERAL, &pdus[0], 247, 2000);
    put(RADIO_TO_PERIPHERAL, &pdus[1], 247, 2000);
    put(RADIO_TO_CENTRAL, &pdus[2], 247, 2000);
    assert_ptr_equal(radio_drain(&air), &pdus[0]);
    assert_ptr_equal(radio_drain(&air), &pdus[1]);
    assert_ptr_equal(radio_drain(&air), &pdus[2]);
    assert_null(radio_drain(&air));
}

/* Bytes that a link carries until it is lost. */
static uint64_t until_lost(uint64_t *seed)
{
    struct radio_config lossy = config;
    enum radio_way way;

    lossy.loss_bytes = 10000;
    radio_begin(&air, &lossy, 0, seed);
    for (int i = 0; !air.lost; i++) {
        radio_put(&air, RADIO_TO_PERIPHERAL, &pdus[0], 100, (uint64_t)i * INTERVAL);
        if (radio_next(&air, ((uint64_t)i + 1) * INTERVAL, &way) == NULL) {
            assert_true(air.lost);
            assert_ptr_equal(radio_drain(&air), &pdus[0]); /* it did not arrive */
        }
    }
    assert_true(radio_due(&air) == UINT64_MAX);
    return air.bytes[RADIO_TO_PERIPHERAL];
}

static void losses_follow_from_the_seed(void **state)
{
    uint64_t seed = 7, again = 7, sum = 0;

    (void)state;
    for (int i = 0; i < 400; i++) {
        uint64_t bytes = until_lost(&seed);
        assert_int_equal(bytes, until_lost(&again));
        sum += bytes;
    }
    assert_in_range(sum / 400, 9000, 11000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_takes_so_many_packets),
        cmocka_unit_test(both_ways_go_at_once),
        cmocka_unit_test(an_answer_waits_for_the_next_event_unless_this_one_goes_on),
        cmocka_unit_test(a_large_value_takes_several_packets),
        cmocka_unit_test(a_late_look_finds_what_was_over),
        cmocka_unit_test(after_silence_the_next_event_is_the_next_one),
        cmocka_unit_test(the_queue_has_a_bound),
        cmocka_unit_test(what_waits_comes_back),
        cmocka_unit_test(losses_follow_from_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
