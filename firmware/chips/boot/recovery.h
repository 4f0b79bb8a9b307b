/* SPDX-License-Identifier: Apache-2.0 */
/* Serial recovery of product_boot, on the host's wire: const tables, of which a product names one
 * and the linker drops the others. */
#ifndef FIRMWARE_CHIPS_BOOT_RECOVERY_H
#define FIRMWARE_CHIPS_BOOT_RECOVERY_H

#include "ferry/recovery.h"

/* Recovery asked for is left after so long without a command. */
#define RECOVERY_IDLE_MS 30000

#define BOOT_MODE_RECOVERY 1

struct recovery_kind {
    /* Begin. report: of the boot, with way NO_IMAGE; else memory that may be written.
     * Returns FERRY_OK or an error of the product's own tables. */
    int (*begin)(enum ferry_recovery_way way, struct ferry_boot_report *report, uint64_t now);
    /* Answer the next request at the front of pending, as ferry_server_handle(). */
    size_t (*handle)(struct ferry_bytes *pending, uint8_t *out, size_t cap);
    /* What is to be done now, and the boot mode of a reset. */
    enum ferry_recovery_wish (*next)(uint64_t now);
    uint8_t (*boot_mode)(void);
};

/* ferry/recovery.h: any strategy, any number of images, every command of it. */
extern const struct recovery_kind recovery_whole;
/* ferry/recovery_small.h: one image that runs in its primary, where flash is short. */
extern const struct recovery_kind recovery_small;

#endif
