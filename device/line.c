/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a serial wire. */
#include "line.h"

#include <string.h>

/* Bytes are handed on a millisecond at a time, when no line feed comes first. */
#define BATCH_NS 1000000U

/* The beginning of a bare packet, which tells its length. */
#define HEADER_SIZE 8
#define LENGTH_END  4
#define OP_MASK     0x07
#define OP_MAX      3

void line_init(struct line *line, enum line_framing framing, const struct ferry_pace *pace,
               const struct ferry_noise *noise)
{
    line->pace = *pace;
    line->noise = *noise;
    line->framing = framing;
    line->frame_began = 0;
    line->heard = 0;
    line->packet_len = 0;
    line->packet_at = 0;
    line->change_at = SIZE_MAX;
    line->frame_len = 0;
    line->verdict = FERRY_NOISE_KEPT;
    line->head = 0;
    line->count = 0;
}

size_t line_room(const struct line *line)
{
    size_t used = line->count + LINE_FRAME_MAX;

    return used < LINE_CAP ? LINE_CAP - used : 0;
}

int line_marker(const uint8_t *data, size_t len)
{
    if (data[0] != 0x06 && data[0] != 0x04) {
        return 0;
    }
    if (len < 2) {
        return -1;
    }
    return data[1] == (data[0] == 0x06 ? 0x09 : 0x14);
}

static void queue(struct line *line, uint64_t now, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        size_t at = (line->head + line->count) % LINE_CAP;
        line->bytes[at] = data[i];
        line->due[at] = ferry_pace_send(&line->pace, now, 1);
        line->count++;
    }
}

/* What becomes of a packet is decided with its first line (06 09) and holds for the lines that
 * continue it (04 14). A changed one has its one other byte in the first line. */
static enum ferry_noise_verdict judge(struct line *line)
{
    if (line->frame[0] == 0x06) {
        line->verdict = ferry_noise_judge(&line->noise);
    } else if (line->verdict == FERRY_NOISE_CHANGED) {
        line->verdict = FERRY_NOISE_KEPT;
    }
    return line->verdict;
}

/* A line of a frame is whole: what becomes of it? A lost one has taken its time, too. */
static void end_line(struct line *line)
{
    switch (judge(line)) {
    case FERRY_NOISE_LOST:
        (void)ferry_pace_send(&line->pace, line->frame_began, line->frame_len);
        break;
    case FERRY_NOISE_CHANGED:
        ferry_noise_change(&line->noise, line->frame, line->frame_len);
        queue(line, line->frame_began, line->frame, line->frame_len);
        break;
    case FERRY_NOISE_KEPT:
        queue(line, line->frame_began, line->frame, line->frame_len);
        break;
    }
    line->frame_len = 0;
}

/* Hold a byte that may belong to a frame; let it go when it does not. */
static void put_noisy(struct line *line, uint64_t now, uint8_t byte)
{
    if (line->frame_len == 0) {
        line->frame_began = now;
    }
    line->frame[line->frame_len++] = byte;
    if (line_marker(line->frame, line->frame_len) == 0) {
        /* The second byte may begin a frame itself. */
        uint8_t last = line->frame[line->frame_len - 1];
        bool again = line->frame_len == 2 && line_marker(&last, 1) != 0;
        queue(line, line->frame_began, line->frame, line->frame_len - again);
        line->frame[0] = last;
        line->frame_len = again;
        line->frame_began = now;
        return;
    }
    if (byte == '\n' || line->frame_len == LINE_FRAME_MAX) {
        end_line(line);
    }
}

/* ---- Bare packets -------------------------------------------------------------------------- */

/* A byte of a packet whose fate is decided. A lost one takes its time, too. */
static void pass_on(struct line *line, uint64_t now, uint8_t byte)
{
    if (line->packet_at == line->change_at) {
        ferry_noise_change(&line->noise, &byte, 1);
    }
    if (line->verdict == FERRY_NOISE_LOST) {
        (void)ferry_pace_send(&line->pace, now, 1);
    } else {
        queue(line, now, &byte, 1);
    }
    line->packet_at++;
    if (line->packet_at == line->packet_len) {
        line->packet_len = 0;
    }
}

/* The length is there: what becomes of the packet? */
static void begin_bare(struct line *line, uint64_t now)
{
    line->packet_len = HEADER_SIZE + (size_t)(line->frame[2] << 8 | line->frame[3]);
    line->packet_at = 0;
    line->verdict = ferry_noise_judge(&line->noise);
    line->change_at = line->verdict == FERRY_NOISE_CHANGED
                          ? ferry_noise_place(&line->noise, line->packet_len)
                          : SIZE_MAX;
    line->frame_len = 0;
    for (size_t i = 0; i < LENGTH_END; i++) {
        pass_on(line, now, line->frame[i]);
    }
}

static void put_bare(struct line *line, uint64_t now, uint8_t byte)
{
    if (line->packet_len > 0) {
        pass_on(line, now, byte);
        return;
    }
    line->frame[line->frame_len++] = byte;
    if ((line->frame[0] & OP_MASK) > OP_MAX) {
        queue(line, now, line->frame, line->frame_len);
        line->frame_len = 0;
    } else if (line->frame_len == LENGTH_END) {
        begin_bare(line, now);
    }
}

/* Whoever sent half a packet and went is followed by a new one. */
static void look_for_silence(struct line *line, uint64_t now)
{
    if (now - line->heard >= LINE_SILENCE) {
        queue(line, now, line->frame, line->frame_len);
        line->frame_len = 0;
        line->packet_len = 0;
    }
}

void line_put(struct line *line, uint64_t now, const uint8_t *data, size_t len)
{
    if (line->noise.loss == 0 && line->noise.corrupt == 0) {
        queue(line, now, data, len);
        return;
    }
    if (line->framing == LINE_RAW) {
        look_for_silence(line, now);
    }
    line->heard = now;
    for (size_t i = 0; i < len; i++) {
        if (line->framing == LINE_RAW) {
            put_bare(line, now, data[i]);
        } else {
            put_noisy(line, now, data[i]);
        }
    }
}

uint64_t line_next(const struct line *line)
{
    if (line->count == 0) {
        return LINE_NEVER;
    }
    uint64_t limit = line->due[line->head] + BATCH_NS;
    uint64_t last = line->due[line->head];
    for (size_t i = 0; i < line->count; i++) {
        size_t at = (line->head + i) % LINE_CAP;
        if (line->due[at] > limit) {
            return limit;
        }
        last = line->due[at];
        if (line->bytes[at] == '\n') {
            return last;
        }
    }
    return last;
}

size_t line_take(struct line *line, uint64_t now, uint8_t *out, size_t cap)
{
    size_t taken = 0;

    while (taken < cap && line->count > 0 && line->due[line->head] <= now) {
        out[taken++] = line->bytes[line->head];
        line->head = (line->head + 1) % LINE_CAP;
        line->count--;
    }
    return taken;
}
