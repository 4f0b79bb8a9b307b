/* SPDX-License-Identifier: Apache-2.0 */
/* The board's first stage: its slots, its provision data. */
#include "first.h"

static int read_slot(struct first *first, const struct vchip *chip, uint32_t i)
{
    uint32_t number = chip->start.first_slots[i];
    int result = vchip_area(chip, number, &first->slots[i]);

    if (result != FERRY_OK) {
        return result;
    }
    const struct ferry_vchip_area *area = &chip->start.areas[number];
    if (area->size <= FERRY_VCHIP_FIRST_HEADER) {
        return FERRY_E_LAYOUT;
    }
    first->first.slots[i] = (struct ferry_first_place){
        .flash = &first->slots[i].flash,
        .offset = FERRY_VCHIP_FIRST_HEADER,
        .size = area->size - FERRY_VCHIP_FIRST_HEADER,
        .address = area->device * FERRY_VCHIP_SPAN + area->offset + FERRY_VCHIP_FIRST_HEADER,
    };
    return FERRY_OK;
}

int first_read(struct first *first, const struct vchip *chip)
{
    first->there = chip->start.first_provision != FERRY_VCHIP_NO_AREA;
    if (!first->there) {
        return FERRY_OK;
    }
    int result = vchip_area(chip, chip->start.first_provision, &first->provision);
    for (uint32_t i = 0; i < 2 && result == FERRY_OK; i++) {
        result = read_slot(first, chip, i);
    }
    first->first.kind = &ferry_first_vchip;
    first->first.provision = &first->provision.flash;
    first->first.active = chip->start.first_active == 1 ? 1 : 0;
    return result;
}
