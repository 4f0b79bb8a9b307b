/* SPDX-License-Identifier: Apache-2.0 */
/* swap-move, as everyone must know it: every sector of the primary moves up by one, then the
 * slots are exchanged sector by sector. [mcuboot-format.md §2.6 "Sizes"] */
#include "ferry/slots.h"

/* The size of all sectors of an area, 0 when they differ. */
static uint32_t sector_size(const struct ferry_flash *flash)
{
    for (uint8_t i = 1; i < flash->run_count; i++) {
        if (flash->runs[i].size != flash->runs[0].size) {
            return 0;
        }
    }
    return flash->runs[0].size;
}

static int check(const struct ferry_slots *slots)
{
    uint32_t size = sector_size(slots->primary);
    if (size == 0 || size != sector_size(slots->secondary)) {
        return FERRY_E_LAYOUT;
    }
    uint32_t primary = ferry_flash_sector_count(slots->primary);
    uint32_t secondary = ferry_flash_sector_count(slots->secondary);
    if (primary != secondary && primary != secondary + 1) {
        return FERRY_E_LAYOUT;
    }
    return primary <= slots->max_sectors ? FERRY_OK : FERRY_E_LAYOUT;
}

/* The primary gives up the sector the image moves into; in both slots the trailer has its sectors
 * for itself. */
static uint32_t max_image(const struct ferry_slots *slots)
{
    struct ferry_trailer_layout layout;
    uint32_t size = sector_size(slots->primary);
    if (size == 0 || ferry_slots_trailer(slots, &layout) != FERRY_OK) {
        return 0;
    }
    uint32_t room = ferry_min32(slots->primary->size - size, slots->secondary->size);
    uint32_t trailer = ferry_align_up(layout.size, size);
    return room > trailer ? room - trailer : 0;
}

const struct ferry_strategy_traits ferry_traits_swap_move = {.name = "swap-move",
                                                             .mode = FERRY_MODE_SWAP_MOVE,
                                                             .sector_states = 3,
                                                             .reverts = true,
                                                             .keeps_old = true,
                                                             .slot_count = 2,
                                                             .erases = 2,
                                                             .state = &ferry_slots_by_swap,
                                                             .check = check,
                                                             .max_image = max_image};
