/* SPDX-License-Identifier: Apache-2.0 */
#include "speed.h"

#include <stdio.h>

static double kib(uint32_t bytes_per_second)
{
    return bytes_per_second / 1024.0;
}

/* One at a time: whose choice that was, and what two would give. */
static void tell_alone(const struct session *session, const struct ferry_upload_figures *figures)
{
    uint32_t count = session->params.buf_count;
    const char *more = "two";

    if (session_link(session) == FERRY_LINK_RAW) {
        fprintf(stderr, "limited by the turnaround of %u ms: bare packets go one at a time",
                (unsigned)figures->wait_ms);
        return;
    }
    if (count > 2) {
        fputs("limited by --window 1", stderr);
    } else if (count == 2) {
        fprintf(stderr, "limited by the device's 2 buffers of %u bytes, one of them for the answer",
                (unsigned)session->params.buf_size);
        more = "three";
    } else if (count == 1) {
        fprintf(stderr, "limited by the device's one buffer of %u bytes",
                (unsigned)session->params.buf_size);
    } else {
        fprintf(stderr,
                "limited by one packet of %u bytes at a time, as the device does not tell its "
                "buffers",
                (unsigned)figures->packet);
    }
    if (figures->two_bytes_per_second > 0) {
        fprintf(stderr, "; %s would give about %.1f KiB/s", more,
                kib(figures->two_bytes_per_second));
    }
}

/* Without a loss packets are sent again where the device, or its port, was away. */
static void tell_losses(const struct ferry_upload_figures *figures)
{
    const char *again = figures->resent == 1 ? "packet" : "packets";

    if (figures->losses == 0) {
        fprintf(stderr, "interrupted: %u %s sent again", (unsigned)figures->resent, again);
        return;
    }
    fprintf(stderr, "limited by lost packets: %u %s, %u %s sent again", (unsigned)figures->losses,
            figures->losses == 1 ? "loss" : "losses", (unsigned)figures->resent, again);
}

static void tell_limit(const struct session *session, const struct ferry_upload_figures *figures)
{
    switch (figures->limit) {
    case FERRY_LIMIT_NONE:
        return;
    case FERRY_LIMIT_LINE:
        fputs("limited by the line", stderr);
        return;
    case FERRY_LIMIT_BUFFERS:
        tell_alone(session, figures);
        return;
    case FERRY_LIMIT_TURNAROUND:
        fprintf(stderr, "limited by the round trip of %u ms, with %u packets on the way",
                (unsigned)figures->round_trip_ms, (unsigned)figures->window);
        return;
    case FERRY_LIMIT_FLASH:
        fprintf(stderr, "limited by the device: %.1f ms for each %u bytes (its flash, as a rule)",
                figures->chunk * 1000.0 / figures->bytes_per_second, (unsigned)figures->chunk);
        return;
    case FERRY_LIMIT_RADIO:
        fprintf(stderr,
                "limited by the radio, or the device: %.1f ms for each %u bytes (the connection "
                "interval, as a rule)",
                figures->chunk * 1000.0 / figures->bytes_per_second, (unsigned)figures->chunk);
        return;
    case FERRY_LIMIT_LOSS:
        tell_losses(figures);
        return;
    case FERRY_LIMIT_DEAF:
        fputs("limited by the device, which loses what comes while it writes its flash: one packet "
              "at a time",
              stderr);
        return;
    }
}

void speed_tell(const struct session *session, const struct ferry_upload *upload)
{
    struct ferry_upload_figures figures;

    ferry_upload_figures(upload, &figures);
    if (session->cli->json || figures.bytes == 0) {
        return;
    }
    fprintf(stderr, "done: %u bytes in %.1f s", (unsigned)figures.bytes, figures.ms / 1000.0);
    if (figures.erase_ms >= 200 && figures.erase_ms > figures.ms / 20) {
        fprintf(stderr, " (%.1f s until the first chunk was stored)", figures.erase_ms / 1000.0);
    }
    if (figures.bytes_per_second > 0) {
        fprintf(stderr, ", %.2f KiB/s", kib(figures.bytes_per_second));
    }
    if (figures.line_bytes_per_second > 0 && figures.limit != FERRY_LIMIT_NONE) {
        fprintf(stderr, " = %u %% of what %u baud carry (framing included: %u %%)",
                (unsigned)(figures.line_share + 5) / 10,
                (unsigned)figures.line_bytes_per_second * 10,
                (unsigned)(figures.line_use + 5) / 10);
    }
    if (figures.limit != FERRY_LIMIT_NONE) {
        fputs("; ", stderr);
        tell_limit(session, &figures);
    }
    fputc('\n', stderr);
}

void speed_add(cJSON *object, const struct ferry_upload *upload)
{
    struct ferry_upload_figures figures;
    cJSON *speed = cJSON_AddObjectToObject(object, "speed");

    ferry_upload_figures(upload, &figures);
    cJSON_AddNumberToObject(speed, "bytes", figures.bytes);
    cJSON_AddNumberToObject(speed, "ms", figures.ms);
    cJSON_AddNumberToObject(speed, "erase_ms", figures.erase_ms);
    cJSON_AddNumberToObject(speed, "bytes_per_second", figures.bytes_per_second);
    if (figures.line_bytes_per_second > 0) {
        cJSON_AddNumberToObject(speed, "line_bytes_per_second", figures.line_bytes_per_second);
        cJSON_AddNumberToObject(speed, "line_share", figures.line_share / 1000.0);
        cJSON_AddNumberToObject(speed, "line_use", figures.line_use / 1000.0);
    }
    cJSON_AddNumberToObject(speed, "packet", figures.packet);
    cJSON_AddNumberToObject(speed, "window", figures.window);
    cJSON_AddNumberToObject(speed, "window_max", figures.window_max);
    cJSON_AddNumberToObject(speed, "round_trip_ms", figures.round_trip_ms);
    cJSON_AddNumberToObject(speed, "losses", figures.losses);
    cJSON_AddNumberToObject(speed, "resent", figures.resent);
    if (figures.two_bytes_per_second > 0) {
        cJSON_AddNumberToObject(speed, "two_buffers_bytes_per_second",
                                figures.two_bytes_per_second);
    }
    cJSON_AddStringToObject(speed, "limit", ferry_upload_limit_name(figures.limit));
}
