/* SPDX-License-Identifier: Apache-2.0 */
/* SMP on a serial console: what is sent comes back, whatever stands around it. */
#include "console_stream.h"

#include "ferry/base64.h"
#include "ferry/console.h"
#include "ferry/crc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- Encoder ------------------------------------------------------------------------------ */

static void test_every_length_round_trips(void **state)
{
    static const enum ferry_console_cut cuts[] = {FERRY_CONSOLE_CUT_124, FERRY_CONSOLE_CUT_ZEPHYR};

    (void)state;
    for (size_t len = 8; len <= 1200; len++) {
        for (size_t i = 0; i < 2; i++) {
            char events[32];

            snprintf(events, sizeof events, "P:%zu P:8 ", len);
            stream_lines(len, cuts[i], 0, SIZE_MAX);
            stream_packet(8);
            stream_expect(events);
        }
    }
}

/* Lengths of the lines, joined by '+'. */
static void line_lengths(size_t len, enum ferry_console_cut cut, char *out, size_t cap)
{
    uint8_t bytes[STREAM_CAP];
    uint8_t line[FERRY_CONSOLE_LINE_MAX];
    struct ferry_console_encoder encoder;
    size_t n;
    size_t pos = 0;

    stream_make_packet(bytes, len);
    assert_int_equal(ferry_console_encode(&encoder, (struct ferry_bytes){bytes, len}, cut), 0);
    out[0] = '\0';
    while ((n = ferry_console_next_line(&encoder, line)) > 0) {
        assert_int_equal(line[n - 1], '\n');
        assert_true(n <= FERRY_CONSOLE_LINE_MAX);
        pos += (size_t)snprintf(out + pos, cap - pos, pos == 0 ? "%zu" : "+%zu", n);
    }
    assert_int_equal(ferry_console_next_line(&encoder, line), 0); /* and stays there */
}

/* The table "Splitting edges" at the end of smp.md §7. */
static void test_splitting_edges(void **state)
{
    static const struct {
        size_t len;
        const char *zephyr;
        const char *cut124;
    } edges[] = {
        {8, "19", "19"},
        {88, "127", "127"},
        {89, "127", "127"},
        {90, "123+11", "127+7"},
        {91, "123+11", "127+7"},
        {92, "127+7", "127+7"},
        {93, "127+11", "127+11"},
        {94, "127+11", "127+11"},
        {95, "127+11", "127+11"},
        {96, "127+15", "127+15"},
        {181, "127+127", "127+127"},
        {182, "127+127", "127+127"},
        {183, "127+123+11", "127+127+7"},
        {184, "127+123+11", "127+127+7"},
        {185, "127+127+7", "127+127+7"},
        {186, "127+127+11", "127+127+11"},
        {187, "127+127+11", "127+127+11"},
        {188, "127+127+11", "127+127+11"},
        {380, "127+127+127+127+19", "127+127+127+127+19"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        char lengths[64];

        line_lengths(edges[i].len, FERRY_CONSOLE_CUT_ZEPHYR, lengths, sizeof lengths);
        assert_string_equal(lengths, edges[i].zephyr);
        line_lengths(edges[i].len, FERRY_CONSOLE_CUT_124, lengths, sizeof lengths);
        assert_string_equal(lengths, edges[i].cut124);
    }
}

/* In Zephyr's cut the last line always holds the whole CRC, and something in front of it. */
static void test_zephyr_cut_keeps_the_crc_whole(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 1200; len++) {
        size_t last = 0;
        size_t start = 0;
        uint8_t bytes[FERRY_CONSOLE_LINE_MAX];

        stream_lines(len, FERRY_CONSOLE_CUT_ZEPHYR, 0, SIZE_MAX);
        for (size_t i = 0; i < stream_wire.len; i++) {
            last = stream_wire.data[i] == '\n' ? i : last;
            start = i > 0 && stream_wire.data[i - 1] == '\n' ? i : start;
        }
        assert_in_range(ferry_base64_decode((char *)stream_wire.data + start + 2, last - start - 2,
                                            bytes, sizeof bytes),
                        3, 93);
        stream_wire.len = 0;
    }
}

