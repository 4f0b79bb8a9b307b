/* SPDX-License-Identifier: Apache-2.0 */
/* Direct XIP: the newest image that verifies runs from its slot. */
#include "core/boot/select.h"

static const struct ferry_boot_select in_place = {
    .examine = ferry_boot_examine_slot,
    .in_slot = true,
    .revert = NULL,
};

static int boot(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                struct ferry_verdict *verdict)
{
    return ferry_boot_in_place(swap, &in_place, report, verdict);
}

const struct ferry_boot_strategy ferry_boot_direct_xip = {
    .traits = &ferry_traits_direct_xip, .boot = boot, .plan = NULL};
