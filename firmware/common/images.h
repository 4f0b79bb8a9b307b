/* SPDX-License-Identifier: Apache-2.0 */
/* What the board's layout means to a program: the slots of its images, and the store. */
#ifndef FIRMWARE_COMMON_IMAGES_H
#define FIRMWARE_COMMON_IMAGES_H

#include "ferry/slots.h"
#include "policy.h"
#include "port/vchip/vchip.h"

struct images {
    struct ferry_slots slots[FERRY_VCHIP_IMAGES]; /* chip's start.image_count */
    uint32_t addresses[FERRY_VCHIP_IMAGES][2];    /* of the slots; 0 for one that is not there */
    struct policy policy;
    int store_result; /* FERRY_OK: store is open; NOT_FOUND: the board has none; or why not */
    struct ferry_store store;
    struct ferry_flash_slice store_area;
    struct ferry_flash_slice areas[FERRY_VCHIP_IMAGES][3]; /* primary, secondary, scratch */
};

/* Fill images, which stays where it is afterwards. A store that does not open is left out.
 *
 * why  on an error: what is wrong with the layout
 *
 * Returns FERRY_OK or an error. */
FERRY_MUST_CHECK
int images_read(struct images *images, const struct vchip *chip, const char **why);

#endif
