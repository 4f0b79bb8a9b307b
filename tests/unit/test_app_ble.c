/* SPDX-License-Identifier: Apache-2.0 */
/* The example's Bluetooth: what the radio tells, values that become requests, and answers that wait
 * for their link. */
#include "firmware/app/app.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define BUF_SIZE 256
#define PUMP     "AA:BB:CC:DD:EE:FF"

/* ---- The chip, as far as it is needed ----------------------------------------------------------
 */

static struct {
    size_t count; /* values sent */
    uint32_t link;
    size_t len;
    uint8_t bytes[4096];
} sent;

void vchip_send(struct vchip *chip, uint32_t wire, uint32_t peer, const uint8_t *data, size_t len)
{
    (void)chip;
    assert_int_equal(wire, FERRY_VCHIP_BLE);
    assert_true(len <= sizeof(sent.bytes) - sent.len);
    sent.count++;
    sent.link = peer;
    memcpy(sent.bytes + sent.len, data, len);
    sent.len += len;
}

void vchip_watch(struct vchip *chip, const struct vchip_watcher *watcher, void *context)
{
    (void)chip;
    (void)watcher;
    (void)context;
}

uint64_t vchip_now_ms(void)
{
    return 1000;
}

/* ---- The rig -----------------------------------------------------------------------------------
 */

static struct app app;

static void begin(uint32_t flags)
{
    memset(&sent, 0, sizeof(sent));
    memset(&app, 0, sizeof(app));
    app.chip.start.buf_size = BUF_SIZE;
    app.chip.start.buf_count = 4;
    app.chip.start.flags = flags;
    wires_init(&app.wires, &app.chip);
    assert_int_equal(app_ble_open(&app), FERRY_OK);
    for (uint32_t link = 1; link < 10; link++) {
        app_ble_told(&app, link, &(struct ferry_vchip_peer){.connected = 0});
    }
}

static void tell(uint32_t link, uint32_t security, uint32_t subscribed)
{
    struct ferry_vchip_peer told = {
        .connected = 1, .security = security, .mtu = 23, .subscribed = subscribed, .queue = 2};

    (void)snprintf(told.identity, sizeof(told.identity), "%s", PUMP);
    app_ble_told(&app, link, &told);
}

static void lose(uint32_t link)
{
    app_ble_told(&app, link, &(struct ferry_vchip_peer){.connected = 0});
}

/* Write a packet of len bytes in values of 20. */
static void write_packet(uint32_t link, uint8_t mark, size_t len)
{
    uint8_t packet[512];

    memset(packet, mark, len);
    packet[0] = 2;
    packet[2] = 0;
    packet[3] = (uint8_t)(len - 8);
    for (size_t at = 0; at < len; at += 20) {
        app_ble_receive(&app, link,
                        (struct ferry_bytes){packet + at, len - at < 20 ? len - at : 20});
    }
}

static struct queue_packet *first(void)
{
    struct queue_packet *packet = queue_first(&app.wires.queue);

    assert_non_null(packet);
    assert_int_equal(packet->wire, FERRY_VCHIP_BLE);
    return packet;
}

static void answer(const struct queue_packet *request, size_t len)
{
    uint8_t bytes[512];

    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)i;
    }
    app_ble_answer(&app, request, (struct ferry_bytes){bytes, len});
    memset(bytes, 0, sizeof(bytes)); /* what waits is a copy */
}

/* ---- Tests -------------------------------------------------------------------------------------
 */

static void a_request_comes_in_values_and_says_who_asks(void **state)
{
    struct ferry_server_peer asker;

    (void)state;
    begin(0);
    tell(7, FERRY_PEER_AUTHENTICATED, 1);
    write_packet(7, 9, 100);
    assert_int_equal(first()->len, 100);
    assert_int_equal(first()->data[99], 9);
    assert_true(app_ble_asker(first(), &asker));
    assert_int_equal(asker.transport, FERRY_VCHIP_BLE);
    assert_int_equal(asker.security, FERRY_PEER_AUTHENTICATED);
    assert_string_equal(asker.identity, PUMP);
    lose(7);
    assert_string_equal(asker.identity, PUMP); /* what is worked on goes on */
    assert_false(app_ble_asker(first(), &asker));
    tell(7, FERRY_PEER_AUTHENTICATED, 1); /* the number again: it is somebody else */
    assert_false(app_ble_asker(first(), &asker));
    assert_int_equal(app.wires.counters[FERRY_VCHIP_BLE].bytes_in, 100);
    assert_int_equal(app.wires.counters[FERRY_VCHIP_BLE].received, 1);
}

static void nothing_is_taken_that_the_permission_forbids(void **state)
{
    (void)state;
    begin(0);
    write_packet(7, 1, 8); /* of nobody that was told of */
    tell(7, FERRY_PEER_ENCRYPTED, 1);
    write_packet(7, 1, 8);
    tell(7, FERRY_PEER_AUTHENTICATED, 0);
    write_packet(7, 1, 8); /* without notifications */
    assert_null(queue_first(&app.wires.queue));
    assert_int_equal(app.wires.counters[FERRY_VCHIP_BLE].damaged, 4); /* and the subscription */
    tell(7, FERRY_PEER_AUTHENTICATED, 1);
    write_packet(7, 1, 8);
    assert_int_equal(first()->len, 8);
}

static void without_reassembly_a_value_is_a_packet(void **state)
{
    (void)state;
    begin(FERRY_VCHIP_BLE_WHOLE);
    tell(7, FERRY_PEER_AUTHENTICATED, 1);
    write_packet(7, 1, 30);
    assert_null(queue_first(&app.wires.queue));
    write_packet(7, 1, 20);
    assert_int_equal(first()->len, 20);
}

