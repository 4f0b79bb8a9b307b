/* SPDX-License-Identifier: Apache-2.0 */
/* The strategies that move images, as a small application must know them: where images and trailers
 * are, and the largest image. The numbers are those of the whole traits, and a test holds them
 * against those. [mcuboot-format.md §2.6 "Sizes"] */
#include "ferry/slots_small.h"

/* Nobody checks with these. */
static int check(const struct ferry_slots *slots)
{
    (void)slots;
    return FERRY_E_CONFIG;
}

/* Where nothing is swapped the image goes up to swap_info. Else it leaves the trailer its sectors,
 * and one sector more: in the secondary where an old image is kept a sector away from a new one, in
 * the primary where images move up there. */
static uint32_t max_image(const struct ferry_slots *slots)
{
    const struct ferry_strategy_traits *strategy = slots->strategy;
    const struct ferry_flash *primary = slots->primary;
    const struct ferry_flash *secondary = slots->secondary;
    bool apart = strategy->upload_sector != strategy->old_sector;
    uint32_t spare = primary->runs[0].size;
    if (strategy->sector_states == 0) {
        return ferry_min32(primary->size, secondary->size) -
               ferry_trailer_distance(slots->max_align, FERRY_TRAILER_SWAP_INFO);
    }
    uint32_t trailer = primary->size - ferry_slots_small_trailer(slots, primary);
    uint32_t room =
        ferry_min32(primary->size - (apart ? 0 : spare), secondary->size - (apart ? spare : 0));
    return room - trailer;
}

const struct ferry_strategy_traits ferry_traits_swap_move_small = {.name = "swap-move",
                                                                   .mode = FERRY_MODE_SWAP_MOVE,
                                                                   .sector_states = 3,
                                                                   .slot_count = 2,
                                                                   .erases = 2,
                                                                   .reverts = true,
                                                                   .keeps_old = true,
                                                                   .check = check,
                                                                   .max_image = max_image};

const struct ferry_strategy_traits ferry_traits_swap_shift_small = {.name = "swap-shift",
                                                                    .mode = FERRY_MODE_SWAP_MOVE,
                                                                    .sector_states = 2,
                                                                    .slot_count = 2,
                                                                    .old_sector = 1,
                                                                    .erases = 2,
                                                                    .reverts = true,
                                                                    .keeps_old = true,
                                                                    .check = check,
                                                                    .max_image = max_image};

const struct ferry_strategy_traits ferry_traits_swap_offset_small = {.name = "swap-offset",
                                                                     .mode = FERRY_MODE_SWAP_OFFSET,
                                                                     .sector_states = 2,
                                                                     .slot_count = 2,
                                                                     .upload_sector = 1,
                                                                     .erases = 2,
                                                                     .tlv_sizes = true,
                                                                     .reverts = true,
                                                                     .keeps_old = true,
                                                                     .check = check,
                                                                     .max_image = max_image};

const struct ferry_strategy_traits ferry_traits_overwrite_small = {.name = "overwrite",
                                                                   .mode = FERRY_MODE_OVERWRITE,
                                                                   .slot_count = 2,
                                                                   .erases = 1,
                                                                   .check = check,
                                                                   .max_image = max_image};
