/* SPDX-License-Identifier: Apache-2.0 */
/* What the gate's files share. */
#ifndef CORE_SERVER_GATE_H
#define CORE_SERVER_GATE_H

#include "ferry/gate.h"

/* The state of a transport; NULL for one that the gate does not know. */
struct ferry_gate_wire *ferry_gate_wire_of(const struct ferry_gate *gate, uint8_t transport);

/* What a peer has: an unlock, a challenge, both; NULL for one that has neither. */
struct ferry_gate_peer *ferry_gate_peer_of(struct ferry_gate_wire *wire, uint32_t id);

/* The same, or an empty place for it: a free one, or that of the oldest challenge. NULL where as
 * many peers are unlocked. */
struct ferry_gate_peer *ferry_gate_peer_place(struct ferry_gate_wire *wire, uint32_t id);

/* Look at the clock, and end what has expired. Returns the time; 0 without a clock. */
uint64_t ferry_gate_now(const struct ferry_gate *gate, struct ferry_gate_wire *wire);

/* How long a challenge waits for its answer. */
static inline uint32_t ferry_gate_challenge_ms(const struct ferry_gate *gate)
{
    return gate->config->challenge_ms != 0 ? gate->config->challenge_ms : FERRY_GATE_CHALLENGE_MS;
}

/* The key with these bytes; NULL when it is none of those that count. */
const struct ferry_gate_key *ferry_gate_find_key(const struct ferry_gate *gate,
                                                 const uint8_t key[FERRY_ACCESS_KEY_SIZE]);

/* One more, but never back to 0. */
void ferry_gate_count(uint32_t *counter);

#endif
