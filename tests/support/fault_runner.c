/* SPDX-License-Identifier: Apache-2.0 */
/* Every cut at every operation. */
#include "fault_runner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Findings printed for one row. */
#define PRINTED_MAX 5

struct cut {
    uint64_t at; /* 0 = none */
    enum fault_way way;
};

struct runner {
    struct fault_device *device;
    const struct fault_flow *flow;
    const char *row;
    enum fault_way ways;
    bool quiet;
    bool verbose;
    uint32_t printed;
    struct fault_result *result;
};

/* By enum fault_way. */
static const char letters[] = "BAITE";

/* ---- Ids ------------------------------------------------------------------------------- */

static bool parse_cut(const char **text, struct cut *cut)
{
    char *end = NULL;

    cut->at = strtoull(*text, &end, 10);
    if (end == *text || cut->at == 0) {
        return false;
    }

    const char *letter = *end != '\0' ? strchr(letters, *end) : NULL;

    if (letter == NULL) {
        return false;
    }
    cut->way = (enum fault_way)(letter - letters);
    *text = end + 1;
    return true;
}

/* The cuts that an id asks of this row. Returns false when it is another row's. */
static bool parse_id(const char *id, const char *row, struct cut cuts[2])
{
    size_t len = strlen(row);

    memset(cuts, 0, 2 * sizeof(cuts[0]));
    if (strncmp(id, row, len) != 0 || id[len] != ':') {
        return false;
    }

    const char *text = id + len + 1;

    if (!parse_cut(&text, &cuts[0])) {
        return false;
    }
    if (*text == '+') {
        text++;
        return parse_cut(&text, &cuts[1]) && *text == '\0';
    }
    return *text == '\0';
}

static void tell_finding(struct runner *runner, const struct cut cuts[2], const char *what)
{
    if (runner->quiet || runner->printed++ >= PRINTED_MAX) {
        return;
    }
    printf("    finding: %s\n    again:   FERRY_FAULT='%s", what, runner->row);
    if (cuts[0].at != 0) {
        printf(":%llu%c", (unsigned long long)cuts[0].at, letters[cuts[0].way]);
    }
    if (cuts[1].at != 0) {
        printf("+%llu%c", (unsigned long long)cuts[1].at, letters[cuts[1].way]);
    }
    printf("'\n");
}

/* ---- One run ------------------------------------------------------------------------------ */

/* NULL, or what is wrong after a boot that says an image may run. */
static const char *check_running(struct fault_device *device,
                                 const struct ferry_boot_report *report)
{
    bool runs_new = fault_device_holds(&device->primary, &device->new);
    bool runs_old = fault_device_holds(&device->primary, &device->old);
    const struct fault_image *running = runs_new ? &device->new : &device->old;

    if (!runs_new && !runs_old) {
        return "what runs is neither the old nor the new image";
    }
    if (report->images[0].info.size != running->size) {
        return "the report describes another image than the one that runs";
    }
    if (report->images[0].action == FERRY_BOOT_STOPPED) {
        return "an image runs and the report says stopped";
    }
    if (report->images[0].next == FERRY_SWAP_REVERT && device->image.slots.strategy->keeps_old &&
        !fault_device_holds(&device->secondary, runs_new ? &device->old : &device->new)) {
        return "on trial, and the old image is not kept";
    }
    return NULL;
}

static void tell_boot(const struct runner *runner, int rc, const struct ferry_boot_report *report)
{
    const struct ferry_boot_image_report *image = &report->images[0];

    if (runner->verbose) {
        printf("    boot: %s, %s%s, reason %s, next %s, operations %llu\n", ferry_error_name(rc),
               ferry_boot_action_name(image->action), image->resumed ? " (resumed)" : "",
               ferry_error_name(image->reason), ferry_swap_type_name(image->next),
               (unsigned long long)runner->device->power.operations);
    }
}

/* Boot until the device rests. NULL, or what is wrong; *off when the power failed on the way and
 * stop_at_cut is set. */
static const char *run_to_rest(struct runner *runner, bool stop_at_cut, bool *off)
{
    struct fault_device *device = runner->device;
    struct ferry_boot_report report;

    *off = false;
    for (uint32_t boot = 1; boot <= FAULT_BOOTS_MAX; boot++) {
        int rc = fault_device_boot(device, &report);

        tell_boot(runner, rc, &report);
        if (boot > runner->result->boots) {
            runner->result->boots = boot;
        }
        if (rc == FERRY_OK) {
            const char *wrong = check_running(device, &report);

            if (wrong != NULL) {
                return wrong;
            }
            rc = runner->flow->app != NULL ? runner->flow->app(device, &report) : FAULT_APP_RESTS;
            if (rc == FAULT_APP_RESTS) {
                return runner->flow->check_end(device, &report);
            }
        }
        if (rc < 0 && rc != FERRY_E_POWER) {
            return ferry_error_text(rc);
        }
        if (rc == FERRY_E_POWER && !device->power.off) {
            return "a boot without a cut says that the power is off";
        }
        if (device->power.off && stop_at_cut) {
            *off = true;
            return NULL;
        }
        if (device->power.off) {
            fault_device_power_on(device, 0, FAULT_BEFORE);
        }
    }
    return "too many boots";
}

