/* SPDX-License-Identifier: Apache-2.0 */
/* swap-move, as everyone must know it: every sector of the primary moves up by one, then the
 * slots are exchanged sector by sector. [mcuboot-format.md §2.6 "Sizes"] */
#include "core/image/equal_sectors.h"
#include "core/image/journal.h"

static int check(const struct ferry_slots *slots)
{
    if (ferry_equal_sectors_size(slots) == 0) {
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
    uint32_t spare = ferry_equal_sectors_size(slots);
    return ferry_equal_sectors_less_trailer(slots, slots->primary->size - spare,
                                            slots->secondary->size);
}

const struct ferry_strategy_traits ferry_traits_swap_move = {.name = "swap-move",
                                                             .mode = FERRY_MODE_SWAP_MOVE,
                                                             .sector_states = 3,
                                                             .slot_count = 2,
                                                             .erases = 2,
                                                             .reverts = true,
                                                             .keeps_old = true,
                                                             .check = check,
                                                             .max_image = max_image,
                                                             .read_end = ferry_journal_read_end};
