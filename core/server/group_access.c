/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 103: the gate, seen and moved by clients. [docs/SERVER.md, "Unlocking"] */
#include "ferry/group_access.h"

#include "core/server/gate.h"

/* ---- Errors -------------------------------------------------------------------------- */

/* What an error of the gate is on the wire. */
static uint16_t wire_error(int error)
{
    switch (error) {
    case FERRY_E_NOT_FOUND:
        return FERRY_ACCESS_ERR_NO_KEY;
    case FERRY_E_RANGE:
        return FERRY_ACCESS_ERR_LEVEL;
    case FERRY_E_UNLOCK_TIME:
        return FERRY_ACCESS_ERR_TIME;
    case FERRY_E_STATE:
        return FERRY_ACCESS_ERR_NO_CHALLENGE;
    case FERRY_E_SIGNATURE:
        return FERRY_ACCESS_ERR_SIGNATURE;
    case FERRY_E_BUSY:
        return FERRY_ACCESS_ERR_WAIT;
    case FERRY_E_UNSUPPORTED:
        return FERRY_ACCESS_ERR_UNAVAILABLE;
    default:
        return FERRY_ACCESS_ERR_UNKNOWN;
    }
}

static int fail(struct ferry_server_call *call, int error)
{
    int rc = ferry_server_fail(call, wire_error(error), NULL);

    if (error == FERRY_E_BUSY) {
        ferry_cbor_pair_uint(&call->out, "wait", ferry_gate_wait_ms(call->context, call->peer));
    }
    return rc;
}

static bool is_key(const struct ferry_cbor_field *field)
{
    return field->present && field->item.bytes.len == FERRY_ACCESS_KEY_SIZE;
}

/* ---- Status, counters ------------------------------------------------------------------ */

static void put_key(struct ferry_server_call *call, const struct ferry_gate_key *key,
                    enum ferry_access_level highest)
{
    uint32_t level = ferry_min32(key->level, (uint32_t)highest);

    ferry_cbor_pair_uint(&call->out, "max_level", level);
    ferry_cbor_pair_uint(&call->out, "max_seconds", key->seconds);
}

static int status(struct ferry_server_call *call)
{
    struct ferry_gate *gate = call->context;
    struct ferry_cbor_field name = {.key = "key", .kind = FERRY_CBOR_BYTES};
    const struct ferry_gate_key *key = NULL;
    struct ferry_gate_standing standing;
    int rc = ferry_server_read(call, &name, 1);

    if (rc != FERRY_RC_OK || (name.present && !is_key(&name))) {
        return FERRY_RC_INVALID;
    }
    if (name.present) {
        key = ferry_gate_find_key(gate, name.item.bytes.data);
        if (key == NULL) {
            return fail(call, FERRY_E_NOT_FOUND);
        }
    }
    ferry_gate_look(gate, call->peer, &standing);
    ferry_cbor_pair_uint(&call->out, "level", standing.level);
    ferry_cbor_pair_uint(&call->out, "lowest", standing.lowest);
    ferry_cbor_pair_uint(&call->out, "highest", standing.highest);
    ferry_cbor_pair_uint(&call->out, "left", standing.left_s);
    if (key != NULL) {
        put_key(call, key, standing.highest);
    }
    return FERRY_RC_OK;
}

static int audit(struct ferry_server_call *call)
{
    const struct ferry_gate *gate = call->context;
    struct ferry_cbor_field number = {.key = "transport", .kind = FERRY_CBOR_UINT};
    const struct ferry_gate_audit *found;
    int rc = ferry_server_read(call, &number, 1);
    uint64_t transport = number.present ? number.item.value : call->transport;

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    found = transport <= UINT8_MAX ? ferry_gate_audit(gate, (uint8_t)transport) : NULL;
    if (found == NULL) {
        return ferry_server_fail(call, FERRY_ACCESS_ERR_NO_TRANSPORT, NULL);
    }
    ferry_cbor_pair_uint(&call->out, "transport", transport);
    ferry_cbor_pair_uint(&call->out, "refused", found->refused);
    ferry_cbor_pair_uint(&call->out, "unlocks", found->unlocks);
    ferry_cbor_pair_uint(&call->out, "failed", found->failed);
    if (found->refused > 0) {
        ferry_cbor_pair_uint(&call->out, "last_group", found->last_group);
        ferry_cbor_pair_uint(&call->out, "last_command", found->last_command);
        ferry_cbor_pair_uint(&call->out, "last_op", found->last_op);
    }
    return FERRY_RC_OK;
}

/* ---- Unlocking and locking ------------------------------------------------------------- */

