/* SPDX-License-Identifier: Apache-2.0 */
/* The trace of a session, as --trace writes it: a JSON object a line (docs/CLI.md, "Packets").
 *
 *   {"ferry_trace":1,"t":0,"dir":"begin","ferry":"0.1.0","time":"2026-01-31T12:00:00.000Z",…}
 *   {"t":0.112,"dir":"open","uri":"serial:/dev/ttyACM0"}
 *   {"t":0.250,"dir":"tx","hex":"080000010000a206a0"} */
#ifndef CLI_PACKET_TRACE_H
#define CLI_PACKET_TRACE_H

#include "ferry/bytes.h"

#include <cjson/cJSON.h>

#define TRACE_VERSION 1

/* One line of a trace. */
struct trace_event {
    cJSON *json; /* all of it */
    size_t line; /* from 1 */
    double t;    /* ms since the trace began; of the first line 0 */
    const char *dir;
    unsigned number;          /* of the connection, from 1 */
    struct ferry_bytes bytes; /* of tx and rx: the packet */
    const char *text;         /* of text and say; "" elsewhere */
    const char *problem;      /* what is wrong with the line; NULL = nothing */
    uint8_t *memory;
};

struct trace_reader {
    struct ferry_bytes rest;
    size_t line;
};

/* Whether bytes begin as a trace does. */
bool trace_begins(struct ferry_bytes bytes);

/* Read the next line that is not blank. Returns false at the end;
 * else the caller frees event with trace_event_free(). A line that cannot be read has a problem and
 * dir "". */
bool trace_next(struct trace_reader *reader, struct trace_event *event);

void trace_event_free(struct trace_event *event);

#endif
