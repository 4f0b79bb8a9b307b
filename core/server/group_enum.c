/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 10, enumeration. [smp.md §3.8] */
#include "ferry/group_enum.h"

static int count(struct ferry_server_call *call)
{
    ferry_cbor_pair_uint(&call->out, "count", call->server->config->group_count);
    return FERRY_RC_OK;
}

static int list(struct ferry_server_call *call)
{
    const struct ferry_server_config *config = call->server->config;

    ferry_cbor_put_text(&call->out, "groups");
    ferry_cbor_open_list(&call->out);
    for (size_t i = 0; i < config->group_count; i++) {
        ferry_cbor_put_uint(&call->out, config->groups[i].group->id);
    }
    ferry_cbor_close(&call->out);
    return FERRY_RC_OK;
}

/* One at a time, for clients and buffers that the list is too long for. */
static int single(struct ferry_server_call *call)
{
    const struct ferry_server_config *config = call->server->config;
    struct ferry_cbor_field index = {.key = "index", .kind = FERRY_CBOR_UINT};
    uint64_t number = 0;
    int rc = ferry_server_read(call, &index, 1);

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    if (index.present) {
        number = index.item.value;
    }
    if (number > UINT16_MAX) {
        return FERRY_RC_INVALID;
    }
    if (number >= config->group_count) {
        return ferry_server_fail(call, FERRY_ENUM_ERR_INDEX_TOO_LARGE, "there are fewer groups");
    }
    ferry_cbor_pair_uint(&call->out, "group", config->groups[number].group->id);
    if (number + 1 == config->group_count) {
        ferry_cbor_pair_bool(&call->out, "end", true);
    }
    return FERRY_RC_OK;
}

/* ---- Details ----------------------------------------------------------------- */

/* Whether a filter is a list of numbers. */
static bool filter_is_good(const struct ferry_cbor_item *filter)
{
    struct ferry_cbor_reader in = ferry_cbor_enter(filter);
    struct ferry_cbor_item item;

    while (!ferry_cbor_at_end(&in)) {
        if (ferry_cbor_read(&in, &item) != FERRY_OK || item.kind != FERRY_CBOR_UINT) {
            return false;
        }
    }
    return true;
}

/* Whether a group is asked for: an empty filter asks for all. */
static bool is_asked_for(const struct ferry_cbor_item *filter, uint16_t group)
{
    struct ferry_cbor_reader in = ferry_cbor_enter(filter);
    struct ferry_cbor_item item;
    bool all = ferry_cbor_at_end(&in);

    while (!ferry_cbor_at_end(&in) && ferry_cbor_read(&in, &item) == FERRY_OK) {
        if (item.value == group) {
            return true;
        }
    }
    return all;
}

static void put_details(struct ferry_cbor_writer *out, const struct ferry_group *group)
{
    ferry_cbor_open_map(out);
    ferry_cbor_pair_uint(out, "group", group->id);
    if (group->name != NULL) {
        ferry_cbor_pair_text(out, "name", group->name);
    }
    ferry_cbor_pair_uint(out, "handlers", group->command_count);
    ferry_cbor_close(out);
}

static int details(struct ferry_server_call *call)
{
    const struct ferry_server_config *config = call->server->config;
    struct ferry_cbor_field filter = {.key = "groups", .kind = FERRY_CBOR_LIST};
    int rc = ferry_server_read(call, &filter, 1);

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    if (filter.present && !filter_is_good(&filter.item)) {
        return FERRY_RC_INVALID;
    }
    ferry_cbor_put_text(&call->out, "groups");
    ferry_cbor_open_list(&call->out);
    for (size_t i = 0; i < config->group_count; i++) {
        if (!filter.present || is_asked_for(&filter.item, config->groups[i].group->id)) {
            put_details(&call->out, config->groups[i].group);
        }
    }
    ferry_cbor_close(&call->out);
    return FERRY_RC_OK;
}

/* ---- The group --------------------------------------------------------------- */

static const struct ferry_command commands[] = {
    [FERRY_SMP_ENUM_COUNT] = {.read = count},
    [FERRY_SMP_ENUM_LIST] = {.read = list},
    [FERRY_SMP_ENUM_SINGLE] = {.read = single},
    [FERRY_SMP_ENUM_DETAILS] = {.read = details},
};

/* [smp.md §1.7] */
static const uint8_t v1_rc[] = {
    [FERRY_ENUM_ERR_UNKNOWN] = FERRY_RC_UNKNOWN,
    [FERRY_ENUM_ERR_TOO_MANY_GROUP_ENTRIES] = FERRY_RC_INVALID,
    [FERRY_ENUM_ERR_INSUFFICIENT_HEAP] = FERRY_RC_UNKNOWN,
    [FERRY_ENUM_ERR_INDEX_TOO_LARGE] = FERRY_RC_UNKNOWN,
};

const struct ferry_group ferry_enum_group_table = {
    .id = FERRY_SMP_GROUP_ENUM,
    .name = "enum mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .v1_rc = v1_rc,
    .v1_rc_count = sizeof(v1_rc),
};
