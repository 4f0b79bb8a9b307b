/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in the capture of a console. What is a packet the library's decoder says; here is said
 * where, and of a damaged one what is wrong with it. */
#include "scan.h"
#include "ferry/base64.h"
#include "ferry/console.h"
#include "ferry/crc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MARKER_SIZE 2
#define CHARS_MAX   (FERRY_CONSOLE_LINE_MAX - 3) /* of base64 in a line */

/* The largest packet, its length word and its CRC. */
#define BODY_MAX (UINT16_MAX + 2)

static bool marker_at(struct ferry_bytes bytes, size_t at)
{
    const uint8_t *two = bytes.data + at;

    return at + MARKER_SIZE <= bytes.len &&
           ((two[0] == 0x06 && two[1] == 0x09) || (two[0] == 0x04 && two[1] == 0x14));
}

static bool begins_packet(struct ferry_bytes bytes, size_t at)
{
    return marker_at(bytes, at) && bytes.data[at] == 0x06;
}

static bool is_base64(uint8_t c)
{
    return c < 0x80 && (isalnum(c) || c == '+' || c == '/' || c == '=');
}

bool scan_has_frame(struct ferry_bytes bytes)
{
    for (size_t at = 0; at + MARKER_SIZE + 4 <= bytes.len; at++) {
        if (marker_at(bytes, at) && is_base64(bytes.data[at + 2]) &&
            is_base64(bytes.data[at + 3]) && is_base64(bytes.data[at + 4]) &&
            is_base64(bytes.data[at + 5])) {
            return true;
        }
    }
    return false;
}

/* ---- What is wrong --------------------------------------------------------------------------- */

/* The base64 of one line; data without marker and line end. Returns the bytes, or -1 with why. */
static int decode_line(struct ferry_bytes line, uint8_t *out, size_t cap, char *why, size_t why_cap)
{
    if (line.len > CHARS_MAX) {
        snprintf(why, why_cap, "a line of %zu characters; %d are the most", line.len, CHARS_MAX);
        return -1;
    }
    for (size_t i = 0; i < line.len; i++) {
        if (!is_base64(line.data[i])) {
            snprintf(why, why_cap, "0x%02x is no base64, %zu characters behind the marker",
                     line.data[i], i);
            return -1;
        }
    }
    int len = ferry_base64_decode((const char *)line.data, line.len, out, cap);
    if (len < 0) {
        snprintf(why, why_cap, "%zu characters are no base64 (a multiple of 4, = at the end only)",
                 line.len);
    }
    return len;
}

/* The characters of the frame line whose marker stands at a place. */
static struct ferry_bytes line_of(struct ferry_bytes bytes, size_t at)
{
    size_t end = at + MARKER_SIZE;

    while (end < bytes.len && bytes.data[end] != '\n' && !marker_at(bytes, end)) {
        end++;
    }
    while (end > at + MARKER_SIZE && bytes.data[end - 1] == '\r') {
        end--;
    }
    return (struct ferry_bytes){bytes.data + at + MARKER_SIZE, end - at - MARKER_SIZE};
}

static void judge_body(const uint8_t *body, size_t len, char *why, size_t cap)
{
    size_t word = len >= 2 ? ferry_load_be16(body) : 0;

    if (len < 2 || word <= 2) {
        snprintf(why, cap, "the length word is %zu, which leaves no packet", word);
    } else if (len - 2 < word) {
        snprintf(why, cap, "it is cut off: the length word announces %zu bytes, %zu came", word,
                 len - 2);
    } else if (len - 2 > word) {
        snprintf(why, cap, "the length word announces %zu bytes, %zu came", word, len - 2);
    } else {
        snprintf(why, cap, "bad CRC: 0x%04x was sent, 0x%04x fits the bytes",
                 (unsigned)ferry_load_be16(body + len - 2),
                 (unsigned)ferry_crc16(0, body + 2, len - 4));
    }
}

/* Why the frame in bytes, from its first marker on, is no packet. */
static void diagnose(struct ferry_bytes bytes, char *why, size_t cap)
{
    uint8_t *body = malloc(bytes.len + 1);
    size_t len = 0;
    int got = body != NULL ? 0 : -1;

    snprintf(why, cap, "no memory");
    for (size_t at = 0; got >= 0 && at < bytes.len; at++) {
        if (marker_at(bytes, at)) {
            got = decode_line(line_of(bytes, at), body + len, bytes.len - len, why, cap);
            len += got > 0 ? (size_t)got : 0;
        }
    }
    if (got >= 0) {
        judge_body(body, len, why, cap);
    }
    free(body);
}

