/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: what may run for a peer now. */
#include "core/server/gate.h"
#include "core/server/os_reset.h"

#include <string.h>

/* ---- Set-up ------------------------------------------------------------------------- */

static bool list_is_good(const struct ferry_gate_list *list)
{
    return list->count == 0 || list->rules != NULL;
}

static bool row_is_good(const struct ferry_gate_transport *row)
{
    return row->highest < FERRY_ACCESS_LEVELS && row->lowest <= row->highest &&
           row->security <= FERRY_PEER_AUTHENTICATED &&
           (row->identity == NULL || row->identity[0] != '\0') &&
           (row->only == NULL || list_is_good(row->only)) &&
           (row->never == NULL || list_is_good(row->never));
}

static bool policy_is_good(const struct ferry_gate_policy *policy)
{
    for (size_t i = 0; i < FERRY_ACCESS_LEVELS; i++) {
        if (policy->levels[i] == NULL || !list_is_good(policy->levels[i])) {
            return false;
        }
    }
    if (policy->transport_count > 0 && policy->transports == NULL) {
        return false;
    }
    for (size_t i = 0; i < policy->transport_count; i++) {
        if (!row_is_good(&policy->transports[i])) {
            return false;
        }
    }
    return true;
}

static bool keys_are_good(const struct ferry_gate_config *config)
{
    if (config->key_count > 0 && config->keys == NULL) {
        return false;
    }
    for (size_t i = 0; i < config->key_count; i++) {
        const struct ferry_gate_key *key = &config->keys[i];

        if (key->level == FERRY_ACCESS_LOCKED || key->level >= FERRY_ACCESS_LEVELS ||
            key->seconds == 0) {
            return false;
        }
    }
    return true;
}

int ferry_gate_init(struct ferry_gate *gate, const struct ferry_gate_config *config,
                    struct ferry_gate_wire *wires, size_t wire_count)
{
    *gate = (struct ferry_gate){.wires = wires, .wire_count = wires != NULL ? wire_count : 0};
    if (wires != NULL) {
        memset(wires, 0, wire_count * sizeof(*wires));
    }
    if (config->policy == NULL || !policy_is_good(config->policy) || !keys_are_good(config) ||
        config->device_id.len > FERRY_ACCESS_ID_MAX) {
        return FERRY_E_CONFIG;
    }
    gate->config = config;
    return FERRY_OK;
}

/* ---- Who a peer is ------------------------------------------------------------------ */

static const struct ferry_gate_transport nobody = {.number = FERRY_GATE_ANY};

