/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 3, settings. [smp.md §3.3, §8] */
#include "ferry/group_settings.h"

static const struct ferry_settings_group_config *config_of(const struct ferry_server_call *call)
{
    return call->context;
}

static bool is_true(const struct ferry_cbor_field *field)
{
    return field->present && field->item.kind == FERRY_CBOR_BOOL && field->item.value != 0;
}

/* What a provider's result is on the wire.
 *
 * unsupported  the error for FERRY_E_UNSUPPORTED; 0 = FERRY_RC_NOT_SUPPORTED
 *
 * Returns an rc for the handler to return. */
static int answer(struct ferry_server_call *call, int result, uint16_t unsupported)
{
    if (result == FERRY_OK) {
        return FERRY_RC_OK;
    }
    call->reason = ferry_server_text(call, result);
    switch (result) {
    case FERRY_E_NOT_FOUND:
        return ferry_server_fail(call, FERRY_SETTINGS_ERR_KEY_NOT_FOUND, call->reason);
    case FERRY_E_NO_OWNER:
        return ferry_server_fail(call, FERRY_SETTINGS_ERR_ROOT_KEY_NOT_FOUND, call->reason);
    case FERRY_E_RANGE:
        return FERRY_RC_INVALID;
    case FERRY_E_FULL:
        return FERRY_RC_NO_MEMORY;
    case FERRY_E_BUSY:
        return FERRY_RC_BUSY;
    case FERRY_E_UNSUPPORTED:
        return unsupported == 0 ? FERRY_RC_NOT_SUPPORTED
                                : ferry_server_fail(call, unsupported, call->reason);
    default:
        return ferry_server_fail(call, FERRY_SETTINGS_ERR_UNKNOWN, call->reason);
    }
}

/* Check a name, and ask whether the client may. Returns whether the command goes on; if not, *rc
 * is what the handler returns. */
static bool name_passes(struct ferry_server_call *call, enum ferry_settings_action action,
                        struct ferry_bytes name, int *rc)
{
    const struct ferry_settings_group_config *config = config_of(call);
    size_t max = config->name_max != 0 ? config->name_max : FERRY_SETTINGS_NAME_MAX;

    *rc = FERRY_RC_OK;
    if (name.len > max) {
        *rc = ferry_server_fail(call, FERRY_SETTINGS_ERR_KEY_TOO_LONG, "the name is too long");
        return false;
    }
    if (config->permit != NULL) {
        *rc = config->permit(config->permit_context, call, action, name);
    }
    return *rc == FERRY_RC_OK && !call->failed;
}

/* ---- Read -------------------------------------------------------------------- */

/* Behind the value: "max_size", a number of 16 bits, the map's end. */
#define TAIL 13

/* Let the provider fill the value into the answer: of the size that is wanted, below the limit. */
static int put_value(struct ferry_server_call *call, struct ferry_bytes name,
                     const struct ferry_cbor_field *max_size)
{
    const struct ferry_settings_group_config *config = config_of(call);
    size_t limit = config->value_max != 0 ? config->value_max : FERRY_SETTINGS_VALUE_MAX;
    size_t room;

    ferry_cbor_put_text(&call->out, "val");

    uint8_t *place = ferry_cbor_reserve(&call->out, TAIL, &room);

    if (place == NULL) {
        return FERRY_RC_MESSAGE_SIZE;
    }
    limit = limit < room ? limit : room;

    uint64_t wanted = max_size->present ? max_size->item.value : limit;
    size_t cap = wanted < limit ? (size_t)wanted : limit;
    int len = config->provider->read(config->context, name, place, cap);

    if (len < 0) {
        return answer(call, len, FERRY_SETTINGS_ERR_READ_NOT_SUPPORTED);
    }
    ferry_cbor_put_reserved(&call->out, FERRY_CBOR_BYTES, (size_t)len < cap ? (size_t)len : cap);
    if (wanted > limit || (!max_size->present && (size_t)len > limit)) {
        ferry_cbor_pair_uint(&call->out, "max_size", limit);
    }
    return FERRY_RC_OK;
}

static int read_value(struct ferry_server_call *call)
{
    const struct ferry_settings_group_config *config = config_of(call);
    struct ferry_cbor_field fields[] = {{.key = "name", .kind = FERRY_CBOR_TEXT},
                                        {.key = "max_size", .kind = FERRY_CBOR_UINT}};
    int rc = ferry_server_read(call, fields, 2);

    if (rc != FERRY_RC_OK || !fields[0].present || fields[0].item.bytes.len == 0) {
        return FERRY_RC_INVALID;
    }
    if (!name_passes(call, FERRY_SETTINGS_READ, fields[0].item.bytes, &rc)) {
        return rc;
    }
    if (config->provider->read == NULL) {
        return answer(call, FERRY_E_UNSUPPORTED, FERRY_SETTINGS_ERR_READ_NOT_SUPPORTED);
    }
    return put_value(call, fields[0].item.bytes, &fields[1]);
}

/* ---- Save -------------------------------------------------------------------- */

static int save(struct ferry_server_call *call, struct ferry_bytes name)
{
    const struct ferry_settings_group_config *config = config_of(call);
    int rc;

    if (!name_passes(call, FERRY_SETTINGS_SAVE, name, &rc)) {
        return rc;
    }
    return answer(call,
                  config->provider->save == NULL ? FERRY_E_UNSUPPORTED
                                                 : config->provider->save(config->context, name),
                  FERRY_SETTINGS_ERR_SAVE_NOT_SUPPORTED);
}

