/* SPDX-License-Identifier: Apache-2.0 */
/* swap-move, as everyone must know it: every sector of the primary moves up by one, then the
 * slots are exchanged sector by sector. [mcuboot-format.md §2.6 "Sizes"] */
#include "core/image/equal_sectors.h"
#include "core/image/journal.h"

static int check(const struct ferry_slots *slots)
{
    return ferry_equal_sectors_check(slots, slots->primary, slots->secondary);
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
