/* SPDX-License-Identifier: Apache-2.0 */
/* The two ways between a primary and a secondary that is one sector longer than the image: up,
 * where the primary's image ends one sector higher in the secondary; and down, which undoes it.
 * swap-shift and swap-offset are both, the other way round. Internal to core/boot. */
#ifndef FERRY_CORE_BOOT_PLAN_OFFSET_H
#define FERRY_CORE_BOOT_PLAN_OFFSET_H

#include "core/boot/swap.h"

/* Steps of either way. */
uint32_t ferry_boot_up_count(const struct ferry_boot_swap *swap);
uint32_t ferry_boot_down_count(const struct ferry_boot_swap *swap);

/* Do step n. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_boot_up_step(const struct ferry_boot_swap *swap, uint32_t n);
FERRY_MUST_CHECK
int ferry_boot_down_step(const struct ferry_boot_swap *swap, uint32_t n);

#endif
