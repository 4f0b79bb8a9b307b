/* SPDX-License-Identifier: Apache-2.0 */
/* What one product's bootloader is made of: const tables that main() boots and recovers by. */
#ifndef FIRMWARE_CHIPS_BOOT_PRODUCT_H
#define FIRMWARE_CHIPS_BOOT_PRODUCT_H

#include "firmware/chips/boot/recovery.h"

extern const struct ferry_boot_config product_boot;

/* &recovery_whole, or another of recovery.h. */
extern const struct recovery_kind *const product_recovery;

/* Called first, once. */
void product_begin(void);

/* After each boot: do what its report asks for but to start an image, which may be a reset, with
 * the boot mode it is to have. */
void product_settle(const struct ferry_boot_report *report, uint8_t boot_mode);

/* Start the image of a report, which was verified. */
_Noreturn void product_start(const struct ferry_boot_report *report);

#endif
