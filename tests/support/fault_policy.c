/* SPDX-License-Identifier: Apache-2.0 */
/* Policies under fault: once an image is confirmed, older ones are asked for again and again, and
 * none of them may run. */
#include "fault_job.h"

#include <stdlib.h>

/* What is tried, one after the other: newest of all with a lower counter, and a lower version; for
 * good and for a test. */
static const struct {
    enum fault_picture_id picture;
    bool permanent;
} attacks[] = {{FAULT_LOW, true}, {FAULT_OLD, true}, {FAULT_LOW, false}, {FAULT_OLD, false}};

#define ATTACKS ((uint32_t)(sizeof(attacks) / sizeof(attacks[0])))

static const struct ferry_slots *slots_of(const struct fault_life *life)
{
    return &life->machine->apps[0];
}

void fault_policy_setup(struct fault_life *life)
{
    life->machine->apps[0] = life->machine->images[0].slots;
    fault_load(life, 0, FAULT_OLD);
    life->confirmed = FAULT_OLD;
    life->candidate = FAULT_OLD;
    if (ferry_slots_confirm(slots_of(life)) != FERRY_OK || !fault_life_boot(life)) {
        fault_job_fail(life->job, "the old image does not run");
    }
    fault_load(life, slots_of(life)->active == 0 ? 1 : 0, FAULT_NEW);
    life->candidate = FAULT_NEW;

    int rc = ferry_slots_set_pending(slots_of(life), false);

    if (rc != FERRY_OK && rc != FERRY_E_UNSUPPORTED) {
        fault_job_fail(life->job, "the new image cannot be asked for");
    }
    life->asked = true;
}

/* A boot that could not do its work is done again first: the images are on their way. */
bool fault_policy_is_at_rest(const struct fault_life *life)
{
    const struct ferry_boot_image_report *report = &life->machine->report.images[0];

    return report->failure.area == FERRY_AREA_NONE && report->reason != FERRY_E_FLASH;
}

enum fault_app fault_policy_attack(struct fault_life *life)
{
    if (life->step >= ATTACKS || !fault_life_runs(life, life->confirmed) ||
        !fault_policy_is_at_rest(life)) {
        return FAULT_RESTS;
    }
    fault_load(life, slots_of(life)->active == 0 ? 1 : 0, attacks[life->step].picture);
    int rc = ferry_slots_set_pending(slots_of(life), attacks[life->step].permanent);

    life->requests++;
    life->step += rc == FERRY_OK || rc == FERRY_E_UNSUPPORTED ? 1 : ATTACKS;
    return FAULT_RESETS;
}

bool fault_policy_store_is_dead(const struct fault_life *life)
{
    for (uint8_t i = 0; i < life->chip->state.armed_count; i++) {
        const struct fault_armed *armed = &life->chip->state.armed[i];

        if (armed->fired && armed->model->for_ever && armed->place == FAULT_STORE) {
            return true;
        }
    }
    return false;
}

/* What runs is said by its counter and version: the report's are those of the image that verified.
 */
void fault_policy_check(struct fault_life *life)
{
    const struct fault_picture *low = &life->job->pictures[FAULT_LOW];
    const struct ferry_boot_image_report *report = &life->machine->report.images[0];

    if (!life->job->layout.policy || !life->accepted) {
        return;
    }
    if (low->size > 0 && report->info.header.version.major == FAULT_LOW + 1) {
        fault_life_fail(life, FAULT_DOWNGRADE, "an image with a lower security counter runs");
    }
    if (life->confirmed > FAULT_OLD && report->info.header.version.major == FAULT_OLD + 1) {
        fault_life_fail(life, FAULT_DOWNGRADE, "an image older than the confirmed one runs");
    }
}
