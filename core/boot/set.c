/* SPDX-License-Identifier: Apache-2.0 */
/* Images that change as one. All are judged before the first is touched; then one record says that
 * all of them come, and it holds until all are there. The image with the lowest number speaks for
 * the others in its trailer, and the record makes it durable. docs/BOOT.md, "Image sets". */
#include "core/boot/set.h"

#include <string.h>

_Static_assert(FERRY_SET_IMAGES >= FERRY_BOOT_IMAGES, "all images may be of one set");

/* ---- By phase -------------------------------------------------------------------------------- */

/* The images of a mask are on trial: the lowest counts, for all. Returns 1 while it may start
 * again, 0, or FERRY_E_POWER. */
static int has_trials_left(struct ferry_boot_set_state *set, uint32_t mask)
{
    int rc = ferry_boot_has_trials_left(&set->group.swaps[ferry_boot_lowest(mask)]);

    if (rc == 1) {
        ferry_boot_set_stand(set, mask, ferry_boot_on_trial);
    }
    return rc;
}

static int on_trial(struct ferry_boot_set_state *set)
{
    uint32_t new = ferry_boot_set_new(set);

    if (ferry_boot_set_old(set) != 0) {
        return ferry_boot_set_take_back(set, 0, FERRY_E_SET);
    }
    if (set->group.swaps[ferry_boot_lowest(new)].type == FERRY_SWAP_NONE) {
        int rc = ferry_boot_set_enter(set, FERRY_SET_CONFIRMED);

        return rc != FERRY_OK ? rc : ferry_boot_set_confirm(set, new);
    }

    int rc = has_trials_left(set, new);

    return rc != 0 ? (rc < 0 ? rc : FERRY_OK) : ferry_boot_set_take_back(set, 0, FERRY_OK);
}

/* Images that are on trial by their trailers alone: the record was lost, or another bootloader
 * installed them. They go back together. */
static int without_record(struct ferry_boot_set_state *set, uint32_t back)
{
    int rc = has_trials_left(set, back);

    if (rc != 0) {
        return rc < 0 ? rc : FERRY_OK;
    }
    memcpy(set->record.is, set->running, sizeof(set->running));
    for (uint32_t i = 0; i < set->group.count; i++) {
        if (ferry_boot_in(back, i) &&
            ferry_record_digest(set->group.swaps[i].slots, 1, set->record.was[i]) < 0) {
            return FERRY_E_POWER;
        }
    }
    set->record.mask = (uint8_t)back;
    return ferry_boot_set_take_back(set, 0, FERRY_OK);
}

/* Whether requests were being written when the power went: then they are none. */
static bool is_incomplete(const struct ferry_boot_set_state *set)
{
    uint32_t mask = set->record.mask;

    return set->record.phase == FERRY_SET_REQUESTED && (set->group.coming & mask) != mask;
}

/* Nothing is under way. What the record knows as confirmed is so, whatever its trailer says. */
static int at_rest(struct ferry_boot_set_state *set)
{
    struct ferry_boot_group *group = &set->group;
    uint32_t known = ferry_boot_set_alike(set, UINT32_MAX, set->record.is);
    uint32_t back = 0;
    int rc = FERRY_OK;

    for (uint32_t i = 0; i < group->count; i++) {
        back |= (group->swaps[i].type == FERRY_SWAP_REVERT ? 1U : 0U) << i;
    }
    if (rc == FERRY_OK && set->record.phase != FERRY_SET_NONE) {
        rc = ferry_boot_set_confirm(set, back & known);
        back &= ~known;
    }
    if (rc == FERRY_OK && is_incomplete(set)) {
        return ferry_boot_set_decline(set);
    }
    if (rc == FERRY_OK && group->coming != 0) {
        ferry_boot_set_stand(set, back, ferry_boot_stays);
        return ferry_boot_set_come(set);
    }
    return rc == FERRY_OK && back != 0 ? without_record(set, back) : rc;
}

/* Do what the record and the trailers ask for. Where a swap is stuck half way nothing else moves.
 */
static int settle(struct ferry_boot_set_state *set)
{
    struct ferry_boot_group *group = &set->group;

    for (uint32_t i = 0; i < group->count; i++) {
        if (group->moved[i] != FERRY_OK) {
            return FERRY_OK;
        }
    }
    ferry_boot_set_name_leader(set);
    switch (set->record.phase) {
    case FERRY_SET_INSTALLING:
        return ferry_boot_set_go_on(set);
    case FERRY_SET_REVERTING:
        return ferry_boot_set_take_back(set, 0, FERRY_E_SET);
    case FERRY_SET_TRIAL:
        if (group->coming == 0 && (ferry_boot_set_new(set) | ferry_boot_set_old(set)) != 0) {
            return on_trial(set);
        }
        return at_rest(set); /* another set is asked for, or somebody programmed another one */
    default:
        return at_rest(set);
    }
}

