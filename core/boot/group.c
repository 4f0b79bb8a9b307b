/* SPDX-License-Identifier: Apache-2.0 */
/* Several images that boot together, phase by phase; and those that depend on each other, but
 * change each for itself. [mcuboot-format.md §2.6 "Boot order"] */
#include "core/boot/group.h"

#include <string.h>

int ferry_boot_group_check(const struct ferry_boot_config *config, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (config->images[i].strategy->plan == NULL) {
            return FERRY_E_CONFIG;
        }
    }
    return FERRY_OK;
}

/* ---- Phases --------------------------------------------------------------------------------- */

int ferry_boot_group_finish(struct ferry_boot_group *group, const struct ferry_boot_config *config,
                            uint32_t count, struct ferry_boot_report *report,
                            struct ferry_verdict *verdicts)
{
    memset(group, 0, sizeof(*group));
    group->config = config;
    group->reports = report->images;
    group->verdicts = verdicts;
    group->count = count;
    for (uint32_t i = 0; i < group->count; i++) {
        struct ferry_boot_swap *swap = &group->swaps[i];
        struct ferry_boot_image_report *image = &group->reports[i];
        int rc = ferry_boot_swap_init(swap, config, i, image);

        image->action = FERRY_BOOT_RAN;
        if (rc == FERRY_OK) {
            rc = ferry_boot_finish(swap);
        }
        if (rc == FERRY_E_POWER) {
            return rc;
        }
        ferry_boot_stopped_at(swap, rc);
        group->moved[i] = rc;
    }
    return FERRY_OK;
}

int ferry_boot_group_decide(struct ferry_boot_group *group)
{
    for (uint32_t i = 0; i < group->count; i++) {
        struct ferry_boot_swap *swap = &group->swaps[i];
        int rc = FERRY_OK;

        /* What is stuck half way asks for nothing, and its records must stay. */
        if (group->moved[i] != FERRY_OK) {
            continue;
        }
        if (swap->moved) {
            swap->type = FERRY_SWAP_NONE;
        } else if (!swap->begun) {
            rc = ferry_boot_decide(swap);
        }
        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (swap->type == FERRY_SWAP_TEST || swap->type == FERRY_SWAP_PERM) {
            group->coming |= 1U << i;
        }
    }
    return FERRY_OK;
}

int ferry_boot_group_judge(struct ferry_boot_group *group, uint32_t mask)
{
    for (uint32_t i = 0; i < group->count; i++) {
        if (ferry_boot_in(mask, i)) {
            group->why[i] = ferry_boot_judge(&group->swaps[i], &group->versions[i]);
            if (group->why[i] == FERRY_E_POWER) {
                return FERRY_E_POWER;
            }
        }
    }
    return FERRY_OK;
}

