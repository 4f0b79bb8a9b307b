/* SPDX-License-Identifier: Apache-2.0 */
/* All wires of a device in front of one queue: what comes in pieces, what finds no buffer, and
 * where answers go. */
#include "firmware/common/wires.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#define BUF_SIZE  128
#define BUF_COUNT 2

/* ---- The chip, as far as wires know it ---------------------------------------------------------
 */

static struct {
    uint64_t now;
    size_t len;
    uint32_t wire, peer;
    uint8_t bytes[1024];
} sent;

void vchip_send(struct vchip *chip, uint32_t wire, uint32_t peer, const uint8_t *data, size_t len)
{
    (void)chip;
    assert_true(len <= sizeof(sent.bytes) - sent.len);
    sent.wire = wire;
    sent.peer = peer;
    memcpy(sent.bytes + sent.len, data, len);
    sent.len += len;
}

static struct {
    const struct vchip_watcher *watcher;
    void *context;
} watch;

void vchip_watch(struct vchip *chip, const struct vchip_watcher *watcher, void *context)
{
    (void)chip;
    watch.watcher = watcher;
    watch.context = context;
}

uint64_t vchip_now_ms(void)
{
    return sent.now;
}

/* ---- The rig ------------------------------------------------------------------------------- */

static struct vchip chip;
static struct wires wires;

static void begin_with(uint32_t buffers)
{
    memset(&sent, 0, sizeof(sent));
    memset(&wires, 0, sizeof(wires));
    sent.now = 1000000;
    chip.start.buf_size = BUF_SIZE;
    chip.start.buf_count = buffers;
    wires_init(&wires, &chip);
}

static void begin(void)
{
    begin_with(BUF_COUNT);
}

static void receive(uint32_t wire, uint32_t peer, const uint8_t *data, size_t len)
{
    wires_receive(&wires, wire, peer, data, len);
}

/* A packet of this length, which its bytes tell apart. */
static size_t make(uint8_t *packet, uint8_t mark, size_t len)
{
    memset(packet, mark, len);
    packet[0] = 2;
    packet[1] = 0;
    packet[2] = 0;
    packet[3] = (uint8_t)(len - 8);
    return len;
}

/* The same as lines of a console. Returns their bytes; *first has those of the first line. */
static size_t frame(uint8_t *out, uint8_t mark, size_t len, size_t *first)
{
    uint8_t packet[512];
    struct ferry_console_encoder encoder;
    size_t total = 0;
    size_t line;

    assert_int_equal(ferry_console_encode(&encoder,
                                          (struct ferry_bytes){packet, make(packet, mark, len)},
                                          FERRY_CONSOLE_CUT_124),
                     FERRY_OK);
    while ((line = ferry_console_next_line(&encoder, out + total)) > 0) {
        *first = total == 0 ? line : *first;
        total += line;
    }
    return total;
}

/* Each mark is another host. */
static void datagram(uint8_t mark, size_t len)
{
    uint8_t packet[512];

    receive(FERRY_VCHIP_UDP, (uint32_t)mark << FERRY_VCHIP_HOST, packet, make(packet, mark, len));
}

/* The first packet that waits is this one. */
static void expect(uint32_t wire, uint8_t mark, size_t len)
{
    const struct queue_packet *packet = queue_first(&wires.queue);
    uint8_t bytes[512];

    assert_non_null(packet);
    assert_int_equal(packet->wire, wire);
    assert_int_equal(packet->len, len);
    make(bytes, mark, len);
    assert_memory_equal(packet->data, bytes, len);
    queue_drop(&wires.queue);
}

static void expect_none(void)
{
    assert_null(queue_first(&wires.queue));
}

static void expect_counters(uint32_t wire, uint32_t received, uint32_t dropped, uint32_t damaged)
{
    assert_int_equal(wires.counters[wire].received, received);
    assert_int_equal(wires.counters[wire].dropped, dropped);
    assert_int_equal(wires.counters[wire].damaged, damaged);
}

/* ---- No buffer is free -------------------------------------------------------------------------
 */

static void a_full_queue_drops_and_goes_on(void **state)
{
    (void)state;
    begin();
    for (uint8_t mark = 0; mark < 5; mark++) {
        datagram(mark, 20);
    }
    expect_counters(FERRY_VCHIP_UDP, 5, 3, 0);
    expect(FERRY_VCHIP_UDP, 0, 20);
    datagram(9, 20);
    expect(FERRY_VCHIP_UDP, 1, 20);
    expect(FERRY_VCHIP_UDP, 9, 20);
    expect_none();
    queue_drop(&wires.queue); /* harmless on an empty one */
    expect_counters(FERRY_VCHIP_UDP, 6, 3, 0);
    assert_int_equal(sent.len, 0); /* nobody is told */
}

