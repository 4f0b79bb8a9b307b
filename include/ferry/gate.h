/* SPDX-License-Identifier: Apache-2.0 */
/* The gate of a server: which commands may run for which peer, and what an unlock adds for a while.
 * SMP itself knows nobody; docs/SERVER.md has the tables and the message that unlocks.
 *
 * What may run is data: rules, lists of them, three levels, and rows that say to whom they apply: a
 * transport, how safe the link must be, who must be there. One rule
 * is none of data: a reset with a boot_mode other than 0 needs level service wherever a reset is
 * listed, since it leads into the bootloader's recovery, which has no gate. State is
 * the caller's, in RAM that a reset clears: afterwards all is locked as the policy says.
 *
 * An unlock is its peer's alone: of a transport that can tell peers apart (struct
 * ferry_server_peer.id) each has its own, and its own challenge.
 *
 * It fails closed. A gate that was not set up, or whose configuration is wrong, refuses every
 * command; a peer that no row of the policy fits is locked; without a clock, a source of random
 * numbers or a key nothing can be unlocked; a clock that goes backwards locks. */
#ifndef FERRY_GATE_H
#define FERRY_GATE_H

#include "ferry/access.h"
#include "ferry/server.h"

/* ---- Policy: const tables ---------------------------------------------------------- */

/* In place of a group, a command or a transport: all of them. */
#define FERRY_GATE_ANY (-1)

enum ferry_gate_operations { FERRY_GATE_READ = 1, FERRY_GATE_WRITE = 2, FERRY_GATE_BOTH = 3 };

struct ferry_gate_rule {
    int32_t group;      /* or FERRY_GATE_ANY */
    int16_t command;    /* or FERRY_GATE_ANY */
    uint8_t operations; /* enum ferry_gate_operations; 0 matches nothing */
};

struct ferry_gate_list {
    const struct ferry_gate_rule *rules;
    size_t count;
};

/* A row: what a peer may. The first one that matches counts, so that rows which ask for more of a
 * peer stand in front. */
struct ferry_gate_transport {
    int16_t number;  /* as given to ferry_server_handle(), or FERRY_GATE_ANY */
    uint8_t lowest;  /* enum ferry_access_level: what may be done without an unlock */
    uint8_t highest; /* what it may be unlocked to; as lowest: never */
    const struct ferry_gate_list *only;  /* nothing else runs here at any level; NULL: no limit */
    const struct ferry_gate_list *never; /* this runs here at no level; NULL: no limit */
    uint8_t security;     /* enum ferry_peer_security: only for links at least that safe */
    const char *identity; /* only for who proved to be that, byte for byte, on an authenticated link
                             whatever security says; not ""; NULL: anybody */
};

struct ferry_gate_policy {
    const struct ferry_gate_list *levels[FERRY_ACCESS_LEVELS];
    const struct ferry_gate_transport *transports;
    size_t transport_count;
};

/* What each level adds by default. [docs/SERVER.md, "Levels"] */
extern const struct ferry_gate_list ferry_gate_list_locked;
extern const struct ferry_gate_list ferry_gate_list_update;
extern const struct ferry_gate_list ferry_gate_list_service;

/* Policies of these lists, the same for every transport: everything may be done at once; nothing
 * but look before an unlock; update before, the rest after it. */
extern const struct ferry_gate_policy ferry_gate_open;
extern const struct ferry_gate_policy ferry_gate_locked;
extern const struct ferry_gate_policy ferry_gate_update;

/* ---- The gate ---------------------------------------------------------------------- */

/* Who may unlock, and how much. A key whose bytes are all the same was never programmed: it counts
 * as none. */
struct ferry_gate_key {
    uint8_t bytes[FERRY_ACCESS_KEY_SIZE]; /* the public key [RFC 8032 §5.1.5] */
    uint8_t level;                        /* the highest: FERRY_ACCESS_UPDATE or _SERVICE */
    uint32_t seconds;                     /* the longest unlock, above 0 */
};

