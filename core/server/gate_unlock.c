/* SPDX-License-Identifier: Apache-2.0 */
/* Unlocking by a signature: a nonce out, a signature of it and of what is wanted in. */
#include "core/server/gate.h"
#include "ferry/crypto.h"

#include <string.h>

_Static_assert(FERRY_ACCESS_KEY_SIZE == FERRY_ED25519_KEY_SIZE, "the keys are Ed25519's");
_Static_assert(FERRY_ACCESS_SIGNATURE_SIZE == FERRY_ED25519_SIGNATURE_SIZE, "signatures are, too");

/* Memory that was never programmed is no key: with some such points anybody can sign. */
static bool is_blank(const uint8_t *key)
{
    return ferry_all_equal(key, FERRY_ACCESS_KEY_SIZE, key[0]);
}

const struct ferry_gate_key *ferry_gate_find_key(const struct ferry_gate *gate,
                                                 const uint8_t key[FERRY_ACCESS_KEY_SIZE])
{
    const struct ferry_gate_config *config = gate->config;

    for (size_t i = 0; config != NULL && i < config->key_count; i++) {
        if (memcmp(config->keys[i].bytes, key, FERRY_ACCESS_KEY_SIZE) == 0 && !is_blank(key)) {
            return &config->keys[i];
        }
    }
    return NULL;
}

/* Whether a peer can be unlocked, and by this key. Returns FERRY_OK, FERRY_E_UNSUPPORTED or
 * FERRY_E_NOT_FOUND. standing is filled in any case. */
static int find(struct ferry_gate *gate, const struct ferry_server_peer *peer, const uint8_t *name,
                struct ferry_gate_standing *standing, const struct ferry_gate_key **key)
{
    ferry_gate_look(gate, peer, standing);
    *key = NULL;
    if (standing->highest == standing->lowest || gate->config->random == NULL) {
        return FERRY_E_UNSUPPORTED;
    }
    *key = ferry_gate_find_key(gate, name);
    return *key != NULL ? FERRY_OK : FERRY_E_NOT_FOUND;
}

/* A new nonce at a place that has none. */
static int make_nonce(const struct ferry_gate *gate, const struct ferry_gate_wire *wire,
                      struct ferry_gate_peer *place)
{
    uint8_t *nonce = place->nonce;

    if (gate->config->random(gate->config->context, nonce, FERRY_ACCESS_NONCE_SIZE) != FERRY_OK ||
        ferry_all_equal(nonce, FERRY_ACCESS_NONCE_SIZE, nonce[0])) {
        return FERRY_E_UNSUPPORTED; /* the source is not there, or stands still */
    }
    place->challenged = true;
    place->challenged_ms = wire->seen_ms;
    return FERRY_OK;
}

int ferry_gate_challenge(struct ferry_gate *gate, const struct ferry_server_peer *peer,
                         const uint8_t key[FERRY_ACCESS_KEY_SIZE],
                         struct ferry_gate_challenge *challenge)
{
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, peer->transport);
    struct ferry_gate_standing standing;
    const struct ferry_gate_key *found;
    struct ferry_gate_peer *place;
    int result = find(gate, peer, key, &standing, &found);

    if (result != FERRY_OK) {
        return result;
    }
    place = ferry_gate_peer_place(wire, peer->id);
    if (place == NULL) {
        return FERRY_E_BUSY;
    }
    if (!place->challenged) {
        result = make_nonce(gate, wire, place);
        if (result != FERRY_OK) {
            return result;
        }
    }

    uint64_t left = ferry_gate_challenge_ms(gate) - (wire->seen_ms - place->challenged_ms);

    memcpy(challenge->nonce, place->nonce, sizeof(challenge->nonce));
    challenge->level =
        found->level < standing.highest ? (enum ferry_access_level)found->level : standing.highest;
    challenge->seconds = found->seconds;
    challenge->left_s = (uint32_t)((left + 999) / 1000);
    return FERRY_OK;
}