/* The first line comes while no buffer is free, the second when one is, and the other way round. */
static void lines_of_a_packet_around_a_full_queue(void **state)
{
    uint8_t lines[512];
    size_t first = 0;
    size_t len = frame(lines, 7, 120, &first);

    (void)state;
    begin();
    datagram(1, 8);
    datagram(2, 8);
    receive(FERRY_VCHIP_SERIAL, 0, lines, first);
    expect(FERRY_VCHIP_UDP, 1, 8);
    receive(FERRY_VCHIP_SERIAL, 0, lines + first, len - first);
    expect(FERRY_VCHIP_UDP, 2, 8);
    expect(FERRY_VCHIP_SERIAL, 7, 120);

    receive(FERRY_VCHIP_SERIAL, 0, lines, first);
    datagram(1, 8);
    datagram(2, 8);
    receive(FERRY_VCHIP_SERIAL, 0, lines + first, len - first);
    expect_counters(FERRY_VCHIP_SERIAL, 2, 1, 0);
    /* What continues a packet that was dropped belongs to nothing. */
    receive(FERRY_VCHIP_SERIAL, 0, lines + first, len - first);
    expect_counters(FERRY_VCHIP_SERIAL, 2, 1, 1);
    expect(FERRY_VCHIP_UDP, 1, 8);
    expect(FERRY_VCHIP_UDP, 2, 8);
    expect_none();
    receive(FERRY_VCHIP_SERIAL, 0, lines, len);
    expect(FERRY_VCHIP_SERIAL, 7, 120);
}

/* Every fragment of a packet by itself, in a queue that is full all the time. */
static void fragments_without_any_buffer(void **state)
{
    uint8_t lines[512];
    uint8_t bare[120];
    size_t first = 0;
    size_t len = frame(lines, 7, 120, &first);

    (void)state;
    begin();
    make(bare, 8, sizeof(bare));
    datagram(1, 8);
    datagram(2, 8);
    for (size_t at = 0; at < len; at++) {
        receive(FERRY_VCHIP_SERIAL, 0, lines + at, 1);
    }
    for (size_t at = 0; at < sizeof(bare); at++) {
        receive(FERRY_VCHIP_RAW, 0, bare + at, 1);
    }
    expect_counters(FERRY_VCHIP_SERIAL, 1, 1, 0);
    expect_counters(FERRY_VCHIP_RAW, 1, 1, 0);
    expect(FERRY_VCHIP_UDP, 1, 8);
    expect(FERRY_VCHIP_UDP, 2, 8);
    expect_none();
}

static void take_from(uint32_t wire, uint32_t peer)
{
    uint8_t packet[8];

    wires_take(&wires, wire, peer, (struct ferry_bytes){packet, make(packet, 1, sizeof(packet))});
}

/* Or who takes no answers, and has requests waiting for them, would stop all the others. */
static bool admits_all(void *context, uint32_t peer)
{
    (void)context;
    (void)peer;
    return true;
}

static void no_peer_has_the_last_buffer(void **state)
{
    static const uint32_t all[] = {FERRY_VCHIP_UDP, FERRY_VCHIP_DTLS, FERRY_VCHIP_BLE};
    const uint32_t host = 1U << FERRY_VCHIP_HOST;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        begin_with(4);
        wires.guard.admits = admits_all;
        for (uint32_t n = 0; n < 5; n++) {
            take_from(all[i], host + (all[i] == FERRY_VCHIP_UDP ? n : 0)); /* any port of it */
        }
        assert_int_equal(wires.queue.count, 3);
        expect_counters(all[i], 5, 2, 0);
        take_from(all[(i + 1) % 3], host); /* the same number, and somebody else */
        assert_int_equal(wires.queue.count, 4);
        queue_drop(&wires.queue);
        take_from(all[i], 2 * host);
        assert_int_equal(wires.queue.count, 4);
    }
    begin_with(1);
    take_from(FERRY_VCHIP_BLE, 1);
    assert_int_equal(wires.queue.count, 1);
}

