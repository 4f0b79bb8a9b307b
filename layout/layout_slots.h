/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of a layout's images, as every function of ferry/slots.h takes them. */
#ifndef LAYOUT_LAYOUT_SLOTS_H
#define LAYOUT_LAYOUT_SLOTS_H

#include "layout.h"

#include "ferry/slots.h"

/* An image's slots over flash: what is inside refers to itself, so it may not be moved. */
struct layout_slots {
    struct ferry_flash_slice areas[3]; /* primary, secondary, scratch */
    struct ferry_slots slots;
};

/* Make the slots of an image.
 *
 * image    0 .. layout->image_count - 1
 * devices  the flash of each of the layout's devices, of its geometry; NULL = the layout's own,
 *          which has sizes and sectors but no contents
 *
 * The store, the policy and which slot is active are left to the caller. Whether the slots suit
 * their strategy is ferry_slots_check()'s to say, and was asked of a layout that was parsed.
 * Returns FERRY_OK, or the error of an area that cannot be. */
FERRY_MUST_CHECK
int layout_slots_open(const struct layout *layout, uint32_t image,
                      const struct ferry_flash *const devices[], struct layout_slots *slots);

/* The same for an image that is not yet one of the layout's. */
FERRY_MUST_CHECK
int layout_slots_of(const struct layout *layout, const struct ferry_vchip_image *image,
                    const struct ferry_flash *const devices[], struct layout_slots *slots);

/* Where an area begins, as images linked to an address count; 0 for FERRY_VCHIP_NO_AREA. */
uint32_t layout_address(const struct layout *layout, uint32_t area);

/* Make slice an area of the layout; devices as above. Returns as ferry_flash_slice_init(). */
FERRY_MUST_CHECK
int layout_area_open(const struct layout *layout, uint32_t area,
                     const struct ferry_flash *const devices[], struct ferry_flash_slice *slice);

#endif