/* Set up once; must outlive the gate. */
struct ferry_gate_config {
    const struct ferry_gate_policy *policy;
    const struct ferry_gate_key *keys; /* key_count of them; none: nothing can be unlocked */
    size_t key_count;
    struct ferry_bytes device_id; /* of this very device, at most FERRY_ACCESS_ID_MAX bytes: an
                                     unlock is signed for it. May be empty */
    /* Milliseconds of a clock that never goes back while the device runs. NULL: none. */
    uint64_t (*now_ms)(void *context);
    /* Fill len bytes from a source nobody can predict: FERRY_OK, or an error. NULL: none. */
    int (*random)(void *context, uint8_t *bytes, size_t len);
    void *context;         /* for both */
    uint32_t challenge_ms; /* how long a challenge can be answered; 0 = FERRY_GATE_CHALLENGE_MS */
};

#define FERRY_GATE_CHALLENGE_MS 30000

/* After so many wrong signatures in a row on a transport only one each FERRY_GATE_WAIT_MS is looked
 * at there. The wait does not grow: whoever floods a wire delays its owner, and only there. */
#define FERRY_GATE_FAILURES 5
#define FERRY_GATE_WAIT_MS  1000

/* What happened on one transport since the start. Counters stop at their largest value. */
struct ferry_gate_audit {
    uint32_t refused;     /* commands */
    uint32_t unlocks;     /* that were granted */
    uint32_t failed;      /* unlocks that were not */
    uint16_t last_group;  /* the last refused command; valid when refused is above 0 */
    uint8_t last_command; /* … */
    uint8_t last_op;      /* … enum ferry_smp_op */
};

/* Peers of one transport that may have an unlock or a challenge at once. An unlock keeps its place
 * until it ends. A challenge gives way to a newer one, the oldest first, where all places are
 * taken: its peer asks for another. Where as many peers are unlocked, the next one waits. */
#define FERRY_GATE_PEERS 4

/* What one peer has. Do not rely on the contents. */
struct ferry_gate_peer {
    uint64_t unlocked_ms;   /* the clock when level was granted */
    uint64_t granted_ms;    /* for so long; 0 = nothing is */
    uint64_t challenged_ms; /* … when nonce was made */
    uint32_t id;            /* struct ferry_server_peer.id */
    uint8_t level;
    bool challenged;
    uint8_t nonce[FERRY_ACCESS_NONCE_SIZE];
};

/* State of one transport; do not rely on the contents but audit. */
struct ferry_gate_wire {
    struct ferry_gate_audit audit;
    uint64_t seen_ms;   /* the clock when it was last looked at */
    uint64_t failed_ms; /* … at the last wrong signature */
    uint8_t failures;   /* wrong signatures in a row */
    struct ferry_gate_peer peers[FERRY_GATE_PEERS];
};

/* Do not rely on the contents. */
struct ferry_gate {
    const struct ferry_gate_config *config; /* NULL: all is refused */
    struct ferry_gate_wire *wires;          /* by the transport's number */
    size_t wire_count;
};

/* Check the configuration and lock everything.
 *
 * wires  wire_count of them, the gate's from now on and cleared here; a transport whose number is
 *        wire_count or above is unknown
 *
 * Returns FERRY_OK; FERRY_E_CONFIG, and a gate that refuses everything, when a level has no list, a
 * list no rules, a row levels or a security that are none, lowest above highest or an empty
 * identity, a key a level or a time that is none, or device_id is too long. */
FERRY_MUST_CHECK
int ferry_gate_init(struct ferry_gate *gate, const struct ferry_gate_config *config,
                    struct ferry_gate_wire *wires, size_t wire_count);

/* For struct ferry_server_config.gate, with the gate as gate_context. Refuses with
 * FERRY_RC_ACCESS_DENIED and a reason, and counts that. The payload is looked at for one command
 * only, a reset: with a boot_mode other than 0 it needs FERRY_ACCESS_SERVICE. */
int ferry_gate_ask(void *context, struct ferry_server_call *call);

/* Where a peer stands. */
struct ferry_gate_standing {
    enum ferry_access_level level;   /* now */
    enum ferry_access_level lowest;  /* afterwards */
    enum ferry_access_level highest; /* that an unlock may lead to; lowest: it cannot be unlocked */
    uint32_t left_s;                 /* seconds of the unlock, rounded up; 0 = none */
};

/* Look at a peer now, and end what has expired. One that no row fits is locked, for good. standing:
 * filled. */