static int save_command(struct ferry_server_call *call)
{
    struct ferry_cbor_field name = {.key = "name", .kind = FERRY_CBOR_TEXT};
    int rc = call->payload.len == 0 ? FERRY_RC_OK : ferry_server_read(call, &name, 1);

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    return save(call, name.present ? name.item.bytes : (struct ferry_bytes){0});
}

/* ---- Write ------------------------------------------------------------------- */

/* Mynewt's clients send texts as values, and "save" to save it at once; or, without a name, to
 * save everything. */
static int write_value(struct ferry_server_call *call)
{
    const struct ferry_settings_group_config *config = config_of(call);
    struct ferry_cbor_field fields[] = {{.key = "name", .kind = FERRY_CBOR_TEXT},
                                        {.key = "val", .kind = FERRY_CBOR_ANY},
                                        {.key = "save", .kind = FERRY_CBOR_ANY}};
    struct ferry_bytes name = {0};
    struct ferry_bytes value = {0};
    int rc = ferry_server_read(call, fields, 3);

    if (rc != FERRY_RC_OK || !fields[0].present) {
        return FERRY_RC_INVALID;
    }
    name = fields[0].item.bytes;
    if (fields[1].present) {
        if (fields[1].item.kind != FERRY_CBOR_BYTES && fields[1].item.kind != FERRY_CBOR_TEXT) {
            return FERRY_RC_INVALID;
        }
        value = fields[1].item.bytes;
    }
    if (name.len == 0) {
        return is_true(&fields[2]) && value.len == 0 ? save(call, name) : FERRY_RC_INVALID;
    }
    if (!name_passes(call, FERRY_SETTINGS_WRITE, name, &rc)) {
        return rc;
    }
    rc = answer(call,
                config->provider->write == NULL
                    ? FERRY_E_UNSUPPORTED
                    : config->provider->write(config->context, name, value),
                FERRY_SETTINGS_ERR_WRITE_NOT_SUPPORTED);
    if (rc != FERRY_RC_OK || call->failed || !is_true(&fields[2])) {
        return rc;
    }
    return save(call, name);
}

/* ---- Delete, commit, load ------------------------------------------------------ */

static int delete_value(struct ferry_server_call *call)
{
    const struct ferry_settings_group_config *config = config_of(call);
    struct ferry_cbor_field name = {.key = "name", .kind = FERRY_CBOR_TEXT};
    int rc = ferry_server_read(call, &name, 1);
    int result = FERRY_E_UNSUPPORTED;

    if (rc != FERRY_RC_OK || !name.present || name.item.bytes.len == 0) {
        return FERRY_RC_INVALID;
    }
    if (!name_passes(call, FERRY_SETTINGS_DELETE, name.item.bytes, &rc)) {
        return rc;
    }
    if (config->provider->remove != NULL) {
        result = config->provider->remove(config->context, name.item.bytes);
    }
    if (result == FERRY_E_NO_OWNER) {
        result = FERRY_E_NOT_FOUND; /* as Zephyr, which asks its storage here, not the owners */
    }
    return answer(call, result, FERRY_SETTINGS_ERR_DELETE_NOT_SUPPORTED);
}

static int commit(struct ferry_server_call *call)
{
    const struct ferry_settings_group_config *config = config_of(call);
    int rc;

    if (!name_passes(call, FERRY_SETTINGS_COMMIT, (struct ferry_bytes){0}, &rc)) {
        return rc;
    }
    return answer(
        call,
        config->provider->commit == NULL ? FERRY_OK : config->provider->commit(config->context), 0);
}

static int load(struct ferry_server_call *call)
{
    const struct ferry_settings_group_config *config = config_of(call);
    int rc;

    if (!name_passes(call, FERRY_SETTINGS_LOAD, (struct ferry_bytes){0}, &rc)) {
        return rc;
    }
    return answer(call,
                  config->provider->load == NULL ? FERRY_E_UNSUPPORTED
                                                 : config->provider->load(config->context),
                  0);
}

/* ---- The group --------------------------------------------------------------- */

static const struct ferry_command commands[] = {
    [FERRY_SMP_SETTINGS_VALUE] = {.read = read_value, .write = write_value},
    [FERRY_SMP_SETTINGS_DELETE] = {.write = delete_value},
    [FERRY_SMP_SETTINGS_COMMIT] = {.write = commit},
    [FERRY_SMP_SETTINGS_STORAGE] = {.read = load, .write = save_command},
};

/* [smp.md §1.7] */
static const uint8_t v1_rc[] = {
    [FERRY_SETTINGS_ERR_UNKNOWN] = FERRY_RC_UNKNOWN,
    [FERRY_SETTINGS_ERR_KEY_TOO_LONG] = FERRY_RC_INVALID,
    [FERRY_SETTINGS_ERR_KEY_NOT_FOUND] = FERRY_RC_NO_ENTRY,
    [FERRY_SETTINGS_ERR_READ_NOT_SUPPORTED] = FERRY_RC_NO_ENTRY,
    [FERRY_SETTINGS_ERR_ROOT_KEY_NOT_FOUND] = FERRY_RC_UNKNOWN,
    [FERRY_SETTINGS_ERR_WRITE_NOT_SUPPORTED] = FERRY_RC_UNKNOWN,
    [FERRY_SETTINGS_ERR_DELETE_NOT_SUPPORTED] = FERRY_RC_UNKNOWN,
    [FERRY_SETTINGS_ERR_SAVE_NOT_SUPPORTED] = FERRY_RC_UNKNOWN,
};

const struct ferry_group ferry_settings_group_table = {
    .id = FERRY_SMP_GROUP_SETTINGS,
    .name = "settings mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .v1_rc = v1_rc,
    .v1_rc_count = sizeof(v1_rc),
};
