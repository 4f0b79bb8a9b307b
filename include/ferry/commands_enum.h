/* SPDX-License-Identifier: Apache-2.0 */
/* Group enumeration: which groups a server has. Conventions are those of ferry/commands.h.
 * [smp.md §3.8] */
#ifndef FERRY_COMMANDS_ENUM_H
#define FERRY_COMMANDS_ENUM_H

#include "ferry/answer.h"
#include "ferry/client.h"

/* Answer: ferry_answer_number(payload, "count", …). */
FERRY_MUST_CHECK
int32_t ferry_command_enum_count(struct ferry_client *client, void *user);

/* Answer: ferry_answer_list(payload, "groups", …), numbers. */
FERRY_MUST_CHECK
int32_t ferry_command_enum_list(struct ferry_client *client, void *user);

/* The group at an index in the server's list. Answer: ferry_answer_number(payload, "group", …), and
 * ferry_answer_enum_end(). */
FERRY_MUST_CHECK
int32_t ferry_command_enum_single(struct ferry_client *client, uint32_t index, void *user);

/* Whether this is said to be the last group. An answer without the key, or that cannot be read, is
 * none. */
bool ferry_answer_enum_end(struct ferry_bytes payload);

/* groups: count numbers of those that are wanted; count 0: all. */
FERRY_MUST_CHECK
int32_t ferry_command_enum_details(struct ferry_client *client, const uint16_t *groups,
                                   size_t count, void *user);

struct ferry_group_details {
    uint64_t group;
    char name[FERRY_ANSWER_NAME_MAX]; /* "" = not said */
    bool has_handlers;
    uint64_t handlers; /* the highest command number + 1 */
};

/* Begin with ferry_answer_list(payload, "groups", …). Returns 1; 0 at the end; FERRY_E_NOT_FOUND
 * for one without a number; an error of ferry_answer_next() or ferry_cbor_read_map(). */
FERRY_MUST_CHECK
int ferry_answer_next_group(struct ferry_answer_items *items, struct ferry_group_details *group);

#endif
