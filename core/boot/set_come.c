/* SPDX-License-Identifier: Apache-2.0 */
/* A set comes: all of it is judged before the first image is touched, and one record says so. */
#include "core/boot/set.h"

#include <string.h>

/* Whether all that comes is for good. What was asked for differently is a test. */
static bool is_permanent(const struct ferry_boot_group *group)
{
    bool permanent = true;

    for (uint32_t i = 0; i < group->count; i++) {
        if (ferry_boot_in(group->coming, i)) {
            permanent = permanent && group->swaps[i].type == FERRY_SWAP_PERM;
        }
    }
    return permanent;
}

static void give_type(struct ferry_boot_group *group, bool permanent)
{
    for (uint32_t i = 0; i < group->count; i++) {
        if (ferry_boot_in(group->coming, i)) {
            group->swaps[i].type = permanent ? FERRY_SWAP_PERM : FERRY_SWAP_TEST;
        }
    }
}

/* Whether one of those that come was refused. */
static bool any_refused(const struct ferry_boot_group *group)
{
    for (uint32_t i = 0; i < group->count; i++) {
        if (ferry_boot_in(group->coming, i) && group->why[i] != FERRY_OK) {
            return true;
        }
    }
    return false;
}

/* Verify what a move has brought. Sets *broken to those that do not verify, and the reason. */
static int verify_new(struct ferry_boot_set_state *set, uint32_t *broken, int *why)
{
    struct ferry_boot_group *group = &set->group;

    *broken = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        if (ferry_boot_in(set->record.mask, i)) {
            int rc = ferry_boot_look(&group->swaps[i], FERRY_OK, &group->verdicts[i]);

            if (rc == FERRY_E_POWER) {
                return rc;
            }
            *broken |= (rc != FERRY_OK ? 1U : 0U) << i;
            *why = rc != FERRY_OK ? rc : *why;
        }
    }
    return FERRY_OK;
}

/* An image could not be installed: where it did not begin to move the others go back, else its
 * records are the only way on. */
static int give_up(struct ferry_boot_set_state *set, uint32_t number, int why)
{
    struct ferry_boot_group *group = &set->group;
    int rc = ferry_boot_look(&group->swaps[number], why, &group->verdicts[number]);

    if (rc == FERRY_OK) {
        rc = ferry_boot_set_look(set);
    }
    if (rc != FERRY_OK || !ferry_boot_in(ferry_boot_set_old(set), number)) {
        return rc == FERRY_E_POWER ? rc : FERRY_OK;
    }
    group->coming &= ~(1U << number);
    return ferry_boot_set_take_back(set, 0, FERRY_E_SET);
}

bool ferry_boot_set_can_go_back(const struct ferry_boot_set_state *set)
{
    return set->group.swaps[0].slots->strategy->reverts;
}

/* Install what comes: it was judged, and the record stands. */
static int install(struct ferry_boot_set_state *set)
{
    struct ferry_boot_group *group = &set->group;
    uint32_t coming = group->coming;
    uint32_t broken = 0;
    int why = FERRY_OK;

    for (uint32_t i = 0; i < group->count; i++) {
        int rc = ferry_boot_in(coming, i) ? ferry_boot_group_install(group, i) : FERRY_OK;

        if (rc != FERRY_OK) {
            return rc;
        }
        if (group->moved[i] != FERRY_OK) {
            return ferry_boot_set_can_go_back(set) ? give_up(set, i, group->moved[i]) : FERRY_OK;
        }
        group->coming &= ~(1U << i);
    }

    int rc = verify_new(set, &broken, &why);

    if (rc == FERRY_OK) {
        rc = ferry_boot_set_look(set);
    }
    if (rc != FERRY_OK || (broken != 0 && !ferry_boot_set_can_go_back(set))) {
        return rc;
    }
    if (broken != 0) {
        return ferry_boot_set_take_back(set, broken, why);
    }
    if (set->record.permanent || !ferry_boot_set_can_go_back(set)) {
        return ferry_boot_set_enter(set, FERRY_SET_CONFIRMED);
    }
    ferry_boot_set_stand(set, set->record.mask, ferry_boot_on_trial);
    return ferry_boot_set_enter(set, FERRY_SET_TRIAL);
}

