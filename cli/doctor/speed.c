/* SPDX-License-Identifier: Apache-2.0 */
/* How fast does it answer, and how fast will an upload be? */
#include "doctor.h"
#include "predict.h"

#include <stdlib.h>

/* Echoes that are timed; their median counts. */
#define ECHOES 10

/* So many may be lost before it is given up. */
#define LOSSES_MAX 4

/* Bytes of the packet of an echo of one letter, there and back. */
#define ECHO_PACKET 13

/* Of a file that was not named. */
#define DEFAULT_SIZE (256u * 1024)

static int by_value(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

/* What both packets need on the line. */
static uint32_t wire_us(const struct ferry_connection_facts *facts)
{
    uint32_t bytes = 2 * predict_wire_bytes(facts->link, ECHO_PACKET);
    return facts->bytes_per_second > 0
               ? (uint32_t)((uint64_t)bytes * 1000000 / facts->bytes_per_second)
               : 0;
}

/* Time echoes, each sent once. Returns how many were answered; lost ones are not timed. */
static size_t time_echoes(struct doctor *doctor, uint32_t took[ECHOES])
{
    struct ferry_client_answer answer;
    size_t answered = 0;

    for (size_t i = 0; i < ECHOES && i - answered < LOSSES_MAX; i++) {
        int error = doctor_echo(doctor, 1, FERRY_CLIENT_ONCE, &answer, &took[answered]);
        answered += error == FERRY_OK || error == FERRY_E_REFUSED;
    }
    qsort(took, answered, sizeof took[0], by_value);
    return answered;
}

/* Keep what was measured. Returns what of it the line took. */
static uint32_t keep_times(struct doctor *doctor, uint32_t median)
{
    struct ferry_connection_facts facts;
    ferry_connection_facts(doctor->session.connection, &facts);
    uint32_t wire = wire_us(&facts);
    /* Quicker than its rate allows: a pseudo terminal, or USB. */
    bool unlimited = wire > median;

    wire = unlimited ? 0 : wire;
    doctor->bytes_per_second = unlimited ? 0 : facts.bytes_per_second;
    doctor->turnaround_us = median - wire;
    doctor->timed = true;
    cJSON_AddNumberToObject(doctor->facts, "turnaround_ms", doctor->turnaround_us / 1000.0);
    return unlimited ? UINT32_MAX : wire;
}

void doctor_turnaround(struct doctor *doctor, struct doctor_finding *finding)
{
    uint32_t took[ECHOES];
    size_t answered = time_echoes(doctor, took);

    if (answered == 0) {
        doctor_fail(finding, CLI_NO_ANSWER, "the device answered before, and fell silent",
                    "look at its power and its log, then ask again",
                    "no echo is answered any more");
        return;
    }
    uint32_t wire = keep_times(doctor, took[answered / 2]);
    bool unlimited = wire == UINT32_MAX && doctor->wire == DOCTOR_TTY;
    if (answered < ECHOES) {
        doctor_warn(finding, "packets are lost on the way, or the device is busy",
                    "check cable, rate, and what else uses this wire",
                    "%.1f ms; only %zu echoes of %zu were answered", doctor->turnaround_us / 1000.0,
                    answered,
                    answered + LOSSES_MAX < ECHOES ? answered + LOSSES_MAX : (size_t)ECHOES);
        return;
    }
    doctor_ok(finding, "%.1f ms (median of %d echoes%s); the slowest took %.1f ms%s",
              doctor->turnaround_us / 1000.0, ECHOES,
              wire > 0 && wire != UINT32_MAX ? ", less their time on the line" : "",
              took[ECHOES - 1] / 1000.0,
              unlimited ? "; quicker than its baud rate, which means nothing here" : "");
}

/* ---- The upload
 * ------------------------------------------------------------------------------------ */

static void name_limit(const struct doctor *doctor, const struct ferry_connection_facts *facts,
                       const struct prediction *found, char *out, size_t cap)
{
    unsigned count = facts->params.buf_count;

    if (found->limit == PREDICT_LINE) {
        snprintf(out, cap, "limited by the line: %u baud", (unsigned)doctor->address.baud);
    } else if (found->limit == PREDICT_TURNAROUND) {
        snprintf(out, cap, "limited by the turnaround of %.1f ms", doctor->turnaround_us / 1000.0);
    } else if (!doctor->has_params) {
        snprintf(out, cap,
                 "limited by packets of %zu bytes, one at a time; 4 buffers of 2048 that "
                 "it tells of would give about %.1f s",
                 doctor->packet_max, found->best_seconds);
    } else {
        snprintf(out, cap,
                 "limited by the device's %s of %u bytes; 4 of 2048 would give about "
                 "%.1f s",
                 count == 1 ? "one buffer" : "buffers", (unsigned)facts->params.buf_size,
                 found->best_seconds);
    }
}

static void add_prediction(struct doctor *doctor, const struct prediction *found, uint32_t size)
{
    static const char *const limits[] = {"line", "buffers", "turnaround"};
    cJSON *object = cJSON_AddObjectToObject(doctor->facts, "upload");

    cJSON_AddNumberToObject(object, "size", size);
    cJSON_AddNumberToObject(object, "seconds", found->seconds);
    cJSON_AddNumberToObject(object, "best_seconds", found->best_seconds);
    cJSON_AddNumberToObject(object, "chunk", found->chunk);
    cJSON_AddNumberToObject(object, "requests", found->requests);
    cJSON_AddStringToObject(object, "limit", limits[found->limit]);
}

void doctor_speed(struct doctor *doctor, struct doctor_finding *finding)
{
    struct ferry_connection_facts facts;
    struct prediction found;
    char limit[200];

    if (!doctor->timed) {
        doctor_skip(finding, "the turnaround is not known");
        return;
    }
    ferry_connection_facts(doctor->session.connection, &facts);
    struct predict predict = {.link = facts.link,
                              .size = doctor->file_size > 0 ? (uint32_t)doctor->file_size
                                                            : DEFAULT_SIZE,
                              .packet_max = doctor->packet_max,
                              .window = facts.window,
                              .bytes_per_second = doctor->bytes_per_second,
                              .turnaround_us = doctor->turnaround_us,
                              .long_us = doctor->long_us};
    predict_upload(&predict, &found);
    name_limit(doctor, &facts, &found, limit, sizeof limit);
    add_prediction(doctor, &found, predict.size);
    doctor_ok(finding,
              "%u KiB take about %.1f s (%.1f KiB/s) and the time of the device's flash; %s",
              (unsigned)((predict.size + 1023) / 1024), found.seconds,
              found.seconds > 0 ? predict.size / 1024.0 / found.seconds : 0.0, limit);
}
