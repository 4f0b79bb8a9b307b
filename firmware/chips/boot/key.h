/* SPDX-License-Identifier: Apache-2.0 */
/* The public key that images must be signed with. Its bytes are made by the build, of the key that
 * FERRY_CHIP_KEY names, as `ferry getpub` prints them. */
#ifndef FIRMWARE_CHIPS_BOOT_KEY_H
#define FIRMWARE_CHIPS_BOOT_KEY_H

#include "ferry/image.h"

extern const struct ferry_image_key product_key;

#endif
