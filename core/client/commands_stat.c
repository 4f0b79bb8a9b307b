/* SPDX-License-Identifier: Apache-2.0 */
#include "ferry/commands_stat.h"

#include "draft.h"

int32_t ferry_command_stat(struct ferry_client *client, const char *name, void *user)
{
    return ferry_draft_text(client, FERRY_SMP_READ, FERRY_SMP_GROUP_STAT, FERRY_SMP_STAT_SHOW,
                            "name", name, user);
}

int32_t ferry_command_stat_list(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_STAT, FERRY_SMP_STAT_LIST,
                             user);
}
