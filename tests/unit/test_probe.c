/* SPDX-License-Identifier: Apache-2.0 */
/* The size of packets is found out by echo: against servers of every buffer size, that answer, that
 * refuse, that lose. C41: what is too large is dropped in silence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ferry/probe.h"

#define BUFFER_SIZE 8192

struct device {
    struct ferry_client client;
    struct ferry_client_request requests[2];
    uint8_t buffers[2 * BUFFER_SIZE];
    uint32_t takes; /* bytes of the largest packet */
    uint8_t rc;     /* of every answer */
    bool silent;    /* no echo is answered */
    bool stuck;     /* after one too large nothing is answered */
    bool is_stuck;
    uint32_t lose; /* the n-th packet, from 1 */
    /* What happened */
    uint32_t packets;
    uint32_t dropped;
    size_t largest;
    uint64_t now;
};

static struct device g_device;

static struct device *set_up(enum ferry_client_link link, uint32_t takes)
{
    struct device *device = &g_device;

    *device = (struct device){.takes = takes};
    struct ferry_client_config config = {.requests = device->requests,
                                         .request_count = 2,
                                         .buffers = device->buffers,
                                         .buffer_size = BUFFER_SIZE};
    assert_int_equal(ferry_client_init(&device->client, &config), FERRY_OK);
    ferry_client_set_packet_max(&device->client, ferry_client_packet_max(link, 0));
    return device;
}

/* Whether the device answers a packet. */
static bool takes(struct device *device, size_t len)
{
    device->packets++;
    device->largest = len > device->largest ? len : device->largest;
    if (len > device->takes) {
        device->dropped++;
        device->is_stuck = device->stuck;
        return false;
    }
    return !device->silent && !device->is_stuck && device->packets != device->lose;
}

static void answer(struct device *device, struct ferry_probe *probe, struct ferry_bytes packet)
{
    uint8_t bytes[FERRY_SMP_HEADER_SIZE + 5] = {0};
    const uint8_t payload[] = {0xa1, 0x62, 'r', 'c', device->rc};
    struct ferry_client_answer answer;
    struct ferry_smp_header header;

    assert_int_equal(ferry_smp_header_read(packet, &header), FERRY_OK);
    assert_int_equal(header.group, FERRY_SMP_GROUP_OS);
    assert_int_equal(header.id, FERRY_SMP_OS_ECHO);
    header.op++;
    header.length = sizeof payload;
    ferry_smp_header_write(&header, bytes);
    for (size_t i = 0; i < sizeof payload; i++) {
        bytes[FERRY_SMP_HEADER_SIZE + i] = payload[i];
    }
    assert_int_equal(ferry_client_receive(&device->client,
                                          (struct ferry_bytes){bytes, sizeof bytes}, device->now,
                                          &answer),
                     FERRY_OK);
    assert_true(ferry_probe_answer(probe, &answer));
    assert_false(ferry_probe_answer(probe, &answer));
}

/* Returns the largest packet found. */
static size_t run(struct device *device, enum ferry_client_link link)
{
    struct ferry_probe probe;

    ferry_probe_start(&probe, &device->client, link);
    while (ferry_probe_run(&probe) == FERRY_E_BUSY) {
        struct ferry_client_answer lost;
        struct ferry_bytes packet;
        uint64_t deadline;

        if (ferry_client_poll(&device->client, device->now, &packet, &deadline)) {
            if (takes(device, packet.len)) {
                device->now += 5;
                answer(device, &probe, packet);
            }
            continue;
        }
        assert_true(deadline != FERRY_CLIENT_NEVER);
        device->now = deadline;
        if (ferry_client_expire(&device->client, device->now, &lost)) {
            assert_true(ferry_probe_answer(&probe, &lost));
        }
    }
    assert_int_equal(device->client.packet_max, probe.packet_max);
    return probe.packet_max;
}

/* Every buffer a console server may have: at least what is careful, never more than it takes, and
 * two thirds of it at least. */
static void test_console_buffers_of_all_sizes(void **state)
{
    (void)state;
    for (uint32_t buffer = 256; buffer <= 5000; buffer += 4) {
        struct device *device = set_up(FERRY_LINK_CONSOLE, buffer - 4);
        size_t found = run(device, FERRY_LINK_CONSOLE);

        assert_true(found >= 252);
        assert_true(found <= buffer - 4);
        assert_true(buffer < 384 || buffer > 4096 || found + 4 >= buffer / 3 * 2);
        assert_true(device->dropped <= 3);
        assert_true(device->now <= 1100);
    }
    assert_int_equal(run(set_up(FERRY_LINK_CONSOLE, 508), FERRY_LINK_CONSOLE), 508);
    assert_int_equal(run(set_up(FERRY_LINK_CONSOLE, 380), FERRY_LINK_CONSOLE), 380);
    assert_int_equal(run(set_up(FERRY_LINK_CONSOLE, 1020), FERRY_LINK_CONSOLE), 1020);
    assert_int_equal(run(set_up(FERRY_LINK_CONSOLE, 100000), FERRY_LINK_CONSOLE), 4092);
}

