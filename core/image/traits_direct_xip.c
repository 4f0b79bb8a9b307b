/* SPDX-License-Identifier: Apache-2.0 */
/* direct-xip, as everyone must know it: the newest image runs from the slot it was uploaded to.
 * [mcuboot-format.md §2.6 "Sizes"] */
#include "core/image/in_place.h"

const struct ferry_strategy_traits ferry_traits_direct_xip = {
    .name = "direct-xip",
    .mode = FERRY_MODE_DIRECT_XIP,
    .slot_count = 2,
    .erases = 1,
    .in_place = true,
    .keeps_old = true,
    .check = ferry_in_place_check,
    .max_image = ferry_in_place_max_image,
};
