/* SPDX-License-Identifier: Apache-2.0 */
/* A byte stream for the tests of the console: built piece by piece, then fed to a decoder whole,
 * byte by byte and in random pieces; what comes out is compared in words. */
#ifndef CONSOLE_STREAM_H
#define CONSOLE_STREAM_H

#include "ferry/console.h"

#define STREAM_MAX (1 << 17)
#define STREAM_CAP 2048 /* the decoder's buffer, unless a test says otherwise */

/* The stream; tests may damage it. It is empty again after stream_expect(). */
struct stream {
    size_t len;
    uint8_t data[STREAM_MAX];
};

extern struct stream stream_wire;

/* A number of a fixed sequence, 0 .. below - 1. */
uint32_t stream_random(uint32_t below);

/* The packet of this length that all streams carry; from 8 bytes on its header tells the truth. */
void stream_make_packet(uint8_t *packet, size_t len);

/* Append bytes; a text; the line of a frame without its line end. */
void stream_add(const void *data, size_t len);
void stream_text(const char *chars);
void stream_frame(bool first, const uint8_t *body, size_t len);

/* Append a packet as ferry_console_encode() sends it, cut at 124; or only its lines from .. to - 1
 * (counted from 0). */
void stream_packet(size_t len);
void stream_lines(size_t len, enum ferry_console_cut cut, size_t from, size_t to);

/* Append a packet with any length word and any error in its CRC (0: none), in lines of share
 * body bytes that are padded each for itself. */
void stream_body(size_t len, size_t word, uint16_t crc_error, size_t share);

/* The stream gives these events, however it is split, in a buffer of cap bytes:
 * "T:text " (blank '_', line feed '$', other controls in hex), "P:length ", "D:error ". */
void stream_expect(const char *events);
void stream_expect_in(size_t cap, const char *events);

/* The events of the stream, which stays; valid until the next call of any of these. */
const char *stream_events(size_t cap);

#endif