static void test_datagrams_end_at_the_network(void **state)
{
    (void)state;
    assert_int_equal(run(set_up(FERRY_LINK_UDP4, 100000), FERRY_LINK_UDP4), 1472);
    assert_int_equal(run(set_up(FERRY_LINK_UDP6, 100000), FERRY_LINK_UDP6), 1452);
    assert_int_equal(run(set_up(FERRY_LINK_UDP4, 1024), FERRY_LINK_UDP4), 1024);
    assert_int_equal(run(set_up(FERRY_LINK_UDP4, 400), FERRY_LINK_UDP4), 384);
    assert_int_equal(run(set_up(FERRY_LINK_STREAM, 100000), FERRY_LINK_STREAM), 4096);
}

/* MCUboot's buffer for answers is small: it says 2 to a long echo, and that is an answer. */
static void test_a_refusal_says_that_it_arrived(void **state)
{
    (void)state;
    for (uint8_t rc = 1; rc < 12; rc++) {
        struct device *device = set_up(FERRY_LINK_CONSOLE, 1020);

        device->rc = rc;
        assert_int_equal(run(device, FERRY_LINK_CONSOLE), 1020);
    }
}

/* No echo at all costs two short silences, and changes nothing. */
static void test_without_echo_nothing_changes(void **state)
{
    struct device *device = set_up(FERRY_LINK_CONSOLE, 1020);

    (void)state;
    device->silent = true;
    assert_int_equal(run(device, FERRY_LINK_CONSOLE), 252);
    assert_int_equal(device->packets, 2);
    assert_true(device->largest <= 64);
    assert_true(device->now <= 700);
}

/* A packet lost by chance is sent again, or costs a quarter. */
static void test_a_lost_packet_is_no_limit(void **state)
{
    (void)state;
    for (uint32_t lose = 1; lose <= 4; lose++) {
        struct device *device = set_up(FERRY_LINK_CONSOLE, 4092);

        device->lose = lose;
        assert_true(run(device, FERRY_LINK_CONSOLE) >= (lose <= 2 ? 4092 : 764));
    }
}

/* One that is not itself after a packet too large is not trusted with more than before. */
static void test_a_device_that_is_stuck_gets_the_careful_size(void **state)
{
    struct device *device = set_up(FERRY_LINK_CONSOLE, 1020);

    (void)state;
    device->stuck = true;
    assert_int_equal(run(device, FERRY_LINK_CONSOLE), 252);
}

static void test_a_raw_line_is_left_alone(void **state)
{
    struct device *device = set_up(FERRY_LINK_RAW, 1020);

    (void)state;
    assert_int_equal(run(device, FERRY_LINK_RAW), 384);
    assert_int_equal(device->packets, 0);
}

/* Whatever the client was set to by others stays, when it is more. */
static void test_never_less_than_before(void **state)
{
    struct device *device = set_up(FERRY_LINK_CONSOLE, 508);

    (void)state;
    ferry_client_set_packet_max(&device->client, 2000);
    assert_int_equal(run(device, FERRY_LINK_CONSOLE), 2000);
}

/* A probe that is stopped leaves the client as it was, whatever it was trying. */
static void test_a_stopped_probe_restores_the_size(void **state)
{
    (void)state;
    for (int steps = 1; steps <= 4; steps++) {
        struct device *device = set_up(FERRY_LINK_CONSOLE, 4092);
        struct ferry_client_answer late;
        struct ferry_probe probe;
        struct ferry_bytes packet;
        uint64_t deadline;

        ferry_probe_start(&probe, &device->client, FERRY_LINK_CONSOLE);
        for (int i = 1; i < steps; i++) {
            assert_int_equal(ferry_probe_run(&probe), FERRY_E_BUSY);
            assert_true(ferry_client_poll(&device->client, device->now, &packet, &deadline));
            answer(device, &probe, packet);
        }
        assert_int_equal(ferry_probe_run(&probe), FERRY_E_BUSY);
        assert_int_not_equal(device->client.packet_max, 252);
        ferry_probe_cancel(&probe);
        assert_int_equal(device->client.packet_max, 252);
        assert_false(ferry_client_poll(&device->client, device->now, &packet, &deadline));
        assert_false(ferry_client_expire(&device->client, device->now + 60000, &late));
        assert_int_equal(ferry_probe_run(&probe), FERRY_OK);
        ferry_probe_cancel(&probe);
        assert_int_equal(device->client.packet_max, 252);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_console_buffers_of_all_sizes),
        cmocka_unit_test(test_datagrams_end_at_the_network),
        cmocka_unit_test(test_a_refusal_says_that_it_arrived),
        cmocka_unit_test(test_without_echo_nothing_changes),
        cmocka_unit_test(test_a_lost_packet_is_no_limit),
        cmocka_unit_test(test_a_device_that_is_stuck_gets_the_careful_size),
        cmocka_unit_test(test_a_raw_line_is_left_alone),
        cmocka_unit_test(test_never_less_than_before),
        cmocka_unit_test(test_a_stopped_probe_restores_the_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
