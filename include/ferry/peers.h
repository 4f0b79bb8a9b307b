/* SPDX-License-Identifier: Apache-2.0 */
/* Limits for a server on datagrams, which anybody can send in another's name: what it answers to a
 * peer that has not proven to be where it says, how much it works for one, and how many it
 * remembers. docs/SERVER.md has an example.
 *
 * A peer is its address: bytes that the caller takes for it, with its port or without. Until it is
 * proven its requests get answers of at most FERRY_PEERS_FACTOR times their size, as an observer
 * on the wire counts: with the headers of IP and UDP, and no answer larger than one packet of IP.
 * So nobody makes the server send more to a victim than he could send himself. A client that knows
 * makes its requests larger, as struct ferry_server_peer.pad says to it.
 *
 * A peer is proven when it answered what was sent to its address: by an unlock of group access,
 * whose nonce went there. That lasts for a while, since addresses change hands.
 *
 * Not for interrupts, unless all calls are made with them off: like the server's. */
#ifndef FERRY_PEERS_H
#define FERRY_PEERS_H

#include "ferry/bytes.h"
#include "ferry/error.h"

#define FERRY_PEERS_FACTOR 3

/* Headers of IPv4 and UDP: 20 and 8. Those of IPv6 are larger on both sides, which allows more. */
#define FERRY_PEERS_HEADERS 28

/* The largest answer to a peer that is not proven: in one packet of 1500 bytes. */
#define FERRY_PEERS_ANSWER_MAX (1500 - FERRY_PEERS_HEADERS)

/* Bytes of an address: an IPv6 one and a port. */
#define FERRY_PEERS_ADDRESS 18

/* How long a peer stays proven, where the limits say 0. */
#define FERRY_PEERS_PROVEN_MS 3600000U

struct ferry_peers_rate {
    uint16_t rate;  /* requests a second; 0 = no limit */
    uint16_t burst; /* at once after a silence; above 0 with a rate */
};

struct ferry_peers_limits {
    struct ferry_peers_rate each;     /* of one peer, proven or not */
    struct ferry_peers_rate unproven; /* of all together that are not proven, however many addresses
                                         they use */
    uint32_t proven_ms;               /* 0: FERRY_PEERS_PROVEN_MS */
};

/* Do not rely on the contents. */
struct ferry_peers_bucket {
    uint64_t filled_ms;
    uint32_t thousandths; /* of requests */
};

struct ferry_peers_entry {
    struct ferry_peers_bucket bucket;
    uint64_t seen_ms;
    uint64_t proven_ms; /* when it was */
    bool proven;
    uint8_t len; /* of the address; 0 = the place is free */
    uint8_t address[FERRY_PEERS_ADDRESS];
};

/* counters may be read; do not rely on the rest. Counters stop at their largest value. */
struct ferry_peers {
    const struct ferry_peers_limits *limits;
    struct ferry_peers_entry *entries;
    size_t count;
    struct ferry_peers_bucket unproven;
    struct {
        uint32_t refused; /* requests above a rate */
        uint32_t evicted; /* peers forgotten for others */
    } counters;
};

/* Begin: nobody is known, nobody proven.
 *
 * limits   must outlive peers
 * entries  count of them, above 0, the module's from now on. Who is proven keeps a place against
 * who is not; of those that are not the one heard last the longest ago is forgotten for a new one.
 * Where all places are those of proven ones the others are not told apart: their common rate
 * counts, and no other
 *
 * Returns FERRY_OK; FERRY_E_CONFIG without entries, or for a rate without a burst. */
FERRY_MUST_CHECK
int ferry_peers_init(struct ferry_peers *peers, const struct ferry_peers_limits *limits,
                     struct ferry_peers_entry *entries, size_t count);

/* A datagram came: whether it is to be worked on. If not it is to be dropped without an answer.
 * Best asked before it takes a buffer.
 *
 * address  at most FERRY_PEERS_ADDRESS bytes count; of none nothing is worked on
 * now_ms   of a clock that does not go back */
bool ferry_peers_admit(struct ferry_peers *peers, struct ferry_bytes address, uint64_t now_ms);

/* A peer answered what went to its address. */
void ferry_peers_prove(struct ferry_peers *peers, struct ferry_bytes address, uint64_t now_ms);

/* Whether it did, not too long ago. */
bool ferry_peers_proven(const struct ferry_peers *peers, struct ferry_bytes address,
                        uint64_t now_ms);

/* ---- Answers ------------------------------------------------------------------------- */

/* What may be answered to one datagram, which may hold several requests.
 *
 *     struct ferry_peers_grant grant = ferry_peers_begin(&peers, address, now, pending.len);
 *     const struct ferry_server_peer peer = {.id = …, .pad = ferry_peers_pad(cap)};
 *     while (pending.len > 0) {
 *         size_t room = ferry_peers_room(&grant, cap);
 *         size_t len = ferry_server_handle_from(&server, &pending, &peer, out, room);
 *         if (len > 0) { send(out, len); ferry_peers_spend(&grant, len); }
 *     } */
struct ferry_peers_grant {
    uint32_t left; /* bytes on the wire; UINT32_MAX: the peer is proven */
};

/* request  bytes of the datagram */
struct ferry_peers_grant ferry_peers_begin(const struct ferry_peers *peers,
                                           struct ferry_bytes address, uint64_t now_ms,
                                           size_t request);

/* Room for the next answer: at most cap, 0 when there is none for any. */
size_t ferry_peers_room(const struct ferry_peers_grant *grant, size_t cap);

/* An answer of len bytes was sent. */
void ferry_peers_spend(struct ferry_peers_grant *grant, size_t len);

/* For struct ferry_server_peer.pad: the smallest request whose answer may have cap bytes, or as
 * many as one packet takes. It is to be told to proven peers, too: after a reset they are not. */
uint16_t ferry_peers_pad(size_t cap);

#endif
