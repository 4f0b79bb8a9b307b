/* SPDX-License-Identifier: Apache-2.0 */
/* Single slot: the image runs if it verifies. There is nothing to fall back to, and nothing is
 * erased: recovery may want to look at it. */
#include "core/boot/swap.h"

static int boot(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                struct ferry_verdict *verdict)
{
    int rc = ferry_boot_verify(swap, swap->slots->primary, &report->info, verdict);

    report->reason = rc;
    if (rc == FERRY_OK) {
        report->action = FERRY_BOOT_RAN;
        return rc;
    }
    return rc == FERRY_E_POWER || rc == FERRY_E_FLASH ? rc : FERRY_E_NO_IMAGE;
}

const struct ferry_boot_strategy ferry_boot_single_slot = {
    .traits = &ferry_traits_single_slot, .boot = boot, .plan = NULL};
