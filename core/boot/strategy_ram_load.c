/* SPDX-License-Identifier: Apache-2.0 */
/* RAM load: the newest image that verifies in RAM runs there. */
#include "core/boot/select.h"

static const struct ferry_boot_select in_place = {
    .examine = ferry_boot_examine_ram,
    .revert = NULL,
};

static int boot(struct ferry_boot_swap *swap, struct ferry_boot_image_report *report,
                struct ferry_verdict *verdict)
{
    if (!ferry_boot_ram_is_sound(swap->image->ram)) {
        report->reason = FERRY_E_CONFIG;
        return FERRY_E_CONFIG;
    }
    return ferry_boot_in_place(swap, &in_place, report, verdict);
}

const struct ferry_boot_strategy ferry_boot_ram_load = {
    .traits = &ferry_traits_ram_load, .boot = boot, .plan = NULL};
