/* SPDX-License-Identifier: Apache-2.0 */
/* The boot report in words, one line an image. */
#ifndef FIRMWARE_BOOT_REPORT_H
#define FIRMWARE_BOOT_REPORT_H

#include "board.h"
#include "firmware/common/text.h"

/* "boot: image 0: ", the beginning of a line about an image. */
struct text report_begin(uint32_t number);

/* What was done with an image and what the next boot would do, without a line feed. */
struct text report_image(const struct board *board, const struct vchip *chip, uint32_t number,
                         const struct ferry_boot_image_report *image);

#endif