static void test_wire_size(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 1200; len++) {
        stream_packet(len);
        assert_int_equal(ferry_console_wire_size(len), stream_wire.len);
        stream_wire.len = 0;
    }
}

static void test_largest_packet(void **state)
{
    static uint8_t large[UINT16_MAX];
    static uint8_t buf[UINT16_MAX + 2];
    struct ferry_console_encoder encoder;
    struct ferry_console_decoder decoder;
    struct ferry_console_event event = {.kind = FERRY_CONSOLE_NOTHING};
    struct ferry_bytes bytes = {large, 65533};
    uint8_t line[FERRY_CONSOLE_LINE_MAX];
    size_t n;

    (void)state;
    memset(large, 0xa5, sizeof large);
    assert_int_equal(ferry_console_encode(&encoder, bytes, FERRY_CONSOLE_CUT_ZEPHYR), FERRY_OK);
    ferry_console_decoder_init(&decoder, buf, sizeof buf);
    while ((n = ferry_console_next_line(&encoder, line)) > 0) {
        assert_int_equal(event.kind, FERRY_CONSOLE_NOTHING);
        assert_int_equal(ferry_console_feed(&decoder, line, n, &event), n);
    }
    assert_int_equal(event.kind, FERRY_CONSOLE_PACKET);
    assert_int_equal(event.bytes.len, bytes.len);
    assert_memory_equal(event.bytes.data, large, bytes.len);
    bytes.len = 65534;
    assert_int_equal(ferry_console_encode(&encoder, bytes, FERRY_CONSOLE_CUT_124), FERRY_E_RANGE);
    bytes.len = 0;
    assert_int_equal(ferry_console_encode(&encoder, bytes, FERRY_CONSOLE_CUT_124), FERRY_E_RANGE);
}

struct sent {
    uint8_t bytes[512];
    size_t len;
    int lines;
};

static void keep_line(void *context, const uint8_t *line, size_t len)
{
    struct sent *sent = context;

    assert_true(len <= sizeof sent->bytes - sent->len);
    memcpy(sent->bytes + sent->len, line, len);
    sent->len += len;
    sent->lines++;
}

/* Line for line what the encoder gives. */
static void test_send_whole(void **state)
{
    uint8_t packet[200];
    struct ferry_bytes bytes = {packet, sizeof packet};
    struct ferry_console_encoder encoder;
    uint8_t line[FERRY_CONSOLE_LINE_MAX];
    struct sent sent = {.len = 0};
    size_t at = 0;
    size_t n;

    (void)state;
    stream_make_packet(packet, sizeof packet);
    assert_true(ferry_console_send(bytes, FERRY_CONSOLE_CUT_124, keep_line, &sent));
    assert_int_equal(sent.lines, 3);
    assert_int_equal(ferry_console_encode(&encoder, bytes, FERRY_CONSOLE_CUT_124), FERRY_OK);
    while ((n = ferry_console_next_line(&encoder, line)) > 0) {
        assert_memory_equal(sent.bytes + at, line, n);
        at += n;
    }
    assert_int_equal(sent.len, at);
    bytes.len = 0;
    assert_false(ferry_console_send(bytes, FERRY_CONSOLE_CUT_124, keep_line, &sent));
    assert_int_equal(sent.len, at);
}

/* ---- Lines of every kind ------------------------------------------------------------------- */

/* each line is decoded for itself, whatever its share and padding. */
static void test_lines_of_every_share(void **state)
{
    (void)state;
    for (size_t share = 2; share <= 93; share++) {
        stream_body(200, 202, 0, share);
        stream_body(9, 11, 0, share);
        stream_expect("P:200 P:9 ");
    }
}

