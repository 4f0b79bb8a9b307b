/* SPDX-License-Identifier: Apache-2.0 */
/* What the board's layout means to the bootloader: its keys, its RAM, and how its images boot. */
#ifndef FIRMWARE_BOOT_BOARD_H
#define FIRMWARE_BOOT_BOARD_H

#include "ferry/boot.h"
#include "firmware/common/first.h"
#include "firmware/common/images.h"
#include "firmware/common/keys.h"

struct board {
    struct images images;
    struct ferry_boot_image boot_images[FERRY_BOOT_IMAGES];
    struct ferry_boot_ram ram;
    struct first first;
    struct board_keys keys;
};

/* Fill board, which stays where it is afterwards.
 *
 * why  on an error: what is wrong with the layout
 *
 * Returns FERRY_OK or an error. */
FERRY_MUST_CHECK
int board_read(struct board *board, const struct vchip *chip, const char **why);

/* What the images of the board have to do with each other; NULL = nothing. */
const struct ferry_boot_set *board_set(const struct board *board, const struct vchip *chip);

#endif
