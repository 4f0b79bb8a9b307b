/* SPDX-License-Identifier: Apache-2.0 */
/* Single slot: the image runs if it verifies. There is nothing to fall back to, and nothing is
 * erased: recovery may want to look at it. */
#include "core/boot/swap.h"

static int boot(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                struct ferry_verdict *verdict)
{
    const struct ferry_flash *primary = swap->primary;
    int rc = ferry_boot_verify(swap, primary, &report->info, verdict);

    if (rc == FERRY_OK) {
        rc = ferry_boot_admit(swap, primary, &report->info, 0, false);
    }
    report->reason = rc;
    if (rc == FERRY_OK) {
        report->action = FERRY_BOOT_RAN;
        return ferry_boot_keep_least(swap, &report->info, true);
    }
    *verdict = (struct ferry_verdict){0, 0};
    return rc == FERRY_E_POWER || rc == FERRY_E_FLASH ? rc : FERRY_E_NO_IMAGE;
}

const struct ferry_boot_strategy ferry_boot_single_slot = {
    .traits = &ferry_traits_single_slot, .boot = boot, .plan = NULL};