/* ---- Verifying ------------------------------------------------------------------------------- */

static int verify(struct ferry_boot_set_state *set, uint32_t *broken)
{
    struct ferry_boot_group *group = &set->group;

    *broken = 0;
    for (uint32_t i = 0; i < group->count; i++) {
        group->why[i] = ferry_boot_look(&group->swaps[i], group->moved[i], &group->verdicts[i]);
        if (group->why[i] == FERRY_E_POWER) {
            return FERRY_E_POWER;
        }
        if (group->why[i] != FERRY_OK && group->moved[i] == FERRY_OK) {
            *broken |= 1U << i;
        }
    }
    return FERRY_OK;
}

/* Images that do not verify fall back with their whole set; where nothing is known of one, each
 * for itself. One that was left out of the last set has nothing that fits the others. */
static int secure(struct ferry_boot_set_state *set)
{
    struct ferry_boot_group *group = &set->group;
    uint32_t broken = 0;
    int rc = verify(set, &broken);
    int why = FERRY_OK;

    for (uint32_t i = 0; i < group->count; i++) {
        why = ferry_boot_in(broken, i) ? group->why[i] : why;
    }
    if (rc != FERRY_OK || broken == 0) {
        return rc;
    }
    if (set->record.phase != FERRY_SET_NONE) {
        if (!ferry_boot_set_can_go_back(set) || (broken & ~(uint32_t)set->record.mask) != 0) {
            return FERRY_OK;
        }
        rc = ferry_boot_set_take_back(set, broken, why);
        return rc != FERRY_OK ? rc : verify(set, &broken);
    }
    for (uint32_t i = 0; i < group->count; i++) {
        if (ferry_boot_in(broken, i)) {
            group->why[i] =
                ferry_boot_secure(&group->swaps[i], group->moved[i], &group->verdicts[i]);
            if (group->why[i] == FERRY_E_POWER) {
                return FERRY_E_POWER;
            }
        }
    }
    return FERRY_OK;
}

/* The last look: what was verified must be all of one set, or nothing of it runs. */
static void refuse_mix(struct ferry_boot_set_state *set)
{
    struct ferry_boot_group *group = &set->group;

    for (uint32_t i = 0; i < group->count; i++) {
        memset(set->running[i], 0, sizeof(set->running[i]));
        if (group->why[i] == FERRY_OK) {
            memcpy(set->running[i], group->reports[i].info.digest, sizeof(set->running[i]));
        }
    }
    if (ferry_boot_set_new(set) == 0 || ferry_boot_set_old(set) == 0) {
        return;
    }
    for (uint32_t i = 0; i < group->count; i++) {
        if (group->why[i] == FERRY_OK) {
            group->why[i] = FERRY_E_SET;
            group->moved[i] = group->moved[i] != FERRY_OK ? group->moved[i] : FERRY_E_SET;
        }
        group->verdicts[i] = (struct ferry_verdict){0, 0};
    }
}

/* ---- The boot -------------------------------------------------------------------------------- */

static int run(const struct ferry_boot_config *config, uint32_t count,
               struct ferry_boot_report *report, struct ferry_verdict *verdicts)
{
    struct ferry_boot_set_state set;
    struct ferry_store *store = config->images[0].slots.store;

    memset(&set, 0, sizeof(set));

    int rc = store != NULL ? ferry_set_read(store, count, &set.record) : FERRY_E_NOT_FOUND;

    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : ferry_boot_dependent.run(config, count, report, verdicts);
    }
    rc = ferry_set_make_sure(store, &set.record);
    if (rc == FERRY_OK) {
        rc = ferry_boot_group_finish(&set.group, config, count, report, verdicts);
    }
    if (rc == FERRY_OK) {
        rc = ferry_boot_group_decide(&set.group);
    }
    if (rc == FERRY_OK) {
        rc = ferry_boot_set_look(&set);
    }
    if (rc == FERRY_OK) {
        rc = settle(&set);
    }
    if (rc == FERRY_OK) {
        rc = secure(&set);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    refuse_mix(&set);
    return ferry_boot_group_conclude(&set.group);
}

static int check(const struct ferry_boot_config *config, uint32_t count)
{
    const struct ferry_boot_image *first = &config->images[0];
    int rc = config->memory != NULL ? ferry_boot_group_check(config, count) : FERRY_E_CONFIG;

    for (uint32_t i = 0; i < count && rc == FERRY_OK; i++) {
        const struct ferry_slots *slots = &config->images[i].slots;

        if (slots->strategy->reverts != first->slots.strategy->reverts ||
            slots->store != first->slots.store) {
            rc = FERRY_E_CONFIG;
        }
    }
    return rc;
}

const struct ferry_boot_set ferry_boot_as_one = {.check = check, .run = run};
