/* SPDX-License-Identifier: Apache-2.0 */
/* Group os: the tasks of the device. [smp.md §3.0] */
#include "ferry/group_os.h"

#include <string.h>

/* Stacks are told in words of so many bytes. */
#define WORD 4

static int get_task(const struct ferry_os_group_config *config, uint32_t number,
                    struct ferry_os_task *task)
{
    memset(task, 0, sizeof(*task));
    return config->task(config->context, number, task);
}

/* Whether the name is one that a client can tell from the others: there, and of no task before. A
 * map with a key twice is none, and clients lose one of both. */
static bool name_is_good(const struct ferry_os_group_config *config, const char *name,
                         uint32_t number)
{
    size_t len = name != NULL ? ferry_text_length(name) : 0;
    struct ferry_os_task other;

    for (uint32_t i = 0; i < number && len > 0; i++) {
        if (get_task(config, i, &other) == FERRY_OK && other.name != NULL &&
            ferry_text_length(other.name) == len && memcmp(other.name, name, len) == 0) {
            return false;
        }
    }
    return len > 0;
}

static void put_key(struct ferry_cbor_writer *out, const struct ferry_os_group_config *config,
                    const char *name, uint32_t number)
{
    char digits[10];

    if (name_is_good(config, name, number)) {
        ferry_cbor_put_text(out, name);
    } else {
        ferry_cbor_put_text_n(out, digits, ferry_text_decimal(digits, number, 1));
    }
}

static void put_task(struct ferry_cbor_writer *out, const struct ferry_os_task *task,
                     uint32_t number)
{
    ferry_cbor_open_map(out);
    ferry_cbor_pair_int(out, "prio", task->priority);
    ferry_cbor_pair_uint(out, "tid", number);
    ferry_cbor_pair_uint(out, "state", task->state);
    if ((task->knows & FERRY_OS_TASK_STACK) != 0) {
        ferry_cbor_pair_uint(out, "stksiz", task->stack_size / WORD);
        ferry_cbor_pair_uint(out, "stkuse", task->stack_used / WORD);
    }
    if ((task->knows & FERRY_OS_TASK_RUNTIME) != 0) {
        ferry_cbor_pair_uint(out, "runtime", task->runtime);
    }
    if ((task->knows & FERRY_OS_TASK_SWITCHES) != 0) {
        ferry_cbor_pair_uint(out, "cswcnt", task->switches);
    }
    if ((task->knows & FERRY_OS_TASK_CHECKINS) != 0) {
        ferry_cbor_pair_uint(out, "last_checkin", task->last_checkin);
        ferry_cbor_pair_uint(out, "next_checkin", task->next_checkin);
    }
    ferry_cbor_close(out);
}

int ferry_os_handle_tasks(struct ferry_server_call *call)
{
    const struct ferry_os_group_config *config =
        ((const struct ferry_os_group *)call->context)->config;
    struct ferry_os_task task;
    uint32_t number = 0;
    int result;

    if (config->task == NULL) {
        return FERRY_RC_NOT_SUPPORTED;
    }
    ferry_cbor_put_text(&call->out, "tasks");
    ferry_cbor_open_map(&call->out);
    /* Not beyond what fits, however many there are. */
    while ((result = get_task(config, number, &task)) == FERRY_OK &&
           call->out.len <= call->out.cap) {
        put_key(&call->out, config, task.name, number);
        put_task(&call->out, &task, number);
        number++;
    }
    if (result != FERRY_OK && result != FERRY_E_NOT_FOUND) {
        return ferry_server_fail(call, FERRY_OS_ERR_UNKNOWN, "a task cannot be told");
    }
    ferry_cbor_close(&call->out);
    return FERRY_RC_OK;
}
