/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: bytes from a serial console become packets and text. Input: byte 0 chooses the size
 * of the reassembly buffer, byte 1 how many bytes are fed at once (0: all) and what is done
 * between: odd, the unfinished text is taken; a multiple of four, the unfinished frame is given up.
 * The rest is what came over the line.
 *
 * Whatever the bytes are:
 *   1. ferry_console_feed() takes at least one byte, never more than it was given, and takes all
 *      of them when nothing is complete.
 *   2. Text is never empty and lies inside the decoder's line; there is never more of it than
 *      bytes went in.
 *   3. A packet is never empty, lies inside the buffer behind its length word, and its length
 *      word, CRC and contents fit the buffer.
 *   4. A loss has one of the four documented errors, or the timeout's when it is given up; every
 *      other event has none.
 *   5. A packet encoded again, with either cut, is found again, alone and unchanged; its lines
 *      keep the limit and, cut at 124, the size that was told before.
 *   6. Behind any bytes, a line feed and a good packet, that packet is found. */
#include "check.h"

#include "ferry/console.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_inside(struct ferry_bytes inner, struct ferry_bytes outer)
{
    if (inner.len == 0) {
        return true;
    }
    return inner.data >= outer.data && inner.len <= outer.len &&
           (size_t)(inner.data - outer.data) <= outer.len - inner.len;
}

/* ---- Encoding again ----------------------------------------------------------------------- */

static void check_encoding(struct ferry_bytes packet, enum ferry_console_cut cut)
{
    uint8_t *buf = malloc(packet.len + FERRY_CONSOLE_OVERHEAD);
    uint8_t line[FERRY_CONSOLE_LINE_MAX];
    struct ferry_console_encoder encoder;
    struct ferry_console_decoder decoder;
    struct ferry_console_event event = {.kind = FERRY_CONSOLE_NOTHING};
    size_t total = 0;
    size_t len;

    CHECK(buf != NULL);
    CHECK(ferry_console_encode(&encoder, packet, cut) == FERRY_OK);
    ferry_console_decoder_init(&decoder, buf, packet.len + FERRY_CONSOLE_OVERHEAD);
    while ((len = ferry_console_next_line(&encoder, line)) > 0) {
        CHECK(event.kind == FERRY_CONSOLE_NOTHING);
        CHECK(len <= sizeof line);
        CHECK(ferry_console_feed(&decoder, line, len, &event) == len);
        total += len;
    }
    CHECK(event.kind == FERRY_CONSOLE_PACKET);
    CHECK(event.bytes.len == packet.len);
    CHECK(memcmp(event.bytes.data, packet.data, packet.len) == 0);
    CHECK(cut != FERRY_CONSOLE_CUT_124 || total == ferry_console_wire_size(packet.len));
    free(buf);
}

/* ---- The line ------------------------------------------------------------------------------ */

struct listener {
    struct ferry_console_decoder decoder;
    struct ferry_bytes buf;
    size_t fed;
    size_t text;
};

static void check_text(struct listener *l, struct ferry_bytes text)
{
    CHECK(text.len > 0);
    CHECK(is_inside(text, (struct ferry_bytes){l->decoder.line, sizeof l->decoder.line}));
    l->text += text.len;
    CHECK(l->text <= l->fed);
}

static void check_packet(struct listener *l, struct ferry_bytes packet)
{
    CHECK(packet.len > 0);
    CHECK(is_inside(packet, l->buf));
    CHECK(packet.data == l->buf.data + 2);
    CHECK(packet.len <= l->buf.len - FERRY_CONSOLE_OVERHEAD);

    /* A copy of its own size, so that the sanitizer sees reads beyond it. */
    uint8_t *copy = malloc(packet.len);

    CHECK(copy != NULL);
    memcpy(copy, packet.data, packet.len);

    struct ferry_bytes alone = {copy, packet.len};

    check_encoding(alone, FERRY_CONSOLE_CUT_124);
    check_encoding(alone, FERRY_CONSOLE_CUT_ZEPHYR);
    free(copy);
}

static void check_event(struct listener *l, const struct ferry_console_event *event)
{
    switch (event->kind) {
    case FERRY_CONSOLE_NOTHING:
        CHECK(event->error == FERRY_OK);
        break;
    case FERRY_CONSOLE_TEXT:
        CHECK(event->error == FERRY_OK);
        check_text(l, event->bytes);
        break;
    case FERRY_CONSOLE_PACKET:
        CHECK(event->error == FERRY_OK);
        check_packet(l, event->bytes);
        break;
    case FERRY_CONSOLE_DROPPED:
        CHECK(event->error == FERRY_E_CRC || event->error == FERRY_E_FORMAT ||
              event->error == FERRY_E_SPACE || event->error == FERRY_E_STATE);
        break;
    default:
        CHECK(false);
    }
}

/* Feed len bytes; the last event stays in event. */
static void listen(struct listener *l, const uint8_t *data, size_t len,
                   struct ferry_console_event *event)
{
    while (len > 0) {
        size_t taken = ferry_console_feed(&l->decoder, data, len, event);

        CHECK(taken > 0 && taken <= len);
        CHECK(taken == len || event->kind != FERRY_CONSOLE_NOTHING);
        l->fed += taken;
        check_event(l, event);
        data += taken;
        len -= taken;
    }
}

/* A packet of one byte, framed: it fits every buffer that fits anything. */
static void check_recovery(struct listener *l)
{
    const uint8_t packet = 0x5a;
    uint8_t line[FERRY_CONSOLE_LINE_MAX];
    struct ferry_console_encoder encoder;
    struct ferry_console_event event;

    CHECK(ferry_console_encode(&encoder, (struct ferry_bytes){&packet, 1}, FERRY_CONSOLE_CUT_124) ==
          FERRY_OK);
    listen(l, (const uint8_t *)"\n", 1, &event);
    listen(l, line, ferry_console_next_line(&encoder, line), &event);
    CHECK(event.kind == FERRY_CONSOLE_PACKET);
    CHECK(event.bytes.len == 1 && event.bytes.data[0] == packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct listener listener = {.fed = 0};
    struct ferry_console_event event;

    if (size < 2) {
        return 0;
    }

    size_t cap = FERRY_CONSOLE_OVERHEAD + 1 + (size_t)data[0] * 4;
    size_t step = data[1] == 0 ? size : data[1];
    uint8_t *buf = malloc(cap);

    CHECK(buf != NULL);
    listener.buf = (struct ferry_bytes){buf, cap};
    ferry_console_decoder_init(&listener.decoder, buf, cap);
    for (size_t pos = 2; pos < size;) {
        size_t len = step < size - pos ? step : size - pos;

        listen(&listener, data + pos, len, &event);
        pos += len;
        if (data[1] % 2 == 1 && ferry_console_flush(&listener.decoder, &event)) {
            check_event(&listener, &event);
        }
        if (data[1] % 4 == 0 && ferry_console_give_up(&listener.decoder, &event)) {
            CHECK(event.kind == FERRY_CONSOLE_DROPPED && event.error == FERRY_E_TIMEOUT);
        }
    }
    check_recovery(&listener);
    free(buf);
    return 0;
}