/* Zephyr before 2.7.2 left the CRC out of the length word. */
static void test_length_word_without_crc(void **state)
{
    (void)state;
    for (size_t len = 8; len <= 300; len++) {
        for (size_t share = 30; share <= 93; share += 3) {
            char events[32];

            snprintf(events, sizeof events, "P:%zu P:8 ", len);
            stream_body(len, len, 0, share);
            stream_body(8, 8, 0, share);
            stream_expect_in(len + 4, events);
        }
    }
    /* One byte of the CRC in a line of its own. */
    stream_body(56, 56, 0, 59);
    stream_expect("P:56 ");
    stream_body(56, 56, 1, 59);
    stream_expect("D:CRC ");
    stream_body(56, 56, 1, 30);
    stream_expect("D:CRC ");
    /* More than the CRC behind the announced length. */
    stream_body(56, 56, 0, 57);
    stream_wire.len -= 5;
    stream_text("AAAAAAAA\n");
    stream_expect("D:FORMAT ");
    /* The announced length fits the buffer, the CRC does not. */
    stream_body(56, 56, 0, 93);
    stream_expect_in(58, "D:SPACE ");
}

/* CR before LF, doubled, or in front of the frame. */
static void test_carriage_returns(void **state)
{
    uint8_t body[2 + 8 + 2];

    (void)state;
    ferry_store_be16(body, 10);
    stream_make_packet(body + 2, 8);
    ferry_store_be16(body + 10, ferry_crc16(0, body + 2, 8));
    stream_frame(true, body, 6);
    stream_text("\r\n");
    stream_frame(false, body + 6, 6);
    stream_text("\r\n\r");
    stream_frame(true, body, 12);
    stream_text("\r\r\n\r");
    stream_frame(true, body, 12);
    stream_text("\r\n");
    stream_expect("P:8 P:8 P:8 ");
    stream_text("prompt>\r");
    stream_packet(8);
    stream_text("\n\r\n");
    stream_expect("T:prompt>\\0d P:8 T:$ T:\\0d$ ");
}

/* A full line with CR LF is as long as the buffer just takes. */
static void test_full_line_with_carriage_return(void **state)
{
    (void)state;
    stream_packet(89);
    stream_wire.len--;
    stream_text("\r\n");
    stream_packet(8);
    stream_expect("P:89 P:8 ");
}

/* a console that echoes gives our own request back; the decoder does not judge. */
static void test_echo(void **state)
{
    (void)state;
    stream_packet(100);
    stream_packet(100);
    stream_expect("P:100 P:100 ");
}

/* 127 bytes is the longest line; a longer one loses its packet, told once. */
static void test_overlong_lines(void **state)
{
    (void)state;
    stream_body(400, 402, 0, 96);
    stream_packet(8);
    stream_expect("D:FORMAT P:8 ");
    stream_body(400, 402, 0, 300);
    stream_packet(8);
    stream_expect("D:FORMAT P:8 ");
    /* the second line is too long, and ends with a half marker */
    stream_packet(100);
    stream_wire.len = 127;
    stream_text("\x04\x14");
    for (int i = 0; i < 300; i++) {
        stream_text("AAAA\x04");
    }
    stream_text("\n");
    stream_packet(100);
    stream_expect("D:FORMAT P:100 ");
    /* the line feed is lost: the marker behind it ends the line */
    stream_text("\x06\x09");
    for (int i = 0; i < 100; i++) {
        stream_text("AAAA");
    }
    stream_packet(100);
    stream_expect("D:FORMAT P:100 ");
}

/* The end of an overlong line is no frame of its own, whatever it looks like. */
static void test_frame_at_the_end_of_an_overlong_line(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 260; len++) {
        stream_text("\x06\x09");
        for (size_t i = 0; i < len; i++) {
            stream_text("A");
        }
        stream_text("AAoAAAAAAAAAAiBC\n");
        stream_packet(8);
        stream_expect("D:FORMAT P:8 ");
    }
}

/* Where the line feed of an overlong line is lost, the marker behind it is found all the same,
 * even across the end of the line buffer. */