static void an_open_udp_port_may_have_all_buffers(void **state)
{
    (void)state;
    begin_with(4);
    for (uint32_t n = 0; n < 5; n++) {
        take_from(FERRY_VCHIP_UDP, 1U << FERRY_VCHIP_HOST);
    }
    expect_counters(FERRY_VCHIP_UDP, 5, 1, 0);
}

static void a_line_may_have_all_buffers(void **state)
{
    (void)state;
    begin_with(4);
    for (uint32_t n = 0; n < 5; n++) {
        take_from(FERRY_VCHIP_SERIAL, 0);
    }
    expect_counters(FERRY_VCHIP_SERIAL, 5, 1, 0);
}

/* ---- Sizes -------------------------------------------------------------------------------------
 */

static void the_largest_packets_of_each_wire(void **state)
{
    uint8_t lines[512];
    uint8_t bare[BUF_SIZE + 1];
    size_t first = 0;

    (void)state;
    begin();
    /* Length word and CRC share the console's buffer. */
    receive(FERRY_VCHIP_SERIAL, 0, lines, frame(lines, 3, BUF_SIZE - 4, &first));
    expect(FERRY_VCHIP_SERIAL, 3, BUF_SIZE - 4);
    receive(FERRY_VCHIP_SERIAL, 0, lines, frame(lines, 3, BUF_SIZE - 3, &first));
    expect_counters(FERRY_VCHIP_SERIAL, 1, 0, 1);

    receive(FERRY_VCHIP_RAW, 0, bare, make(bare, 4, BUF_SIZE));
    expect(FERRY_VCHIP_RAW, 4, BUF_SIZE);
    receive(FERRY_VCHIP_RAW, 0, bare, make(bare, 4, BUF_SIZE + 1));
    expect_counters(FERRY_VCHIP_RAW, 1, 0, 1);

    datagram(5, BUF_SIZE);
    expect(FERRY_VCHIP_UDP, 5, BUF_SIZE);
    datagram(5, BUF_SIZE + 1);
    expect_counters(FERRY_VCHIP_UDP, 2, 1, 0);
    expect_none();
}

/* What the server does with fewer than 8 bytes is its own affair: nothing. */
static void a_datagram_of_no_bytes(void **state)
{
    const uint8_t nothing[1] = {0};

    (void)state;
    begin();
    receive(FERRY_VCHIP_UDP, 1, nothing, 0);
    assert_int_equal(queue_first(&wires.queue)->len, 0);
    queue_drop(&wires.queue);
    receive(FERRY_VCHIP_SERIAL, 0, nothing, 0);
    receive(FERRY_VCHIP_RAW, 0, nothing, 0);
    receive(FERRY_VCHIP_WIRES, 0, nothing, 1);
    expect_none();
}

static void as_many_buffers_as_the_memory_holds(void **state)
{
    static struct queue queue;

    (void)state;
    queue_init(&queue, 2048, 200);
    assert_int_equal(queue.size, QUEUE_MAX);
    queue_init(&queue, FERRY_VCHIP_SEND_MAX, 200);
    assert_int_equal(queue.size, FERRY_VCHIP_BUFFERS / FERRY_VCHIP_SEND_MAX);
    queue_init(&queue, FERRY_VCHIP_BUFFERS + 1, 4);
    assert_int_equal(queue.size, 0);
    assert_false(queue_put(&queue, 0, 0, sent.bytes, 8));
    assert_null(queue_first(&queue));
}

/* ---- Several wires -----------------------------------------------------------------------------
 */

/* A half of each comes, then the other halves: in the queue they stand as they became whole. */
static void wires_do_not_disturb_each_other(void **state)
{
    uint8_t lines[512];
    uint8_t bare[40];
    size_t first = 0;
    size_t len = frame(lines, 1, 110, &first);

    (void)state;
    begin();
    make(bare, 2, sizeof(bare));
    receive(FERRY_VCHIP_SERIAL, 0, lines, first);
    receive(FERRY_VCHIP_RAW, 0, bare, 20);
    receive(FERRY_VCHIP_SERIAL, 0, lines + first, len - first - 1);
    receive(FERRY_VCHIP_RAW, 0, bare + 20, 20);
    receive(FERRY_VCHIP_SERIAL, 0, lines + len - 1, 1);
    expect(FERRY_VCHIP_RAW, 2, sizeof(bare));
    expect(FERRY_VCHIP_SERIAL, 1, 110);
    expect_none();
}

