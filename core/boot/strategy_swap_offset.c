/* SPDX-License-Identifier: Apache-2.0 */
/* Swap through one sector more in the secondary, images uploaded one sector up: an upgrade goes
 * down, so that the old image ends at the beginning, and a revert up.
 * [mcuboot-format.md §2.6 "offset"] */
#include "core/boot/plan_offset.h"

static uint32_t count(const struct ferry_boot_swap *swap)
{
    return swap->backwards ? ferry_boot_up_count(swap) : ferry_boot_down_count(swap);
}

static int step(const struct ferry_boot_swap *swap, uint32_t n)
{
    return swap->backwards ? ferry_boot_up_step(swap, n) : ferry_boot_down_step(swap, n);
}

static const struct ferry_boot_plan plan = {.count = count, .step = step};

const struct ferry_boot_strategy ferry_boot_swap_offset = {
    .traits = &ferry_traits_swap_offset, .boot = ferry_boot_by_swap, .plan = &plan};
