/* SPDX-License-Identifier: Apache-2.0 */
/* The opening of a swap through scratch whose images reach into the sector of a trailer. Internal
 * to core/boot. */
#ifndef FERRY_CORE_BOOT_SCRATCH_OPENING_H
#define FERRY_CORE_BOOT_SCRATCH_OPENING_H

#include "core/boot/swap.h"

/* Whether the last block that swap->size covers holds a part of a trailer. */
bool ferry_boot_shares_trailer(const struct ferry_boot_swap *swap);

/* As ferry_boot_plan.resume and .begin: they do the opening where there is one. */
FERRY_MUST_CHECK
int ferry_boot_scratch_resume(struct ferry_boot_swap *swap);
FERRY_MUST_CHECK
int ferry_boot_scratch_begin(struct ferry_boot_swap *swap);

#endif
