/* SPDX-License-Identifier: Apache-2.0 */
/* Packets and text are found in the bytes of a serial console.  [smp.md §2.1]
 *
 * The line buffer holds either text or, from its first byte on, one frame: as soon as a marker
 * is complete the text in front of it is handed out. Markers cannot stand inside base64, so a
 * marker always begins a frame, even where noise ate the line feed before it. */
#include "ferry/base64.h"
#include "ferry/console.h"
#include "ferry/crc.h"

#include <string.h>

#define WORD_SIZE   2 /* the length word */
#define CRC_SIZE    2
#define MARKER_SIZE 2

#define FIRST_LINE 0x06 /* first byte of the markers 06 09 and 04 14 */
#define NEXT_LINE  0x04

/* ---- Markers ------------------------------------------------------------------- */

static bool is_half_marker(uint8_t c)
{
    return c == FIRST_LINE || c == NEXT_LINE;
}

static bool is_marker(const uint8_t *two)
{
    return (two[0] == FIRST_LINE && two[1] == 0x09) || (two[0] == NEXT_LINE && two[1] == 0x14);
}

/* Whether the line now ends with a marker. */
static bool at_marker(const struct ferry_console_decoder *d)
{
    return d->line_len >= MARKER_SIZE && is_marker(d->line + d->line_len - MARKER_SIZE);
}

static bool in_frame(const struct ferry_console_decoder *d)
{
    return d->line_len >= MARKER_SIZE && is_marker(d->line);
}

/* ---- Events -------------------------------------------------------------------- */

static void give_text(struct ferry_console_decoder *d, size_t len,
                      struct ferry_console_event *event)
{
    event->kind = FERRY_CONSOLE_TEXT;
    event->bytes = (struct ferry_bytes){d->line, len};
    d->given = len;
}

static void give_packet(struct ferry_console_decoder *d, size_t len,
                        struct ferry_console_event *event)
{
    event->kind = FERRY_CONSOLE_PACKET;
    event->bytes = (struct ferry_bytes){d->buf + WORD_SIZE, len};
    d->expected = 0;
}

static void give_loss(struct ferry_console_decoder *d, int error, struct ferry_console_event *event)
{
    event->kind = FERRY_CONSOLE_DROPPED;
    event->error = error;
    d->expected = 0;
    d->lost = true;
}

/* The bytes handed out leave the line; what stands behind them moves to its front. */
static void forget_given(struct ferry_console_decoder *d)
{
    if (d->given == 0) {
        return;
    }
    d->line_len -= d->given;
    memmove(d->line, d->line + d->given, d->line_len);
    d->given = 0;
}

/* ---- Reassembly ---------------------------------------------------------------- */

/* Whether the length word leaves out the CRC: it then says what the SMP header
 * says. Zephyr before 2.7.2 and 3.0 sent such answers. */
static bool word_without_crc(const struct ferry_console_decoder *d)
{
    enum { HEADER_LENGTH = WORD_SIZE + 2, HEADER_SIZE = 8 };

    return d->len >= HEADER_LENGTH + 2 &&
           (size_t)ferry_load_be16(d->buf + HEADER_LENGTH) + HEADER_SIZE == d->expected;
}

static bool crc_is_good(const struct ferry_console_decoder *d)
{
    return ferry_crc16(0, d->buf + WORD_SIZE, d->len - WORD_SIZE) == 0;
}

/* The first line of a packet tells its length. */
static int begin_packet(struct ferry_console_decoder *d, const uint8_t *data, size_t len)
{
    if (len < WORD_SIZE) {
        return FERRY_E_FORMAT;
    }

    size_t word = ferry_load_be16(data);

    if (word <= CRC_SIZE) {
        return FERRY_E_FORMAT;
    }
    if (d->cap < WORD_SIZE || word > d->cap - WORD_SIZE) {
        return FERRY_E_SPACE;
    }
    d->len = 0;
    d->expected = word;
    return FERRY_OK;
}

/* The length word fits the buffer, so what does not fit is more than was announced, or the CRC
 * that an old server did not count. */
static int append(struct ferry_console_decoder *d, const uint8_t *data, size_t len)
{
    size_t room = d->cap - d->len;
    size_t taken = len < room ? len : room;

    memcpy(d->buf + d->len, data, taken);
    d->len += taken;
    if (taken == len) {
        return FERRY_OK;
    }
    return word_without_crc(d) ? FERRY_E_SPACE : FERRY_E_FORMAT;
}

/* Is the packet whole? A good CRC at the announced length always is; else the CRC may still
 * have to come behind it. */
static void check_packet(struct ferry_console_decoder *d, struct ferry_console_event *event)
{
    size_t have = d->len - WORD_SIZE;

    if (have < d->expected) {
        return;
    }
    if (have == d->expected && crc_is_good(d)) {
        give_packet(d, d->expected - CRC_SIZE, event);
        return;
    }
    if (!word_without_crc(d)) {
        give_loss(d, have == d->expected ? FERRY_E_CRC : FERRY_E_FORMAT, event);
        return;
    }
    if (have < d->expected + CRC_SIZE) {
        return;
    }
    if (have > d->expected + CRC_SIZE) {
        give_loss(d, FERRY_E_FORMAT, event);
    } else if (crc_is_good(d)) {
        give_packet(d, d->expected, event);
    } else {
        give_loss(d, FERRY_E_CRC, event);
    }
}

/* ---- Frames -------------------------------------------------------------------- */

