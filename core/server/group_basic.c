/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 63, Zephyr's basic group. [smp.md §3.10] */
#include "ferry/group_basic.h"

static int erase_storage(struct ferry_server_call *call)
{
    const struct ferry_basic_group_config *config = call->context;

    if (config->erase == NULL) {
        return FERRY_RC_NOT_SUPPORTED;
    }
    switch (config->erase(config->context)) {
    case FERRY_OK:
        ferry_server_notify(call, FERRY_EVENT_STORAGE_ERASED, 0, 0);
        return FERRY_RC_OK;
    case FERRY_E_NOT_FOUND:
        return ferry_server_fail(call, FERRY_BASIC_ERR_FLASH_OPEN_FAILED, "there is no storage");
    case FERRY_E_CONFIG:
        return ferry_server_fail(call, FERRY_BASIC_ERR_FLASH_CONFIG_QUERY_FAIL,
                                 "the storage's layout makes no sense");
    default:
        return ferry_server_fail(call, FERRY_BASIC_ERR_FLASH_ERASE_FAILED,
                                 "the storage could not be erased");
    }
}

static const struct ferry_command commands[] = {
    [FERRY_SMP_BASIC_ERASE_STORAGE] = {.write = erase_storage},
};

/* [smp.md §1.7] Zephyr translates the last two to 0, and sends a packet with no header. */
static const uint8_t v1_rc[] = {
    [FERRY_BASIC_ERR_UNKNOWN] = FERRY_RC_UNKNOWN,
    [FERRY_BASIC_ERR_FLASH_OPEN_FAILED] = FERRY_RC_NO_ENTRY,
    [FERRY_BASIC_ERR_FLASH_CONFIG_QUERY_FAIL] = FERRY_RC_UNKNOWN,
    [FERRY_BASIC_ERR_FLASH_ERASE_FAILED] = FERRY_RC_UNKNOWN,
};

const struct ferry_group ferry_basic_group_table = {
    .id = FERRY_SMP_GROUP_BASIC,
    .name = "zephyr basic mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .v1_rc = v1_rc,
    .v1_rc_count = sizeof(v1_rc),
};
