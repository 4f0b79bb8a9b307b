/* SPDX-License-Identifier: Apache-2.0 */
/* The first words over Bluetooth LE: how large a packet may be, with devices that put fragments
 * together and with those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "ferry/cbor.h"
#include "ferry/hello.h"

#define SLOTS    3
#define BUF_SIZE 4096

/* How long an answer takes. */
#define ROUND_TRIP 60

/* A device at the other end of the link, and the client. */
struct bench {
    struct ferry_client client;
    struct ferry_client_request requests[SLOTS];
    uint8_t buffers[SLOTS * BUF_SIZE];
    struct ferry_hello hello;
    uint64_t now;

    size_t fragment;
    uint32_t buf_size;  /* as os/6 says; 0 = no os/6 */
    bool reassembles;   /* else what is larger than a fragment is lost … */
    uint8_t rc;         /* … or refused with this */
    size_t largest;     /* packet that was sent */
    uint32_t too_large; /* packets for a device without reassembly */
};

static struct bench *set_up(size_t fragment, uint32_t buf_size, bool reassembles)
{
    static struct bench bench;
    struct ferry_client_config config = {.requests = bench.requests,
                                         .request_count = SLOTS,
                                         .buffers = bench.buffers,
                                         .buffer_size = BUF_SIZE,
                                         .timeout_ms = 1000,
                                         .retries = 2};

    memset(&bench, 0, sizeof bench);
    bench.fragment = fragment;
    bench.buf_size = buf_size;
    bench.reassembles = reassembles;
    assert_int_equal(ferry_client_init(&bench.client, &config), FERRY_OK);
    ferry_client_set_fragment(&bench.client, fragment);
    return &bench;
}

static void give(struct bench *bench, struct ferry_smp_header header, struct ferry_cbor_writer *w)
{
    struct ferry_client_answer answer;
    uint8_t packet[64];
    int len = ferry_cbor_writer_result(w);

    assert_true(len >= 0 && (size_t)len <= sizeof packet - FERRY_SMP_HEADER_SIZE);
    header.op++;
    header.length = (uint16_t)len;
    ferry_smp_header_write(&header, packet);
    memcpy(packet + FERRY_SMP_HEADER_SIZE, w->buf, (size_t)len);
    bench->now += ROUND_TRIP;
    assert_int_equal(
        ferry_client_receive(&bench->client,
                             (struct ferry_bytes){packet, FERRY_SMP_HEADER_SIZE + (size_t)len},
                             bench->now, &answer),
        FERRY_OK);
    assert_true(ferry_hello_answer(&bench->hello, &answer));
}

static void put_rc(struct ferry_cbor_writer *w, uint8_t rc)
{
    ferry_cbor_put_map(w, 1);
    ferry_cbor_pair_uint(w, "rc", rc);
}

static void serve(struct bench *bench, struct ferry_bytes packet)
{
    struct ferry_cbor_writer w;
    struct ferry_smp_header header;
    uint8_t payload[48];

    ferry_cbor_writer_init(&w, payload, sizeof payload);
    assert_int_equal(ferry_smp_header_read(packet, &header), FERRY_OK);
    bench->largest = packet.len > bench->largest ? packet.len : bench->largest;
    if (packet.len > bench->fragment && !bench->reassembles) {
        bench->too_large++;
        if (bench->rc != 0) {
            put_rc(&w, bench->rc);
            give(bench, header, &w);
        }
        return;
    }
    if (header.id == FERRY_SMP_OS_PARAMS && bench->buf_size == 0) {
        put_rc(&w, FERRY_RC_NOT_SUPPORTED);
    } else if (header.id == FERRY_SMP_OS_PARAMS) {
        ferry_cbor_put_map(&w, 2);
        ferry_cbor_pair_uint(&w, "buf_size", bench->buf_size);
        ferry_cbor_pair_uint(&w, "buf_count", 4);
    } else if (bench->rc != 0) {
        put_rc(&w, bench->rc);
    } else {
        ferry_cbor_put_map(&w, 1);
        ferry_cbor_pair_text(&w, "r", "ok");
    }
    give(bench, header, &w);
}

static int talk(struct bench *bench)
{
    int rc;

    ferry_hello_start(&bench->hello, &bench->client, FERRY_LINK_BLE);
    while ((rc = ferry_hello_run(&bench->hello)) == FERRY_E_BUSY) {
        struct ferry_client_answer answer;
        struct ferry_bytes packet;
        uint64_t deadline;

        assert_true(bench->now < 100000);
        if (ferry_client_poll(&bench->client, bench->now, &packet, &deadline)) {
            serve(bench, packet);
            continue;
        }
        bench->now = deadline;
        if (ferry_client_expire(&bench->client, bench->now, &answer)) {
            assert_true(ferry_hello_answer(&bench->hello, &answer));
        }
    }
    return rc;
}

static void a_device_that_reassembles(void **state)
{
    static const size_t fragments[] = {20, 62, 244, 495};

    (void)state;
    for (size_t i = 0; i < sizeof fragments / sizeof fragments[0]; i++) {
        struct bench *bench = set_up(fragments[i], 2475, true);

        assert_int_equal(talk(bench), FERRY_OK);
        assert_true(bench->hello.reassembles);
        assert_int_equal(bench->hello.packet_max, 2475);
        assert_int_equal(bench->client.packet_max, 2475);
        assert_int_equal(bench->hello.window, 3);
        assert_true(bench->largest > fragments[i]);
        assert_true(bench->largest <= (fragments[i] > 31 ? 2 * fragments[i] : 62));
        assert_true(bench->now <= 2 * ROUND_TRIP);
    }
}

