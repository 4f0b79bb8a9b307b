/* SPDX-License-Identifier: Apache-2.0 */
/* Swap through one sector more in the secondary, images uploaded to its beginning: an upgrade
 * goes up, so that the old image ends one sector higher, and a revert down. Ferry's own. */
#include "core/boot/plan_offset.h"

static uint32_t count(const struct ferry_boot_swap *swap)
{
    return swap->backwards ? ferry_boot_down_count(swap) : ferry_boot_up_count(swap);
}

static int step(const struct ferry_boot_swap *swap, uint32_t n)
{
    return swap->backwards ? ferry_boot_down_step(swap, n) : ferry_boot_up_step(swap, n);
}

static const struct ferry_boot_plan plan = {.count = count, .step = step};

const struct ferry_boot_strategy ferry_boot_swap_shift = {
    .traits = &ferry_traits_swap_shift, .boot = ferry_boot_by_swap, .plan = &plan};
