/* SPDX-License-Identifier: Apache-2.0 */
/* All the jobs of a run of the fault runner, done by several processes, and the table of what they
 * found. */
#ifndef FAULT_CAMPAIGN_H
#define FAULT_CAMPAIGN_H

#include "fault_job.h"

enum fault_scope {
    FAULT_SHORT = 1, /* what `make test` can afford */
    FAULT_WHOLE = 2
};

struct fault_options {
    enum fault_scope scope;
    uint32_t processes;
    const char *id;     /* of one life to live again, telling of every boot; NULL = the campaign */
    const char *only;   /* only jobs whose name contains it; NULL = all */
    uint32_t every;     /* only one of so many jobs; 0 or 1 = all */
    const char *report; /* file for the table with all three dimensions; NULL = none */
    bool list;          /* name the jobs and do nothing */
};

/* Run. Returns 0 when faults were tried and nothing was broken. */
int fault_campaign(const struct fault_options *options);

/* ---- fault_jobs.c ---------------------------------------------------------------------------- */

extern const struct ferry_boot_strategy *const fault_strategies[];
extern const size_t fault_strategy_count;

/* The jobs of a scope, in an array for free(). */
struct fault_job *fault_jobs(enum fault_scope scope, size_t *count);

/* One job by the names of a device and a flow, for tests of the runner. Aborts when there is no
 * such device. */
void fault_job_make(struct fault_job *job, const char *device,
                    const struct ferry_boot_strategy *strategy, const char *flow);

#endif
