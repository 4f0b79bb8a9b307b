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

/* Whether a transport can be unlocked, and by this key. Returns FERRY_OK, FERRY_E_UNSUPPORTED or
 * FERRY_E_NOT_FOUND. standing is filled in any case. */
static int find(struct ferry_gate *gate, uint8_t transport, const uint8_t *name,
                struct ferry_gate_standing *standing, const struct ferry_gate_key **key)
{
    ferry_gate_look(gate, transport, standing);
    *key = NULL;
    if (standing->highest == standing->lowest || gate->config->random == NULL) {
        return FERRY_E_UNSUPPORTED;
    }
    *key = ferry_gate_find_key(gate, name);
    return *key != NULL ? FERRY_OK : FERRY_E_NOT_FOUND;
}

int ferry_gate_challenge(struct ferry_gate *gate, uint8_t transport,
                         const uint8_t key[FERRY_ACCESS_KEY_SIZE],
                         struct ferry_gate_challenge *challenge)
{
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, transport);
    struct ferry_gate_standing standing;
    const struct ferry_gate_key *found;
    int result = find(gate, transport, key, &standing, &found);

    if (result != FERRY_OK) {
        return result;
    }
    if (!wire->challenged) {
        if (gate->config->random(gate->config->context, wire->nonce, sizeof(wire->nonce)) !=
                FERRY_OK ||
            ferry_all_equal(wire->nonce, sizeof(wire->nonce), wire->nonce[0])) {
            return FERRY_E_UNSUPPORTED; /* the source is not there, or stands still */
        }
        wire->challenged = true;
        wire->challenged_ms = wire->seen_ms;
    }

    uint64_t left = ferry_gate_challenge_ms(gate) - (wire->seen_ms - wire->challenged_ms);

    memcpy(challenge->nonce, wire->nonce, sizeof(challenge->nonce));
    challenge->level =
        found->level < standing.highest ? (enum ferry_access_level)found->level : standing.highest;
    challenge->seconds = found->seconds;
    challenge->left_s = (uint32_t)((left + 999) / 1000);
    return FERRY_OK;
}

uint32_t ferry_gate_wait_ms(struct ferry_gate *gate, uint8_t transport)
{
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, transport);
    uint64_t since;

    if (wire == NULL || wire->failures < FERRY_GATE_FAILURES) {
        return 0;
    }
    since = ferry_gate_now(gate, wire) - wire->failed_ms;
    return since < FERRY_GATE_WAIT_MS ? (uint32_t)(FERRY_GATE_WAIT_MS - since) : 0;
}

static int verify(const struct ferry_gate *gate, uint8_t transport,
                  const struct ferry_gate_wire *wire, const struct ferry_gate_request *request)
{
    uint8_t bytes[FERRY_ACCESS_MESSAGE_MAX];
    const struct ferry_access_message message = {.device_id = gate->config->device_id,
                                                 .transport = transport,
                                                 .level = (uint8_t)request->level,
                                                 .seconds = (uint32_t)request->seconds,
                                                 .nonce = wire->nonce};
    size_t len = ferry_access_message_write(&message, bytes);

    return ferry_crypto_ed25519_verify(request->key, bytes, len, request->signature);
}

/* Whether it may be unlocked like that at all; only then a signature is looked at. */
static int admit(struct ferry_gate *gate, uint8_t transport,
                 const struct ferry_gate_request *request)
{
    const struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, transport);
    struct ferry_gate_standing standing;
    const struct ferry_gate_key *key;
    int result = find(gate, transport, request->key, &standing, &key);

    if (result != FERRY_OK) {
        return result;
    }
    if (ferry_gate_wait_ms(gate, transport) > 0) {
        return FERRY_E_BUSY;
    }
    if (request->level <= (uint64_t)standing.lowest || request->level > key->level ||
        request->level > (uint64_t)standing.highest) {
        return FERRY_E_RANGE;
    }
    if (request->seconds == 0 || request->seconds > key->seconds) {
        return FERRY_E_UNLOCK_TIME;
    }
    return wire->challenged ? FERRY_OK : FERRY_E_STATE;
}

int ferry_gate_unlock(struct ferry_gate *gate, uint8_t transport,
                      const struct ferry_gate_request *request)
{
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, transport);
    int result = admit(gate, transport, request);

    if (result == FERRY_OK) {
        result = verify(gate, transport, wire, request);
        if (result == FERRY_OK) {
            ferry_gate_lock(gate, transport); /* uses up the nonce */
            wire->failures = 0;
            return ferry_gate_grant(gate, transport, (enum ferry_access_level)request->level,
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
