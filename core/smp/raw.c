/* SPDX-License-Identifier: Apache-2.0 */
/* Bare packets are found in the bytes of a serial line.  [smp.md §2.2]
 *
 * The buffer holds one packet from its first byte on. Its header is judged as soon as the bytes
 * that decide are there, so that noise is not collected. */
#include "ferry/raw.h"
#include "ferry/smp.h"

#include <string.h>

#define LENGTH_END 4 /* the header's length is there */
#define OP_MASK    0x07

static void give_loss(struct ferry_raw_decoder *d, int error, struct ferry_raw_event *event)
{
    event->kind = FERRY_RAW_DROPPED;
    event->error = error;
    d->len = 0;
}

/* The beginning of the next packet cannot be known: silence alone finds it. */
static void lose_track(struct ferry_raw_decoder *d, int error, struct ferry_raw_event *event)
{
    give_loss(d, error, event);
    d->lost = d->timeout_ms != 0;
}

/* What is passed over ends with a shorter silence than a packet that was begun: a client that was
 * not answered may send again sooner than that. */
static bool was_silent(const struct ferry_raw_decoder *d, uint64_t now_ms)
{
    uint32_t silence = d->lost ? ferry_min32(d->timeout_ms, FERRY_RAW_QUIET_MS) : d->timeout_ms;

    return silence != 0 && now_ms >= d->heard_ms && now_ms - d->heard_ms >= silence;
}

/* Size of the packet in the buffer. Returns 0 while its header does not tell. */
static size_t announced(const struct ferry_raw_decoder *d)
{
    return d->len < LENGTH_END ? 0 : FERRY_SMP_HEADER_SIZE + (size_t)ferry_load_be16(d->buf + 2);
}

static int judge_header(const struct ferry_raw_decoder *d)
{
    if ((d->buf[0] & OP_MASK) > FERRY_SMP_WRITE_RSP) {
        return FERRY_E_FORMAT;
    }
    return announced(d) > d->cap ? FERRY_E_SPACE : FERRY_OK;
}

/* Take what belongs to the packet: first what tells its size, then the rest. Returns the bytes. */
static size_t take_part(struct ferry_raw_decoder *d, const uint8_t *data, size_t len,
                        struct ferry_raw_event *event)
{
    size_t end = d->len == 0 ? 1 : d->len < LENGTH_END ? LENGTH_END : announced(d);
    size_t taken = end - d->len < len ? end - d->len : len;

    memcpy(d->buf + d->len, data, taken);
    d->len += taken;

    int error = judge_header(d);

    if (error != FERRY_OK) {
        lose_track(d, error, event);
    } else if (d->len == announced(d)) {
        event->kind = FERRY_RAW_PACKET;
        event->bytes = (struct ferry_bytes){d->buf, d->len};
        d->len = 0;
    }
    return taken;
}

void ferry_raw_decoder_init(struct ferry_raw_decoder *decoder, uint8_t *buf, size_t cap,
                            uint32_t timeout_ms)
{
    *decoder = (struct ferry_raw_decoder){.buf = buf, .cap = cap, .timeout_ms = timeout_ms};
}

size_t ferry_raw_feed(struct ferry_raw_decoder *decoder, uint64_t now_ms, const uint8_t *data,
                      size_t len, struct ferry_raw_event *event)
{
    size_t taken = 0;

    *event = (struct ferry_raw_event){.kind = FERRY_RAW_NOTHING};
    if (len == 0 || decoder->cap < FERRY_SMP_HEADER_SIZE) {
        return len;
    }
    if (ferry_raw_expire(decoder, now_ms, event)) {
        /* The loss is told with the first byte of what comes now; if that is no header it is lost
         * too, and this event has told it. */
        struct ferry_raw_event other;

        decoder->heard_ms = now_ms;
        return take_part(decoder, data, 1, &other);
    }
    decoder->heard_ms = now_ms;
    if (decoder->lost) {
        return len;
    }
    while (taken < len && event->kind == FERRY_RAW_NOTHING) {
        taken += take_part(decoder, data + taken, len - taken, event);
    }
    return taken;
}

bool ferry_raw_expire(struct ferry_raw_decoder *decoder, uint64_t now_ms,
                      struct ferry_raw_event *event)
{
    *event = (struct ferry_raw_event){.kind = FERRY_RAW_NOTHING};
    if (!was_silent(decoder, now_ms)) {
        return false;
    }
    decoder->lost = false;
    if (decoder->len == 0) {
        return false;
    }
    give_loss(decoder, FERRY_E_TIMEOUT, event);
    return true;
}

uint64_t ferry_raw_deadline(const struct ferry_raw_decoder *decoder)
{
    if (decoder->len == 0 || decoder->timeout_ms == 0) {
        return FERRY_RAW_NEVER;
    }
    return decoder->heard_ms + decoder->timeout_ms;
}
