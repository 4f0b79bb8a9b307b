/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a flow of the bootloader once without a cut, and then again with the power cut at every
 * operation in every way; and, where asked, with a second cut at every operation after the first.
 *
 * A finding is named by an id, "ROW:12A+7I": the row, the first cut at operation 12 (B before,
 * A after, I inside, T torn, E unreadable), the second at the 7th operation after it.
 * FERRY_FAULT=ID in the environment runs that alone and tells of every boot. */
#ifndef FAULT_RUNNER_H
#define FAULT_RUNNER_H

#include "fault_device.h"

/* What an application did after a boot. */
enum fault_app { FAULT_APP_RESTS, FAULT_APP_RESETS };

struct fault_flow {
    const char *name;
    /* Put images and requests into place, on erased slots, with the power on. */
    void (*setup)(struct fault_device *device);
    /* The application, after every boot that found an image to run. Returns enum fault_app, or
     * FERRY_E_POWER. NULL rests. */
    int (*app)(struct fault_device *device, const struct ferry_boot_report *report);
    /* Whether the device may end like this: NULL, or what is wrong. */
    const char *(*check_end)(struct fault_device *device, const struct ferry_boot_report *report);
};

struct fault_result {
    uint64_t operations; /* of the flow without a cut */
    uint64_t cuts;       /* runs with one cut, or two */
    uint64_t bricks;     /* runs that broke an invariant */
    uint64_t old;        /* runs that ended with the old image running */
    uint32_t boots;      /* the most that any run took */
};

/* Boots until an image runs and the application rests. */
#define FAULT_BOOTS_MAX 8

/* Run a flow under all cuts and add to result. The device is set up; its slots are overwritten.
 *
 * row    names it in the ids
 * twice  also every pair of cuts
 * ways   of cutting: the first so many of enum fault_way
 * quiet  print no findings (for tests of the runner itself)
 *
 * Invariants, after every boot: a whole image known to the flow runs; while it is on trial the
 * other one is kept where the strategy keeps it; nothing is programmed twice or erased in vain;
 * within FAULT_BOOTS_MAX boots the flow's check_end is content. */
void fault_run(struct fault_device *device, const struct fault_flow *flow, const char *row,
               bool twice, enum fault_way ways, bool quiet, struct fault_result *result);

#endif
