/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 0, os, with all commands: each is in a file of its own. [smp.md §3.0] */
#include "ferry/group_os.h"

static const struct ferry_command commands[] = {
    [FERRY_SMP_OS_ECHO] = {.read = ferry_os_handle_echo, .write = ferry_os_handle_echo},
    [FERRY_SMP_OS_CONSOLE_ECHO] = {.write = ferry_os_handle_console_echo},
    [FERRY_SMP_OS_TASKS] = {.read = ferry_os_handle_tasks},
    [FERRY_SMP_OS_POOLS] = {.read = ferry_os_handle_pools},
    [FERRY_SMP_OS_DATETIME] = {.read = ferry_os_handle_datetime,
                               .write = ferry_os_handle_datetime_set},
    [FERRY_SMP_OS_RESET] = {.write = ferry_os_handle_reset},
    [FERRY_SMP_OS_PARAMS] = {.read = ferry_os_handle_params},
    [FERRY_SMP_OS_INFO] = {.read = ferry_os_handle_info},
    [FERRY_SMP_OS_BOOTLOADER_INFO] = {.read = ferry_os_handle_bootloader_info},
};

const struct ferry_group ferry_os_group_table = {
    .id = FERRY_SMP_GROUP_OS,
    .name = "os mgmt",
    .commands = commands,
    .command_count = sizeof(commands) / sizeof(commands[0]),
    .v1_rc = ferry_os_v1_rc,
    .v1_rc_count = FERRY_OS_ERRORS,
};
