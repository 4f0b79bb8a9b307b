/* SPDX-License-Identifier: Apache-2.0 */
#include "packet_names.h"
#include "cli/cli.h"
#include "ferry/access.h"
#include "ferry/group_trust.h"
#include "ferry/smp.h"

#include <string.h>
#include <strings.h>

/* A group's first name is the one that is shown. */
static const struct {
    uint16_t id;
    const char *name;
} groups[] = {
    {FERRY_SMP_GROUP_OS, "os"},           {FERRY_SMP_GROUP_OS, "default"},
    {FERRY_SMP_GROUP_IMAGE, "image"},     {FERRY_SMP_GROUP_IMAGE, "img"},
    {FERRY_SMP_GROUP_STAT, "stat"},       {FERRY_SMP_GROUP_STAT, "stats"},
    {FERRY_SMP_GROUP_STAT, "statistics"}, {FERRY_SMP_GROUP_SETTINGS, "settings"},
    {FERRY_SMP_GROUP_SETTINGS, "config"}, {FERRY_SMP_GROUP_LOG, "log"},
    {FERRY_SMP_GROUP_CRASH, "crash"},     {FERRY_SMP_GROUP_SPLIT, "split"},
    {FERRY_SMP_GROUP_RUN, "run"},         {FERRY_SMP_GROUP_FS, "fs"},
    {FERRY_SMP_GROUP_FS, "file"},         {FERRY_SMP_GROUP_SHELL, "shell"},
    {FERRY_SMP_GROUP_ENUM, "enum"},       {FERRY_SMP_GROUP_TRANSPORT, "transport"},
    {FERRY_SMP_GROUP_BASIC, "basic"},     {FERRY_SMP_GROUP_BASIC, "zephyr"},
    {FERRY_SMP_GROUP_TRUST, "trust"},     {FERRY_SMP_GROUP_ACCESS, "access"},
};

static const struct {
    uint16_t group;
    uint8_t id;
    const char *name;
} commands[] = {
    {FERRY_SMP_GROUP_OS, 0, "echo"},
    {FERRY_SMP_GROUP_OS, 1, "console-echo"},
    {FERRY_SMP_GROUP_OS, 2, "tasks"},
    {FERRY_SMP_GROUP_OS, 3, "pools"},
    {FERRY_SMP_GROUP_OS, 4, "datetime"},
    {FERRY_SMP_GROUP_OS, 5, "reset"},
    {FERRY_SMP_GROUP_OS, 6, "params"},
    {FERRY_SMP_GROUP_OS, 7, "info"},
    {FERRY_SMP_GROUP_OS, 8, "bootloader"},
    {FERRY_SMP_GROUP_IMAGE, 0, "state"},
    {FERRY_SMP_GROUP_IMAGE, 1, "upload"},
    {FERRY_SMP_GROUP_IMAGE, 2, "file"},
    {FERRY_SMP_GROUP_IMAGE, 3, "corelist"},
    {FERRY_SMP_GROUP_IMAGE, 4, "coreload"},
    {FERRY_SMP_GROUP_IMAGE, 5, "erase"},
    {FERRY_SMP_GROUP_IMAGE, 6, "slots"},
    {FERRY_SMP_GROUP_STAT, 0, "show"},
    {FERRY_SMP_GROUP_STAT, 1, "list"},
    {FERRY_SMP_GROUP_SETTINGS, 0, "value"},
    {FERRY_SMP_GROUP_SETTINGS, 1, "delete"},
    {FERRY_SMP_GROUP_SETTINGS, 2, "commit"},
    {FERRY_SMP_GROUP_SETTINGS, 3, "storage"},
    {FERRY_SMP_GROUP_LOG, 0, "show"},
    {FERRY_SMP_GROUP_LOG, 1, "clear"},
    {FERRY_SMP_GROUP_LOG, 2, "append"},
    {FERRY_SMP_GROUP_LOG, 3, "modules"},
    {FERRY_SMP_GROUP_LOG, 4, "levels"},
    {FERRY_SMP_GROUP_LOG, 5, "logs"},
    {FERRY_SMP_GROUP_CRASH, 0, "crash"},
    {FERRY_SMP_GROUP_RUN, 0, "test"},
    {FERRY_SMP_GROUP_RUN, 1, "list"},
    {FERRY_SMP_GROUP_FS, 0, "file"},
    {FERRY_SMP_GROUP_FS, 1, "status"},
    {FERRY_SMP_GROUP_FS, 2, "hash"},
    {FERRY_SMP_GROUP_FS, 3, "types"},
    {FERRY_SMP_GROUP_FS, 4, "close"},
    {FERRY_SMP_GROUP_SHELL, 0, "exec"},
    {FERRY_SMP_GROUP_ENUM, 0, "count"},
    {FERRY_SMP_GROUP_ENUM, 1, "list"},
    {FERRY_SMP_GROUP_ENUM, 2, "single"},
    {FERRY_SMP_GROUP_ENUM, 3, "details"},
    {FERRY_SMP_GROUP_TRANSPORT, 0, "connect"},
    {FERRY_SMP_GROUP_TRANSPORT, 1, "disconnect"},
    {FERRY_SMP_GROUP_TRANSPORT, 2, "status"},
    {FERRY_SMP_GROUP_TRANSPORT, 6, "list"},
    {FERRY_SMP_GROUP_TRANSPORT, 7, "modes"},
    {FERRY_SMP_GROUP_TRANSPORT, 8, "configuration"},
    {FERRY_SMP_GROUP_BASIC, 0, "erase-storage"},
    {FERRY_SMP_GROUP_TRUST, FERRY_SMP_TRUST_KEY, "key"},
    {FERRY_SMP_GROUP_TRUST, FERRY_SMP_TRUST_REVOKE, "revoke"},
    {FERRY_SMP_GROUP_TRUST, FERRY_SMP_TRUST_ADD, "add"},
    {FERRY_SMP_GROUP_ACCESS, FERRY_SMP_ACCESS_STATUS, "status"},
    {FERRY_SMP_GROUP_ACCESS, FERRY_SMP_ACCESS_CHALLENGE, "challenge"},
    {FERRY_SMP_GROUP_ACCESS, FERRY_SMP_ACCESS_UNLOCK, "unlock"},
    {FERRY_SMP_GROUP_ACCESS, FERRY_SMP_ACCESS_LOCK, "lock"},
    {FERRY_SMP_GROUP_ACCESS, FERRY_SMP_ACCESS_AUDIT, "audit"},
};