/* After wrong signatures: they are the transport's, whoever sent them. */
static uint64_t wait_for_failures(const struct ferry_gate_wire *wire, uint64_t now)
{
    uint64_t since = now - wire->failed_ms;

    return wire->failures >= FERRY_GATE_FAILURES && since < FERRY_GATE_WAIT_MS
               ? FERRY_GATE_WAIT_MS - since
               : 0;
}

/* Until the first unlock ends, where all places are taken by those of others. */
static uint64_t wait_for_place(const struct ferry_gate_wire *wire, uint64_t now)
{
    uint64_t wait = UINT64_MAX;

    for (size_t i = 0; i < FERRY_GATE_PEERS; i++) {
        const struct ferry_gate_peer *peer = &wire->peers[i];
        uint64_t left = peer->granted_ms > 0 ? peer->granted_ms - (now - peer->unlocked_ms) : 0;

        wait = left < wait ? left : wait;
    }
    return wait;
}

uint32_t ferry_gate_wait_ms(struct ferry_gate *gate, const struct ferry_server_peer *peer)
{
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, peer->transport);
    uint64_t now;
    uint64_t wait;

    if (wire == NULL) {
        return 0;
    }
    now = ferry_gate_now(gate, wire);
    wait = wait_for_failures(wire, now);
    if (wait == 0 && ferry_gate_peer_of(wire, peer->id) == NULL) {
        wait = wait_for_place(wire, now);
    }
    return wait < UINT32_MAX ? (uint32_t)wait : UINT32_MAX;
}

static int verify(const struct ferry_gate *gate, uint8_t transport, const uint8_t *nonce,
                  const struct ferry_gate_request *request)
{
    uint8_t bytes[FERRY_ACCESS_MESSAGE_MAX];
    const struct ferry_access_message message = {.device_id = gate->config->device_id,
                                                 .transport = transport,
                                                 .level = (uint8_t)request->level,
                                                 .seconds = (uint32_t)request->seconds,
                                                 .nonce = nonce};
    size_t len = ferry_access_message_write(&message, bytes);

    return ferry_crypto_ed25519_verify(request->key, bytes, len, request->signature);
}

/* Whether it may be unlocked like that at all; only then a signature is looked at, with the place
 * that has the nonce. */
static int admit(struct ferry_gate *gate, const struct ferry_server_peer *peer,
                 const struct ferry_gate_request *request, const struct ferry_gate_peer **place)
{
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, peer->transport);
    struct ferry_gate_standing standing;
    const struct ferry_gate_key *key;
    int result = find(gate, peer, request->key, &standing, &key);

    if (result != FERRY_OK) {
        return result;
    }
    if (wait_for_failures(wire, wire->seen_ms) > 0) {
        return FERRY_E_BUSY;
    }
    if (request->level <= (uint64_t)standing.lowest || request->level > key->level ||
        request->level > (uint64_t)standing.highest) {
        return FERRY_E_RANGE;
    }
    if (request->seconds == 0 || request->seconds > key->seconds) {
        return FERRY_E_UNLOCK_TIME;
    }
    *place = ferry_gate_peer_of(wire, peer->id);
    return *place != NULL && (*place)->challenged ? FERRY_OK : FERRY_E_STATE;
}

int ferry_gate_unlock(struct ferry_gate *gate, const struct ferry_server_peer *peer,
                      const struct ferry_gate_request *request)
{
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, peer->transport);
    const struct ferry_gate_peer *place = NULL;
    int result = admit(gate, peer, request, &place);

    if (result == FERRY_OK) {
        result = verify(gate, peer->transport, place->nonce, request);
        if (result == FERRY_OK) {
            ferry_gate_lock(gate, peer); /* uses up the nonce */
            wire->failures = 0;
            return ferry_gate_grant(gate, peer, (enum ferry_access_level)request->level,
                                    (uint32_t)request->seconds);
        }
        wire->failed_ms = wire->seen_ms;
        if (wire->failures < FERRY_GATE_FAILURES) {
            wire->failures++;
        }
    }
    if (wire != NULL) {
        ferry_gate_count(&wire->audit.failed);
    }
    return result;
}
