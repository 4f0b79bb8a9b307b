/* SPDX-License-Identifier: Apache-2.0 */
/* What one product's bootloader is made of: a const table that main() boots by. */
#ifndef FIRMWARE_CHIPS_BOOT_PRODUCT_H
#define FIRMWARE_CHIPS_BOOT_PRODUCT_H

#include "ferry/boot.h"

extern const struct ferry_boot_config product_boot;

/* Where the verified image's vectors are. */
uintptr_t product_vectors(const struct ferry_boot_image_report *image);

#endif
