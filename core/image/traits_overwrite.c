/* SPDX-License-Identifier: Apache-2.0 */
/* overwrite, as everyone must know it: the new image is copied over the old one, which is gone.
 * [mcuboot-format.md §2.6 "Sizes"] */
#include "ferry/slots.h"

/* Any pair of slots will do: the image is copied, whatever the sectors. */
static int check(const struct ferry_slots *slots)
{
    (void)slots;
    return FERRY_OK;
}

/* Each slot up to swap_info: nothing before that field is ever written. */
static uint32_t max_image(const struct ferry_slots *slots)
{
    struct ferry_trailer_layout layout;
    if (ferry_slots_trailer(slots, &layout) != FERRY_OK) {
        return 0;
    }
    uint32_t room = ferry_min32(slots->primary->size, slots->secondary->size);
    return room > layout.swap_info ? room - layout.swap_info : 0;
}

/* No status entries: a copy that was cut is simply begun again, the secondary being whole. */
const struct ferry_strategy_traits ferry_traits_overwrite = {.name = "overwrite",
                                                             .mode = FERRY_MODE_OVERWRITE,
                                                             .slot_count = 2,
                                                             .erases = 1,
                                                             .check = check,
                                                             .max_image = max_image};
