/* SPDX-License-Identifier: Apache-2.0 */
#include "radio.h"

#include <math.h>

uint64_t radio_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15U; /* splitmix64 */

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

/* Waiting for something that may come with every byte. */
static uint64_t draw_loss(uint64_t mean, uint64_t *seed)
{
    double even = ((double)(radio_random(seed) >> 11) + 1.0) / 9007199254740993.0; /* 0 < … < 1 */

    return mean == 0 ? UINT64_MAX : 1 + (uint64_t)(-log(even) * (double)mean);
}

static void empty(struct radio_queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
    queue->count = 0;
}

void radio_begin(struct radio *radio, const struct radio_config *config, uint64_t now_us,
                 uint64_t *seed)
{
    *radio = (struct radio){.config = *config, .anchor_us = now_us + config->interval_us};
    empty(&radio->queues[RADIO_TO_PERIPHERAL]);
    empty(&radio->queues[RADIO_TO_CENTRAL]);
    radio->lost_at = draw_loss(config->loss_bytes, seed);
}

bool radio_full(const struct radio *radio, enum radio_way way)
{
    return radio->queues[way].count >= radio->config.queue;
}

static bool idle(const struct radio *radio)
{
    return radio->queues[RADIO_TO_PERIPHERAL].count == 0 &&
           radio->queues[RADIO_TO_CENTRAL].count == 0;
}

static uint64_t slot_begins(const struct radio *radio)
{
    return radio->anchor_us + radio->event * radio->config.interval_us +
           radio->slot * radio->config.slot_us;
}

static void next_event(struct radio *radio)
{
    radio->event += 1;
    radio->slot = 0;
    radio->turn = RADIO_TO_PERIPHERAL;
}

/* Nothing was sent for a while: events and slots until now went by. */
static void catch_up(struct radio *radio, uint64_t now_us)
{
    if (slot_begins(radio) >= now_us) {
        return;
    }
    uint64_t passed = (now_us - radio->anchor_us - 1) / radio->config.interval_us;
    if (passed > radio->event) {
        radio->event = passed;
    }
    next_event(radio);
}

void radio_put(struct radio *radio, enum radio_way way, struct radio_pdu *pdu, size_t len,
               uint64_t now_us)
{
    struct radio_queue *queue = &radio->queues[way];

    if (idle(radio)) {
        catch_up(radio, now_us);
    }
    pdu->next = NULL;
    pdu->len = len;
    pdu->packets = (len + RADIO_L2CAP + radio->config.payload - 1) / radio->config.payload;
    *queue->end = pdu;
    queue->end = &pdu->next;
    queue->count += 1;
}

uint64_t radio_due(const struct radio *radio)
{
    return idle(radio) || radio->lost ? UINT64_MAX : slot_begins(radio);
}

static struct radio_pdu *pop(struct radio_queue *queue)
{
    struct radio_pdu *pdu = queue->first;

    queue->first = pdu->next;
    queue->count -= 1;
    if (queue->first == NULL) {
        queue->end = &queue->first;
    }
    return pdu;
}

/* One packet of whose turn it is. Returns the PDU that it ends. */
static struct radio_pdu *send_packet(struct radio *radio, enum radio_way way)
{
    struct radio_queue *queue = &radio->queues[way];

    if (queue->first == NULL) {
        return NULL;
    }
    radio->packets[way] += 1;
    queue->first->packets -= 1;
    if (queue->first->packets > 0) {
        return NULL;
    }
    radio->bytes[way] += queue->first->len;
    radio->lost =
        radio->bytes[RADIO_TO_PERIPHERAL] + radio->bytes[RADIO_TO_CENTRAL] >= radio->lost_at;
    return radio->lost ? NULL : pop(queue);
}

/* Both had their turn, and told each other whether they have more: if neither has, or the event is
 * full, it ends. */
static void end_slot(struct radio *radio)
{
    if (idle(radio) || radio->slot + 1 >= radio->config.packets) {
        next_event(radio);
        return;
    }
    radio->slot += 1;
    radio->turn = RADIO_TO_PERIPHERAL;
}

struct radio_pdu *radio_next(struct radio *radio, uint64_t now_us, enum radio_way *way)
{
    while (!radio->lost && !idle(radio) && slot_begins(radio) <= now_us) {
        *way = radio->turn;
        struct radio_pdu *pdu = send_packet(radio, *way);
        if (*way == RADIO_TO_PERIPHERAL) {
            radio->turn = RADIO_TO_CENTRAL;
        } else {
            end_slot(radio);
        }
        if (pdu != NULL) {
            return pdu;
        }
    }
    return NULL;
}

struct radio_pdu *radio_drain(struct radio *radio)
{
    for (int way = 0; way < RADIO_WAYS; way++) {
        if (radio->queues[way].first != NULL) {
            return pop(&radio->queues[way]);
        }
    }
    return NULL;
}
