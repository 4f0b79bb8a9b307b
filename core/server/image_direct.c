/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads to a slot by its number, as Zephyr's direct upload. A file of its own, so that a server
 * without it carries none of it. [smp.md §3.1] */
#include "core/server/image_group.h"

static bool place(uint64_t number, struct ferry_image_place *place)
{
    uint64_t slot = number - 1;

    if (number == 0 || slot / 2 > UINT8_MAX) {
        return false;
    }
    *place = (struct ferry_image_place){(uint8_t)(slot / 2), (uint8_t)(slot % 2)};
    return true;
}

static uint32_t number(const struct ferry_image_place *place)
{
    return 2U * place->image + place->slot + 1;
}

const struct ferry_image_direct ferry_image_direct_upload = {.place = place, .number = number};
