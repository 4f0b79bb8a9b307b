/* SPDX-License-Identifier: Apache-2.0 */
#include "layout_slots.h"

uint32_t layout_address(const struct layout *layout, uint32_t area)
{
    return area == FERRY_VCHIP_NO_AREA
               ? 0
               : layout->areas[area].device * FERRY_VCHIP_SPAN + layout->areas[area].offset;
}

int layout_area_open(const struct layout *layout, uint32_t area,
                     const struct ferry_flash *const devices[], struct ferry_flash_slice *slice)
{
    const struct ferry_vchip_area *a = &layout->areas[area];
    const struct ferry_flash *device =
        devices != NULL ? devices[a->device] : &layout->devices[a->device].geometry;

    return ferry_flash_slice_init(slice, device, a->offset, a->size);
}

int layout_slots_of(const struct layout *layout, const struct ferry_vchip_image *image,
                    const struct ferry_flash *const devices[], struct layout_slots *slots)
{
    const uint32_t areas[3] = {image->primary, image->secondary, image->scratch};
    const struct ferry_flash *flash[3] = {NULL, NULL, NULL};

    *slots = (struct layout_slots){0};
    for (size_t i = 0; i < 3; i++) {
        if (areas[i] == FERRY_VCHIP_NO_AREA) {
            continue;
        }
        int result = layout_area_open(layout, areas[i], devices, &slots->areas[i]);
        if (result != FERRY_OK) {
            return result;
        }
        flash[i] = &slots->areas[i].flash;
    }
    slots->slots = (struct ferry_slots){
        .primary = flash[0],
        .secondary = flash[1],
        .scratch = flash[2],
        .strategy = ferry_strategy_traits_find(image->strategy),
        .max_align = layout->max_align,
        .max_sectors = layout->max_sectors,
        .enc_tlv = (uint16_t)layout->enc_tlv,
    };
    return FERRY_OK;
}

int layout_slots_open(const struct layout *layout, uint32_t image,
                      const struct ferry_flash *const devices[], struct layout_slots *slots)
{
    int result = layout_slots_of(layout, &layout->images[image], devices, slots);

    if (result == FERRY_OK) {
        slots->slots.number = (uint8_t)image;
        slots->slots.state = ferry_slots_state_of(slots->slots.strategy);
    }
    return result;
}
