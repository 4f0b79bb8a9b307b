/* SPDX-License-Identifier: Apache-2.0 */
/* A line that comes back to where it began. */
#include "conformance_run.h"

#include "ferry/console.h"

#include <string.h>

/* The largest packet tried: three lines of the framing. */
#define PACKET_MAX (3 * FERRY_CONSOLE_LINE_MAX)

/* What comes in is looked at in pieces. */
#define PIECE 64

/* A packet's bytes tell its size and their place. */
static uint8_t packet_byte(size_t size, size_t at)
{
    return (uint8_t)(size * 31 + at * 7 + (at >> 8));
}

static void fill(uint8_t *packet, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        packet[i] = packet_byte(size, i);
    }
}

/* ---- Bytes as they are ------------------------------------------------------------------ */

/* Throw away what is still on the line. */
static void drain(const struct ferry_conformance_line *line)
{
    uint8_t piece[PIECE];

    while (line->receive(line->context, piece, sizeof piece) > 0) {
    }
}

/* Take the next len bytes, which begin with value and count up. Returns whether they came so. */
static bool take_counted(const struct ferry_conformance_line *line, size_t len, uint8_t value)
{
    uint8_t piece[PIECE];

    while (len > 0) {
        size_t got = line->receive(line->context, piece, len < sizeof piece ? len : sizeof piece);

        if (got == 0) {
            return false;
        }
        for (size_t i = 0; i < got; i++) {
            if (piece[i] != value++) {
                return false;
            }
        }
        len -= got;
    }
    return true;
}

static bool bytes_come_back(const struct ferry_conformance_line *line)
{
    uint8_t piece[PIECE];
    size_t step = line->in_flight < sizeof piece ? line->in_flight : sizeof piece;

    for (size_t at = 0; at < 2 * 256; at += step) {
        for (size_t i = 0; i < step; i++) {
            piece[i] = (uint8_t)(at + i);
        }
        line->send(line->context, piece, step);
        if (!take_counted(line, step, (uint8_t)at)) {
            return false;
        }
    }
    return line->receive(line->context, piece, sizeof piece) == 0;
}

/* ---- Packets ---------------------------------------------------------------------------- */

/* Packets on their way round. */
struct round {
    const struct ferry_conformance_line *line;
    struct ferry_console_decoder decoder;
    uint8_t buffer[PACKET_MAX + FERRY_CONSOLE_OVERHEAD];
    size_t wanted;   /* size of the packet that is to come; 0 = none is */
    uint32_t good;   /* packets as they were sent */
    uint32_t others; /* what was something else */
};

static void begin(struct round *round, const struct ferry_conformance_line *line)
{
    round->line = line;
    round->wanted = 0;
    round->good = 0;
    round->others = 0;
    ferry_console_decoder_init(&round->decoder, round->buffer, sizeof round->buffer);
}

static bool is_as_sent(const struct round *round, const struct ferry_bytes *packet)
{
    if (packet->len != round->wanted) {
        return false;
    }
    for (size_t i = 0; i < packet->len; i++) {
        if (packet->data[i] != packet_byte(packet->len, i)) {
            return false;
        }
    }
    return true;
}

static void look_at(struct round *round, const uint8_t *data, size_t len)
{
    while (len > 0) {
        struct ferry_console_event event;
        size_t taken = ferry_console_feed(&round->decoder, data, len, &event);

        data += taken;
        len -= taken;
        if (event.kind == FERRY_CONSOLE_PACKET && is_as_sent(round, &event.bytes)) {
            round->good++;
        } else if (event.kind != FERRY_CONSOLE_NOTHING) {
            round->others++;
        }
    }
}

/* Send bytes, never more at once than the line keeps, and take as many back. */
static void send(void *context, const uint8_t *data, size_t len)
{
    struct round *round = context;
    const struct ferry_conformance_line *line = round->line;
    uint8_t piece[PIECE];

    while (len > 0) {
        size_t step = len < line->in_flight ? len : line->in_flight;
        size_t back = 0;

        line->send(line->context, data, step);
        while (back < step) {
            size_t got = line->receive(line->context, piece,
                                       step - back < sizeof piece ? step - back : sizeof piece);

            if (got == 0) {
                round->others++;
                return;
            }
            look_at(round, piece, got);
            back += got;
        }
        data += step;
        len -= step;
    }
}

