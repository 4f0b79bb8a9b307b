/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's time in the air: who may send when. It is given the time and takes no clock, no
 * descriptor and no memory: what it carries is the caller's.
 *
 * Connection events come every interval. Within an event packets go in slots, one each way, as long
 * as either side has more to send and at most so many; what comes when neither has waits for the
 * next event. A PDU larger than a packet's payload takes several packets. Each way has a queue, and
 * a bound for it that the caller keeps. Losses of the link are drawn by bytes carried. */
#ifndef AIR_RADIO_H
#define AIR_RADIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum radio_way { RADIO_TO_PERIPHERAL, RADIO_TO_CENTRAL, RADIO_WAYS };

#define RADIO_L2CAP 4 /* bytes of L2CAP's header before each ATT PDU */

struct radio_config {
    uint64_t interval_us;
    uint64_t slot_us; /* from one packet each way to the next; packets * slot_us <= interval_us */
    uint32_t packets; /* each way and event */
    size_t payload;   /* bytes of a packet: 27, or 251 with the data length extension */
    size_t queue;     /* PDUs of each way at once */
    uint64_t loss_bytes; /* mean of what is carried until the link is lost; 0 = it is not */
};

/* The beginning of a PDU of the caller's. */
struct radio_pdu {
    struct radio_pdu *next;
    size_t packets; /* still to go */
    size_t len;     /* ATT PDU */
};

struct radio_queue {
    struct radio_pdu *first, **end;
    size_t count;
};

struct radio {
    struct radio_config config;
    struct radio_queue queues[RADIO_WAYS];
    uint64_t anchor_us; /* of event 0 */
    uint64_t event;
    uint32_t slot;
    enum radio_way turn;                             /* within the slot */
    bool lost;                                       /* nothing goes any more */
    uint64_t lost_at;                                /* so many, and the link is lost */
    uint64_t packets[RADIO_WAYS], bytes[RADIO_WAYS]; /* that went; of ATT PDUs */
};

/* A number of the sequence that a seed begins; the same everywhere. */
uint64_t radio_random(uint64_t *seed);

/* The first event begins one interval from now. */
void radio_begin(struct radio *radio, const struct radio_config *config, uint64_t now_us,
                 uint64_t *seed);

/* Whether the queue has as many PDUs as it may have. It takes more all the same. */
bool radio_full(const struct radio *radio, enum radio_way way);

/* len  bytes of the ATT PDU, its header included */
void radio_put(struct radio *radio, enum radio_way way, struct radio_pdu *pdu, size_t len,
               uint64_t now_us);

/* When radio_next() has something to do; UINT64_MAX = not before the next radio_put(). */
uint64_t radio_due(const struct radio *radio);

/* The next PDU that is over until now, and which way it went; NULL: none. Called until NULL; then
 * radio->lost tells whether the link has gone. */
struct radio_pdu *radio_next(struct radio *radio, uint64_t now_us, enum radio_way *way);

/* Take back what waits; NULL: nothing does. */
struct radio_pdu *radio_drain(struct radio *radio);

#endif
