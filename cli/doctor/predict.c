/* SPDX-License-Identifier: Apache-2.0 */
#include "predict.h"

/* Of a chunk in the middle: header, map, offset and the head of the data. [clients-field.md §2.1]
 */
#define CHUNK_OVERHEAD 26

/* Base64 in one line of the console, and what stands around it: marker and line feed. */
#define LINE_BASE64 124
#define LINE_AROUND 3

/* An answer with "off". */
#define ANSWER_BYTES 17

/* Against which a device is compared: what is built in most often where somebody thought of it. */
#define GOOD_BUFFER 2048
#define GOOD_WINDOW 3

/* UDP headers with those of IPv4; of a frame of Ethernet they are not known. */
#define UDP_AROUND 28

/* And a record of DTLS: header, nonce, tag. */
#define DTLS_AROUND 37

uint32_t predict_wire_bytes(enum ferry_client_link link, size_t packet)
{
    if (link == FERRY_LINK_CONSOLE) {
        uint32_t base64 = (uint32_t)(packet + 4 + 2) / 3 * 4;
        return base64 + (base64 + LINE_BASE64 - 1) / LINE_BASE64 * LINE_AROUND;
    }
    bool dtls = link == FERRY_LINK_DTLS4 || link == FERRY_LINK_DTLS6;
    bool udp = link == FERRY_LINK_UDP4 || link == FERRY_LINK_UDP6 || dtls;
    return (uint32_t)packet + (udp ? UDP_AROUND : 0) + (dtls ? DTLS_AROUND : 0);
}

static double line_seconds(const struct predict *predict, uint32_t bytes)
{
    return predict->bytes_per_second > 0 ? (double)bytes / predict->bytes_per_second : 0.0;
}

/* Fill all but best_seconds and limit. */
static void compute(const struct predict *predict, struct prediction *prediction)
{
    size_t packet =
        predict->packet_max > CHUNK_OVERHEAD + 8 ? predict->packet_max : CHUNK_OVERHEAD + 8;
    prediction->chunk = (uint32_t)(packet - CHUNK_OVERHEAD) & ~7u;
    prediction->requests = (predict->size + prediction->chunk - 1) / prediction->chunk;

    uint32_t request = predict_wire_bytes(predict->link, prediction->chunk + CHUNK_OVERHEAD);
    double there = line_seconds(predict, request);
    double back = line_seconds(predict, predict_wire_bytes(predict->link, ANSWER_BYTES));
    double round = there + predict->turnaround_us / 1e6 + back;
    if (predict->bytes_per_second == 0 && predict->long_us > predict->turnaround_us) {
        /* What its bytes cost, half of it each way. */
        there = (predict->long_us - predict->turnaround_us) / 2e6;
        round = there + predict->turnaround_us / 1e6;
    }
    double window = predict->window > 0 ? predict->window : 1;
    double each = round / window > there ? round / window : there;
    double full = (double)predict->size / prediction->chunk; /* the last one is shorter */
    prediction->wire_bytes = (uint32_t)(request * full);
    prediction->seconds = each * full;
}

void predict_upload(const struct predict *predict, struct prediction *prediction)
{
    struct predict better = *predict;
    struct prediction best;

    better.packet_max = ferry_client_packet_max(predict->link, GOOD_BUFFER);
    better.window = GOOD_WINDOW;
    if (predict->link == FERRY_LINK_RAW) {
        better.window = 1;
    }
    compute(&better, &best);
    compute(predict, prediction);
    prediction->best_seconds =
        best.seconds < prediction->seconds ? best.seconds : prediction->seconds;

    double line = line_seconds(predict, prediction->wire_bytes);
    prediction->limit = PREDICT_TURNAROUND;
    if (prediction->seconds > prediction->best_seconds * 1.03) {
        prediction->limit = PREDICT_BUFFERS;
    } else if (line > prediction->seconds * 0.9) {
        prediction->limit = PREDICT_LINE;
    }
}