static void test_marker_behind_an_overlong_line(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 260; len++) {
        stream_text("\x06\x09");
        for (size_t i = 0; i < len; i++) {
            stream_text("A");
        }
        stream_packet(8);
        stream_expect("D:FORMAT P:8 ");
    }
}

/* ---- Text ------------------------------------------------------------------------------------ */

/* around the lines, on the same line in front of a marker, but not inside. */
static void test_text_around_frames(void **state)
{
    (void)state;
    stream_text("boot\n");
    stream_packet(8);
    stream_text("uart:~$ ");
    stream_packet(8);
    stream_text("\n");
    stream_expect("T:boot$ P:8 T:uart:~$_ P:8 T:$ ");
}

static void test_text_between_the_lines_of_a_packet(void **state)
{
    static const enum ferry_console_cut cuts[] = {FERRY_CONSOLE_CUT_124, FERRY_CONSOLE_CUT_ZEPHYR};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        stream_lines(200, cuts[i], 0, 1);
        stream_text("<inf> log: one\n");
        stream_lines(200, cuts[i], 1, 2);
        stream_text("\nand two ");
        stream_lines(200, cuts[i], 2, SIZE_MAX);
        stream_expect("T:<inf>_log:_one$ T:$ T:and_two_ P:200 ");
    }
}

static void test_text_inside_a_line(void **state)
{
    (void)state;
    /* without a line end: one line is bad */
    stream_packet(40);
    stream_wire.len = 30;
    stream_text("[log] AAAA\n");
    stream_packet(8);
    stream_expect("D:FORMAT P:8 ");
    /* with one: the rest of the frame is text */
    stream_text("\x06\x09"
                "AAoIAA<wrn> log\nAQAA\n");
    stream_packet(8);
    stream_expect("D:FORMAT T:AQAA$ P:8 ");
    /* in the second line: what was collected is lost as well */
    stream_packet(300);
    stream_wire.data[127 + 60] = ' ';
    stream_packet(8);
    stream_expect("D:FORMAT P:8 ");
}

/* half a marker may be the end of what was read so far, or just a byte. */
static void test_half_markers(void **state)
{
    (void)state;
    stream_text("\x06\x06");
    stream_packet(8);
    stream_text("\x04\x06");
    stream_packet(8);
    stream_text("\x06\x14\x04\x09\x04\n");
    stream_expect("T:\\06\\06 P:8 T:\\04\\06 P:8 T:\\06\\14\\04\\09\\04$ ");
}

/* Text longer than the line buffer comes in pieces; nothing of it is lost. */
static void test_long_text(void **state)
{
    (void)state;
    for (size_t len = 120; len <= 270; len++) {
        static uint8_t buf[STREAM_CAP];
        struct ferry_console_decoder decoder;
        struct ferry_console_event event;
        size_t total = 0;

        for (size_t i = 0; i < len; i++) {
            stream_text(i % 2 == 0 ? "\x06" : "x");
        }
        stream_text("\n");
        ferry_console_decoder_init(&decoder, buf, sizeof buf);
        for (size_t pos = 0; pos < stream_wire.len;) {
            pos +=
                ferry_console_feed(&decoder, stream_wire.data + pos, stream_wire.len - pos, &event);
            assert_int_equal(event.kind, FERRY_CONSOLE_TEXT);
            assert_memory_equal(event.bytes.data, stream_wire.data + total, event.bytes.len);
            total += event.bytes.len;
        }
        assert_int_equal(total, len + 1);
        stream_wire.len = 0;
    }
}

/* A marker may lie across the end of the line buffer. */
static void test_marker_behind_long_text(void **state)
{
    (void)state;
    for (size_t len = 120; len <= 140; len++) {
        char line[160];
        char events[200];

        memset(line, 'x', len);
        line[len] = '\0';
        stream_text(line);
        stream_packet(8);
        if (len <= 128) {
            snprintf(events, sizeof events, "T:%s P:8 ", line);
        } else {
            snprintf(events, sizeof events, "T:%.128s T:%s P:8 ", line, line + 128);
        }
        stream_expect(events);
    }
}

