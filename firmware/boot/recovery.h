/* SPDX-License-Identifier: Apache-2.0 */
/* Serial recovery of the virtual device: when it is entered, and serving it on both wires. */
#ifndef FIRMWARE_BOOT_RECOVERY_H
#define FIRMWARE_BOOT_RECOVERY_H

#include "ferry/recovery.h"
#include "firmware/common/wires.h"

/* Whether the layout gives this device a recovery at all. */
bool recovery_is_there(const struct vchip *chip);

/* Look how this start asks for recovery before any image is looked at: by button, by boot mode, or
 * since a window is to be kept open. The boot mode is forgotten: it counts once.
 * Returns false when it does not. */
bool recovery_is_asked(struct vchip *chip, enum ferry_recovery_way *way);

/* Serve until it is to be left; a reset that is asked for happens in here.
 *
 * boot     what ferry_boot_run() is given
 * report   with way NO_IMAGE, else NULL
 * settled  called when the boot was run in here; it prints what was done
 *
 * Returns FERRY_OK, or an error of ferry_recovery_init(). */
FERRY_MUST_CHECK
int recovery_serve(struct wires *wires, const struct ferry_boot_config *boot,
                   enum ferry_recovery_way way, const struct ferry_boot_report *report,
                   void (*settled)(void *context, int result,
                                   const struct ferry_boot_report *report));

#endif