/* Send a packet and take it back. */
static void go_round(struct round *round, size_t size, enum ferry_console_cut cut)
{
    uint8_t packet[PACKET_MAX];

    fill(packet, size);
    round->wanted = size;
    (void)ferry_console_send((struct ferry_bytes){packet, size}, cut, send, round);
}

/* Every size, as long as they come back. */
static bool every_size(const struct ferry_conformance_line *line, enum ferry_console_cut cut)
{
    struct round round;

    begin(&round, line);
    for (size_t size = 1; size <= PACKET_MAX && round.others == 0; size++) {
        go_round(&round, size, cut);
    }
    return round.good == PACKET_MAX && round.others == 0;
}

/* A line that is longer than any may be loses itself alone. */
static bool behind_an_overlong_line(const struct ferry_conformance_line *line)
{
    uint8_t overlong[3 * FERRY_CONSOLE_LINE_MAX];
    struct round round;

    begin(&round, line);
    memset(overlong, 'A', sizeof overlong);
    overlong[0] = 0x06;
    overlong[1] = 0x09;
    overlong[sizeof overlong - 1] = '\n';
    send(&round, overlong, sizeof overlong);
    round.others -= round.others == 1; /* it is told of */
    go_round(&round, 100, FERRY_CONSOLE_CUT_124);
    return round.good == 1 && round.others == 0;
}

/* Two packets and nothing between them, the second begun before the first was looked at. */
static bool back_to_back(const struct ferry_conformance_line *line)
{
    static const uint8_t sizes[] = {1, 8, 40, 80}; /* of one line each */
    uint8_t bytes[2 * FERRY_CONSOLE_LINE_MAX];
    struct ferry_console_encoder encoder;
    struct round round;

    begin(&round, line);
    for (size_t i = 0; i < sizeof sizes; i++) {
        uint8_t packet[FERRY_CONSOLE_LINE_MAX];
        size_t len;

        fill(packet, sizes[i]);
        round.wanted = sizes[i];
        if (ferry_console_encode(&encoder, (struct ferry_bytes){packet, sizes[i]},
                                 FERRY_CONSOLE_CUT_124) != FERRY_OK) {
            return false;
        }
        len = ferry_console_next_line(&encoder, bytes);
        memcpy(bytes + len, bytes, len);
        send(&round, bytes, 2 * len);
    }
    return round.good == 2 * sizeof sizes && round.others == 0;
}

void ferry_conformance_line(struct ferry_conformance *run,
                            const struct ferry_conformance_line *line)
{
    if (line->in_flight == 0) {
        conformance_say(run, "line: bytes can be in flight", "in_flight is 0: it is 1 at least");
        return;
    }
    drain(line);
    conformance_say(run, "line: every byte comes back as it was",
                    bytes_come_back(line)
                        ? NULL
                        : "one is missing, changed or too many: 8 bits, no parity, no flow control "
                          "by characters, no change of CR and LF, no echo");
    drain(line);
    conformance_say(run, "line: packets of 1 to 381 bytes, cut at 124 characters",
                    every_size(line, FERRY_CONSOLE_CUT_124)
                        ? NULL
                        : "one did not come back: is in_flight more than the receiver keeps?");
    drain(line);
    conformance_say(run, "line: packets of 1 to 381 bytes, cut as Zephyr does",
                    every_size(line, FERRY_CONSOLE_CUT_ZEPHYR)
                        ? NULL
                        : "one did not come back: is in_flight more than the receiver keeps?");
    drain(line);
    conformance_say(run, "line: two packets back to back",
                    back_to_back(line) ? NULL
                                       : "one is missing: does receive() drop what is left over?");
    drain(line);
    conformance_say(run, "line: a packet behind a line that is too long",
                    behind_an_overlong_line(line) ? NULL
                                                  : "it did not come back, or bytes of the line "
                                                    "went missing");
}