/* The record that all of them come. Where the store does not take it nothing is touched: the next
 * boot tries again. Returns 1, 0 or FERRY_E_POWER. */
static int commit(struct ferry_boot_set_state *set, bool permanent)
{
    struct ferry_boot_group *group = &set->group;
    struct ferry_set_record *record = &set->record;

    record->phase = FERRY_SET_INSTALLING;
    record->mask = (uint8_t)group->coming;
    record->permanent = permanent;
    memcpy(record->was, set->running, sizeof(record->was));
    memcpy(record->is, set->running, sizeof(record->is));
    for (uint32_t i = 0; i < group->count; i++) {
        if (ferry_boot_in(group->coming, i)) {
            int rc = ferry_boot_set_digest(&group->swaps[i], record->is[i]);

            if (rc != FERRY_OK) {
                return rc;
            }
        }
    }
    ferry_boot_set_name_leader(set);

    int rc = ferry_set_write(ferry_boot_set_store(set), record);

    for (uint32_t i = 0; i < group->count && rc != FERRY_OK; i++) {
        if (ferry_boot_in(group->coming, i)) {
            group->reports[i].action = FERRY_BOOT_REFUSED;
            group->reports[i].reason = rc;
            group->reports[i].refused = group->versions[i];
            group->moved[i] = rc;
        }
    }
    return rc == FERRY_OK ? 1 : rc == FERRY_E_POWER ? rc : 0;
}

int ferry_boot_set_decline(struct ferry_boot_set_state *set)
{
    struct ferry_set_record *record = &set->record;

    record->mask = (uint8_t)set->group.coming;
    memcpy(record->was, set->running, sizeof(record->was));
    memcpy(record->is, set->running, sizeof(record->is));
    for (uint32_t i = 0; i < set->group.count; i++) {
        if (ferry_boot_in(record->mask, i)) {
            memset(record->is[i], 0, sizeof(record->is[i]));
        }
    }
    return ferry_boot_set_take_back(set, 0, FERRY_E_SET);
}

int ferry_boot_set_come(struct ferry_boot_set_state *set)
{
    struct ferry_boot_group *group = &set->group;
    bool permanent = is_permanent(group);

    give_type(group, permanent);

    int rc = ferry_boot_group_judge(group, group->coming);

    if (rc == FERRY_OK && !any_refused(group)) {
        rc = ferry_boot_group_depend(group);
    }
    if (rc == FERRY_E_DEPENDENCY || (rc == FERRY_OK && any_refused(group))) {
        return ferry_boot_set_decline(set);
    }
    if (rc == FERRY_OK) {
        rc = commit(set, permanent);
        rc = rc == 1 ? install(set) : rc;
    }
    return rc;
}

int ferry_boot_set_go_on(struct ferry_boot_set_state *set)
{
    struct ferry_boot_group *group = &set->group;

    group->coming &= set->record.mask;
    if (!ferry_boot_set_can_go_back(set)) {
        group->coming |= set->record.mask & ~ferry_boot_set_new(set);
    }
    if ((group->coming | ferry_boot_set_new(set)) != set->record.mask) {
        return ferry_boot_set_take_back(set, 0, FERRY_E_SET);
    }
    give_type(group, set->record.permanent);

    int rc = ferry_boot_group_judge(group, group->coming);

    if (rc == FERRY_OK && any_refused(group) && ferry_boot_set_can_go_back(set)) {
        return ferry_boot_set_take_back(set, 0, FERRY_E_SET);
    }
    if (rc == FERRY_OK && any_refused(group)) {
        return ferry_boot_group_withdraw(group);
    }
    return rc != FERRY_OK ? rc : install(set);
}
