/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a serial wire: bytes go in, frames among them are lost or changed, and each
 * byte comes out when it has arrived. Times are nanoseconds of a monotonic clock. */
#ifndef DEVICE_LINE_H
#define DEVICE_LINE_H

#include "port/posix/pace.h"

#include <stdbool.h>

/* Bytes on their way at once. */
#define LINE_CAP 65536

/* Longest line looked at as one: a console line is 127 bytes at most. */
#define LINE_FRAME_MAX 256

#define LINE_NEVER UINT64_MAX

/* A bare packet of which no byte came for so long is over, ns. */
#define LINE_SILENCE 1000000000U

/* What its frames look like: only a noisy wire asks. */
enum line_framing {
    LINE_CONSOLE, /* lines between text; a packet has one first line */
    LINE_RAW      /* bare packets, their length in the header */
};

struct line {
    struct ferry_pace pace;
    struct ferry_noise noise;
    enum line_framing framing;
    uint64_t frame_began;
    uint64_t heard;    /* when the last byte was put */
    size_t packet_len; /* bare: bytes of the packet, and those that have passed */
    size_t packet_at;
    size_t change_at;                 /* the byte that is changed */
    enum ferry_noise_verdict verdict; /* of the packet whose lines are passing */
    size_t frame_len; /* bytes held until it is known what they are; only on a noisy wire */
    uint8_t frame[LINE_FRAME_MAX];
    size_t head, count;
    uint64_t due[LINE_CAP];
    uint8_t bytes[LINE_CAP];
};

void line_init(struct line *line, enum line_framing framing, const struct ferry_pace *pace,
               const struct ferry_noise *noise);

/* Bytes line_put() takes now. */
size_t line_room(const struct line *line);

/* Put at most line_room() bytes on the wire. */
void line_put(struct line *line, uint64_t now, const uint8_t *data, size_t len);

/* When to call line_take(): as soon as a line is whole, else a millisecond of bytes at once.
 * LINE_NEVER when nothing is on its way. */
uint64_t line_next(const struct line *line);

/* Take what has arrived, at most cap bytes. Returns how many. */
size_t line_take(struct line *line, uint64_t now, uint8_t *out, size_t cap);

/* Whether bytes at data (len 1 or more) begin a console frame (06 09, 04 14): 1 yes, 0 no, -1
 * when the second byte is not there yet and the first one may. */
int line_marker(const uint8_t *data, size_t len);

#endif
