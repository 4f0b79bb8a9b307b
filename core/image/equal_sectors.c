/* SPDX-License-Identifier: Apache-2.0 */
/* What the strategies share that need sectors of one size in both slots.
 * [mcuboot-format.md §2.6 "Sizes"] */
#include "core/image/equal_sectors.h"

/* The size of all sectors of an area, 0 when they differ. */
static uint32_t sector_size(const struct ferry_flash *flash)
{
    for (uint8_t i = 1; i < flash->run_count; i++) {
        if (flash->runs[i].size != flash->runs[0].size) {
            return 0;
        }
    }
    return flash->runs[0].size;
}

uint32_t ferry_equal_sectors_size(const struct ferry_slots *slots)
{
    uint32_t size = sector_size(slots->primary);
    return size == sector_size(slots->secondary) ? size : 0;
}

int ferry_equal_sectors_check_longer_secondary(const struct ferry_slots *slots)
{
    if (ferry_equal_sectors_size(slots) == 0) {
        return FERRY_E_LAYOUT;
    }
    uint32_t primary = ferry_flash_sector_count(slots->primary);
    uint32_t secondary = ferry_flash_sector_count(slots->secondary);
    if (secondary != primary && secondary != primary + 1) {
        return FERRY_E_LAYOUT;
    }
    return secondary <= slots->max_sectors ? FERRY_OK : FERRY_E_LAYOUT;
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
    uint32_t trailer = size;
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