static void answers_go_where_the_request_came_from(void **state)
{
    static const uint8_t answer[9] = {3, 0, 0, 1, 0, 0, 7, 0, 0xa0};
    static const uint32_t all[] = {FERRY_VCHIP_SERIAL, FERRY_VCHIP_RAW, FERRY_VCHIP_UDP};

    (void)state;
    begin();
    for (size_t i = 0; i < 3; i++) {
        const struct queue_packet request = {.wire = all[i], .peer = (uint32_t)i * 40};

        sent.len = 0;
        wires_answer(&wires, &request, answer, sizeof(answer));
        assert_int_equal(sent.wire, all[i]);
        assert_int_equal(wires.counters[all[i]].answered, 1);
        if (all[i] == FERRY_VCHIP_SERIAL) {
            assert_memory_equal(sent.bytes, "\x06\tAAsDAAABAAAHAK", 16);
            assert_int_equal(sent.bytes[sent.len - 1], '\n');
        } else {
            assert_int_equal(sent.peer, i * 40);
            assert_int_equal(sent.len, sizeof(answer));
            assert_memory_equal(sent.bytes, answer, sizeof(answer));
        }
    }
}

/* ---- Sessions ----------------------------------------------------------------------------------
 */

static void tell_session(uint32_t number, uint32_t connected, const char *identity)
{
    struct ferry_vchip_peer told = {.connected = connected, .security = FERRY_PEER_AUTHENTICATED};

    (void)snprintf(told.identity, sizeof(told.identity), "%s", identity);
    watch.watcher->peer(watch.context, FERRY_VCHIP_DTLS, number, &told);
}

static void session_says(uint32_t number, uint8_t mark)
{
    uint8_t packet[8];

    receive(FERRY_VCHIP_DTLS, number, packet, make(packet, mark, sizeof(packet)));
}

static void a_session_is_known_by_what_was_told(void **state)
{
    struct ferry_server_peer asker;

    (void)state;
    begin();
    session_says(7, 1); /* nobody told of it */
    expect_none();
    tell_session(7, 1, "pump");
    tell_session(8, 1, "");
    session_says(7, 1);
    session_says(8, 2);
    assert_true(wires_asker(&wires, queue_first(&wires.queue), &asker));
    assert_int_equal(asker.id, 7);
    assert_int_equal(asker.transport, FERRY_VCHIP_DTLS);
    assert_int_equal(asker.security, FERRY_PEER_AUTHENTICATED);
    assert_string_equal(asker.identity, "pump");
    tell_session(7, 0, ""); /* while its request is worked on */
    assert_string_equal(asker.identity, "pump");
    assert_false(wires_asker(&wires, queue_first(&wires.queue), &asker));
    expect(FERRY_VCHIP_DTLS, 1, 8);
    assert_true(wires_asker(&wires, queue_first(&wires.queue), &asker));
    assert_int_equal(asker.id, 8);
    assert_null(asker.identity);
    expect(FERRY_VCHIP_DTLS, 2, 8);
    expect_counters(FERRY_VCHIP_DTLS, 2, 0, 1);
}

static void who_asks_on_a_plain_wire_is_not_known(void **state)
{
    const struct queue_packet request = {.wire = FERRY_VCHIP_UDP, .peer = 7};
    struct ferry_server_peer asker;

    (void)state;
    begin();
    tell_session(7, 1, "pump"); /* another wire's */
    assert_true(wires_asker(&wires, &request, &asker));
    assert_int_equal(asker.id, 0); /* of ::1 */
    assert_int_equal(asker.security, FERRY_PEER_OPEN);
    assert_null(asker.identity);
}

static void of_more_sessions_than_there_is_room_for_nothing_is_taken(void **state)
{
    (void)state;
    begin();
    tell_session(0, 1, "none has this number");
    for (uint32_t i = 1; i <= PEERS_MAX + 1; i++) {
        tell_session(i, 1, "");
    }
    session_says(0, 1);
    session_says(PEERS_MAX + 1, 1);
    expect_none();
    tell_session(1, 0, "");
    tell_session(PEERS_MAX + 1, 1, "");
    session_says(1, 1);
    session_says(PEERS_MAX + 1, 2);
    session_says(PEERS_MAX, 3);
    expect(FERRY_VCHIP_DTLS, 2, 8);
    expect(FERRY_VCHIP_DTLS, 3, 8);
    expect_none();
}

