/* SPDX-License-Identifier: Apache-2.0 */
/* SMP on a bad serial console: every way to lose a packet is told once and by its name, nothing
 * wrong is ever handed out, and the next packet is found. */
#include "console_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- Every kind of loss ----------------------------------------------------------------- */

static void test_crc(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 16; bit++) {
        stream_body(20, 22, (uint16_t)(1U << bit), 93);
        stream_body(300, 302, (uint16_t)(1U << bit), 93);
        stream_packet(20);
        stream_expect("D:CRC D:CRC P:20 ");
    }
}

static void test_bad_base64(void **state)
{
    static const char *const lines[] = {
        "\x06\x09"
        "AAo!AAAAAAAAAiBC\n",
        "\x06\x09"
        "AAo=AAAAAAAAAiBC\n",
        "\x06\x09"
        "AAo=\x06\x09"
        "AAo*\n",
        "\x06\x09"
        "AAoAAAAAAAAAAiB\n",
        "\x06\x09"
        " AAoAAAAAAAAAAiBC\n",
        "\x06\x09"
        "AAoAAAAA AAAAiBC\n",
        "\x06\x09"
        "AAoAAAAAAAAAAiBC \n",
        "\x06\x09"
        "A\n",
        "\x06\x09"
        "====\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        stream_text(lines[i]);
        stream_packet(8);
        stream_expect(i == 2 ? "D:STATE D:FORMAT P:8 " : "D:FORMAT P:8 ");
    }
}

/* Less than a length word, or one that leaves no packet. */
static void test_bad_length_word(void **state)
{
    const uint8_t body[] = {0, 2, 0, 0};

    (void)state;
    for (size_t len = 0; len <= sizeof body; len++) {
        stream_frame(true, body, len);
        stream_text("\n");
        stream_packet(8);
        stream_expect("D:FORMAT P:8 ");
    }
    for (size_t word = 0; word <= 2; word++) {
        stream_body(8, word, 0, 93);
        stream_packet(8);
        stream_expect("D:FORMAT P:8 ");
    }
}

/* A packet of one byte is the shortest that passes; whether it is SMP is not asked here. */
static void test_shortest_packet(void **state)
{
    (void)state;
    for (size_t len = 1; len < 8; len++) {
        char events[] = "P:0 ";

        events[2] = (char)('0' + len);
        stream_packet(len);
        stream_expect(events);
        stream_body(len, len + 2, 1, 93);
        stream_expect("D:CRC ");
    }
}

static void test_more_bytes_than_announced(void **state)
{
    (void)state;
    for (size_t word = 3; word < 90; word++) {
        if (word != 80) { /* there the CRC stands behind the announced length */
            stream_body(80, word, 0, 93);
            stream_packet(8);
            stream_expect(word < 82 ? "D:FORMAT P:8 " : word == 82 ? "P:80 P:8 " : "D:STATE P:8 ");
        }
    }
    /* in a further line, and beyond the buffer */
    stream_body(80, 80 + 2 - 10, 0, 60);
    stream_packet(8);
    stream_expect_in(80 + 4 - 10, "D:FORMAT P:8 ");
}

/* length word and CRC share the buffer with the packet. */
static void test_buffer_limit(void **state)
{
    (void)state;
    for (size_t len = 8; len <= 300; len++) {
        char events[16] = "P:";
        size_t digits = len < 10 ? 1 : len < 100 ? 2 : 3;

        for (size_t i = 0, rest = len; i < digits; i++, rest /= 10) {
            events[1 + digits - i] = (char)('0' + rest % 10);
        }
        events[2 + digits] = ' ';
        stream_packet(len);
        stream_expect_in(len + FERRY_CONSOLE_OVERHEAD, events);
        stream_packet(len);
        stream_packet(7);
        stream_expect_in(len + FERRY_CONSOLE_OVERHEAD - 1, "D:SPACE P:7 ");
    }
}

/* the length word is noise's plaything; the largest must not reach beyond the buffer. */
static void test_buffers_of_every_size(void **state)
{
    (void)state;
    for (size_t cap = 0; cap <= 64; cap++) {
        const uint8_t body[12] = {0xff, 0xff};

        stream_frame(true, body, sizeof body);
        stream_text("\n");
        stream_expect_in(cap, "D:SPACE ");
        stream_packet(64);
        stream_expect_in(cap, "D:SPACE ");
    }
}