int ferry_boot_group_refuse(struct ferry_boot_group *group, uint32_t number, int why)
{
    struct ferry_boot_swap *swap = &group->swaps[number];
    struct ferry_boot_image_report *report = &group->reports[number];
    bool is_good = why == FERRY_E_SET || why == FERRY_E_DEPENDENCY;
    /* The journal of a swap that has begun goes before its marks: half erased they would say that
     * it is done. */
    int rc = swap->placed ? ferry_boot_erase_trailer(swap, swap->secondary) : FERRY_OK;

    if (rc == FERRY_OK) {
        rc = is_good ? ferry_boot_withdraw(swap, why) : ferry_boot_refuse(swap, why);
    }
    report->action = FERRY_BOOT_REFUSED;
    report->reason = why;
    report->refused = group->versions[number];
    group->coming &= ~(1U << number);
    swap->type = rc == FERRY_OK ? FERRY_SWAP_NONE : swap->type;
    group->moved[number] = rc;
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

int ferry_boot_group_withdraw(struct ferry_boot_group *group)
{
    uint32_t coming = group->coming;

    for (uint32_t i = 0; i < group->count; i++) {
        if (ferry_boot_in(coming, i)) {
            int why = group->why[i] != FERRY_OK ? group->why[i] : FERRY_E_SET;
            int rc = ferry_boot_group_refuse(group, i, why);

            if (rc != FERRY_OK) {
                return rc;
            }
        }
    }
    return FERRY_OK;
}

int ferry_boot_group_install(struct ferry_boot_group *group, uint32_t number)
{
    struct ferry_boot_swap *swap = &group->swaps[number];

    group->moved[number] = ferry_boot_install(swap);
    ferry_boot_stopped_at(swap, group->moved[number]);
    return group->moved[number] == FERRY_E_POWER ? FERRY_E_POWER : FERRY_OK;
}

int ferry_boot_group_conclude(struct ferry_boot_group *group)
{
    int result = FERRY_OK;

    for (uint32_t i = 0; i < group->count; i++) {
        struct ferry_boot_swap *swap = &group->swaps[i];
        struct ferry_boot_image_report *report = &group->reports[i];
        int rc = ferry_boot_conclude(swap, group->moved[i], group->why[i]);

        if (rc != FERRY_E_POWER && ferry_boot_record_why(swap, report) == FERRY_E_POWER) {
            rc = FERRY_E_POWER;
        }
        if (rc == FERRY_E_POWER) {
            return rc;
        }
        result = result == FERRY_OK ? rc : result;
    }
    return result;
}

/* ---- Each for itself --------------------------------------------------------------------------
 */

/* Whether an image is to come or to go back. */
static bool is_to_move(const struct ferry_boot_group *group, uint32_t number)
{
    return group->moved[number] == FERRY_OK && group->swaps[number].type != FERRY_SWAP_NONE;
}

/* An image on trial starts again while it has trials left. */
static int keep_trials(struct ferry_boot_group *group)
{
    for (uint32_t i = 0; i < group->count; i++) {
        int rc = is_to_move(group, i) ? ferry_boot_has_trials_left(&group->swaps[i]) : 0;

        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (rc == 1) {
            group->swaps[i].type = FERRY_SWAP_NONE;
        }
    }
    return FERRY_OK;
}

/* What is not good on its own goes; then the others must find what they depend on. */
static int judge(struct ferry_boot_group *group)
{
    uint32_t mask = 0;

    for (uint32_t i = 0; i < group->count; i++) {
        mask |= (is_to_move(group, i) ? 1U : 0U) << i;
    }

    int rc = ferry_boot_group_judge(group, mask);

    for (uint32_t i = 0; i < group->count && rc == FERRY_OK; i++) {
        if (ferry_boot_in(mask, i) && group->why[i] != FERRY_OK) {
            rc = ferry_boot_group_refuse(group, i, group->why[i]);
        }
    }
    if (rc == FERRY_OK && group->coming != 0) {
        rc = ferry_boot_group_depend(group);
    }
    return rc == FERRY_E_DEPENDENCY ? ferry_boot_group_withdraw(group) : rc;
}

/* Verify; each may fall back for itself. */
static int secure(struct ferry_boot_group *group)
{
    for (uint32_t i = 0; i < group->count; i++) {
        group->why[i] = ferry_boot_secure(&group->swaps[i], group->moved[i], &group->verdicts[i]);
        if (group->why[i] == FERRY_E_POWER) {
            return FERRY_E_POWER;
        }
    }
    return FERRY_OK;
}

static int run(const struct ferry_boot_config *config, uint32_t count,
               struct ferry_boot_report *report, struct ferry_verdict *verdicts)
{
    struct ferry_boot_group group;
    int rc = ferry_boot_group_finish(&group, config, count, report, verdicts);

    if (rc == FERRY_OK) {
        rc = ferry_boot_group_decide(&group);
    }
    if (rc == FERRY_OK) {
        rc = keep_trials(&group);
    }
    if (rc == FERRY_OK) {
        rc = judge(&group);
    }
    for (uint32_t i = 0; i < group.count && rc == FERRY_OK; i++) {
        if (is_to_move(&group, i)) {
            rc = ferry_boot_group_install(&group, i);
        }
    }
    if (rc == FERRY_OK) {
        rc = secure(&group);
    }
    return rc != FERRY_OK ? rc : ferry_boot_group_conclude(&group);
}

const struct ferry_boot_set ferry_boot_dependent = {.check = ferry_boot_group_check, .run = run};
