/* SPDX-License-Identifier: Apache-2.0 */
/* Several images that boot together, phase by phase. Internal to core/boot. */
#ifndef FERRY_CORE_BOOT_GROUP_H
#define FERRY_CORE_BOOT_GROUP_H

#include "core/boot/swap.h"

struct ferry_boot_group {
    const struct ferry_boot_config *config;
    struct ferry_boot_image_report *reports;
    struct ferry_verdict *verdicts;
    uint32_t count;
    uint32_t coming; /* mask of the images that are asked for, and not refused so far */
    struct ferry_boot_swap swaps[FERRY_BOOT_IMAGES];
    struct ferry_version versions[FERRY_BOOT_IMAGES]; /* of the image that comes, once judged */
    int moved[FERRY_BOOT_IMAGES];                     /* what stopped its move, or FERRY_OK */
    int why[FERRY_BOOT_IMAGES];                       /* why it may not run, or not come */
};

static inline bool ferry_boot_in(uint32_t mask, uint32_t number)
{
    return (mask >> number & 1) != 0;
}

/* Every function here returns FERRY_OK, or FERRY_E_POWER, which ends the boot at once; what else
 * fails stands in moved[] and why[]. */

/* Begin, and finish the swaps that were interrupted. */
FERRY_MUST_CHECK
int ferry_boot_group_finish(struct ferry_boot_group *group, const struct ferry_boot_config *config,
                            uint32_t count, struct ferry_boot_report *report,
                            struct ferry_verdict *verdicts);

/* What the trailers ask for; those whose move was finished in this boot, or stopped, ask for
 * nothing. Sets coming to what is asked for. */
FERRY_MUST_CHECK
int ferry_boot_group_decide(struct ferry_boot_group *group);

/* Judge the images of a mask; why[] is what was found. */
FERRY_MUST_CHECK
int ferry_boot_group_judge(struct ferry_boot_group *group, uint32_t mask);

/* Refuse image number because of why: it, or where nothing is wrong with it, its request goes. */
FERRY_MUST_CHECK
int ferry_boot_group_refuse(struct ferry_boot_group *group, uint32_t number, int why);

/* Whether, with the images that come and those that stay, every image has what it depends on. Where
 * not, why[] is FERRY_E_DEPENDENCY of an image that is at fault, and the report has what it needs.
 * A flash that cannot be read counts as what is not there.
 * Returns FERRY_OK, FERRY_E_DEPENDENCY or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_boot_group_depend(struct ferry_boot_group *group); /* dependencies.c */

/* Withdraw all that comes: those that are at fault for their own reason, the others because of the
 * set. Nothing comes then. */
FERRY_MUST_CHECK
int ferry_boot_group_withdraw(struct ferry_boot_group *group);

/* Install image number, which was judged. */
FERRY_MUST_CHECK
int ferry_boot_group_install(struct ferry_boot_group *group, uint32_t number);

/* The end, for all: look ahead, or say why it may not run; and keep it in the store.
 * Returns as ferry_boot_run(). */
FERRY_MUST_CHECK
int ferry_boot_group_conclude(struct ferry_boot_group *group);

/* Strategies that move images, and at least one image. Returns FERRY_OK or FERRY_E_CONFIG. */
FERRY_MUST_CHECK
int ferry_boot_group_check(const struct ferry_boot_config *config, uint32_t count);

#endif
