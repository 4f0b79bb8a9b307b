/* SPDX-License-Identifier: Apache-2.0 */
/* What the strategies share that need sectors of one size in both slots.
 * [mcuboot-format.md §2.6 "Sizes"] */
#include "core/image/equal_sectors.h"

static bool has_only(const struct ferry_flash *flash, uint32_t size)
{
    for (uint8_t i = 0; i < flash->run_count; i++) {
        if (flash->runs[i].size != size) {
            return false;
        }
    }
    return true;
}

uint32_t ferry_equal_sectors_size(const struct ferry_slots *slots)
{
    uint32_t size = slots->primary->runs[0].size;
    return has_only(slots->primary, size) && has_only(slots->secondary, size) ? size : 0;
}

int ferry_equal_sectors_check(const struct ferry_slots *slots, const struct ferry_flash *longer,
                              const struct ferry_flash *other)
{
    uint32_t size = ferry_equal_sectors_size(slots);
    uint32_t more = longer->size - other->size;
    return size != 0 && (more == 0 || more == size) &&
                   ferry_flash_sector_count(longer) <= slots->max_sectors
               ? FERRY_OK
               : FERRY_E_LAYOUT;
}

int ferry_equal_sectors_check_longer_secondary(const struct ferry_slots *slots)
{
    return ferry_equal_sectors_check(slots, slots->secondary, slots->primary);
}

uint32_t ferry_equal_sectors_less_trailer(const struct ferry_slots *slots, uint32_t primary_room,
                                          uint32_t secondary_room)
{
    struct ferry_trailer_layout layout;
    uint32_t size = ferry_equal_sectors_size(slots);
    if (size == 0 || ferry_slots_trailer(slots, &layout) != FERRY_OK) {
        return 0;
    }
    uint32_t room = ferry_min32(primary_room, secondary_room);
    uint32_t trailer = size; /* whole sectors, whose size need be no power of two */
    while (trailer < layout.size) {
        trailer += size;
    }
    return room > trailer ? room - trailer : 0;
}

uint32_t ferry_equal_sectors_max_shifted(const struct ferry_slots *slots)
{
    return ferry_equal_sectors_less_trailer(
        slots, slots->primary->size, slots->secondary->size - ferry_equal_sectors_size(slots));
}