static void that_somebody_has_gone_is_told_once(void **state)
{
    (void)state;
    begin();
    for (uint32_t i = 1; i <= PEERS_MAX; i++) {
        tell_session(i, 1, "");
    }
    assert_false(peers_left(&wires.peers));
    tell_session(3, 0, "");
    tell_session(3, 0, "");
    assert_null(peers_find(&wires.peers, FERRY_VCHIP_DTLS, 3));
    assert_true(peers_left(&wires.peers));
    tell_session(3, 0, ""); /* of nobody, by now */
    assert_false(peers_left(&wires.peers));
}

/* While flash is worked on nobody asks: as many as there are places go, and others come. */
static void however_many_go_at_once_it_is_told(void **state)
{
    (void)state;
    begin();
    for (uint32_t i = 1; i <= 3 * PEERS_MAX; i++) {
        tell_session(i, 1, "");
        assert_non_null(peers_find(&wires.peers, FERRY_VCHIP_DTLS, i));
        if (i > 2 * PEERS_MAX) {
            continue; /* these stay */
        }
        tell_session(i, 0, "");
    }
    assert_true(peers_left(&wires.peers));
    assert_null(peers_find(&wires.peers, FERRY_VCHIP_DTLS, 1));
}

/* ---- Silence -----------------------------------------------------------------------------------
 */

static void half_a_bare_packet_is_given_up(void **state)
{
    uint8_t bare[40];

    (void)state;
    begin();
    make(bare, 2, sizeof(bare));
    receive(FERRY_VCHIP_RAW, 0, bare, 20);
    sent.now += FERRY_RAW_TIMEOUT_MS;
    receive(FERRY_VCHIP_RAW, 0, bare, sizeof(bare));
    expect(FERRY_VCHIP_RAW, 2, sizeof(bare));
    expect_counters(FERRY_VCHIP_RAW, 1, 0, 1);
}

static char typed[64];

static void keep(void *context, struct ferry_bytes text)
{
    (void)context;
    (void)snprintf(typed + strlen(typed), sizeof(typed) - strlen(typed), "%.*s", (int)text.len,
                   (const char *)text.data);
}

/* On a shell's line keys come through one by one, and a typed marker is given up after silence;
 * where nobody types, half a frame waits for its end. */
static void half_a_frame_on_a_shell_is_given_up(void **state)
{
    static const uint8_t marker[] = "a\x06\tb";
    uint8_t lines[512];
    size_t first = 0;
    size_t len = frame(lines, 1, 20, &first);

    (void)state;
    begin();
    receive(FERRY_VCHIP_SERIAL, 0, lines, 10);
    sent.now += WIRES_SHELL_TIMEOUT_MS;
    receive(FERRY_VCHIP_SERIAL, 0, lines + 10, len - 10);
    expect(FERRY_VCHIP_SERIAL, 1, 20);

    wires.shell.typed = keep;
    receive(FERRY_VCHIP_SERIAL, 0, marker, 4);
    assert_string_equal(typed, "a");
    sent.now += WIRES_SHELL_TIMEOUT_MS;
    receive(FERRY_VCHIP_SERIAL, 0, (const uint8_t *)"c", 1);
    assert_string_equal(typed, "ac");
    expect_counters(FERRY_VCHIP_SERIAL, 1, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_queue_drops_and_goes_on),
        cmocka_unit_test(lines_of_a_packet_around_a_full_queue),
        cmocka_unit_test(fragments_without_any_buffer),
        cmocka_unit_test(no_peer_has_the_last_buffer),
        cmocka_unit_test(an_open_udp_port_may_have_all_buffers),
        cmocka_unit_test(a_line_may_have_all_buffers),
        cmocka_unit_test(the_largest_packets_of_each_wire),
        cmocka_unit_test(a_datagram_of_no_bytes),
        cmocka_unit_test(as_many_buffers_as_the_memory_holds),
        cmocka_unit_test(wires_do_not_disturb_each_other),
        cmocka_unit_test(answers_go_where_the_request_came_from),
        cmocka_unit_test(a_session_is_known_by_what_was_told),
        cmocka_unit_test(who_asks_on_a_plain_wire_is_not_known),
        cmocka_unit_test(of_more_sessions_than_there_is_room_for_nothing_is_taken),
        cmocka_unit_test(that_somebody_has_gone_is_told_once),
        cmocka_unit_test(however_many_go_at_once_it_is_told),
        cmocka_unit_test(half_a_bare_packet_is_given_up),
        cmocka_unit_test(half_a_frame_on_a_shell_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
