/* SPDX-License-Identifier: Apache-2.0 */
/* Many jobs, several processes, one table. */
#define _DEFAULT_SOURCE /* fork, mmap with MAP_ANONYMOUS */

#include "fault_campaign.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define STRATEGIES_MAX 12
#define MODELS_MAX     16
#define FLOWS_MAX      48
#define PROCESSES_MAX  16

/* Findings printed for one job. */
#define PRINTED_MAX 2

/* By strategy, write-once or not, one fault or two, flow, and the model of the first fault; the
 * last row of models is the life without a fault. */
struct table {
    struct fault_count cells[STRATEGIES_MAX][2][2][FLOWS_MAX][MODELS_MAX];
    uint64_t pairs[MODELS_MAX][MODELS_MAX];
    uint64_t broken_pairs[MODELS_MAX][MODELS_MAX];
    uint64_t jobs;
    uint64_t broken_jobs;
};

/* What the processes share. */
struct shared {
    atomic_size_t next;
    struct table tables[PROCESSES_MAX];
};

struct worker {
    struct table *table;
    const struct fault_job *job;
    uint32_t printed;
    bool broken;
    bool verbose;
    uint64_t tried;
};

/* ---- Counting -------------------------------------------------------------------------------- */

static size_t model_index(const struct fault_model *model)
{
    return (size_t)(model - fault_models);
}

static size_t strategy_index(const struct fault_job *job)
{
    for (size_t i = 0; i < fault_strategy_count; i++) {
        if (fault_strategies[i] == job->strategy) {
            return i;
        }
    }
    return 0;
}

static void count(struct fault_count *cell, const struct fault_life *life)
{
    cell->tried++;
    cell->boots = ferry_max32(cell->boots, life->boots);
    if (life->failed && life->limit) {
        cell->limit++;
    } else if (life->failed) {
        cell->failed[life->invariant]++;
    }
}

static void tell(struct worker *worker, const struct fault_life *life)
{
    char id[160];

    if (worker->printed++ >= PRINTED_MAX) {
        return;
    }
    fault_id(life, id, sizeof(id));
    printf("  %s: %s\n    again: FERRY_FAULT='%s'\n", fault_invariant_names[life->invariant],
           life->why, id);
}

static void take(void *context, const struct fault_life *life)
{
    struct worker *worker = context;
    const struct fault_job *job = life->job;
    struct table *table = worker->table;
    size_t first = life->fault_count > 0 ? model_index(life->faults[0].model) : fault_model_count;
    size_t pair = life->fault_count == 2 ? 1 : 0;

    worker->tried++;
    count(&table->cells[strategy_index(job)][job->write_once ? 1 : 0][pair][job->flow - fault_flows]
                       [first],
          life);
    if (pair == 1) {
        size_t second = model_index(life->faults[1].model);

        table->pairs[first][second]++;
        table->broken_pairs[first][second] += life->failed && !life->limit ? 1 : 0;
    }
    worker->broken = worker->broken || (life->failed && !life->limit);
    if (life->failed && (!life->limit || worker->verbose)) {
        tell(worker, life);
    }
}

/* ---- Working --------------------------------------------------------------------------------- */

static bool wanted(const struct fault_options *options, const struct fault_job *job)
{
    return options->only == NULL || strstr(job->name, options->only) != NULL;
}

static void work(const struct fault_options *options, struct fault_job *jobs, size_t job_count,
                 atomic_size_t *next, struct table *table)
{
    for (size_t i = atomic_fetch_add(next, 1); i < job_count; i = atomic_fetch_add(next, 1)) {
        struct worker worker = {.table = table, .job = &jobs[i]};
        struct fault_results results = {&worker, take, NULL};

        if (!wanted(options, &jobs[i]) || (options->every > 1 && i % options->every != 0)) {
            continue;
        }
        fault_job_run(&jobs[i], &results);
        if (worker.printed > PRINTED_MAX) {
            printf("  %s: %u broken in all\n", jobs[i].name, worker.printed);
        }
        table->jobs++;
        table->broken_jobs += worker.broken ? 1 : 0;
        (void)fflush(stdout);
    }
}

/* Returns whether every process came to its end. */
static bool work_together(const struct fault_options *options, struct fault_job *jobs,
                          size_t job_count, struct shared *shared)
{
    pid_t pids[PROCESSES_MAX];
    bool good = true;

    (void)fflush(stdout);
    for (uint32_t i = 0; i < options->processes; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            /* Nobody is to go on when the run itself is stopped. */
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            work(options, jobs, job_count, &shared->next, &shared->tables[i]);
            (void)fflush(stdout);
            _exit(0);
        }
    }
    for (uint32_t i = 0; i < options->processes; i++) {
        int status = -1;

        good = pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i] && status == 0 && good;
    }
    return good;
}

