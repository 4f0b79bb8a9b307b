/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks, memory pools, date and time, console echo: requests written, answers read. */
#include "ferry/commands_os.h"

#include "draft.h"

#include <string.h>

int32_t ferry_command_console_echo(struct ferry_client *client, bool on, void *user)
{
    struct ferry_draft draft;

    if (!ferry_draft_begin(client, &draft, FERRY_SMP_WRITE, FERRY_SMP_GROUP_OS,
                           FERRY_SMP_OS_CONSOLE_ECHO, user)) {
        return FERRY_E_BUSY;
    }
    ferry_cbor_put_map(&draft.writer, 1);
    ferry_cbor_pair_uint(&draft.writer, "echo", on);
    return ferry_draft_submit(client, &draft);
}

int32_t ferry_command_tasks(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_TASKS, user);
}

int32_t ferry_command_pools(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_POOLS, user);
}

int32_t ferry_command_datetime(struct ferry_client *client, void *user)
{
    return ferry_draft_plain(client, FERRY_SMP_READ, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_DATETIME,
                             user);
}

int32_t ferry_command_set_datetime(struct ferry_client *client, const char *text, void *user)
{
    return ferry_draft_text(client, FERRY_SMP_WRITE, FERRY_SMP_GROUP_OS, FERRY_SMP_OS_DATETIME,
                            "datetime", text, user);
}

/* ---- Rows: a name and numbers -------------------------------------------------------- */

#define VALUES_MAX FERRY_TASK_VALUES

/* The numbers of a map, by their keys. */
static int read_values(struct ferry_bytes map, const char *const *keys, size_t count,
                       uint32_t *known, int64_t *values)
{
    struct ferry_cbor_field fields[VALUES_MAX];

    for (size_t i = 0; i < count; i++) {
        fields[i] = (struct ferry_cbor_field){.key = keys[i], .kind = FERRY_CBOR_ANY};
    }
    int rc = ferry_cbor_read_map(map, fields, count);

    *known = 0;
    for (size_t i = 0; i < count; i++) {
        values[i] = 0;
        if (rc == FERRY_OK && fields[i].present &&
            ferry_cbor_to_int(&fields[i].item, &values[i]) == FERRY_OK) {
            *known |= 1u << i;
        }
    }
    return rc;
}

static const char *const task_keys[FERRY_TASK_VALUES] = {
    [FERRY_TASK_PRIORITY] = "prio",
    [FERRY_TASK_ID] = "tid",
    [FERRY_TASK_STATE] = "state",
    [FERRY_TASK_STACK_SIZE] = "stksiz",
    [FERRY_TASK_STACK_USED] = "stkuse",
    [FERRY_TASK_RUNTIME] = "runtime",
    [FERRY_TASK_SWITCHES] = "cswcnt",
    [FERRY_TASK_LAST_CHECKIN] = "last_checkin",
    [FERRY_TASK_NEXT_CHECKIN] = "next_checkin",
};

const char *ferry_task_key(enum ferry_task_value value)
{
    return task_keys[value];
}

int ferry_answer_next_task(struct ferry_answer_items *items, struct ferry_task *task)
{
    struct ferry_answer_element value;
    int rc = ferry_answer_next_pair(items, task->name, sizeof task->name, &value);

    if (rc != 1) {
        return rc;
    }
    rc = read_values(value.whole, task_keys, FERRY_TASK_VALUES, &task->known, task->values);
    return rc == FERRY_OK ? 1 : rc;
}

static const char *const pool_keys[FERRY_POOL_VALUES] = {
    [FERRY_POOL_BLOCK_SIZE] = "blksiz",
    [FERRY_POOL_BLOCKS] = "nblks",
    [FERRY_POOL_FREE] = "nfree",
    [FERRY_POOL_LEAST_FREE] = "min",
};

const char *ferry_pool_key(enum ferry_pool_value value)
{
    return pool_keys[value];
}

int ferry_answer_pools(struct ferry_bytes payload, struct ferry_answer_items *items)
{
    int rc = ferry_answer_map(payload, "mpools", items);

    return rc == FERRY_E_NOT_FOUND ? ferry_answer_map(payload, NULL, items) : rc;
}

int ferry_answer_next_pool(struct ferry_answer_items *items, struct ferry_pool *pool)
{
    struct ferry_answer_element value;
    int rc;

    do {
        rc = ferry_answer_next_pair(items, pool->name, sizeof pool->name, &value);
    } while (rc == 1 && value.item.kind != FERRY_CBOR_MAP);
    if (rc != 1) {
        return rc;
    }
    rc = read_values(value.whole, pool_keys, FERRY_POOL_VALUES, &pool->known, pool->values);
    return rc == FERRY_OK ? 1 : rc;
}