#define GROUPS   (sizeof groups / sizeof groups[0])
#define COMMANDS (sizeof commands / sizeof commands[0])

const char *packet_op_name(uint8_t op)
{
    static const char *const names[] = {"read", "read-rsp", "write", "write-rsp",
                                        "op 4", "op 5",     "op 6",  "op 7"};

    return names[op & 7];
}

const char *packet_group_name(uint16_t group)
{
    for (size_t i = 0; i < GROUPS; i++) {
        if (groups[i].id == group) {
            return groups[i].name;
        }
    }
    return NULL;
}

const char *packet_command_name(uint16_t group, uint8_t id)
{
    for (size_t i = 0; i < COMMANDS; i++) {
        if (commands[i].group == group && commands[i].id == id) {
            return commands[i].name;
        }
    }
    return NULL;
}

bool packet_group_number(const char *text, uint16_t *group)
{
    uint32_t number;

    for (size_t i = 0; i < GROUPS; i++) {
        if (strcasecmp(groups[i].name, text) == 0) {
            *group = groups[i].id;
            return true;
        }
    }
    if (cli_number(text, UINT16_MAX, &number) != FERRY_OK) {
        return false;
    }
    *group = (uint16_t)number;
    return true;
}

bool packet_command_number(uint16_t group, const char *text, uint8_t *id)
{
    uint32_t number;

    for (size_t i = 0; i < COMMANDS; i++) {
        if (commands[i].group == group && strcasecmp(commands[i].name, text) == 0) {
            *id = commands[i].id;
            return true;
        }
    }
    if (cli_number(text, UINT8_MAX, &number) != FERRY_OK) {
        return false;
    }
    *id = (uint8_t)number;
    return true;
}

void packet_group_list(char *out, unsigned cap)
{
    unsigned len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < GROUPS && len < cap; i++) {
        if (i == 0 || groups[i].id != groups[i - 1].id) {
            len +=
                (unsigned)snprintf(out + len, cap - len, "%s%s", i > 0 ? ", " : "", groups[i].name);
        }
    }
}