/* Run with cuts from what the slots hold now, and count it. */
static void run_cut(struct runner *runner, const struct cut cuts[2], const struct cut *next)
{
    struct fault_device *device = runner->device;
    uint32_t violations = fault_device_violations(device);
    bool off = false;

    fault_device_power_on(device, next->at, next->way);

    const char *wrong = run_to_rest(runner, false, &off);

    if (wrong == NULL && fault_device_violations(device) != violations) {
        wrong = "flash was programmed twice or erased in vain";
    }
    runner->result->cuts++;
    if (wrong != NULL) {
        runner->result->bricks++;
        tell_finding(runner, cuts, wrong);
    } else if (fault_device_holds(&device->primary, &device->old)) {
        runner->result->old++;
    }
}

/* Operations from what the slots hold now to rest. */
static uint64_t count_operations(struct runner *runner, const char **wrong)
{
    bool off = false;

    fault_device_power_on(runner->device, 0, FAULT_BEFORE);
    *wrong = run_to_rest(runner, false, &off);
    return runner->device->power.operations;
}

/* ---- All runs -------------------------------------------------------------------------------- */

/* Every second cut after a first one. */
static void run_pairs(struct runner *runner, const uint8_t *start, struct cut first)
{
    struct fault_device *device = runner->device;
    const char *wrong = NULL;
    bool off = false;

    fault_device_restore(device, start);
    fault_device_power_on(device, first.at, first.way);
    wrong = run_to_rest(runner, true, &off);
    if (wrong != NULL || !off) {
        return; /* found by the single cut already */
    }

    uint8_t *cut_once = fault_device_save(device);
    uint64_t operations = count_operations(runner, &wrong);

    for (uint64_t at = 1; at <= operations; at++) {
        for (int way = 0; way < (int)runner->ways; way++) {
            struct cut cuts[2] = {first, {at, (enum fault_way)way}};

            fault_device_restore(device, cut_once);
            run_cut(runner, cuts, &cuts[1]);
        }
    }
    free(cut_once);
}

static void run_all(struct runner *runner, const uint8_t *start, uint64_t operations, bool twice)
{
    for (uint64_t at = 1; at <= operations; at++) {
        for (int way = 0; way < (int)runner->ways; way++) {
            struct cut cuts[2] = {{at, (enum fault_way)way}, {0, FAULT_BEFORE}};

            fault_device_restore(runner->device, start);
            run_cut(runner, cuts, &cuts[0]);
            if (twice) {
                run_pairs(runner, start, cuts[0]);
            }
        }
    }
}

static void run_one(struct runner *runner, const uint8_t *start, const struct cut cuts[2])
{
    bool off = false;

    fault_device_restore(runner->device, start);
    if (cuts[1].at == 0) {
        run_cut(runner, cuts, &cuts[0]);
        return;
    }
    fault_device_power_on(runner->device, cuts[0].at, cuts[0].way);
    if (run_to_rest(runner, true, &off) == NULL && off) {
        run_cut(runner, cuts, &cuts[1]);
    }
}

void fault_run(struct fault_device *device, const struct fault_flow *flow, const char *row,
               bool twice, enum fault_way ways, bool quiet, struct fault_result *result)
{
    struct runner runner = {
        .device = device, .flow = flow, .row = row, .ways = ways, .quiet = quiet, .result = result};
    const struct fault_image nothing = {NULL, 0};
    const struct cut none[2] = {{0, FAULT_BEFORE}, {0, FAULT_BEFORE}};
    const char *id = getenv("FERRY_FAULT");
    struct cut asked[2];

    if (id != NULL && !parse_id(id, row, asked)) {
        return;
    }
    fault_device_load(&device->primary, &nothing);
    fault_device_load(&device->secondary, &nothing);
    fault_device_power_on(device, 0, FAULT_BEFORE);
    flow->setup(device);

    uint8_t *start = fault_device_save(device);
    const char *wrong = NULL;

    runner.verbose = id != NULL;
    result->operations = count_operations(&runner, &wrong);
    if (wrong != NULL) {
        result->bricks++;
        tell_finding(&runner, none, wrong);
    } else if (id != NULL) {
        run_one(&runner, start, asked);
    } else {
        run_all(&runner, start, result->operations, twice);
    }
    free(start);
}