/* ---- Reading --------------------------------------------------------------------------------- */

struct reading {
    struct scan *scan;
    struct ferry_bytes all;
    struct ferry_console_decoder decoder;
    bool open;     /* a packet has begun */
    size_t begun;  /* at which byte */
    size_t before; /* and the one before it */
    size_t line;   /* where the last line began that was fed */
};

static void tell_damage(const struct reading *r, size_t from, size_t to)
{
    struct ferry_bytes bytes = {r->all.data + from, to - from};
    char why[160];

    diagnose(bytes, why, sizeof why);
    scan_tell_damage(r->scan, from, bytes, why);
}

/* A packet was lost in the line from .. to. */
static void dropped(struct reading *r, int error, size_t from, size_t to)
{
    struct ferry_bytes line = {r->all.data + from, to - from};

    if (error == FERRY_E_STATE && begins_packet(r->all, from)) { /* what came before it */
        tell_damage(r, r->before, from);
    } else if (error == FERRY_E_STATE) {
        scan_tell_damage(r->scan, from, line,
                         "the beginning of this packet is missing: only a later line is there");
    } else {
        tell_damage(r, r->begun, to);
        r->open = false;
    }
}

/* Feed at .. to, a part of the line that began at from and ends at end. */
static void feed_part(struct reading *r, size_t at, size_t to, size_t from, size_t end)
{
    while (at < to) {
        struct ferry_console_event event;

        at += ferry_console_feed(&r->decoder, r->all.data + at, to - at, &event);
        if (event.kind == FERRY_CONSOLE_PACKET) {
            scan_tell_packets(r->scan, r->begun, event.bytes);
            r->open = false;
        } else if (event.kind == FERRY_CONSOLE_TEXT) {
            size_t text_end = at < end ? at : end;

            scan_tell_text(r->scan, text_end > event.bytes.len ? text_end - event.bytes.len : 0,
                           event.bytes);
        } else if (event.kind == FERRY_CONSOLE_DROPPED) {
            dropped(r, event.error, from, end);
        }
    }
}

/* Feed the line from .. to, which holds one marker at most, at its beginning. A marker also ends
 * the line before, where that has no line feed. */
static void feed(struct reading *r, size_t from, size_t to)
{
    size_t behind = marker_at(r->all, from) ? from + MARKER_SIZE : from;

    feed_part(r, from, behind, r->line, from);
    if (begins_packet(r->all, from)) {
        r->before = r->begun;
        r->begun = from;
        r->open = true;
    }
    feed_part(r, behind, to, from, to);
    r->line = from;
}

/* Behind the line feed, or in front of the next marker. */
static size_t next_cut(struct ferry_bytes bytes, size_t from)
{
    size_t at = from;

    do {
        at++;
    } while (at < bytes.len && bytes.data[at - 1] != '\n' && !marker_at(bytes, at));
    return at;
}

/* A capture may end without a line feed, and inside a packet. */
static void finish(struct reading *r)
{
    struct ferry_console_event event;

    if (marker_at(r->all, r->line) && r->all.data[r->all.len - 1] != '\n') {
        (void)ferry_console_feed(&r->decoder, (const uint8_t *)"\n", 1, &event);
        if (event.kind == FERRY_CONSOLE_PACKET) {
            scan_tell_packets(r->scan, r->begun, event.bytes);
            r->open = false;
        } else if (event.kind == FERRY_CONSOLE_DROPPED) {
            dropped(r, event.error, r->line, r->all.len);
        }
    }
    if (ferry_console_flush(&r->decoder, &event)) {
        scan_tell_text(r->scan, r->all.len - event.bytes.len, event.bytes);
    }
    if (r->open) {
        tell_damage(r, r->begun, r->all.len);
    }
}

void scan_console(struct scan *scan, struct ferry_bytes bytes)
{
    struct reading reading = {.scan = scan, .all = bytes};
    uint8_t *body = malloc(BODY_MAX);

    if (body == NULL || bytes.len == 0) {
        free(body);
        return;
    }
    ferry_console_decoder_init(&reading.decoder, body, BODY_MAX);
    for (size_t from = 0; from < bytes.len;) {
        size_t to = next_cut(bytes, from);

        feed(&reading, from, to);
        from = to;
    }
    finish(&reading);
    free(body);
}