static int challenge(struct ferry_server_call *call)
{
    struct ferry_gate *gate = call->context;
    struct ferry_cbor_field key = {.key = "key", .kind = FERRY_CBOR_BYTES};
    struct ferry_gate_challenge made;
    int rc = ferry_server_read(call, &key, 1);

    if (rc != FERRY_RC_OK || !is_key(&key)) {
        return FERRY_RC_INVALID;
    }

    int error = ferry_gate_challenge(gate, call->peer, key.item.bytes.data, &made);

    if (error != FERRY_OK) {
        return fail(call, error);
    }
    ferry_cbor_pair_bytes(&call->out, "nonce", made.nonce, sizeof(made.nonce));
    ferry_cbor_pair_bytes(&call->out, "id", gate->config->device_id.data,
                          gate->config->device_id.len);
    ferry_cbor_pair_uint(&call->out, "transport", call->transport);
    ferry_cbor_pair_uint(&call->out, "max_level", made.level);
    ferry_cbor_pair_uint(&call->out, "max_seconds", made.seconds);
    ferry_cbor_pair_uint(&call->out, "left", made.left_s);
    return FERRY_RC_OK;
}

static void put_standing(struct ferry_server_call *call)
{
    struct ferry_gate_standing standing;

    ferry_gate_look(call->context, call->peer, &standing);
    ferry_cbor_pair_uint(&call->out, "level", standing.level);
    ferry_cbor_pair_uint(&call->out, "left", standing.left_s);
}

static int unlock(struct ferry_server_call *call)
{
    struct ferry_gate *gate = call->context;
    struct ferry_cbor_field fields[] = {{.key = "key", .kind = FERRY_CBOR_BYTES},
                                        {.key = "level", .kind = FERRY_CBOR_UINT},
                                        {.key = "seconds", .kind = FERRY_CBOR_UINT},
                                        {.key = "sig", .kind = FERRY_CBOR_BYTES}};
    int rc = ferry_server_read(call, fields, sizeof(fields) / sizeof(fields[0]));

    if (rc != FERRY_RC_OK || !is_key(&fields[0]) || !fields[1].present || !fields[2].present ||
        !fields[3].present || fields[3].item.bytes.len != FERRY_ACCESS_SIGNATURE_SIZE) {
        return FERRY_RC_INVALID;
    }

    const struct ferry_gate_request request = {.key = fields[0].item.bytes.data,
                                               .level = fields[1].item.value,
                                               .seconds = fields[2].item.value,
                                               .signature = fields[3].item.bytes.data};
    int error = ferry_gate_unlock(gate, call->peer, &request);

    if (error != FERRY_OK) {
        ferry_server_notify(call, FERRY_EVENT_UNLOCK_FAILED, 0, wire_error(error));
        return fail(call, error);
    }
    ferry_server_notify(call, FERRY_EVENT_UNLOCKED, 0, (uint32_t)request.level);
    put_standing(call);
    return FERRY_RC_OK;
}

/* Anybody may: less can be done afterwards. */
static int lock(struct ferry_server_call *call)
{
    struct ferry_gate_standing standing;

    ferry_gate_lock(call->context, call->peer);
    ferry_gate_look(call->context, call->peer, &standing);
    ferry_server_notify(call, FERRY_EVENT_LOCKED, 0, (uint32_t)standing.level);
    put_standing(call);
    return FERRY_RC_OK;
}

/* ---- The group --------------------------------------------------------------------------- */

static const struct ferry_command commands[] = {
    [FERRY_SMP_ACCESS_STATUS] = {.read = status},
    [FERRY_SMP_ACCESS_CHALLENGE] = {.write = challenge},
    [FERRY_SMP_ACCESS_UNLOCK] = {.write = unlock},
    [FERRY_SMP_ACCESS_LOCK] = {.write = lock},
    [FERRY_SMP_ACCESS_AUDIT] = {.read = audit},
};

static const uint8_t v1_rc[] = {
    [FERRY_ACCESS_ERR_UNKNOWN] = FERRY_RC_UNKNOWN,
    [FERRY_ACCESS_ERR_NO_KEY] = FERRY_RC_NO_ENTRY,
    [FERRY_ACCESS_ERR_LEVEL] = FERRY_RC_ACCESS_DENIED,
    [FERRY_ACCESS_ERR_TIME] = FERRY_RC_INVALID,
    [FERRY_ACCESS_ERR_NO_CHALLENGE] = FERRY_RC_BAD_STATE,
    [FERRY_ACCESS_ERR_SIGNATURE] = FERRY_RC_ACCESS_DENIED,
    [FERRY_ACCESS_ERR_WAIT] = FERRY_RC_BUSY,
    [FERRY_ACCESS_ERR_UNAVAILABLE] = FERRY_RC_NOT_SUPPORTED,
    [FERRY_ACCESS_ERR_NO_TRANSPORT] = FERRY_RC_NO_ENTRY,
};

const struct ferry_group ferry_access_group_table = {
    .id = FERRY_SMP_GROUP_ACCESS,
    .name = "access mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .v1_rc = v1_rc,
    .v1_rc_count = sizeof(v1_rc),
};
