/* SPDX-License-Identifier: Apache-2.0 */
/* Measured boot: what the bootloader leaves in the shared memory for the program it starts. */
#ifndef FIRMWARE_BOOT_MEASURE_H
#define FIRMWARE_BOOT_MEASURE_H

#include "ferry/measure.h"
#include "port/vchip/vchip.h"

/* Fill the chip's shared memory after a boot that returned FERRY_OK. What does not fit, or cannot
 * be read, is left out.
 *
 * version  of the bootloader, as text */
void measure(const struct vchip *chip, const struct ferry_boot_config *config,
             const struct ferry_boot_report *report, const char *version,
             enum ferry_blinfo_recovery recovery);

#endif
