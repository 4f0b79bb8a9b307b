/* SPDX-License-Identifier: Apache-2.0 */
/* What one product's bootloader is made of: const tables that main() boots and recovers by. */
#ifndef FIRMWARE_CHIPS_BOOT_PRODUCT_H
#define FIRMWARE_CHIPS_BOOT_PRODUCT_H

#include "firmware/chips/boot/recovery.h"

extern const struct ferry_boot_config product_boot;

/* &recovery_whole, or another of recovery.h. */
extern const struct recovery_kind *const product_recovery;

/* Start the image of a report, which was verified. */
_Noreturn void product_start(const struct ferry_boot_report *report);

#endif
