/* SPDX-License-Identifier: Apache-2.0 */
/* ferry taskstat, mpstat */
#include "ask.h"
#include "ferry/commands_os.h"

#include <inttypes.h>

/* A number in a column; a dash where the device did not tell it. */
static void print_value(int width, bool known, int64_t value)
{
    if (known) {
        printf(" %*" PRId64, width, value);
    } else {
        printf(" %*s", width, "-");
    }
}

static void print_task(struct ferry_task *task)
{
    static const struct {
        enum ferry_task_value value;
        int width;
    } columns[] = {
        {FERRY_TASK_PRIORITY, 3},     {FERRY_TASK_ID, 3},           {FERRY_TASK_RUNTIME, 8},
        {FERRY_TASK_SWITCHES, 8},     {FERRY_TASK_STACK_SIZE, 8},   {FERRY_TASK_STACK_USED, 8},
        {FERRY_TASK_LAST_CHECKIN, 8}, {FERRY_TASK_NEXT_CHECKIN, 8},
    };
    cli_printable(task->name);
    printf("  %8s", task->name);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++) {
        enum ferry_task_value value = columns[i].value;
        print_value(columns[i].width, (task->known >> value & 1) != 0, task->values[value]);
    }
    puts("");
}

/* mcumgr's columns. */
static int print_tasks(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    struct ferry_answer_items items;
    struct ferry_task task;
    int rc = ferry_answer_map(payload, "tasks", &items);

    if (rc == FERRY_OK) {
        printf("  %8s %3s %3s %8s %8s %8s %8s %8s %8s\n", "task", "pri", "tid", "runtime", "csw",
               "stksz", "stkuse", "last_checkin", "next_checkin");
    }
    while (rc >= 0 && (rc = ferry_answer_next_task(&items, &task)) == 1) {
        print_task(&task);
    }
    if (rc < 0) {
        return ask_unreadable(cli, rc);
    }
    puts("stksz and stkuse are words of 4 bytes");
    return CLI_OK;
}

static int run_taskstat(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "read the tasks", .plain = ferry_command_tasks, .print = print_tasks};
    int code = ask_words(cli, argc, argv, 0, 0);
    return code == CLI_OK ? ask_device(cli, &ask, NULL) : code;
}

/* mcumgr's columns. */
static int print_pools(const struct cli *cli, struct ferry_bytes payload, const void *context)
{
    (void)context;
    struct ferry_answer_items items;
    struct ferry_pool pool;
    int rc = ferry_answer_pools(payload, &items);

    if (rc == FERRY_OK) {
        printf("%32s %5s %4s %4s %4s\n", "name", "blksz", "cnt", "free", "min");
    }
    while (rc >= 0 && (rc = ferry_answer_next_pool(&items, &pool)) == 1) {
        cli_printable(pool.name);
        printf("%32s", pool.name);
        for (int i = 0; i < FERRY_POOL_VALUES; i++) {
            print_value(i == 0 ? 5 : 4, (pool.known >> i & 1) != 0, pool.values[i]);
        }
        puts("");
    }
    return rc < 0 ? ask_unreadable(cli, rc) : CLI_OK;
}

static int run_mpstat(struct cli *cli, int argc, char **argv)
{
    static const struct ask ask = {
        .what = "read the memory pools", .plain = ferry_command_pools, .print = print_pools};
    int code = ask_words(cli, argc, argv, 0, 0);
    return code == CLI_OK ? ask_device(cli, &ask, NULL) : code;
}

const struct cli_command cli_tasks_commands[] = {
    {"taskstat", "", "the device's tasks: priority, run time, stack", "", run_taskstat},
    {"mpstat", "", "the device's memory pools and heaps", "", run_mpstat},
    {0},
};