static void an_answer_waits_for_its_link_and_goes_on(void **state)
{
    (void)state;
    begin(0);
    tell(7, FERRY_PEER_AUTHENTICATED, 1);
    write_packet(7, 1, 8);
    answer(first(), 70);
    assert_int_equal(sent.count, 2);
    assert_true(app_ble_serve());
    app_ble_left(&app, 6, 1); /* nobody's */
    assert_true(app_ble_serve());
    assert_int_equal(sent.count, 2);
    app_ble_left(&app, 7, 1);
    assert_true(app_ble_serve());
    assert_int_equal(sent.count, 3);
    app_ble_left(&app, 7, 2);
    assert_false(app_ble_serve());
    assert_int_equal(sent.count, 4);
    assert_int_equal(sent.link, 7);
    assert_int_equal(sent.len, 70);
    for (size_t i = 0; i < sent.len; i++) {
        assert_int_equal(sent.bytes[i], i);
    }
    assert_int_equal(app.wires.counters[FERRY_VCHIP_BLE].bytes_out, 70);
    assert_int_equal(app.wires.counters[FERRY_VCHIP_BLE].answered, 1);
}

static void an_answer_does_not_outlive_its_link(void **state)
{
    (void)state;
    begin(0);
    tell(7, FERRY_PEER_AUTHENTICATED, 1);
    write_packet(7, 1, 8);
    answer(first(), 70);
    assert_true(app_ble_serve());
    lose(7);
    assert_false(app_ble_serve());
    tell(8, FERRY_PEER_AUTHENTICATED, 1);
    answer(first(), 8); /* to who is not there */
    assert_false(app_ble_serve());
    assert_int_equal(sent.count, 2);
}

static void the_others_do_not_wait_for_it(void **state)
{
    static const uint8_t datagram[8] = {2};

    (void)state;
    begin(0);
    tell(7, FERRY_PEER_AUTHENTICATED, 1);
    write_packet(7, 1, 8);
    write_packet(7, 2, 8);
    assert_null(queue_first_but(&app.wires.queue, FERRY_VCHIP_BLE));
    wires_receive(&app.wires, FERRY_VCHIP_UDP, 3, datagram, sizeof(datagram));
    struct queue_packet *packet = queue_first_but(&app.wires.queue, FERRY_VCHIP_BLE);
    assert_non_null(packet);
    assert_int_equal(packet->wire, FERRY_VCHIP_UDP);
    assert_ptr_equal(packet, queue_first(&app.wires.queue));
    queue_drop(&app.wires.queue);
    assert_int_equal(first()->data[7], 1);
    queue_drop(&app.wires.queue);
    assert_int_equal(first()->data[7], 2);
    queue_drop(&app.wires.queue);
    for (uint8_t mark = 3; mark <= 6; mark++) {
        write_packet(7, mark, 8);
    }
    wires_receive(&app.wires, FERRY_VCHIP_UDP, 3, datagram, sizeof(datagram));
    for (uint8_t mark = 3; mark <= 5; mark++) { /* every buffer is still there, once */
        assert_int_equal(first()->data[7], mark);
        queue_drop(&app.wires.queue);
    }
    assert_int_equal(queue_first(&app.wires.queue)->wire, FERRY_VCHIP_UDP); /* not the sixth */
}

/* Or what it unlocked would keep a place at the gate, of which there are few. */
static void who_has_gone_is_told_to_the_gate(void **state)
{
    struct ferry_server_peer asker;

    (void)state;
    begin(0);
    for (uint32_t i = 0; i < 2 * PEERS_MAX; i++) {
        tell(7, FERRY_PEER_AUTHENTICATED, 1);
        write_packet(7, 1, 8);
        assert_true(app_ble_asker(first(), &asker));
        queue_drop(&app.wires.queue);
        tell(7, FERRY_PEER_AUTHENTICATED, 0); /* it may ask again */
        assert_false(peers_left(&app.wires.peers));
        assert_non_null(peers_find(&app.wires.peers, FERRY_VCHIP_BLE, asker.id));
        lose(7);
        assert_true(peers_left(&app.wires.peers));
        assert_null(peers_find(&app.wires.peers, FERRY_VCHIP_BLE, asker.id));
    }
}

static void of_too_many_links_nothing_is_taken(void **state)
{
    (void)state;
    begin(0);
    for (uint32_t link = 1; link <= 5; link++) {
        tell(link, FERRY_PEER_AUTHENTICATED, 0);
    }
    tell(5, FERRY_PEER_AUTHENTICATED, 1);
    write_packet(5, 1, 8);
    assert_null(queue_first(&app.wires.queue));
    lose(2);
    tell(5, FERRY_PEER_AUTHENTICATED, 1);
    write_packet(5, 1, 8);
    assert_int_equal(first()->len, 8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_comes_in_values_and_says_who_asks),
        cmocka_unit_test(nothing_is_taken_that_the_permission_forbids),
        cmocka_unit_test(without_reassembly_a_value_is_a_packet),
        cmocka_unit_test(an_answer_waits_for_its_link_and_goes_on),
        cmocka_unit_test(an_answer_does_not_outlive_its_link),
        cmocka_unit_test(the_others_do_not_wait_for_it),
        cmocka_unit_test(who_has_gone_is_told_to_the_gate),
        cmocka_unit_test(of_too_many_links_nothing_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
