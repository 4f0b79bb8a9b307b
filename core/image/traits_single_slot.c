/* SPDX-License-Identifier: Apache-2.0 */
/* single-slot, as everyone must know it: one image, replaced where it runs. Who is to replace it
 * must be something else than the image. [mcuboot-format.md §2.6 "Sizes"] */
#include "ferry/slots.h"

static int check(const struct ferry_slots *slots)
{
    (void)slots;
    return FERRY_OK;
}

/* The slot up to where status entries would begin. */
static uint32_t max_image(const struct ferry_slots *slots)
{
    struct ferry_trailer_layout layout;
    if (ferry_slots_trailer(slots, &layout) != FERRY_OK || slots->primary->size <= layout.size) {
        return 0;
    }
    return slots->primary->size - layout.size;
}

const struct ferry_strategy_traits ferry_traits_single_slot = {
    .name = "single-slot",
    .mode = FERRY_MODE_SINGLE,
    .slot_count = 1,
    .in_place = true,
    .needs_recovery = true,
    .check = check,
    .max_image = max_image,
};