static void test_continuation_without_beginning(void **state)
{
    (void)state;
    stream_lines(400, FERRY_CONSOLE_CUT_124, 1, SIZE_MAX);
    stream_expect("D:STATE ");
    /* after a whole packet, too */
    stream_packet(8);
    stream_lines(400, FERRY_CONSOLE_CUT_124, 3, SIZE_MAX);
    stream_packet(8);
    stream_lines(400, FERRY_CONSOLE_CUT_124, 1, SIZE_MAX);
    stream_expect("P:8 D:STATE P:8 D:STATE ");
}

/* a new beginning gives up the old packet, at once. */
static void test_beginning_before_the_end(void **state)
{
    (void)state;
    stream_lines(400, FERRY_CONSOLE_CUT_124, 0, 2);
    stream_packet(400);
    stream_expect("D:STATE P:400 ");
    stream_lines(400, FERRY_CONSOLE_CUT_124, 0, 2);
    stream_text("log ");
    stream_packet(8);
    stream_expect("T:log_ D:STATE P:8 ");
    /* the new one is bad itself */
    stream_lines(400, FERRY_CONSOLE_CUT_124, 0, 2);
    stream_text("\x06\x09"
                "A\n");
    stream_packet(8);
    stream_expect("D:STATE D:FORMAT P:8 ");
    stream_lines(400, FERRY_CONSOLE_CUT_124, 0, 2);
    stream_text("\x06\x09\n");
    stream_packet(8);
    stream_expect("D:FORMAT P:8 ");
}

/* One loss, one event: the lines that follow it are passed over. */
static void test_loss_is_told_once(void **state)
{
    (void)state;
    stream_packet(800);
    stream_wire.data[130] = ' ';
    stream_wire.data[400] = ' ';
    stream_packet(8);
    stream_expect("D:FORMAT P:8 ");
    stream_packet(800);
    stream_expect_in(100, "D:SPACE ");
}

/* ---- Lost and changed bytes -------------------------------------------------------------- */

/* Whether the damaged stream gives only good packets and the last of them, of 8 bytes. */
static void assert_last_is_found(void)
{
    static uint8_t buf[STREAM_CAP];
    uint8_t good[STREAM_CAP];
    struct ferry_console_decoder decoder;
    size_t last = 0;

    ferry_console_decoder_init(&decoder, buf, sizeof buf);
    for (size_t pos = 0; pos < stream_wire.len;) {
        struct ferry_console_event event;

        pos += ferry_console_feed(&decoder, stream_wire.data + pos, stream_wire.len - pos, &event);
        if (event.kind == FERRY_CONSOLE_PACKET) {
            assert_true(event.bytes.len <= sizeof good);
            stream_make_packet(good, event.bytes.len);
            assert_memory_equal(event.bytes.data, good, event.bytes.len);
            last = event.bytes.len;
        }
    }
    assert_int_equal(last, 8);
    stream_wire.len = 0;
}

/* Any one byte becomes any other: what comes is right, and the packet behind is found, even
 * where the line feed between them is gone. */
static void test_one_byte_changed(void **state)
{
    (void)state;
    stream_packet(200);

    size_t len = stream_wire.len;

    for (size_t at = 0; at < len; at++) {
        for (unsigned change = 1; change < 256; change++) {
            stream_wire.len = 0;
            stream_packet(200);
            stream_wire.data[at] ^= (uint8_t)change;
            stream_packet(8);
            assert_last_is_found();
        }
    }
}

static void test_bytes_lost(void **state)
{
    (void)state;
    stream_packet(200);

    size_t len = stream_wire.len;

    for (size_t at = 0; at < len; at++) {
        for (size_t count = 1; count <= 5 && count <= len - at; count++) {
            stream_wire.len = 0;
            stream_packet(200);
            memmove(stream_wire.data + at, stream_wire.data + at + count, len - at - count);
            stream_wire.len -= count;
            stream_packet(8);
            assert_last_is_found();
        }
    }
}

static void test_line_lost(void **state)
{
    static const enum ferry_console_cut cuts[] = {FERRY_CONSOLE_CUT_124, FERRY_CONSOLE_CUT_ZEPHYR};

    (void)state;
    for (size_t missing = 0; missing < 5; missing++) {
        for (size_t i = 0; i < 2; i++) {
            stream_lines(400, cuts[i], 0, missing);
            stream_lines(400, cuts[i], missing + 1, SIZE_MAX);
            stream_packet(8);
            stream_expect("D:STATE P:8 ");
        }
    }
}

/* ---- Noise ---------------------------------------------------------------------------------- */

