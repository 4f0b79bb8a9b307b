/* SPDX-License-Identifier: Apache-2.0 */
/* What the packets of a session were to each other: requests, the same again, answers and how long
 * they took, and what came too late. */
#ifndef CLI_PACKET_EXCHANGE_H
#define CLI_PACKET_EXCHANGE_H

#include "packet_view.h"

/* Requests that wait for their answer at most: a station of 256 devices has no more in flight. */
#define EXCHANGE_OPEN_MAX 2304

struct exchange_request {
    unsigned number; /* of the connection; 0 = free */
    struct ferry_smp_header header;
    uint32_t check; /* of all bytes: the same again has the same */
    double sent;    /* ms; the last try */
    unsigned tries;
};

struct exchange {
    struct exchange_request open[EXCHANGE_OPEN_MAX];

    size_t requests;      /* first tries */
    size_t retransmitted; /* the same bytes again */
    size_t answers;       /* to a request that waited */
    size_t refused;       /* of them, with an error */
    size_t stale;         /* to none that waited: late, or doubled */
    size_t echoed;        /* requests that came back */
    size_t unanswered;    /* given up: another with their number was sent, or the trace ended */
    size_t measured;      /* answers to a single try, which tell the round trip */
    double rtt_min;       /* ms; of those */
    double rtt_max;
    double rtt_sum;
    size_t tx_bytes; /* packets, without framing */
    size_t rx_bytes;
};

enum exchange_role { EXCHANGE_REQUEST, EXCHANGE_ANSWER, EXCHANGE_STALE, EXCHANGE_ECHO };

/* What one packet was. */
struct exchange_note {
    enum exchange_role role;
    unsigned tries; /* of a request: which one this was; of an answer: how many it took */
    double rtt;     /* of an answer: ms since the last try */
};

/* A packet that was sent or received at t (ms) on a connection (from 1). */
struct exchange_note exchange_sent(struct exchange *exchange, unsigned number, double t,
                                   const struct packet_view *view);
struct exchange_note exchange_received(struct exchange *exchange, unsigned number, double t,
                                       const struct packet_view *view);

/* What still waits will not be answered: of a connection that was closed, or, for 0, of all. */
void exchange_end(struct exchange *exchange, unsigned number);

#endif