static bool same_text(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static bool is_of(const struct ferry_gate_transport *row, uint8_t transport)
{
    return row->number == FERRY_GATE_ANY || row->number == transport;
}

/* A name that nothing proves is nobody's, whatever a stack says. */
static bool is_named(const struct ferry_gate_transport *row, const struct ferry_server_peer *peer)
{
    return peer->security >= FERRY_PEER_AUTHENTICATED && peer->identity != NULL &&
           same_text(row->identity, peer->identity);
}

static bool fits(const struct ferry_gate_transport *row, const struct ferry_server_peer *peer)
{
    return is_of(row, peer->transport) && peer->security >= row->security &&
           (row->identity == NULL || is_named(row, peer));
}

/* The row of a peer; a locked one for a peer that none fits. */
static const struct ferry_gate_transport *row_of(const struct ferry_gate *gate,
                                                 const struct ferry_server_peer *peer)
{
    const struct ferry_gate_policy *policy = gate->config->policy;

    for (size_t i = 0; peer->transport < gate->wire_count && i < policy->transport_count; i++) {
        if (fits(&policy->transports[i], peer)) {
            return &policy->transports[i];
        }
    }
    return &nobody;
}

struct ferry_gate_wire *ferry_gate_wire_of(const struct ferry_gate *gate, uint8_t transport)
{
    const struct ferry_gate_policy *policy;

    if (gate->config == NULL || transport >= gate->wire_count) {
        return NULL;
    }
    policy = gate->config->policy;
    for (size_t i = 0; i < policy->transport_count; i++) {
        if (is_of(&policy->transports[i], transport)) {
            return &gate->wires[transport];
        }
    }
    return NULL;
}

/* ---- What a peer has ---------------------------------------------------------------- */

static void end_unlock(struct ferry_gate_peer *peer)
{
    peer->granted_ms = 0;
    peer->level = FERRY_ACCESS_LOCKED;
}

static void end_challenge(struct ferry_gate_peer *peer)
{
    peer->challenged = false;
    ferry_wipe(peer->nonce, sizeof(peer->nonce));
}

struct ferry_gate_peer *ferry_gate_peer_of(struct ferry_gate_wire *wire, uint32_t id)
{
    for (size_t i = 0; i < FERRY_GATE_PEERS; i++) {
        struct ferry_gate_peer *peer = &wire->peers[i];

        if (peer->id == id && (peer->challenged || peer->granted_ms > 0)) {
            return peer;
        }
    }
    return NULL;
}

struct ferry_gate_peer *ferry_gate_peer_place(struct ferry_gate_wire *wire, uint32_t id)
{
    struct ferry_gate_peer *place = ferry_gate_peer_of(wire, id);

    if (place != NULL) {
        return place;
    }
    for (size_t i = 0; i < FERRY_GATE_PEERS; i++) {
        struct ferry_gate_peer *peer = &wire->peers[i];

        if (peer->granted_ms > 0) {
            continue;
        }
        if (!peer->challenged) {
            place = peer;
            break;
        }
        if (place == NULL || peer->challenged_ms < place->challenged_ms) {
            place = peer;
        }
    }
    if (place != NULL) {
        end_challenge(place);
        place->id = id;
    }
    return place;
}

/* ---- Where a peer stands ------------------------------------------------------------ */

uint64_t ferry_gate_now(const struct ferry_gate *gate, struct ferry_gate_wire *wire)
{
    uint64_t now;
    bool back;

    if (gate->config->now_ms == NULL) {
        return 0;
    }
    now = gate->config->now_ms(gate->config->context);
    back = now < wire->seen_ms; /* what was granted would last longer than was signed for */
    if (back) {
        wire->failed_ms = now;
    }
    wire->seen_ms = now;
    for (size_t i = 0; i < FERRY_GATE_PEERS; i++) {
        struct ferry_gate_peer *peer = &wire->peers[i];

        if (back || now - peer->unlocked_ms >= peer->granted_ms) {
            end_unlock(peer);
        }
        if (peer->challenged &&
            (back || now - peer->challenged_ms >= ferry_gate_challenge_ms(gate))) {
            end_challenge(peer);
        }
    }
    return now;
}

void ferry_gate_look(struct ferry_gate *gate, const struct ferry_server_peer *peer,
                     struct ferry_gate_standing *standing)
{
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, peer->transport);
    const struct ferry_gate_transport *row = wire != NULL ? row_of(gate, peer) : &nobody;
    bool can_unlock = wire != NULL && gate->config->now_ms != NULL;
    const struct ferry_gate_peer *has;
    uint64_t now;

    *standing = (struct ferry_gate_standing){
        .level = (enum ferry_access_level)row->lowest,
        .lowest = (enum ferry_access_level)row->lowest,
        .highest = (enum ferry_access_level)(can_unlock ? row->highest : row->lowest)};
    if (!can_unlock) {
        return;
    }
    now = ferry_gate_now(gate, wire);
    has = ferry_gate_peer_of(wire, peer->id);
    if (has == NULL || has->granted_ms == 0 || has->level <= row->lowest) {
        return;
    }
    standing->level = /* what it was unlocked to when its link was a safer one counts no more */
        (enum ferry_access_level)(has->level < row->highest ? has->level : row->highest);
    if (standing->level > standing->lowest) {
        uint64_t left = has->granted_ms - (now - has->unlocked_ms);

        standing->left_s = (uint32_t)((left + 999) / 1000);
    }
}

/* ---- What may run -------------------------------------------------------------------- */

static bool list_has(const struct ferry_gate_list *list, const struct ferry_smp_header *header)
{
    uint8_t operation = header->op == FERRY_SMP_READ ? FERRY_GATE_READ : FERRY_GATE_WRITE;

    for (size_t i = 0; i < list->count; i++) {
        const struct ferry_gate_rule *rule = &list->rules[i];

        if ((rule->group == FERRY_GATE_ANY || rule->group == header->group) &&
            (rule->command == FERRY_GATE_ANY || rule->command == header->id) &&
            (rule->operations & operation) != 0) {
            return true;
        }
    }
    return false;
}

static bool may_run(const struct ferry_gate_policy *policy, const struct ferry_gate_transport *row,
                    enum ferry_access_level level, const struct ferry_smp_header *header)
{
    if ((row->only != NULL && !list_has(row->only, header)) ||
        (row->never != NULL && list_has(row->never, header))) {
        return false;
    }
    for (size_t i = 0; i <= (size_t)level; i++) {
        if (list_has(policy->levels[i], header)) {
            return true;
        }
    }
    return false;
}

/* Boot modes lead out of the firmware, into a recovery without a gate: whoever may reset may not
 * choose one for that alone, whatever the lists say. */
static bool leads_out(const struct ferry_server_call *call)
{
    bool force;

    return call->header.group == FERRY_SMP_GROUP_OS && call->header.id == FERRY_SMP_OS_RESET &&
           call->header.op == FERRY_SMP_WRITE && ferry_os_read_reset(call->payload, &force) != 0;
}

