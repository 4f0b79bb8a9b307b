/* SPDX-License-Identifier: Apache-2.0 */
/* ram-load, as everyone must know it: the newest image is copied to RAM and runs there.
 * [mcuboot-format.md §2.6 "Sizes"] */
#include "core/image/in_place.h"

const struct ferry_strategy_traits ferry_traits_ram_load = {
    .name = "ram-load",
    .mode = FERRY_MODE_RAM_LOAD,
    .slot_count = 2,
    .erases = 1,
    .in_place = true,
    .keeps_old = true,
    .check = ferry_in_place_check,
    .max_image = ferry_in_place_max_image,
};
