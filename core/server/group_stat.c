/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 2, statistics. [smp.md §3.2] */
#include "ferry/group_stat.h"

#include <string.h>

static const struct ferry_stat_set *find_set(const struct ferry_stat_group_config *config,
                                             const struct ferry_cbor_item *name)
{
    for (size_t i = 0; i < config->set_count; i++) {
        if (ferry_cbor_is_text(name, config->sets[i].name)) {
            return &config->sets[i];
        }
    }
    return NULL;
}

/* The low 32 bits of a counter, as Zephyr tells them whatever its width. Returns whether it has
 * a width. */
static bool read_counter(const struct ferry_stat_set *set, const struct ferry_stat_counter *counter,
                         uint32_t *value)
{
    const uint8_t *at = (const uint8_t *)set->values + counter->offset;
    uint16_t half;
    uint64_t twice;

    switch (counter->size) {
    case sizeof(uint8_t):
        *value = *at;
        return true;
    case sizeof(half):
        memcpy(&half, at, sizeof(half));
        *value = half;
        return true;
    case sizeof(*value):
        memcpy(value, at, sizeof(*value));
        return true;
    case sizeof(twice):
        memcpy(&twice, at, sizeof(twice));
        *value = (uint32_t)twice;
        return true;
    default:
        return false;
    }
}

static int put_fields(struct ferry_server_call *call, const struct ferry_stat_set *set)
{
    uint32_t value;

    ferry_cbor_pair_text(&call->out, "name", set->name);
    ferry_cbor_put_text(&call->out, "fields");
    ferry_cbor_open_map(&call->out);
    for (size_t i = 0; i < set->count; i++) {
        if (!read_counter(set, &set->counters[i], &value)) {
            return ferry_server_fail(call, FERRY_STAT_ERR_INVALID_STAT_SIZE,
                                     "a counter has no such width");
        }
        ferry_cbor_pair_uint(&call->out, set->counters[i].name, value);
    }
    ferry_cbor_close(&call->out);
    return FERRY_RC_OK;
}

static int show(struct ferry_server_call *call)
{
    const struct ferry_stat_group_config *config = call->context;
    size_t name_max = config->name_max != 0 ? config->name_max : FERRY_STAT_NAME_MAX;
    struct ferry_cbor_field name = {.key = "name", .kind = FERRY_CBOR_TEXT};
    int rc = ferry_server_read(call, &name, 1);
    const struct ferry_stat_set *set;

    if (rc != FERRY_RC_OK) {
        return rc;
    }
    if (!name.present || name.item.bytes.len == 0 || name.item.bytes.len > name_max) {
        return FERRY_RC_INVALID;
    }
    set = find_set(config, &name.item);
    if (set == NULL) {
        return ferry_server_fail(call, FERRY_STAT_ERR_INVALID_STAT_NAME, "no such statistics");
    }
    if (set->count > 0 && (set->counters == NULL || set->values == NULL)) {
        return ferry_server_fail(call, FERRY_STAT_ERR_INVALID_GROUP, "it has no counters");
    }
    if (set->update != NULL && set->update(set->context) != FERRY_OK) {
        return ferry_server_fail(call, FERRY_STAT_ERR_WALK_ABORTED, "they cannot be told now");
    }
    return put_fields(call, set);
}

static int list(struct ferry_server_call *call)
{
    const struct ferry_stat_group_config *config = call->context;

    ferry_cbor_put_text(&call->out, "stat_list");
    ferry_cbor_open_list(&call->out);
    for (size_t i = 0; i < config->set_count; i++) {
        ferry_cbor_put_text(&call->out, config->sets[i].name);
    }
    ferry_cbor_close(&call->out);
    return FERRY_RC_OK;
}

static const struct ferry_command commands[] = {
    [FERRY_SMP_STAT_SHOW] = {.read = show},
    [FERRY_SMP_STAT_LIST] = {.read = list},
};

/* [smp.md §1.7] */
static const uint8_t v1_rc[] = {
    [FERRY_STAT_ERR_UNKNOWN] = FERRY_RC_UNKNOWN,
    [FERRY_STAT_ERR_INVALID_GROUP] = FERRY_RC_NO_ENTRY,
    [FERRY_STAT_ERR_INVALID_STAT_NAME] = FERRY_RC_NO_ENTRY,
    [FERRY_STAT_ERR_INVALID_STAT_SIZE] = FERRY_RC_INVALID,
    [FERRY_STAT_ERR_WALK_ABORTED] = FERRY_RC_UNKNOWN,
};

const struct ferry_group ferry_stat_group_table = {
    .id = FERRY_SMP_GROUP_STAT,
    .name = "stat mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .v1_rc = v1_rc,
    .v1_rc_count = sizeof(v1_rc),
};
