/* SPDX-License-Identifier: Apache-2.0 */
/* The boot of images that run where they were uploaded, or from RAM: which slot's image is to run,
 * and what becomes of the other. Internal to core/boot. */
#ifndef FERRY_CORE_BOOT_SELECT_H
#define FERRY_CORE_BOOT_SELECT_H

#include "core/boot/swap.h"
#include "core/image/in_place.h"

/* What is known of both slots during a boot. */
struct ferry_boot_slots {
    struct ferry_in_place found[2];
    int why[2];         /* FERRY_OK, or why there is no image or it may not run */
    bool refused[2];    /* it was its turn, and it may not run */
    bool spent[2];      /* it may run, but has started as often as it may */
    bool unrecorded[2]; /* it may run, but its start cannot be recorded */
    uint32_t examined;  /* the slot the report's info and the verdict speak of; 2 = none */
};

/* What a strategy that reverts adds. */
struct ferry_boot_revert {
    /* The image of a slot, which info describes, is about to start: record it.
     * Returns 1 = it may; 0 = the other one is to run: spent or unrecorded says why; or
     * FERRY_E_POWER. */
    int (*admit)(const struct ferry_boot_swap *swap, uint32_t slot, struct ferry_boot_slots *slots,
                 struct ferry_boot_image_report *report);
    /* The image of a slot runs, and the other slot is settled. Returns FERRY_OK or
     * FERRY_E_POWER. */
    int (*settled)(const struct ferry_boot_swap *swap, uint32_t slot,
                   const struct ferry_boot_slots *slots);
};

/* What tells in-place strategies apart: one const table each. */
struct ferry_boot_select {
    /* Bring the image of a slot to where it runs, verify it there and ask the policy. info is
     * cleared first; verdict is always set, and valid only with FERRY_OK. asked: as in
     * ferry_boot_admit(). Returns FERRY_OK or why it may not run. */
    int (*examine)(const struct ferry_boot_swap *swap, uint32_t slot, bool asked,
                   struct ferry_image_info *info, struct ferry_verdict *verdict);
    bool in_slot;                           /* it runs in its slot, whose verdict examine bound */
    const struct ferry_boot_revert *revert; /* NULL: nothing is ever taken back */
};

extern const struct ferry_boot_revert ferry_boot_revert; /* select_revert.c */

/* The boot. As ferry_boot_strategy.boot.
 *
 * The newest image that was asked for, verifies and has trials left runs; else the other one. Where
 * no image is left that way, one that verifies runs all the same, the older first: what was there
 * before. Only an image that runs and verified makes the other one go: a test that was not
 * confirmed, or one that was refused. */
FERRY_MUST_CHECK
int ferry_boot_in_place(const struct ferry_boot_swap *swap, const struct ferry_boot_select *select,
                        struct ferry_boot_image_report *report, struct ferry_verdict *verdict);

/* examine of strategies that run an image in its slot (its verdict is then bound to the flash of
 * the slot, and neither word says valid), and of those that load it to RAM. */
FERRY_MUST_CHECK
int ferry_boot_examine_slot(const struct ferry_boot_swap *swap, uint32_t slot, bool asked,
                            struct ferry_image_info *info, struct ferry_verdict *verdict);
FERRY_MUST_CHECK
int ferry_boot_examine_ram(const struct ferry_boot_swap *swap, uint32_t slot, bool asked,
                           struct ferry_image_info *info, struct ferry_verdict *verdict);

/* Whether images can be loaded there. */
bool ferry_boot_ram_is_sound(const struct ferry_boot_ram *ram);

#endif
