/* SPDX-License-Identifier: Apache-2.0 */
#include "layout_boot.h"

static const struct ferry_boot_strategy *const strategies[] = {
    &ferry_boot_swap_scratch,      &ferry_boot_swap_move,   &ferry_boot_swap_offset,
    &ferry_boot_swap_shift,        &ferry_boot_overwrite,   &ferry_boot_direct_xip,
    &ferry_boot_direct_xip_revert, &ferry_boot_ram_load,    &ferry_boot_ram_load_revert,
    &ferry_boot_single_slot,       &ferry_boot_first_stage,
};

const struct ferry_boot_strategy *layout_boot_strategy(const struct ferry_strategy_traits *traits)
{
    for (size_t i = 0; i < sizeof(strategies) / sizeof(strategies[0]); i++) {
        if (strategies[i]->traits == traits) {
            return strategies[i];
        }
    }
    return NULL;
}

const struct ferry_boot_set *layout_boot_set(const struct layout *layout,
                                             const struct ferry_boot_image *images, uint32_t count)
{
    uint32_t others = 0;

    if ((layout->flags & FERRY_VCHIP_SET) != 0) {
        return &ferry_boot_as_one;
    }
    for (uint32_t i = 0; i < count; i++) {
        /* Strategies that choose a slot know no dependencies; the bootloader's own image has none.
         */
        if (images[i].first == NULL && images[i].strategy->plan == NULL) {
            return NULL;
        }
        others += images[i].first == NULL ? 1 : 0;
    }
    return others > 1 ? &ferry_boot_dependent : NULL;
}
