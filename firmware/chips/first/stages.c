/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/chips/first/stages.h"

#include "port/chip/chip.h"

/* MCUboot's header in front of a bootloader: the first stage passes over it. */
#define HEADER_SIZE 0x200

static uint8_t buf[512];

void stages_read(struct ferry_first *first, uint8_t active)
{
    *first = (struct ferry_first){
        .kind = &ferry_first_nrf52, /* the ids of the family that has such a first stage */
        .provision = &chip_provision,
        .active = active,
        .buf = buf,
        .buf_size = sizeof(buf),
        .feed = chip_feed,
    };
    for (unsigned i = 0; i < 2; i++) {
        first->slots[i] = (struct ferry_first_place){
            .flash = &chip_stages[i],
            .offset = HEADER_SIZE,
            .size = chip_stages[i].size - HEADER_SIZE,
            .address = chip_stage_addresses[i] + HEADER_SIZE,
        };
    }
}
