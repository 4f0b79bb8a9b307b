/* SPDX-License-Identifier: Apache-2.0 */
/* direct-xip-revert, as everyone must know it: the newest image runs from the slot it was
 * uploaded to, and loses it again unless it confirms.
 * [mcuboot-format.md §2.6 "Sizes"] */
#include "core/image/in_place.h"

const struct ferry_strategy_traits ferry_traits_direct_xip_revert = {
    .name = "direct-xip-revert",
    .mode = FERRY_MODE_DIRECT_XIP_REVERT,
    .slot_count = 2,
    .erases = 1,
    .in_place = true,
    .reverts = true,
    .keeps_old = true,
    .check = ferry_in_place_check,
    .max_image = ferry_in_place_max_image,
};