static void test_binary_text(void **state)
{
    (void)state;
    stream_add("a\0b\0\xff\x80\n", 7);
    stream_packet(8);
    stream_add("\0\0", 2);
    stream_packet(8);
    stream_expect("T:a\\00b\\00\\ff\\80$ P:8 T:\\00\\00 P:8 ");
}

/* ---- Flush -------------------------------------------------------------------------------------
 */

static void test_flush(void **state)
{
    uint8_t buf[64];
    struct ferry_console_decoder decoder;
    struct ferry_console_event event;

    (void)state;
    ferry_console_decoder_init(&decoder, buf, sizeof buf);
    assert_false(ferry_console_flush(&decoder, &event));
    assert_int_equal(event.kind, FERRY_CONSOLE_NOTHING);
    ferry_console_feed(&decoder, (const uint8_t *)"login: \x06", 8, &event);
    assert_int_equal(event.kind, FERRY_CONSOLE_NOTHING);
    assert_true(ferry_console_flush(&decoder, &event));
    assert_int_equal(event.kind, FERRY_CONSOLE_TEXT);
    assert_int_equal(event.bytes.len, 7);
    assert_memory_equal(event.bytes.data, "login: ", 7);
    assert_false(ferry_console_flush(&decoder, &event)); /* the half marker stays */
    stream_packet(8);
    assert_int_equal(ferry_console_feed(&decoder, stream_wire.data + 1, 10, &event), 10);
    assert_false(ferry_console_flush(&decoder, &event)); /* a frame is no text */
    assert_int_equal(ferry_console_feed(&decoder, stream_wire.data + 11, 8, &event), 8);
    assert_int_equal(event.kind, FERRY_CONSOLE_PACKET);
    assert_false(ferry_console_flush(&decoder, &event));
    stream_wire.len = 0;
}

/* What was flushed is not given again at the line feed. */
static void test_flush_between_feeds(void **state)
{
    uint8_t buf[64];
    struct ferry_console_decoder decoder;
    struct ferry_console_event event;

    (void)state;
    ferry_console_decoder_init(&decoder, buf, sizeof buf);
    ferry_console_feed(&decoder, (const uint8_t *)"abc", 3, &event);
    assert_true(ferry_console_flush(&decoder, &event));
    assert_int_equal(ferry_console_feed(&decoder, NULL, 0, &event), 0);
    assert_int_equal(event.kind, FERRY_CONSOLE_NOTHING);
    ferry_console_feed(&decoder, (const uint8_t *)"def\n", 4, &event);
    assert_int_equal(event.kind, FERRY_CONSOLE_TEXT);
    assert_int_equal(event.bytes.len, 4);
    assert_memory_equal(event.bytes.data, "def\n", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_length_round_trips),
        cmocka_unit_test(test_splitting_edges),
        cmocka_unit_test(test_zephyr_cut_keeps_the_crc_whole),
        cmocka_unit_test(test_wire_size),
        cmocka_unit_test(test_largest_packet),
        cmocka_unit_test(test_send_whole),
        cmocka_unit_test(test_lines_of_every_share),
        cmocka_unit_test(test_length_word_without_crc),
        cmocka_unit_test(test_carriage_returns),
        cmocka_unit_test(test_full_line_with_carriage_return),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_overlong_lines),
        cmocka_unit_test(test_frame_at_the_end_of_an_overlong_line),
        cmocka_unit_test(test_marker_behind_an_overlong_line),
        cmocka_unit_test(test_text_around_frames),
        cmocka_unit_test(test_text_between_the_lines_of_a_packet),
        cmocka_unit_test(test_text_inside_a_line),
        cmocka_unit_test(test_half_markers),
        cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_marker_behind_long_text),
        cmocka_unit_test(test_binary_text),
        cmocka_unit_test(test_flush),
        cmocka_unit_test(test_flush_between_feeds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
