/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of a DTLS session, and a path between them that loses, doubles and swaps datagrams; all
 * in memory, and in a time of its own: gettimeofday() is this world's, so that OpenSSL's timers
 * are, too. */
#ifndef TESTS_SUPPORT_DTLS_PAIR_H
#define TESTS_SUPPORT_DTLS_PAIR_H

#include "port/dtls-openssl/dtls.h"

#define PAIR_QUEUE 512
#define PAIR_PEER  "192.0.2.1:4711"

enum pair_end { PAIR_CLIENT, PAIR_SERVER };

struct pair_datagram {
    uint8_t *data;
    size_t len;
};

/* Datagrams on their way to one end, or all that ever were. */
struct pair_queue {
    struct pair_datagram items[PAIR_QUEUE];
    size_t count;
};

struct pair {
    struct ferry_dtls_context *contexts[2];
    struct ferry_dtls *ends[2];
    struct pair_queue to[2];  /* by the end they go to */
    struct pair_queue all[2]; /* the same, for ever */
    struct pair_queue got[2]; /* packets that came out, by the end */
    uint64_t now;
    unsigned loss, doubling, swapping, damage; /* percent */
    bool no_alerts;                            /* are lost */
    unsigned random;                           /* state of the path's luck */
};

/* Contexts for both; asserts that they can be. */
void pair_begin(struct pair *pair, const struct ferry_dtls_config *client,
                const struct ferry_dtls_config *server);
void pair_end(struct pair *pair);

/* The client's first hello. */
void pair_connect(struct pair *pair);

/* Carry datagrams until nobody has more to say, and time passes no further than to_ms. */
void pair_run(struct pair *pair, uint64_t to_ms);

/* Connect and run; asserts that both are open. */
void pair_open(struct pair *pair);

/* Give one datagram to an end, and keep what packets come out. */
void pair_deliver(struct pair *pair, enum pair_end end, const void *data, size_t len);

bool pair_is_open(const struct pair *pair);
bool pair_send(struct pair *pair, enum pair_end from, const char *text);
bool pair_got(const struct pair *pair, enum pair_end end, size_t at, const char *text);

#endif