void ferry_gate_look(struct ferry_gate *gate, const struct ferry_server_peer *peer,
                     struct ferry_gate_standing *standing);

/* Counters of a transport. Returns NULL when the gate does not know it: it has no row at all. */
const struct ferry_gate_audit *ferry_gate_audit(const struct ferry_gate *gate, uint8_t transport);

/* Unlock a peer without a signature, for a product that knows in another way who is there: a
 * button, a card. It ends after seconds, replaces what was unlocked before, and goes no higher than
 * the policy lets the peer go.
 *
 * Returns FERRY_OK; FERRY_E_UNSUPPORTED without a clock, or for a peer that cannot be unlocked;
 * FERRY_E_RANGE when level is above its highest or not above its lowest, or seconds is 0;
 * FERRY_E_BUSY when FERRY_GATE_PEERS others of its transport are unlocked. */
FERRY_MUST_CHECK
int ferry_gate_grant(struct ferry_gate *gate, const struct ferry_server_peer *peer,
                     enum ferry_access_level level, uint32_t seconds);

/* End an unlock, and forget the challenge. To be called when a peer leaves, before another can have
 * its id. */
void ferry_gate_lock(struct ferry_gate *gate, const struct ferry_server_peer *peer);

/* The same for all peers of a transport that have left: where some may leave at a time when this
 * cannot be called for each. Their ids must not be others' yet.
 *
 * is_there  called with context for peers that may have something; true: it goes on */
void ferry_gate_lock_gone(struct ferry_gate *gate, uint8_t transport,
                          bool (*is_there)(void *context, uint32_t id), void *context);

/* ---- Unlocking by a signature (core/server/gate_unlock.c; links Ed25519) ------------- */

/* What a client needs to know for a signature. */
struct ferry_gate_challenge {
    uint8_t nonce[FERRY_ACCESS_NONCE_SIZE];
    enum ferry_access_level level; /* the highest this key may unlock here */
    uint32_t seconds;              /* and the longest */
    uint32_t left_s;               /* seconds until it expires, rounded up */
};

/* Make a nonce for a peer, or give the one that waits for its answer: asking again does not take it
 * away from the unlock that is under way.
 *
 * key  the public key that will sign
 *
 * Returns FERRY_OK; FERRY_E_NOT_FOUND when the key is none of those that count;
 * FERRY_E_UNSUPPORTED when this peer cannot be unlocked (no clock, no random numbers);
 * FERRY_E_BUSY when FERRY_GATE_PEERS others of its transport are unlocked. */
FERRY_MUST_CHECK
int ferry_gate_challenge(struct ferry_gate *gate, const struct ferry_server_peer *peer,
                         const uint8_t key[FERRY_ACCESS_KEY_SIZE],
                         struct ferry_gate_challenge *challenge);

struct ferry_gate_request {
    const uint8_t *key;       /* FERRY_ACCESS_KEY_SIZE bytes, which name it */
    uint64_t level;           /* wanted: enum ferry_access_level */
    uint64_t seconds;         /* wanted */
    const uint8_t *signature; /* FERRY_ACCESS_SIGNATURE_SIZE bytes, of the message of
                                 ferry/access.h */
};

/* Unlock a peer. The nonce is used up when that succeeds, not by what fails: who sends rubbish in
 * its name cannot take it away.
 *
 * Returns FERRY_OK; FERRY_E_UNSUPPORTED and FERRY_E_NOT_FOUND as ferry_gate_challenge();
 * FERRY_E_BUSY after too many failures, until ferry_gate_wait_ms() is over; FERRY_E_RANGE when the
 * key or the peer may not go to that level; FERRY_E_UNLOCK_TIME when the time is 0 or above
 * the key's; FERRY_E_STATE when no challenge waits: it was used, or has expired; FERRY_E_SIGNATURE.
 */
FERRY_MUST_CHECK
int ferry_gate_unlock(struct ferry_gate *gate, const struct ferry_server_peer *peer,
                      const struct ferry_gate_request *request);

/* Milliseconds until a peer's challenge or unlock is looked at again after FERRY_E_BUSY; 0 = at
 * once. */
uint32_t ferry_gate_wait_ms(struct ferry_gate *gate, const struct ferry_server_peer *peer);

#endif
