/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 0, os, for chips with little flash. */
#include "ferry/group_os_small.h"

#include "ferry/group_os.h"

/* Whatever the payload is, the device is reset: the simplest client must reach it. */
static int reset(struct ferry_server_call *call)
{
    struct ferry_os_small *os = call->context;
    struct ferry_cbor_field mode = {.key = "boot_mode", .kind = FERRY_CBOR_UINT};

    if (ferry_server_read(call, &mode, 1) == FERRY_RC_OK && mode.present) {
        if (mode.item.value > UINT8_MAX) {
            return FERRY_RC_INVALID;
        }
        os->boot_mode = (uint8_t)mode.item.value;
    }
    os->reset_due = true;
    return FERRY_RC_OK;
}

static const struct ferry_command commands[] = {
    [FERRY_SMP_OS_ECHO] = {.read = ferry_os_handle_echo, .write = ferry_os_handle_echo},
    [FERRY_SMP_OS_RESET] = {.write = reset},
    [FERRY_SMP_OS_PARAMS] = {.read = ferry_os_handle_params},
};

const struct ferry_group ferry_os_small_table = {
    .id = FERRY_SMP_GROUP_OS,
    .name = "os mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
};
