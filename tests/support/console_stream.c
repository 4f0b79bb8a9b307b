/* SPDX-License-Identifier: Apache-2.0 */
/* A byte stream for the tests of the console. */
#include "console_stream.h"

#include "ferry/base64.h"
#include "ferry/crc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct stream stream_wire;

/* ---- Streams of bytes ----------------------------------------------------------------- */

static uint32_t seed = 1;

uint32_t stream_random(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

void stream_add(const void *data, size_t len)
{
    assert_true(len <= sizeof stream_wire.data - stream_wire.len);
    memcpy(stream_wire.data + stream_wire.len, data, len);
    stream_wire.len += len;
}

void stream_text(const char *chars)
{
    stream_add(chars, strlen(chars));
}

void stream_make_packet(uint8_t *packet, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        packet[i] = (uint8_t)(i * 7 + len);
    }
    if (len >= 8) {
        ferry_store_be16(packet + 2, (uint16_t)(len - 8));
    }
}

void stream_frame(bool first, const uint8_t *body, size_t len)
{
    char chars[FERRY_BASE64_LEN(1024)];

    stream_add(first ? "\x06\x09" : "\x04\x14", 2);
    stream_add(chars, ferry_base64_encode(body, len, chars));
}

void stream_body(size_t len, size_t word, uint16_t crc_error, size_t share)
{
    uint8_t body[STREAM_CAP + 4] = {0};

    assert_true(len <= STREAM_CAP);
    ferry_store_be16(body, (uint16_t)word);
    stream_make_packet(body + 2, len);
    ferry_store_be16(body + 2 + len, ferry_crc16(0, body + 2, len) ^ crc_error);
    for (size_t pos = 0; pos < len + 4; pos += share) {
        stream_frame(pos == 0, body + pos, len + 4 - pos < share ? len + 4 - pos : share);
        stream_text("\n");
    }
}

void stream_lines(size_t len, enum ferry_console_cut cut, size_t from, size_t to)
{
    uint8_t packet[STREAM_CAP];
    uint8_t line[FERRY_CONSOLE_LINE_MAX];
    struct ferry_console_encoder encoder;
    size_t n;

    stream_make_packet(packet, len);
    assert_int_equal(ferry_console_encode(&encoder, (struct ferry_bytes){packet, len}, cut), 0);
    for (size_t i = 0; (n = ferry_console_next_line(&encoder, line)) > 0; i++) {
        if (i >= from && i < to) {
            stream_add(line, n);
        }
    }
}

void stream_packet(size_t len)
{
    stream_lines(len, FERRY_CONSOLE_CUT_124, 0, SIZE_MAX);
}

/* ---- What is found in them --------------------------------------------------------------- */

enum split { WHOLE, BYTE_BY_BYTE, RANDOM };

static size_t piece(enum split split, size_t left)
{
    if (split == WHOLE) {
        return left;
    }
    return split == BYTE_BY_BYTE ? 1 : 1 + stream_random(left < 150 ? (uint32_t)left : 150);
}

/* The events in words. */
static char found[4 * STREAM_MAX];
static size_t found_len;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    found_len += (size_t)vsnprintf(found + found_len, sizeof found - found_len, format, args);
    va_end(args);
    assert_true(found_len < sizeof found);
}

static void say_text(struct ferry_bytes bytes)
{
    assert_true(bytes.len > 0);
    say("T:");
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t c = bytes.data[i];

        if (c > 0x20 && c < 0x7f) {
            say("%c", c);
        } else if (c == ' ') {
            say("_");
        } else if (c == '\n') {
            say("$");
        } else {
            say("\\%02x", c);
        }
    }
    say(" ");
}

static void say_packet(struct ferry_bytes bytes)
{
    uint8_t expected[STREAM_CAP];

    assert_true(bytes.len <= sizeof expected);
    stream_make_packet(expected, bytes.len);
    assert_memory_equal(bytes.data, expected, bytes.len);
    say("P:%zu ", bytes.len);
}

static void say_loss(int error)
{
    const char *name = error == FERRY_E_CRC      ? "CRC"
                       : error == FERRY_E_FORMAT ? "FORMAT"
                       : error == FERRY_E_SPACE  ? "SPACE"
                       : error == FERRY_E_STATE  ? "STATE"
                                                 : "?";

    say("D:%s ", name);
}

static void say_event(const struct ferry_console_event *event)
{
    if (event->kind == FERRY_CONSOLE_TEXT) {
        say_text(event->bytes);
    } else if (event->kind == FERRY_CONSOLE_PACKET) {
        say_packet(event->bytes);
    } else if (event->kind == FERRY_CONSOLE_DROPPED) {
        say_loss(event->error);
        return;
    }
    assert_int_equal(event->error, FERRY_OK);
}

static void feed(struct ferry_console_decoder *decoder, const uint8_t *data, size_t len,
                 enum split split)
{
    size_t pos = 0;

    while (pos < len) {
        size_t end = pos + piece(split, len - pos);

        while (pos < end) {
            struct ferry_console_event event;
            size_t taken = ferry_console_feed(decoder, data + pos, end - pos, &event);

            assert_in_range(taken, 1, end - pos);
            pos += taken;
            assert_true(event.kind != FERRY_CONSOLE_NOTHING || pos == end);
            say_event(&event);
        }
    }
}

/* Feed len bytes of the stream to a fresh decoder; its events stand in found. */
static void listen(size_t cap, size_t len, enum split split)
{
    uint8_t *buf = malloc(cap == 0 ? 1 : cap); /* its own block, so that ASan guards it */
    struct ferry_console_decoder decoder;

    assert_non_null(buf);
    found_len = 0;
    found[0] = '\0';
    ferry_console_decoder_init(&decoder, buf, cap);
    feed(&decoder, stream_wire.data, len, split);
    free(buf);
}

const char *stream_events(size_t cap)
{
    listen(cap, stream_wire.len, WHOLE);
    return found;
}

void stream_expect_in(size_t cap, const char *events)
{
    size_t len = stream_wire.len;

    stream_wire.len = 0; /* first, so that a failure leaves nothing to the next test */
    for (int split = WHOLE; split <= RANDOM; split++) {
        listen(cap, len, (enum split)split);
        assert_string_equal(found, events);
    }
}

void stream_expect(const char *events)
{
    stream_expect_in(STREAM_CAP, events);
}
