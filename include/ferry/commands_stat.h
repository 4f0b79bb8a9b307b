/* SPDX-License-Identifier: Apache-2.0 */
/* Group statistics. Conventions are those of ferry/commands.h. [smp.md §3.2] */
#ifndef FERRY_COMMANDS_STAT_H
#define FERRY_COMMANDS_STAT_H

#include "ferry/answer.h"
#include "ferry/client.h"

/* The counters of a group. Answer: ferry_answer_map(payload, "fields", …), whose values are numbers
 * of up to 64 bits (ferry_answer_next_pair()). */
FERRY_MUST_CHECK
int32_t ferry_command_stat(struct ferry_client *client, const char *name, void *user);

/* Answer: ferry_answer_list(payload, "stat_list", …), texts. */
FERRY_MUST_CHECK
int32_t ferry_command_stat_list(struct ferry_client *client, void *user);

#endif
