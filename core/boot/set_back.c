/* SPDX-License-Identifier: Apache-2.0 */
/* A set goes back as one. */
#include "core/boot/set.h"

#include <string.h>

/* Make an image ready to go back, unless it is: its trailer said so, or a boot began it. */
static void prepare(struct ferry_boot_swap *swap)
{
    if (swap->type != FERRY_SWAP_REVERT || (swap->done != 0 && !swap->begun)) {
        ferry_boot_anew(swap, FERRY_SWAP_REVERT);
    }
}

/* Whether the image in the secondary is the one that was there before. Returns 1, 0 or
 * FERRY_E_POWER. */
static int is_old_one(const struct ferry_boot_set_state *set, uint32_t number)
{
    uint8_t digest[FERRY_RECORD_DIGEST];
    int rc = ferry_boot_set_digest(&set->group.swaps[number], digest);

    return rc == FERRY_OK ? memcmp(digest, set->record.was[number], sizeof(digest)) == 0 : rc;
}

/* Judge the old images while the new ones still stand. *bad gets those that cannot come back.
 * Returns FERRY_OK or FERRY_E_POWER. */
static int judge(struct ferry_boot_set_state *set, uint32_t back, uint32_t *bad)
{
    struct ferry_boot_group *group = &set->group;

    for (uint32_t i = 0; i < group->count; i++) {
        if (ferry_boot_in(back, i)) {
            prepare(&group->swaps[i]);
        }
    }

    int rc = ferry_boot_group_judge(group, back);

    *bad = 0;
    for (uint32_t i = 0; i < group->count && rc == FERRY_OK; i++) {
        if (ferry_boot_in(back, i) && group->why[i] == FERRY_OK) {
            int is_old = is_old_one(set, i);

            rc = is_old < 0 ? is_old : FERRY_OK;
            group->why[i] = is_old == 1 ? FERRY_OK : FERRY_E_SET;
        }
        if (ferry_boot_in(back, i) && group->why[i] != FERRY_OK) {
            *bad |= 1U << i;
        }
    }
    return rc;
}

/* Whether the old images that are bad today may be readable tomorrow. Returns 1, 0 or
 * FERRY_E_POWER. */
static int may_come(const struct ferry_boot_set_state *set, uint32_t bad)
{
    for (uint32_t i = 0; i < set->group.count; i++) {
        struct ferry_trailers trailers;

        if (ferry_boot_in(bad, i) && set->group.why[i] == FERRY_E_FLASH) {
            int rc = ferry_slots_read_trailers(set->group.swaps[i].slots, &trailers);

            if (rc == FERRY_E_POWER || (rc == FERRY_OK && !trailers.secondary_answers)) {
                return rc == FERRY_OK ? 1 : rc;
            }
        }
    }
    return 0;
}

/* There is no way back: what runs stays, as after MCUboot's FAIL. Where a part of the set went back
 * already nothing may run. */
static int stay(struct ferry_boot_set_state *set, uint32_t back, uint32_t bad)
{
    struct ferry_boot_group *group = &set->group;
    int later = may_come(set, bad);
    int rc = later < 0 ? later : FERRY_OK;

    ferry_boot_set_stand(set, back, later == 1 ? ferry_boot_on_trial : ferry_boot_stays);
    for (uint32_t i = 0; i < group->count; i++) {
        if (ferry_boot_in(bad, i)) {
            group->reports[i].action = FERRY_BOOT_REFUSED;
            group->reports[i].reason = group->why[i];
            group->reports[i].refused = group->versions[i];
        }
        if (ferry_boot_in(back, i)) {
            group->swaps[i].type = FERRY_SWAP_NONE;
            group->why[i] = FERRY_OK;
        }
    }
    if (rc != FERRY_OK || later == 1 || ferry_boot_set_old(set) != 0) {
        return rc;
    }
    rc = ferry_boot_set_enter(set, FERRY_SET_CONFIRMED);
    return rc != FERRY_OK ? rc : ferry_boot_set_confirm(set, back);
}

/* Move, the image that speaks for the set last: as long as it is there the others must go. */
static int move(struct ferry_boot_set_state *set, uint32_t back, uint32_t broken, int why)
{
    struct ferry_boot_group *group = &set->group;

    for (uint32_t i = group->count; i-- > 0;) {
        struct ferry_boot_image_report *report = &group->reports[i];

        if (!ferry_boot_in(back, i)) {
            continue;
        }

        int rc = ferry_boot_group_install(group, i);

        if (rc != FERRY_OK || group->moved[i] != FERRY_OK) {
            return rc;
        }
        if (why != FERRY_OK) {
            report->reason = ferry_boot_in(broken, i) ? why : FERRY_E_SET;
        }
    }
    return FERRY_OK;
}

/* Withdraw the requests of the set that stand. */
static int withdraw(struct ferry_boot_set_state *set)
{
    struct ferry_boot_group *group = &set->group;

    for (uint32_t i = 0; i < group->count; i++) {
        if (ferry_boot_in(group->coming & set->record.mask, i)) {
            int why = group->why[i] != FERRY_OK ? group->why[i] : FERRY_E_SET;
            int rc = ferry_boot_group_refuse(group, i, why);

            if (rc != FERRY_OK) {
                return rc;
            }
        }
    }
    return FERRY_OK;
}

/* Whether all of the set are back, and no request of it is left. Returns 1, 0 or FERRY_E_POWER. */
static int is_done(struct ferry_boot_set_state *set)
{
    struct ferry_boot_group *group = &set->group;
    int rc = ferry_boot_set_look(set);

    for (uint32_t i = 0; i < group->count && rc == FERRY_OK; i++) {
        struct ferry_boot_swap now = group->swaps[i];

        if (ferry_boot_in(set->record.mask, i)) {
            if (group->moved[i] != FERRY_OK) {
                return 0;
            }
            rc = ferry_boot_decide(&now);
            if (rc == FERRY_OK && now.asked) {
                return 0;
            }
        }
    }
    return rc == FERRY_OK ? 1 : rc;
}

int ferry_boot_set_take_back(struct ferry_boot_set_state *set, uint32_t broken, int why)
{
    uint32_t back = ferry_boot_set_new(set) | broken;
    uint32_t bad = 0;

    set->group.coming &= ~back;

    int rc = judge(set, back, &bad);

    if (rc == FERRY_OK && bad != 0) {
        return stay(set, back, bad);
    }
    if (rc == FERRY_OK && set->record.phase != FERRY_SET_REVERTING) {
        rc = ferry_boot_set_enter(set, FERRY_SET_REVERTING);
    }
    if (rc == FERRY_OK) {
        rc = move(set, back, broken, why);
    }
    if (rc == FERRY_OK) {
        rc = withdraw(set);
    }
    if (rc == FERRY_OK) {
        rc = is_done(set);
        rc = rc == 1 ? ferry_boot_set_rest(set) : rc;
    }
    return rc;
}