/* Bytes that are often markers, line ends and base64, so that noise gets everywhere. */
static uint8_t noise(unsigned kind)
{
    static const uint8_t likely[] = {0x06, 0x09, 0x04, 0x14, '\n', '\r', '=', 'A', 'B', 0};

    if (kind == 0) {
        return (uint8_t)stream_random(256);
    }
    return likely[stream_random(sizeof likely)];
}

/* The bytes that come out as text or in packets were among those that went in. */
static size_t feed_noise(struct ferry_console_decoder *decoder, const uint8_t *data, size_t len)
{
    size_t given = 0;

    for (size_t pos = 0; pos < len;) {
        struct ferry_console_event event;
        size_t taken = ferry_console_feed(decoder, data + pos, len - pos, &event);

        assert_in_range(taken, 1, len - pos);
        pos += taken;
        if (stream_random(16) == 0) {
            (void)ferry_console_flush(decoder, &event);
        }
        if (event.kind == FERRY_CONSOLE_TEXT) {
            given += event.bytes.len;
            assert_in_range(event.bytes.len, 1, FERRY_CONSOLE_LINE_MAX + 1);
        }
    }
    return given;
}

static void assert_found_behind(struct ferry_console_decoder *decoder, size_t len)
{
    struct ferry_console_event event = {.kind = FERRY_CONSOLE_NOTHING};
    uint8_t good[STREAM_CAP];

    stream_text("\n");
    stream_packet(len);
    for (size_t pos = 0; pos < stream_wire.len;) {
        pos += ferry_console_feed(decoder, stream_wire.data + pos, stream_wire.len - pos, &event);
    }
    stream_wire.len = 0;
    stream_make_packet(good, len);
    assert_int_equal(event.kind, FERRY_CONSOLE_PACKET);
    assert_int_equal(event.bytes.len, len);
    assert_memory_equal(event.bytes.data, good, len);
}

/* One MiB of noise, in pieces; after each a good packet is found. */
static void test_noise(void **state)
{
    enum { MIB = 1 << 20, CAP = 256 };
    size_t given = 0;

    (void)state;
    for (unsigned kind = 0; kind < 2; kind++) {
        uint8_t *buf = malloc(CAP);
        struct ferry_console_decoder decoder;

        ferry_console_decoder_init(&decoder, buf, CAP);
        for (size_t left = MIB; left > 0;) {
            uint8_t piece[4096];
            size_t len = 1 + stream_random(sizeof piece);

            len = len < left ? len : left;
            for (size_t i = 0; i < len; i++) {
                piece[i] = noise(kind);
            }
            given += feed_noise(&decoder, piece, len);
            assert_found_behind(&decoder, 1 + stream_random(CAP - FERRY_CONSOLE_OVERHEAD));
            left -= len;
        }
        free(buf);
    }
    assert_true(given > MIB / 2);
}

/* Mixtures of packets, text, halves of lines and noise give the same events however they are
 * split: stream_expect_in() feeds them three ways, the first of which tells what to expect. */
static void test_mixtures_do_not_depend_on_the_split(void **state)
{
    static char events[4 * STREAM_MAX];

    (void)state;
    for (unsigned round = 0; round < 300; round++) {
        for (unsigned part = 0; part < 20; part++) {
            uint8_t bytes[8];

            stream_packet(1 + stream_random(250));
            stream_wire.len -= stream_random(3) == 0 ? 1 + stream_random(4) : 0;
            for (size_t i = 0; i < sizeof bytes; i++) {
                bytes[i] = noise(part % 2);
            }
            stream_add(bytes, stream_random(sizeof bytes + 1));
            stream_text(stream_random(2) == 0 ? "<inf> text\r\n" : "> ");
        }
        strcpy(events, stream_events(200));
        stream_expect_in(200, events);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),
        cmocka_unit_test(test_bad_base64),
        cmocka_unit_test(test_bad_length_word),
        cmocka_unit_test(test_shortest_packet),
        cmocka_unit_test(test_more_bytes_than_announced),
        cmocka_unit_test(test_buffer_limit),
        cmocka_unit_test(test_buffers_of_every_size),
        cmocka_unit_test(test_continuation_without_beginning),
        cmocka_unit_test(test_beginning_before_the_end),
        cmocka_unit_test(test_loss_is_told_once),
        cmocka_unit_test(test_one_byte_changed),
        cmocka_unit_test(test_bytes_lost),
        cmocka_unit_test(test_line_lost),
        cmocka_unit_test(test_noise),
        cmocka_unit_test(test_mixtures_do_not_depend_on_the_split),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
