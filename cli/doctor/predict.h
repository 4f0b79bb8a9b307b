/* SPDX-License-Identifier: Apache-2.0 */
/* How long an upload will take, computed. */
#ifndef CLI_DOCTOR_PREDICT_H
#define CLI_DOCTOR_PREDICT_H

#include "ferry/client.h"

struct predict {
    enum ferry_client_link link;
    uint32_t size;             /* bytes of the file */
    size_t packet_max;         /* largest packet the device takes */
    uint32_t window;           /* requests in flight */
    uint32_t bytes_per_second; /* of the line, framing included; 0 = no limit is known */
    uint32_t turnaround_us;    /* from the last byte of a request to the first of the answer */
    uint32_t long_us; /* where no limit is known: what the largest request took, with an answer of
                         its size; 0 = not known */
};

/* What limits it. */
enum predict_limit { PREDICT_LINE, PREDICT_BUFFERS, PREDICT_TURNAROUND };

struct prediction {
    uint32_t chunk; /* bytes of the file in one request */
    uint32_t requests;
    uint32_t wire_bytes; /* sent in all */
    double seconds;      /* the device's time for its flash comes on top */
    double best_seconds; /* with 4 buffers of 2048 bytes */
    enum predict_limit limit;
};

/* Bytes that a packet takes on the wire. */
uint32_t predict_wire_bytes(enum ferry_client_link link, size_t packet);

void predict_upload(const struct predict *predict, struct prediction *prediction);

#endif
