/* SPDX-License-Identifier: Apache-2.0 */
/* What an upload was limited by, from what was counted. */
#include "core/client/upload.h"

#include "ferry/console.h"

#include <string.h>

/* A line that sent for this share of the time was full; per mille. */
#define FULL 950

/* One that carried more than it can is faster than told: USB, a pseudo terminal. */
#define IMPOSSIBLE 1050

/* What losses cost, to be named before anything else; per mille of the time. */
#define LOSS_COUNTS 50

/* Chunks below which nothing can be said. */
#define CHUNKS_MIN 8

/* Bytes on the wire of an answer to a chunk, and of a small command with its answer. */
#define ANSWER_WIRE 37
#define SMALL_WIRE  80

/* Of a very large packet on a console: three bytes are four, 124 are 127. Per mille. */
#define CONSOLE_BEST 732

const char *ferry_upload_limit_name(enum ferry_upload_limit limit)
{
    static const char *const names[] = {"",      "line", "buffers", "turnaround",
                                        "flash", "loss", "deaf",    "radio"};

    return names[limit];
}

/* a * b / c, with 0 for a division by 0. */
static uint32_t scale(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t value = c == 0 ? 0 : a * b / c;

    return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

/* What the rest of the figures is made of, of the time after the first chunk. */
struct parts {
    uint32_t ms;       /* the time */
    uint32_t needed;   /* chunks */
    uint32_t us;       /* the time for each of them */
    uint32_t chunk_us; /* what a full one needs on the line, and its answer; 0 = not known */
    uint32_t answer_us;
    uint32_t far_us; /* what a small command needs beside its bytes */
    uint32_t lost;   /* per mille of the time */
};

static void measure_line(const struct ferry_upload *upload, uint32_t ms,
                         struct ferry_upload_figures *figures)
{
    const struct ferry_upload_count *count = &upload->count;
    uint32_t rate = upload->config.client->config.bytes_per_second;
    bool console = upload->config.link == FERRY_LINK_CONSOLE;
    uint32_t again = upload->config.client->stats.retransmitted - count->retransmitted;
    uint64_t bytes = count->wire_bytes + (uint64_t)again * figures->packet;

    figures->line_use = scale(bytes * 1000, 1000, (uint64_t)rate * ms);
    if (rate == 0 || figures->line_use > IMPOSSIBLE) {
        figures->line_use = 0;
        return;
    }
    figures->line_use = ferry_min32(figures->line_use, 1000);
    figures->line_bytes_per_second = rate;
    figures->line_share =
        scale(figures->bytes_per_second, 1000, scale(rate, console ? CONSOLE_BEST : 1000, 1000));
}

static void take_apart(const struct ferry_upload *upload,
                       const struct ferry_upload_figures *figures, struct parts *parts)
{
    const struct ferry_upload_count *count = &upload->count;
    uint32_t rate = figures->line_bytes_per_second;
    bool console = upload->config.link == FERRY_LINK_CONSOLE;
    size_t wire = console ? ferry_console_wire_size(figures->packet) : figures->packet;
    uint32_t least_us = upload->config.client->trip.least * 1000;
    uint32_t small_us = scale(SMALL_WIRE, 1000000, rate);

    parts->us = scale(parts->ms, 1000, parts->needed);
    parts->chunk_us = scale(wire, 1000000, rate);
    parts->answer_us = scale(ANSWER_WIRE, 1000000, rate);
    parts->far_us = least_us > small_us ? least_us - small_us : 0;
    parts->lost = scale(count->lost_ms + scale(count->again, parts->us, 1000), 1000, parts->ms);
}

/* One at a time. Two overlap the line with the device's own work; what is only way, overlaps, too.
 */
static enum ferry_upload_limit limit_alone(const struct parts *parts,
                                           struct ferry_upload_figures *figures)
{
    uint32_t line_us = parts->chunk_us + parts->answer_us;
    uint32_t wait_us = parts->us > line_us ? parts->us - line_us : 0;
    uint32_t work_us = wait_us > parts->far_us ? wait_us - parts->far_us : 0;
    uint32_t two_us = ferry_max32(ferry_max32(parts->chunk_us, work_us), parts->us / 2);

    figures->wait_ms = (wait_us + 500) / 1000;
    figures->two_bytes_per_second = scale(figures->chunk, 1000000, two_us);
    return two_us >= parts->us / 20 * 19 ? FERRY_LIMIT_FLASH : FERRY_LIMIT_BUFFERS;
}

/* Several: the time from one to the next is the device's, unless most of the round trip is way. */
static enum ferry_upload_limit limit_together(const struct parts *parts,
                                              const struct ferry_upload_figures *figures)
{
    uint64_t trip_us = (uint64_t)figures->round_trip_ms * 1000;

    return (parts->far_us + (uint64_t)parts->chunk_us) * 2 >= trip_us ? FERRY_LIMIT_TURNAROUND
                                                                      : FERRY_LIMIT_FLASH;
}

static enum ferry_upload_limit find_limit(const struct ferry_upload *upload,
                                          const struct parts *parts,
                                          struct ferry_upload_figures *figures)
{
    bool alone = figures->window == 1;

    if (parts->needed < CHUNKS_MIN || parts->ms == 0) {
        return FERRY_LIMIT_NONE;
    }
    if (alone && figures->window_max > 1 && upload->window.failed > 1) {
        (void)limit_alone(parts, figures);
        figures->two_bytes_per_second = 0;
        return FERRY_LIMIT_DEAF;
    }
    if (parts->lost >= LOSS_COUNTS) {
        return FERRY_LIMIT_LOSS;
    }
    if (figures->line_use >= FULL) {
        return FERRY_LIMIT_LINE;
    }
    if (upload->config.link == FERRY_LINK_BLE) {
        return alone ? FERRY_LIMIT_BUFFERS : FERRY_LIMIT_RADIO;
    }
    return alone ? limit_alone(parts, figures) : limit_together(parts, figures);
}

void ferry_upload_figures(const struct ferry_upload *upload, struct ferry_upload_figures *figures)
{
    const struct ferry_upload_count *count = &upload->count;
    const struct ferry_client *client = upload->config.client;
    uint64_t first_at = count->answered ? count->first_at : count->now;
    uint32_t rest = upload->acked > count->first_end ? upload->acked - count->first_end : 0;
    struct parts parts = {.ms = (uint32_t)(count->now - first_at)};

    memset(figures, 0, sizeof *figures);
    figures->bytes = upload->acked - count->resumed_at;
    figures->ms = (uint32_t)(count->now - count->begin_at);
    figures->erase_ms = (uint32_t)(first_at - count->begin_at);
    figures->chunk = count->chunk;
    figures->packet = count->packet;
    figures->window = upload->window.size;
    figures->window_max = upload->window.limit;
    figures->round_trip_ms = ferry_client_rtt_ms(client);
    figures->losses = count->losses;
    figures->bytes_per_second = scale(rest, 1000, parts.ms);
    parts.needed = count->chunk == 0 ? 0 : (rest + count->chunk - 1) / count->chunk;
    figures->resent = client->stats.retransmitted - count->retransmitted + count->again;
    measure_line(upload, parts.ms, figures);
    take_apart(upload, figures, &parts);
    figures->limit = find_limit(upload, &parts, figures);
}