/* Decode the characters of the frame in place, behind its marker. Returns the bytes. */
static int decode_frame(struct ferry_console_decoder *d, size_t end)
{
    uint8_t *chars = d->line + MARKER_SIZE;

    if (d->overlong) {
        return FERRY_E_FORMAT;
    }
    while (end > MARKER_SIZE && d->line[end - 1] == '\r') {
        end--;
    }
    return ferry_base64_decode((const char *)chars, end - MARKER_SIZE, chars, end - MARKER_SIZE);
}

/* The frame in line[0 .. end) is whole. */
static void end_frame(struct ferry_console_decoder *d, size_t end,
                      struct ferry_console_event *event)
{
    bool first = d->line[0] == FIRST_LINE;

    if (!first && d->expected == 0) {
        if (!d->lost) {
            give_loss(d, FERRY_E_STATE, event);
        }
        return;
    }

    const uint8_t *data = d->line + MARKER_SIZE;
    int len = decode_frame(d, end);
    int rc = len;

    if (len >= 0 && first) {
        d->lost = false;
        rc = begin_packet(d, data, (size_t)len);
    }
    if (rc >= 0) {
        rc = append(d, data, (size_t)len);
    }
    if (rc < 0) {
        give_loss(d, rc, event);
        return;
    }
    check_packet(d, event);
}

static void start_line(struct ferry_console_decoder *d, const uint8_t *marker, size_t len)
{
    memmove(d->line, marker, len);
    d->line_len = len;
    d->overlong = false;
}

static void take_frame_byte(struct ferry_console_decoder *d, uint8_t c,
                            struct ferry_console_event *event)
{
    size_t end = d->line_len - 1;

    if (c == '\n') {
        end_frame(d, end, event);
        start_line(d, d->line, 0);
        return;
    }
    if (at_marker(d)) {
        uint8_t marker[MARKER_SIZE] = {d->line[end - 1], c};

        end_frame(d, end - 1, event);
        start_line(d, marker, MARKER_SIZE);
        return;
    }
    if (d->line_len == sizeof d->line) {
        /* The last byte stays: it may be half of the marker that ends all this. */
        d->overlong = true;
        d->line[MARKER_SIZE] = c;
        d->line_len = MARKER_SIZE + 1;
    }
}

/* ---- Text ---------------------------------------------------------------------- */

/* A marker is complete. A line end written LF CR leaves a lone CR in front: nobody's text. */
static void end_text(struct ferry_console_decoder *d, struct ferry_console_event *event)
{
    size_t len = d->line_len - MARKER_SIZE;

    if (len == 0) {
        return;
    }
    if (len == 1 && d->line[0] == '\r') {
        d->given = len;
        forget_given(d);
        return;
    }
    give_text(d, len, event);
}

static void take_text_byte(struct ferry_console_decoder *d, uint8_t c,
                           struct ferry_console_event *event)
{
    if (at_marker(d)) {
        end_text(d, event);
    } else if (c == '\n') {
        give_text(d, d->line_len, event);
    } else if (d->line_len == sizeof d->line) {
        give_text(d, d->line_len - is_half_marker(c), event);
    }
}

/* ---- Public -------------------------------------------------------------------- */

void ferry_console_decoder_init(struct ferry_console_decoder *decoder, uint8_t *buf, size_t cap)
{
    memset(decoder, 0, sizeof *decoder);
    decoder->buf = buf;
    decoder->cap = cap;
}

static void take_byte(struct ferry_console_decoder *d, uint8_t c, struct ferry_console_event *event)
{
    bool frame = in_frame(d);

    /* A new packet begins before the old one was whole. This is told with the byte behind the
     * marker, since the text in front of the marker was an event of its own. */
    if (frame && d->line_len == MARKER_SIZE && d->line[0] == FIRST_LINE && d->expected != 0) {
        give_loss(d, FERRY_E_STATE, event);
    }
    d->line[d->line_len] = c;
    d->line_len++;
    if (frame) {
        take_frame_byte(d, c, event);
    } else {
        take_text_byte(d, c, event);
    }
}

size_t ferry_console_feed(struct ferry_console_decoder *decoder, const uint8_t *data, size_t len,
                          struct ferry_console_event *event)
{
    size_t taken = 0;

    *event = (struct ferry_console_event){.kind = FERRY_CONSOLE_NOTHING};
    forget_given(decoder);
    while (taken < len && event->kind == FERRY_CONSOLE_NOTHING) {
        take_byte(decoder, data[taken], event);
        taken++;
    }
    return taken;
}

bool ferry_console_give_up(struct ferry_console_decoder *decoder, struct ferry_console_event *event)
{
    *event = (struct ferry_console_event){.kind = FERRY_CONSOLE_NOTHING};
    forget_given(decoder);
    if (!in_frame(decoder)) {
        return false;
    }

    bool told = decoder->lost && decoder->line[0] == NEXT_LINE;

    start_line(decoder, decoder->line, 0);
    if (!told) {
        give_loss(decoder, FERRY_E_TIMEOUT, event);
    }
    return !told;
}

bool ferry_console_flush(struct ferry_console_decoder *decoder, struct ferry_console_event *event)
{
    *event = (struct ferry_console_event){.kind = FERRY_CONSOLE_NOTHING};
    forget_given(decoder);
    if (in_frame(decoder) || decoder->line_len == 0) {
        return false;
    }

    size_t len = decoder->line_len - is_half_marker(decoder->line[decoder->line_len - 1]);

    if (len == 0) {
        return false;
    }
    give_text(decoder, len, event);
    return true;
}
