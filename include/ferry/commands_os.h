/* SPDX-License-Identifier: Apache-2.0 */
/* The rest of group os, as ferry/commands.h has what every client needs: tasks, memory pools, date
 * and time, console echo. Conventions are those of ferry/commands.h. [smp.md §3.0] */
#ifndef FERRY_COMMANDS_OS_H
#define FERRY_COMMANDS_OS_H

#include "ferry/answer.h"
#include "ferry/client.h"

/* Whether the console echoes what is typed; Mynewt's. Answer: nothing. */
FERRY_MUST_CHECK
int32_t ferry_command_console_echo(struct ferry_client *client, bool on, void *user);

/* ---- Tasks ----------------------------------------------------------------------- */

FERRY_MUST_CHECK
int32_t ferry_command_tasks(struct ferry_client *client, void *user);

enum ferry_task_value {
    FERRY_TASK_PRIORITY,
    FERRY_TASK_ID,
    FERRY_TASK_STATE,
    FERRY_TASK_STACK_SIZE, /* words of 4 bytes */
    FERRY_TASK_STACK_USED, /* words of 4 bytes */
    FERRY_TASK_RUNTIME,    /* of Zephyr: cycles of the processor */
    FERRY_TASK_SWITCHES,
    FERRY_TASK_LAST_CHECKIN,
    FERRY_TASK_NEXT_CHECKIN,
    FERRY_TASK_VALUES
};

struct ferry_task {
    char name[FERRY_ANSWER_NAME_MAX];
    uint32_t known; /* bit n: the server told value n */
    int64_t values[FERRY_TASK_VALUES];
};

/* The key of a value in the answer: "prio". value is below FERRY_TASK_VALUES. */
const char *ferry_task_key(enum ferry_task_value value);

/* Begin with ferry_answer_map(payload, "tasks", …). Values of another kind or beyond 63 bits count
 * as not told. Returns 1; 0 at the end; an error of ferry_answer_next_pair() or
 * ferry_cbor_read_map(). */
FERRY_MUST_CHECK
int ferry_answer_next_task(struct ferry_answer_items *items, struct ferry_task *task);

/* ---- Memory pools ------------------------------------------------------------------ */

FERRY_MUST_CHECK
int32_t ferry_command_pools(struct ferry_client *client, void *user);

enum ferry_pool_value {
    FERRY_POOL_BLOCK_SIZE,
    FERRY_POOL_BLOCKS,
    FERRY_POOL_FREE,
    FERRY_POOL_LEAST_FREE,
    FERRY_POOL_VALUES
};

struct ferry_pool {
    char name[FERRY_ANSWER_NAME_MAX];
    uint32_t known; /* bit n: the server told value n */
    int64_t values[FERRY_POOL_VALUES];
};

/* The key of a value in the answer: "blksiz". value is below FERRY_POOL_VALUES. */
const char *ferry_pool_key(enum ferry_pool_value value);

/* Where the pools are: in the map itself, or in "mpools" (Mynewt). Returns as ferry_answer_map().
 */
FERRY_MUST_CHECK
int ferry_answer_pools(struct ferry_bytes payload, struct ferry_answer_items *items);

/* Whatever is no map is skipped. Returns as ferry_answer_next_task(). */
FERRY_MUST_CHECK
int ferry_answer_next_pool(struct ferry_answer_items *items, struct ferry_pool *pool);

/* ---- Date and time ------------------------------------------------------------------ */

/* Answer: ferry_answer_text(payload, "datetime", …), "2026-11-26T07:35:00", which has no zone. */
FERRY_MUST_CHECK
int32_t ferry_command_datetime(struct ferry_client *client, void *user);

/* text as above, 19 to 31 characters; servers ignore what stands behind the seconds, a zone too.
 * Answer: nothing. */
FERRY_MUST_CHECK
int32_t ferry_command_set_datetime(struct ferry_client *client, const char *text, void *user);

#endif
