/* SPDX-License-Identifier: Apache-2.0 */
/* A layout as a bootloader has it, for programs that run its engine on a host. */
#ifndef LAYOUT_LAYOUT_BOOT_H
#define LAYOUT_LAYOUT_BOOT_H

#include "layout.h"

#include "ferry/boot.h"

/* The bootloader's strategy with these traits, or NULL. Who calls this links them all. */
const struct ferry_boot_strategy *layout_boot_strategy(const struct ferry_strategy_traits *traits);

/* How the images of a layout depend on each other, as the virtual device's bootloader has it.
 *
 * images  count of them, set up */
const struct ferry_boot_set *layout_boot_set(const struct layout *layout,
                                             const struct ferry_boot_image *images, uint32_t count);

#endif
