/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait while one is worked on: as many as the board's parameters say. */
#ifndef FIRMWARE_COMMON_QUEUE_H
#define FIRMWARE_COMMON_QUEUE_H

#include "ferry/vchip.h"

#define QUEUE_MAX 64

struct queue_packet {
    uint32_t wire;
    uint32_t peer;
    size_t len;
    bool begun;    /* it is being worked on; the queue sets false */
    uint32_t left; /* bytes that may still be answered; for whoever works on it, the queue sets 0 */
    uint8_t *data; /* of the queue; until queue_drop() */
};

/* size, count, most and packet_max may be read; do not rely on the rest. */
struct queue {
    struct queue_packet packets[QUEUE_MAX];
    uint32_t first, count, size;
    uint32_t most; /* packets that waited at once since the start */
    size_t packet_max;
    uint8_t memory[FERRY_VCHIP_BUFFERS];
};

/* Begin empty, with room for packet_count packets of packet_max bytes. What does not fit the
 * memory is left out. */
void queue_init(struct queue *queue, size_t packet_max, uint32_t packet_count);

/* Copy a packet to the end. A full queue and a packet too long lose it, as a chip does: nobody is
 * told but the caller. Returns whether it was taken. */
bool queue_put(struct queue *queue, uint32_t wire, uint32_t peer, const uint8_t *data, size_t len);

/* The first packet, or NULL; it keeps its place until it is dropped. */
struct queue_packet *queue_first(struct queue *queue);

/* The packet that i others are in front of; i below count. */
const struct queue_packet *queue_at(const struct queue *queue, uint32_t i);

/* The same of those that did not come over a wire: it is first from now on, and the others are
 * behind it in their order. */
struct queue_packet *queue_first_but(struct queue *queue, uint32_t wire);
void queue_drop(struct queue *queue);

#endif
