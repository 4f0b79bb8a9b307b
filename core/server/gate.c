/* SPDX-License-Identifier: Apache-2.0 */
/* The gate: what may run on a transport now. */
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

/* ---- Where a transport stands ------------------------------------------------------- */

static const struct ferry_gate_transport nobody = {.number = FERRY_GATE_ANY};

/* The row of a transport, and its state; a locked one, and NULL, for one that is not known. */
static const struct ferry_gate_transport *row_of(const struct ferry_gate *gate, uint8_t transport)
{
    const struct ferry_gate_policy *policy = gate->config->policy;

    for (size_t i = 0; i < policy->transport_count; i++) {
        const struct ferry_gate_transport *row = &policy->transports[i];

        if (row->number == FERRY_GATE_ANY || row->number == transport) {
            return row;
        }
    }
    return &nobody;
}

struct ferry_gate_wire *ferry_gate_wire_of(const struct ferry_gate *gate, uint8_t transport)
{
    bool known =
        gate->config != NULL && transport < gate->wire_count && row_of(gate, transport) != &nobody;

    return known ? &gate->wires[transport] : NULL;
}

static void end_unlock(struct ferry_gate_wire *wire)
{
    wire->granted_ms = 0;
    wire->level = FERRY_ACCESS_LOCKED;
}

static void end_challenge(struct ferry_gate_wire *wire)
{
    wire->challenged = false;
    ferry_wipe(wire->nonce, sizeof(wire->nonce));
}

uint64_t ferry_gate_now(const struct ferry_gate *gate, struct ferry_gate_wire *wire)
{
    uint64_t now;

    if (gate->config->now_ms == NULL) {
        return 0;
    }
    now = gate->config->now_ms(gate->config->context);
    if (now < wire->seen_ms) { /* what was granted would last longer than was signed for */
        end_unlock(wire);
        end_challenge(wire);
        wire->failed_ms = now;
    }
    wire->seen_ms = now;
    if (now - wire->unlocked_ms >= wire->granted_ms) {
        end_unlock(wire);
    }
    if (now - wire->challenged_ms >= ferry_gate_challenge_ms(gate)) {
        end_challenge(wire);
    }
    return now;
}

void ferry_gate_look(struct ferry_gate *gate, uint8_t transport,
                     struct ferry_gate_standing *standing)
{
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, transport);
    const struct ferry_gate_transport *row = wire != NULL ? row_of(gate, transport) : &nobody;
    bool can_unlock = wire != NULL && gate->config->now_ms != NULL;

    *standing = (struct ferry_gate_standing){
        .level = (enum ferry_access_level)row->lowest,
        .lowest = (enum ferry_access_level)row->lowest,
        .highest = (enum ferry_access_level)(can_unlock ? row->highest : row->lowest)};
    if (!can_unlock) {
        return;
    }

    uint64_t now = ferry_gate_now(gate, wire);

    if (wire->granted_ms > 0) {
        uint64_t left = wire->granted_ms - (now - wire->unlocked_ms);

        standing->level = (enum ferry_access_level)wire->level;
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

int ferry_gate_ask(void *context, struct ferry_server_call *call)
{
    struct ferry_gate *gate = context;
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, call->transport);
    const struct ferry_gate_transport *row;
    struct ferry_gate_standing standing;
    const char *why;
    const char *why_ever;

    if (gate->config == NULL) {
        call->reason = "the gate is not set up";
        return FERRY_RC_ACCESS_DENIED;
    }
    row = wire != NULL ? row_of(gate, call->transport) : &nobody;
    ferry_gate_look(gate, call->transport, &standing);
    if (call_may_run(gate->config->policy, row, standing.level, call, &why)) {
        return FERRY_RC_OK;
    }
    if (wire != NULL) {
        note_refusal(wire, &call->header);
    }
    call->reason = call_may_run(gate->config->policy, row, standing.highest, call, &why_ever)
                       ? why
                       : "never on this wire";
    return FERRY_RC_ACCESS_DENIED;
}

/* ---- Unlocking, locking, counters ------------------------------------------------------ */

int ferry_gate_grant(struct ferry_gate *gate, uint8_t transport, enum ferry_access_level level,
                     uint32_t seconds)
{
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, transport);
    struct ferry_gate_standing standing;

    ferry_gate_look(gate, transport, &standing);
    if (wire == NULL || standing.highest == standing.lowest) {
        return FERRY_E_UNSUPPORTED;
    }
    if (level <= standing.lowest || level > standing.highest || seconds == 0) {
        return FERRY_E_RANGE;
    }
    wire->level = (uint8_t)level;
    wire->unlocked_ms = wire->seen_ms;
    wire->granted_ms = (uint64_t)seconds * 1000;
    ferry_gate_count(&wire->audit.unlocks);
    return FERRY_OK;
}

void ferry_gate_lock(struct ferry_gate *gate, uint8_t transport)
{
    struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, transport);

    if (wire != NULL) {
        end_unlock(wire);
        end_challenge(wire);
    }
}

const struct ferry_gate_audit *ferry_gate_audit(const struct ferry_gate *gate, uint8_t transport)
{
    const struct ferry_gate_wire *wire = ferry_gate_wire_of(gate, transport);

    return wire != NULL ? &wire->audit : NULL;
}
