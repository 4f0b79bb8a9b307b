/* SPDX-License-Identifier: Apache-2.0 */
/* Direct XIP with revert: the newest image that verifies runs from its slot; unless it confirms,
 * the other one does next. */
#include "core/boot/select.h"

static const struct ferry_boot_select in_place = {
    .examine = ferry_boot_examine_slot,
    .in_slot = true,
    .revert = &ferry_boot_revert,
};

static int boot(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                struct ferry_verdict *verdict)
{
    return ferry_boot_in_place(swap, &in_place, report, verdict);
}

const struct ferry_boot_strategy ferry_boot_direct_xip_revert = {
    .traits = &ferry_traits_direct_xip_revert, .boot = boot, .plan = NULL};
