/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 0, os, for the smallest servers: what a client needs to find out what it may send, and
 * to start what it has sent. */
#include "ferry/group_os.h"

static const struct ferry_command commands[] = {
    [FERRY_SMP_OS_ECHO] = {.read = ferry_os_handle_echo, .write = ferry_os_handle_echo},
    [FERRY_SMP_OS_RESET] = {.write = ferry_os_handle_reset},
    [FERRY_SMP_OS_PARAMS] = {.read = ferry_os_handle_params},
};

const struct ferry_group ferry_os_minimal_table = {
    .id = FERRY_SMP_GROUP_OS,
    .name = "os mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .v1_rc = ferry_os_v1_rc,
    .v1_rc_count = FERRY_OS_ERRORS,
};