/* One more, but never back to 0. */
void ferry_gate_count(uint32_t *counter)
{
    *counter += *counter < UINT32_MAX ? 1 : 0;
}

static void note_refusal(struct ferry_gate_wire *wire, const struct ferry_smp_header *header)
{
    ferry_gate_count(&wire->audit.refused);
    wire->audit.last_group = header->group;
    wire->audit.last_command = header->id;
    wire->audit.last_op = header->op;
}

/* Whether the call may run at a level; if not, why tells what is in its way. */
static bool call_may_run(const struct ferry_gate_policy *policy,
                         const struct ferry_gate_transport *row, enum ferry_access_level level,
                         const struct ferry_server_call *call, const char **why)
{
    if (!may_run(policy, row, level, &call->header)) {
        *why = "locked: unlock it first";
        return false;
    }
    if (level < FERRY_ACCESS_SERVICE && leads_out(call)) {
        *why = "boot modes need level service: unlock it first";
        return false;
    }
    return true;
}

/* Whether a peer of the same transport may do this who fits a row in front of this one's. */
static bool others_may(const struct ferry_gate_policy *policy,
                       const struct ferry_gate_transport *own, const struct ferry_server_call *call)
{
    const char *why;

    for (size_t i = 0; i < policy->transport_count && &policy->transports[i] != own; i++) {
        const struct ferry_gate_transport *row = &policy->transports[i];

        if (is_of(row, call->transport) &&
            call_may_run(policy, row, (enum ferry_access_level)row->highest, call, &why)) {
            return true;
        }
    }
    return false;
}

int ferry_gate_ask(void *context, struct ferry_server_call *call)
{
    struct ferry_gate *gate = context;
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, call->transport);
    const struct ferry_gate_policy *policy;
    const struct ferry_gate_transport *row;
    struct ferry_gate_standing standing;
    const char *why;
    const char *why_ever;

    if (gate->config == NULL) {
        call->reason = "the gate is not set up";
        return FERRY_RC_ACCESS_DENIED;
    }
    policy = gate->config->policy;
    row = wire != NULL ? row_of(gate, call->peer) : &nobody;
    ferry_gate_look(gate, call->peer, &standing);
    if (call_may_run(policy, row, standing.level, call, &why)) {
        return FERRY_RC_OK;
    }
    if (wire != NULL) {
        note_refusal(wire, &call->header);
    }
    if (call_may_run(policy, row, standing.highest, call, &why_ever)) {
        call->reason = why;
    } else {
        call->reason = wire != NULL && others_may(policy, row, call)
                           ? "never for this peer: use a safer link or another identity"
                           : "never on this wire";
    }
    return FERRY_RC_ACCESS_DENIED;
}

/* ---- Unlocking, locking, counters ------------------------------------------------------ */

int ferry_gate_grant(struct ferry_gate *gate, const struct ferry_server_peer *peer,
                     enum ferry_access_level level, uint32_t seconds)
{
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, peer->transport);
    struct ferry_gate_standing standing;
    struct ferry_gate_peer *place;

    ferry_gate_look(gate, peer, &standing);
    if (wire == NULL || standing.highest == standing.lowest) {
        return FERRY_E_UNSUPPORTED;
    }
    if (level <= standing.lowest || level > standing.highest || seconds == 0) {
        return FERRY_E_RANGE;
    }
    place = ferry_gate_peer_place(wire, peer->id);
    if (place == NULL) {
        return FERRY_E_BUSY;
    }
    place->level = (uint8_t)level;
    place->unlocked_ms = wire->seen_ms;
    place->granted_ms = (uint64_t)seconds * 1000;
    ferry_gate_count(&wire->audit.unlocks);
    return FERRY_OK;
}

void ferry_gate_lock(struct ferry_gate *gate, const struct ferry_server_peer *peer)
{
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, peer->transport);
    struct ferry_gate_peer *has = wire != NULL ? ferry_gate_peer_of(wire, peer->id) : NULL;

    if (has != NULL) {
        end_unlock(has);
        end_challenge(has);
    }
}

void ferry_gate_lock_gone(struct ferry_gate *gate, uint8_t transport,
                          bool (*is_there)(void *context, uint32_t id), void *context)
{
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, transport);

    for (size_t i = 0; wire != NULL && i < FERRY_GATE_PEERS; i++) {
        struct ferry_gate_peer *peer = &wire->peers[i];

        if (!is_there(context, peer->id)) {
            end_unlock(peer);
            end_challenge(peer);
        }
    }
}

const struct ferry_gate_audit *ferry_gate_audit(const struct ferry_gate *gate, uint8_t transport)
{
    const struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, transport);

    return wire != NULL ? &wire->audit : NULL;
}
