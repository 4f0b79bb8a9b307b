/* SPDX-License-Identifier: Apache-2.0 */
#include "tally.h"

#include <stdio.h>

/* The area that holds an offset; layout->area_count when none does. */
static uint32_t area_at(const struct layout *layout, uint32_t device, uint32_t offset)
{
    uint32_t i = 0;

    while (i < layout->area_count &&
           (layout->areas[i].device != device || offset < layout->areas[i].offset ||
            offset - layout->areas[i].offset >= layout->areas[i].size)) {
        i++;
    }
    return i;
}

void tally_erase(struct tally *tally, const struct layout *layout, uint32_t device, uint32_t offset,
                 uint32_t len)
{
    struct ferry_flash_sector sector;

    for (uint32_t at = offset; at - offset < len; at = sector.offset + sector.size) {
        if (ferry_flash_sector_at(&layout->devices[device].geometry, at, &sector) != FERRY_OK) {
            return;
        }
        uint32_t area = area_at(layout, device, at);
        if (area < layout->area_count) {
            tally->erases[area]++;
        }
    }
}

void tally_program(struct tally *tally, const struct layout *layout, uint32_t device,
                   uint32_t offset, uint32_t len)
{
    uint32_t area = area_at(layout, device, offset);

    if (area < layout->area_count) {
        tally->written[area] += len;
    }
}

bool tally_text(const struct tally *tally, const struct layout *layout, uint32_t area, char *text,
                size_t cap)
{
    (void)snprintf(text, cap, "%s: %u sectors erased, %llu bytes written", layout->areas[area].name,
                   (unsigned)tally->erases[area], (unsigned long long)tally->written[area]);
    return tally->erases[area] > 0 || tally->written[area] > 0;
}
