/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that wait while one is worked on. */
#include "queue.h"

#include <string.h>

void queue_init(struct queue *queue, size_t packet_max, uint32_t packet_count)
{
    queue->first = 0;
    queue->count = 0;
    queue->most = 0;
    queue->size = 0;
    queue->packet_max = packet_max;
    while (queue->size < packet_count && queue->size < QUEUE_MAX &&
           packet_max <= sizeof(queue->memory) - queue->size * packet_max) {
        queue->packets[queue->size].data = queue->memory + queue->size * packet_max;
        queue->size++;
    }
}

bool queue_put(struct queue *queue, uint32_t wire, uint32_t peer, const uint8_t *data, size_t len)
{
    if (queue->count == queue->size || len > queue->packet_max) {
        return false;
    }
    struct queue_packet *packet = &queue->packets[(queue->first + queue->count) % queue->size];
    packet->wire = wire;
    packet->peer = peer;
    packet->len = len;
    packet->begun = false;
    packet->left = 0;
    memcpy(packet->data, data, len);
    queue->count++;
    queue->most = ferry_max32(queue->most, queue->count);
    return true;
}

struct queue_packet *queue_first(struct queue *queue)
{
    return queue->count > 0 ? &queue->packets[queue->first] : NULL;
}

static struct queue_packet *packet_at(struct queue *queue, uint32_t i)
{
    return &queue->packets[(queue->first + i) % queue->size];
}

const struct queue_packet *queue_at(const struct queue *queue, uint32_t i)
{
    return &queue->packets[(queue->first + i) % queue->size];
}

struct queue_packet *queue_first_but(struct queue *queue, uint32_t wire)
{
    uint32_t i = 0;

    while (i < queue->count && packet_at(queue, i)->wire == wire) {
        i++;
    }
    if (i == queue->count) {
        return NULL;
    }

    const struct queue_packet found = *packet_at(queue, i);

    for (; i > 0; i--) {
        *packet_at(queue, i) = *packet_at(queue, i - 1);
    }
    *packet_at(queue, 0) = found;
    return packet_at(queue, 0);
}

void queue_drop(struct queue *queue)
{
    if (queue->count > 0) {
        queue->first = (queue->first + 1) % queue->size;
        queue->count--;
    }
}