/* ---- The table ------------------------------------------------------------------------------- */

static void add_count(struct fault_count *sum, const struct fault_count *cell)
{
    sum->tried += cell->tried;
    sum->limit += cell->limit;
    sum->boots = ferry_max32(sum->boots, cell->boots);
    for (int i = 0; i < FAULT_INVARIANT_COUNT; i++) {
        sum->failed[i] += cell->failed[i];
    }
}

static void add_table(struct table *sum, const struct table *table)
{
    struct fault_count *cells = &sum->cells[0][0][0][0][0];
    const struct fault_count *others = &table->cells[0][0][0][0][0];

    for (size_t i = 0; i < sizeof(sum->cells) / sizeof(*cells); i++) {
        add_count(&cells[i], &others[i]);
    }
    for (size_t a = 0; a < MODELS_MAX; a++) {
        for (size_t b = 0; b < MODELS_MAX; b++) {
            sum->pairs[a][b] += table->pairs[a][b];
            sum->broken_pairs[a][b] += table->broken_pairs[a][b];
        }
    }
    sum->jobs += table->jobs;
    sum->broken_jobs += table->broken_jobs;
}

static uint64_t broken(const struct fault_count *count)
{
    uint64_t sum = 0;

    for (int i = 0; i < FAULT_INVARIANT_COUNT; i++) {
        sum += count->failed[i];
    }
    return sum;
}

static void print_head(FILE *out, const char *what)
{
    fprintf(out, "\n%-50s %10s", what, "tried");
    for (int i = 0; i < FAULT_INVARIANT_COUNT; i++) {
        fprintf(out, " %8s", fault_invariant_names[i]);
    }
    fprintf(out, " %14s %5s\n", "format's limit", "boots");
}

static void print_count(FILE *out, const char *name, const struct fault_count *count)
{
    fprintf(out, "%-50s %10llu", name, (unsigned long long)count->tried);
    for (int i = 0; i < FAULT_INVARIANT_COUNT; i++) {
        fprintf(out, " %8llu", (unsigned long long)count->failed[i]);
    }
    fprintf(out, " %14llu %5u\n", (unsigned long long)count->limit, count->boots);
}

static const char *model_name(size_t model)
{
    return model < fault_model_count ? fault_models[model].name : "no fault";
}

/* One row: a strategy and a model on both kinds of flash, singles or pairs, over all flows. */
static void print_rows(FILE *out, const struct table *table, size_t s, bool by_flow)
{
    for (size_t row = 0; row < 4 * (fault_model_count + 1); row++) {
        size_t pair = row / 2 % 2;
        size_t once = row % 2;
        size_t model = row / 4;
        struct fault_count sum = {0};
        char name[96];

        for (size_t flow = 0; flow < fault_flow_count; flow++) {
            const struct fault_count *cell = &table->cells[s][once][pair][flow][model];

            add_count(&sum, cell);
            if (by_flow && cell->tried > 0) {
                snprintf(name, sizeof(name), "%s: %s%s%s: %s", fault_strategies[s]->traits->name,
                         model_name(model), once != 0 ? ", write-once" : "",
                         pair != 0 ? ", and a second" : "", fault_flows[flow].name);
                print_count(out, name, cell);
            }
        }
        if (!by_flow && sum.tried > 0) {
            snprintf(name, sizeof(name), "%s: %s%s%s", fault_strategies[s]->traits->name,
                     model_name(model), once != 0 ? ", write-once" : "",
                     pair != 0 ? ", and a second" : "");
            print_count(out, name, &sum);
        }
    }
}

static void print_flows(FILE *out, const struct table *table, size_t s)
{
    for (size_t flow = 0; flow < fault_flow_count; flow++) {
        struct fault_count sum = {0};
        char name[96];

        for (size_t i = 0; i < 4 * (fault_model_count + 1); i++) {
            add_count(&sum, &table->cells[s][i % 2][i / 2 % 2][flow][i / 4]);
        }
        if (sum.tried > 0) {
            snprintf(name, sizeof(name), "%s: %s", fault_strategies[s]->traits->name,
                     fault_flows[flow].name);
            print_count(out, name, &sum);
        }
    }
}

