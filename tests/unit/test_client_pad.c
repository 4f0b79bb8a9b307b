/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are made larger for a server that answers no more than three times as much. */
#include "ferry/cbor.h"
#include "ferry/hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { BUF_SIZE = 2048, TEXT_MAX = 400 };

static struct {
    struct ferry_client client;
    struct ferry_client_request request;
    uint8_t buffer[BUF_SIZE];
    struct ferry_bytes packet;
} bench;

static void start(uint32_t pad)
{
    const struct ferry_client_config config = {.requests = &bench.request,
                                               .request_count = 1,
                                               .buffers = bench.buffer,
                                               .buffer_size = BUF_SIZE};

    memset(&bench, 0xff, sizeof(bench));
    assert_int_equal(ferry_client_init(&bench.client, &config), FERRY_OK);
    ferry_client_set_pad(&bench.client, pad);
}

/* Submit a payload and look at the packet: its header tells its length. */
static struct ferry_bytes send(const uint8_t *payload, size_t len)
{
    const struct ferry_client_command command = {.op = FERRY_SMP_WRITE, .payload = {payload, len}};
    struct ferry_smp_header header;
    struct ferry_bytes found;
    uint64_t deadline;

    assert_true(ferry_client_submit(&bench.client, &command) > 0);
    assert_true(ferry_client_poll(&bench.client, 0, &bench.packet, &deadline));
    assert_int_equal(ferry_smp_packet_read(bench.packet, &header, &found, NULL), FERRY_OK);
    assert_int_equal(header.length + FERRY_SMP_HEADER_SIZE, bench.packet.len);
    ferry_client_cancel_all(&bench.client);
    return found;
}

/* {"d": text of so many bytes} */
static size_t make(uint8_t *out, size_t text)
{
    struct ferry_cbor_writer writer;
    char room[TEXT_MAX + 1];

    memset(room, 'x', sizeof(room));
    room[text] = '\0';
    ferry_cbor_writer_init(&writer, out, TEXT_MAX + 16);
    ferry_cbor_put_map(&writer, 1);
    ferry_cbor_pair_text(&writer, "d", room);
    return (size_t)ferry_cbor_writer_result(&writer);
}

/* Every length of request with every length to come to: as long as wanted or hardly longer, and the
 * map has what it had. */
static void every_length(void **state)
{
    (void)state;
    uint8_t payload[TEXT_MAX + 16];

    for (size_t text = 0; text < TEXT_MAX; text += 7) {
        size_t len = make(payload, text);

        for (uint32_t pad = 0; pad <= 700; pad++) {
            struct ferry_cbor_field fields[] = {{.key = "d", .kind = FERRY_CBOR_TEXT},
                                                {.key = "pad", .kind = FERRY_CBOR_BYTES}};
            struct ferry_bytes sent;

            start(pad);
            sent = send(payload, len);
            assert_int_equal(ferry_cbor_read_map(sent, fields, 2), FERRY_OK);
            assert_true(fields[0].present && fields[0].item.bytes.len == text);
            assert_true(bench.packet.len >= pad);
            assert_int_equal(fields[1].present, FERRY_SMP_HEADER_SIZE + len < pad);
            if (fields[1].present) {
                assert_true(bench.packet.len <= pad + 5);
                for (size_t i = 0; i < fields[1].item.bytes.len; i++) {
                    assert_int_equal(fields[1].item.bytes.data[i], 0);
                }
            } else {
                assert_int_equal(sent.len, len);
            }
        }
    }
}

static void what_is_not_made_larger(void **state)
{
    (void)state;
    static const uint8_t open_map[] = {0xbf, 0xff};
    static const uint8_t array[] = {0x80};
    static const uint8_t many[] = {0xb7};
    static const uint8_t empty[] = {0xa0};

    start(100);
    assert_int_equal(send(open_map, 2).len, 2);
    assert_int_equal(send(array, 1).len, 1);
    assert_int_equal(send(many, 1).len, 1);
    assert_int_equal(send(empty, 0).len, 0);
    assert_int_equal(send(empty, 1).len, 100 - FERRY_SMP_HEADER_SIZE);
    ferry_client_set_packet_max(&bench.client, 99);
    assert_int_equal(send(empty, 1).len, 1);
    ferry_client_set_packet_max(&bench.client, 100);
    assert_int_equal(send(empty, 1).len, 100 - FERRY_SMP_HEADER_SIZE);
    ferry_client_set_pad(&bench.client, UINT32_MAX);
    assert_int_equal(send(empty, 1).len, 1);
}

/* What os/6 says counts from then on, also where the next hello is not told: a bootloader does not
 * say it, and the firmware comes back. */
static void hello_reads_it(void **state)
{
    (void)state;
    static const uint8_t answer[] = "\xbf\x68"
                                    "buf_size\x19\x08\x00\x69"
                                    "buf_count\x04\x63"
                                    "pad\x19\x01\xd8\xff";
    uint8_t packet[FERRY_SMP_HEADER_SIZE + sizeof(answer)];
    struct ferry_client_answer got;
    struct ferry_smp_header header;
    struct ferry_hello hello;
    uint64_t deadline;

    start(0);
    ferry_hello_start(&hello, &bench.client, FERRY_LINK_UDP4);
    assert_int_equal(ferry_hello_run(&hello), FERRY_E_BUSY);
    assert_true(ferry_client_poll(&bench.client, 0, &bench.packet, &deadline));
    assert_int_equal(bench.packet.len, FERRY_SMP_HEADER_SIZE + 1);
    assert_int_equal(ferry_smp_header_read(bench.packet, &header), FERRY_OK);
    header.op++;
    header.length = sizeof(answer) - 1;
    ferry_smp_header_write(&header, packet);
    memcpy(packet + FERRY_SMP_HEADER_SIZE, answer, sizeof(answer) - 1);
    assert_int_equal(
        ferry_client_receive(&bench.client,
                             (struct ferry_bytes){packet, FERRY_SMP_HEADER_SIZE + header.length}, 0,
                             &got),
        FERRY_OK);
    assert_true(ferry_hello_answer(&hello, &got));
    assert_int_equal(ferry_hello_run(&hello), FERRY_OK);
    assert_int_equal(hello.params.pad, 472);
    ferry_hello_start(&hello, &bench.client, FERRY_LINK_UDP4);
    assert_int_equal(send((const uint8_t *)"\xa0", 1).len, 472 - FERRY_SMP_HEADER_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_length),
        cmocka_unit_test(what_is_not_made_larger),
        cmocka_unit_test(hello_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
