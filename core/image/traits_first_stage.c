/* SPDX-License-Identifier: Apache-2.0 */
/* first-stage, as everyone must know it: the image is the bootloader itself. The primary is the one
 * of S0 and S1 that runs; an update is installed into the other one, and the first stage chooses
 * (ferry/first.h). There is no way back once it did. */
#include "ferry/slots.h"

static int check(const struct ferry_slots *slots)
{
    (void)slots;
    return FERRY_OK;
}

/* As overwrite: S0 and S1 have no trailer, but whoever reads one there shall find it unset. */
static uint32_t max_image(const struct ferry_slots *slots)
{
    struct ferry_trailer_layout layout;
    if (ferry_slots_trailer(slots, &layout) != FERRY_OK) {
        return 0;
    }
    uint32_t room = ferry_min32(slots->primary->size, slots->secondary->size);
    return room > layout.swap_info ? room - layout.swap_info : 0;
}

const struct ferry_strategy_traits ferry_traits_first_stage = {.name = "first-stage",
                                                               .mode = FERRY_MODE_OVERWRITE,
                                                               .slot_count = 2,
                                                               .erases = 1,
                                                               .own_primary = true,
                                                               .check = check,
                                                               .max_image = max_image};
