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

static void give_bytes(struct ferry_console_event *event, enum ferry_console_event_kind kind,
                       const uint8_t *data, size_t len)
{
    event->kind = kind;
    event->bytes = (struct ferry_bytes){data, len};
}

static void give_loss(struct ferry_console_decoder *d, int error, struct ferry_console_event *event)
{
    event->kind = FERRY_CONSOLE_DROPPED;
    event->error = error;
    d->expected = 0;
    d->lost = true;
}

/* The bytes handed out or decoded leave the line; what stands behind them moves to its front. */
static void forget_done(struct ferry_console_decoder *d)
{
    if (d->done == 0) {
        return;
    }
    d->line_len -= d->done;
    memmove(d->line, d->line + d->done, d->line_len);
    d->done = 0;
    d->overlong = false;
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
 * have to come behind it. Returns the packet's size, 0 when there is more to come, or an error. */
static int check_packet(const struct ferry_console_decoder *d)
{
    size_t have = d->len - WORD_SIZE;
    size_t whole = d->expected;

    if (have < whole) {
        return 0;
    }

    bool good = ferry_crc16(0, d->buf + WORD_SIZE, have) == 0;

    if (!(good && have == whole) && word_without_crc(d)) {
        whole += CRC_SIZE;
    }
    if (have < whole) {
        return 0;
    }
    if (have > whole) {
        return FERRY_E_FORMAT;
    }
    return good ? (int)(whole - CRC_SIZE) : FERRY_E_CRC;
}

/* ---- Frames -------------------------------------------------------------------- */

/* Decode the characters of the frame in place, behind its marker. Returns the bytes. */
static int decode_frame(struct ferry_console_decoder *d, size_t end)
{
    uint8_t *chars = d->line + MARKER_SIZE;

    if (d->overlong) {
        return FERRY_E_FORMAT;
    }
    while (end > MARKER_SIZE && (d->line[end - 1] == '\r' || d->line[end - 1] == '\n')) {
        end--;
    }
    return ferry_base64_decode((const char *)chars, end - MARKER_SIZE, chars, end - MARKER_SIZE);
}

/* The frame in line[0 .. end) is whole. Returns as check_packet(). */
static int take_frame(struct ferry_console_decoder *d, size_t end)
{
    bool first = d->line[0] == FIRST_LINE;

    if (!first && d->expected == 0) {
        return d->lost ? 0 : FERRY_E_STATE;
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
    return rc < 0 ? rc : check_packet(d);
}

static void end_frame(struct ferry_console_decoder *d, size_t end,
                      struct ferry_console_event *event)
{
    int size = take_frame(d, end);

    if (size < 0) {
        give_loss(d, size, event);
    } else if (size > 0) {
        give_bytes(event, FERRY_CONSOLE_PACKET, d->buf + WORD_SIZE, (size_t)size);
        d->expected = 0;
    }
}

/* ---- Text ---------------------------------------------------------------------- */

static void end_text(struct ferry_console_decoder *d, size_t end, struct ferry_console_event *event)
{
    /* A line end written LF CR leaves a lone CR in front of a marker: nobody's text. */
    if (end > 1 || (end == 1 && d->line[0] != '\r')) {
        give_bytes(event, FERRY_CONSOLE_TEXT, d->line, end);
    }
}

/* ---- Lines --------------------------------------------------------------------- */

/* The line is full and has no end. A frame is lost, but the last byte may be half of the marker
 * that ends all this, and stays; text is handed out up to such a byte. Returns how much is done
 * with. */
static size_t end_full_line(struct ferry_console_decoder *d, bool frame)
{
    uint8_t last = d->line[sizeof d->line - 1];

    if (!frame) {
        return sizeof d->line - is_half_marker(last);
    }
    d->overlong = true;
    d->line[MARKER_SIZE] = last;
    d->line_len = MARKER_SIZE + 1;
    return 0;
}

/* Put c behind the line. Returns the length of what it completes, without the marker behind that,
 * or 0. */
static size_t add_byte(struct ferry_console_decoder *d, uint8_t c, bool frame)
{
    d->line[d->line_len] = c;
    d->line_len++;
    if (at_marker(d)) {
        return d->line_len - MARKER_SIZE;
    }
    if (c == '\n') {
        return d->line_len;
    }
    return d->line_len == sizeof d->line ? end_full_line(d, frame) : 0;
}

static void take_byte(struct ferry_console_decoder *d, uint8_t c, struct ferry_console_event *event)
{
    forget_done(d);

    bool frame = in_frame(d);

    /* A new packet begins before the old one was whole. This is told with the byte behind the
     * marker, since the text in front of the marker was an event of its own. */
    if (frame && d->line_len == MARKER_SIZE && d->line[0] == FIRST_LINE && d->expected != 0) {
        give_loss(d, FERRY_E_STATE, event);
    }
    d->done = add_byte(d, c, frame);
    if (d->done == 0) {
        return;
    }
    if (frame) {
        end_frame(d, d->done, event);
    } else {
        end_text(d, d->done, event);
    }
}

/* ---- Public -------------------------------------------------------------------- */

void ferry_console_decoder_init(struct ferry_console_decoder *decoder, uint8_t *buf, size_t cap)
{
    memset(decoder, 0, sizeof *decoder);
    decoder->buf = buf;
    decoder->cap = cap;
}

size_t ferry_console_feed(struct ferry_console_decoder *decoder, const uint8_t *data, size_t len,
                          struct ferry_console_event *event)
{
    size_t taken = 0;

    *event = (struct ferry_console_event){.kind = FERRY_CONSOLE_NOTHING};
    while (taken < len && event->kind == FERRY_CONSOLE_NOTHING) {
        take_byte(decoder, data[taken], event);
        taken++;
    }
    return taken;
}

bool ferry_console_give_up(struct ferry_console_decoder *decoder, struct ferry_console_event *event)
{
    *event = (struct ferry_console_event){.kind = FERRY_CONSOLE_NOTHING};
    forget_done(decoder);
    if (!in_frame(decoder)) {
        return false;
    }

    bool told = decoder->lost && decoder->line[0] == NEXT_LINE;

    decoder->done = decoder->line_len;
    if (!told) {
        give_loss(decoder, FERRY_E_TIMEOUT, event);
    }
    return !told;
}

bool ferry_console_flush(struct ferry_console_decoder *decoder, struct ferry_console_event *event)
{
    *event = (struct ferry_console_event){.kind = FERRY_CONSOLE_NOTHING};
    forget_done(decoder);
    if (in_frame(decoder) || decoder->line_len == 0) {
        return false;
    }

    size_t len = decoder->line_len - is_half_marker(decoder->line[decoder->line_len - 1]);

    if (len == 0) {
        return false;
    }
    give_bytes(event, FERRY_CONSOLE_TEXT, decoder->line, len);
    decoder->done = len;
    return true;
}