static void print_pairs(FILE *out, const struct table *table)
{
    fprintf(out,
            "\npairs: the first fault of a row, the second of a column; \"tried\" or "
            "\"broken/tried\"\n%-24s",
            "");
    for (size_t b = 0; b < fault_model_count; b++) {
        fprintf(out, " %12c", fault_models[b].letter);
    }
    for (size_t a = 0; a < fault_model_count; a++) {
        fprintf(out, "\n%c %-22s", fault_models[a].letter, fault_models[a].name);
        for (size_t b = 0; b < fault_model_count; b++) {
            char text[48];

            if (table->broken_pairs[a][b] != 0) {
                snprintf(text, sizeof(text), "%llu/%llu",
                         (unsigned long long)table->broken_pairs[a][b],
                         (unsigned long long)table->pairs[a][b]);
            } else {
                snprintf(text, sizeof(text), "%llu", (unsigned long long)table->pairs[a][b]);
            }
            fprintf(out, " %12s", text);
        }
    }
    fprintf(out, "\n");
}

static struct fault_count total_of(const struct table *table)
{
    const struct fault_count *cells = &table->cells[0][0][0][0][0];
    struct fault_count sum = {0};

    for (size_t i = 0; i < sizeof(table->cells) / sizeof(*cells); i++) {
        add_count(&sum, &cells[i]);
    }
    return sum;
}

static void print_all(FILE *out, const struct table *table, bool by_flow)
{
    struct fault_count sum = total_of(table);

    print_head(out, "strategy: model");
    for (size_t s = 0; s < fault_strategy_count; s++) {
        print_rows(out, table, s, by_flow);
    }
    print_head(out, "strategy: flow");
    for (size_t s = 0; s < fault_strategy_count; s++) {
        print_flows(out, table, s);
    }
    print_pairs(out, table);
    fprintf(out,
            "\ntotal: %llu faults tried, %llu broke an invariant, %llu at the format's limit\n",
            (unsigned long long)sum.tried, (unsigned long long)broken(&sum),
            (unsigned long long)sum.limit);
    fprintf(out, "flows on a device of a strategy:\n%llu passed, %llu failed\n",
            (unsigned long long)(table->jobs - table->broken_jobs),
            (unsigned long long)table->broken_jobs);
}

/* Returns false when the file cannot be written. */
static bool write_report(const struct fault_options *options, const struct table *table)
{
    FILE *out = options->report != NULL ? fopen(options->report, "w") : NULL;

    if (options->report == NULL) {
        return true;
    }
    if (out == NULL) {
        fprintf(stderr, "faults: cannot write %s\n", options->report);
        return false;
    }
    print_all(out, table, true);
    return fclose(out) == 0;
}

/* ---- Running --------------------------------------------------------------------------------- */

static int run_one(const struct fault_options *options, struct fault_job *jobs, size_t job_count)
{
    struct table *table = calloc(1, sizeof(*table));
    struct worker worker = {.table = table, .verbose = true};
    struct fault_results results = {&worker, take, options->id};

    for (size_t i = 0; i < job_count && table != NULL; i++) {
        fault_job_run(&jobs[i], &results);
    }
    free(table);
    if (worker.tried == 0) {
        fprintf(stderr, "faults: no job has the id %s\n", options->id);
        return 1;
    }
    printf(worker.printed == 0 ? "  nothing is broken\n" : "");
    return worker.printed == 0 ? 0 : 1;
}

static int list_jobs(const struct fault_job *jobs, size_t job_count)
{
    for (size_t i = 0; i < job_count; i++) {
        puts(jobs[i].name);
    }
    return 0;
}

static int run_all(const struct fault_options *options, struct fault_job *jobs, size_t job_count)
{
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED) {
        fputs("faults: out of memory\n", stderr);
        return 1;
    }

    bool good = work_together(options, jobs, job_count, shared);

    for (uint32_t i = 1; i < options->processes; i++) {
        add_table(&shared->tables[0], &shared->tables[i]);
    }

    struct fault_count sum = total_of(&shared->tables[0]);

    print_all(stdout, &shared->tables[0], false);
    good = write_report(options, &shared->tables[0]) && good;
    if (sum.tried == 0) {
        puts("no fault was tried: this proves nothing");
    }
    good = good && sum.tried > 0 && broken(&sum) == 0;
    munmap(shared, sizeof(*shared));
    return good ? 0 : 1;
}

int fault_campaign(const struct fault_options *options)
{
    size_t job_count = 0;
    struct fault_job *jobs = fault_jobs(options->scope, &job_count);

    int result = 0;

    if (options->list) {
        result = list_jobs(jobs, job_count);
    } else if (options->id != NULL) {
        result = run_one(options, jobs, job_count);
    } else {
        result = run_all(options, jobs, job_count);
    }
    free(jobs);
    return result;
}