/* One question is lost, and the time for it is short. */
static void a_device_that_does_not(void **state)
{
    (void)state;
    struct bench *bench = set_up(244, 2475, false);

    assert_int_equal(talk(bench), FERRY_OK);
    assert_false(bench->hello.reassembles);
    assert_int_equal(bench->hello.packet_max, 244);
    assert_int_equal(bench->client.packet_max, 244);
    assert_int_equal(bench->too_large, 1);
    assert_true(bench->now <= ROUND_TRIP + 300);
}

/* Zephyr's server refuses a packet whose header promises more. */
static void a_device_that_finds_the_fragment_corrupt(void **state)
{
    (void)state;
    struct bench *bench = set_up(244, 2475, false);

    bench->rc = FERRY_RC_CORRUPT;
    assert_int_equal(talk(bench), FERRY_OK);
    assert_false(bench->hello.reassembles);
    assert_int_equal(bench->hello.packet_max, 244);
}

static void a_device_that_reassembles_without_echo(void **state)
{
    static const uint8_t rcs[] = {FERRY_RC_NOT_SUPPORTED, FERRY_RC_ACCESS_DENIED};

    (void)state;
    for (size_t i = 0; i < sizeof rcs; i++) {
        struct bench *bench = set_up(244, 2475, true);

        bench->rc = rcs[i];
        assert_int_equal(talk(bench), FERRY_OK);
        assert_int_equal(bench->hello.packet_max, 2475);
    }
}

static void buffers_of_one_fragment_need_no_question(void **state)
{
    (void)state;
    struct bench *bench = set_up(495, 384, false);

    assert_int_equal(talk(bench), FERRY_OK);
    assert_int_equal(bench->hello.packet_max, 384);
    assert_int_equal(bench->too_large, 0);
    assert_true(bench->largest < 62);
}

static void a_device_without_os_6_gets_one_fragment(void **state)
{
    (void)state;
    struct bench *bench = set_up(244, 0, true);

    assert_int_equal(talk(bench), FERRY_OK);
    assert_int_equal(bench->hello.packet_max, 244);
    assert_true(bench->largest < 62);
    bench = set_up(495, 0, true);
    assert_int_equal(talk(bench), FERRY_OK);
    assert_int_equal(bench->hello.packet_max, 384);
}

/* What fits the ATT_MTU of 65 is enough for everything; less is told, and does not hang. */
static void fragments_too_small_for_a_packet(void **state)
{
    (void)state;
    struct bench *bench = set_up(62, 2475, false);

    assert_int_equal(talk(bench), FERRY_OK);
    assert_int_equal(bench->client.packet_max, 62);
    bench = set_up(61, 2475, false);
    assert_int_equal(talk(bench), FERRY_E_FRAGMENT);
    bench = set_up(20, 2475, false);
    assert_int_equal(talk(bench), FERRY_E_FRAGMENT);
    assert_int_equal(bench->hello.packet_max, 20);
    bench = set_up(20, 0, false);
    assert_int_equal(talk(bench), FERRY_E_FRAGMENT);
}

/* After a reset the link may be another one. */
static void met_again_over_a_smaller_link(void **state)
{
    (void)state;
    struct bench *bench = set_up(244, 2475, true);

    assert_int_equal(talk(bench), FERRY_OK);
    bench->fragment = 62;
    bench->reassembles = false;
    ferry_client_set_fragment(&bench->client, 62);
    assert_int_equal(talk(bench), FERRY_OK);
    assert_int_equal(bench->client.packet_max, 62);
}

/* What a chunk takes of the largest packet: a last small fragment costs more than it carries. */
static void chunks_are_whole_fragments_where_that_is_faster(void **state)
{
    static const struct {
        size_t fragment, packet, chunk;
    } rows[] = {
        {0, 2048, 2048},                      /* no fragments */
        {244, 244, 244},   {244, 200, 200},   /* one */
        {244, 2048, 1952}, {244, 1952, 1952}, /* eight and a rest of 96 */
        {244, 2192, 2192},                    /* a rest of 240 is nearly one */
        {244, 384, 244},   {244, 480, 480},   /* the packet around a chunk counts, too */
        {20, 2048, 2040},  {20, 64, 64},      /* a first chunk needs 62 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bench *bench = set_up(rows[i].fragment, 0, true);

        ferry_client_set_packet_max(&bench->client, rows[i].packet);
        assert_int_equal(
            ferry_client_chunk_cap(&bench->client, rows[i].packet - FERRY_SMP_HEADER_SIZE),
            rows[i].chunk - FERRY_SMP_HEADER_SIZE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_that_reassembles),
        cmocka_unit_test(a_device_that_does_not),
        cmocka_unit_test(a_device_that_finds_the_fragment_corrupt),
        cmocka_unit_test(a_device_that_reassembles_without_echo),
        cmocka_unit_test(buffers_of_one_fragment_need_no_question),
        cmocka_unit_test(a_device_without_os_6_gets_one_fragment),
        cmocka_unit_test(fragments_too_small_for_a_packet),
        cmocka_unit_test(met_again_over_a_smaller_link),
        cmocka_unit_test(chunks_are_whole_fragments_where_that_is_faster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
