/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: bytes from a serial line become bare packets. Input: byte 0 chooses the size of the
 * buffer, byte 1 the timeout (0: none), then pieces of what came over the line: how long it was
 * silent before, how many bytes there are, and they.
 *
 * Whatever the bytes are:
 *   1. ferry_raw_feed() takes at least one byte, never more than it was given, and takes all of
 * them when nothing is complete.
 *   2. A packet lies in the buffer, and is the last bytes that were fed: none is left out, none
 * comes from elsewhere. Its header announces it, to the byte, and has an operation that there is.
 *   3. A loss has one of the three documented errors, every other event has none.
 *   4. After a header that cannot be, no packet is found and no loss told before the line was
 * silent.
 *   5. The deadline is there while a packet is begun and no longer; it is told once, not before.
 *   6. Behind any bytes, silence and a good packet, that packet is found. */
#include "check.h"

#include "ferry/raw.h"
#include "ferry/smp.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAP_MAX    600
#define STREAM_MAX 8192

struct line {
    struct ferry_raw_decoder decoder;
    uint8_t *buf;
    size_t cap;
    uint32_t timeout_ms;
    uint64_t now;
    uint64_t heard;
    bool lost; /* by a header; until the line was silent */
    size_t fed;
    size_t packets;
    uint8_t stream[STREAM_MAX + FERRY_SMP_HEADER_SIZE];
};

static void check_packet(struct line *line, struct ferry_bytes packet)
{
    struct ferry_smp_header header;

    CHECK(packet.data == line->buf && packet.len <= line->cap);
    CHECK(packet.len <= line->fed);
    CHECK(memcmp(packet.data, line->stream + line->fed - packet.len, packet.len) == 0);
    CHECK(ferry_smp_header_read(packet, &header) == FERRY_OK);
    CHECK(packet.len == FERRY_SMP_HEADER_SIZE + (size_t)header.length);
    CHECK(header.op <= FERRY_SMP_WRITE_RSP);
    line->packets++;
}

static void check_event(struct line *line, const struct ferry_raw_event *event)
{
    switch (event->kind) {
    case FERRY_RAW_NOTHING:
        CHECK(event->error == FERRY_OK);
        break;
    case FERRY_RAW_PACKET:
        CHECK(event->error == FERRY_OK && !line->lost);
        check_packet(line, event->bytes);
        break;
    case FERRY_RAW_DROPPED:
        CHECK(!line->lost);
        CHECK(event->error == FERRY_E_FORMAT || event->error == FERRY_E_SPACE ||
              event->error == FERRY_E_TIMEOUT);
        line->lost = event->error != FERRY_E_TIMEOUT && line->timeout_ms != 0;
        break;
    default:
        CHECK(false);
    }
}

static void feed(struct line *line, const uint8_t *data, size_t len)
{
    struct ferry_raw_event event;

    if (line->timeout_ms != 0 &&
        line->now - line->heard >= ferry_min32(line->timeout_ms, FERRY_RAW_QUIET_MS)) {
        line->lost = false;
    }
    while (len > 0) {
        /* A copy of its own size, so that the sanitizer sees reads beyond it. */
        uint8_t *copy = malloc(len);

        CHECK(copy != NULL);
        memcpy(copy, data, len);
        size_t taken = ferry_raw_feed(&line->decoder, line->now, copy, len, &event);
        free(copy);
        CHECK(taken > 0 && taken <= len);
        CHECK(taken == len || event.kind != FERRY_RAW_NOTHING);
        memcpy(line->stream + line->fed, data, taken);
        line->fed += taken;
        line->heard = line->now;
        check_event(line, &event);
        data += taken;
        len -= taken;
    }
}

static void pass_time(struct line *line, uint64_t ms, bool ask)
{
    uint64_t deadline = ferry_raw_deadline(&line->decoder);
    struct ferry_raw_event event;

    CHECK(deadline == FERRY_RAW_NEVER || deadline == line->heard + line->timeout_ms);
    line->now += ms;
    if (!ask) {
        return;
    }
    bool told = ferry_raw_expire(&line->decoder, line->now, &event);

    CHECK(told == (line->now >= deadline));
    CHECK(told == (event.kind == FERRY_RAW_DROPPED && event.error == FERRY_E_TIMEOUT));
    CHECK(!ferry_raw_expire(&line->decoder, line->now, &event));
    CHECK(!told || ferry_raw_deadline(&line->decoder) == FERRY_RAW_NEVER);
}

/* With no timeout nothing can be found again: half a packet takes what comes. */
static void check_recovery(struct line *line)
{
    const uint8_t packet[FERRY_SMP_HEADER_SIZE] = {2};
    size_t before = line->packets;

    if (line->timeout_ms == 0) {
        return;
    }
    pass_time(line, line->timeout_ms, false);
    feed(line, packet, sizeof(packet));
    CHECK(line->packets == before + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct line line;

    if (size < 2 || size > STREAM_MAX) {
        return 0;
    }
    memset(&line, 0, sizeof(line));
    line.cap = FERRY_SMP_HEADER_SIZE + (size_t)data[0] * 2;
    line.timeout_ms = (uint32_t)data[1] * 16;
    line.buf = malloc(line.cap);
    CHECK(line.buf != NULL && line.cap <= CAP_MAX);
    ferry_raw_decoder_init(&line.decoder, line.buf, line.cap, line.timeout_ms);
    for (size_t pos = 2; size - pos >= 2;) {
        size_t len = data[pos + 1];

        pass_time(&line, (uint64_t)(data[pos] >> 1) * 64, (data[pos] & 1) != 0);
        pos += 2;
        len = len < size - pos ? len : size - pos;
        feed(&line, data + pos, len);
        pos += len;
    }
    check_recovery(&line);
    free(line.buf);
    return 0;
}
