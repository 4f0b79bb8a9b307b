/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of recovery. */
#ifndef FERRY_CORE_RECOVERY_RECOVERY_H
#define FERRY_CORE_RECOVERY_RECOVERY_H

#include "ferry/recovery.h"

/* The os group in here. Its context is the struct ferry_os_group. */
extern const struct ferry_group ferry_recovery_os_table;

/* The image group's rules in here. context is the struct ferry_recovery. */
extern const struct ferry_image_bootloader ferry_recovery_rules;

/* Run the boot unless it was run: finish what was interrupted, know what would run. */
void ferry_recovery_settle(struct ferry_recovery *recovery);

/* What the boot knows of an image, once settled, and whether it may run. */
bool ferry_recovery_runs(const struct ferry_recovery *recovery, uint32_t image);

/* Whether the next boot would let the image of a slot run: FERRY_OK, or why not. Verified once,
 * and again after the slot was changed. */
int ferry_recovery_judge(struct ferry_recovery *recovery, const struct ferry_image_place *place);

/* Verify an image in the clear: ferry_image_verify() with the boot's trust and workspace. */
int ferry_recovery_verify(const struct ferry_recovery *recovery, const struct ferry_flash *image,
                          struct ferry_image_info *info);

/* Whether the header says that the image is encrypted. */
bool ferry_recovery_is_encrypted(const struct ferry_image_header *header);

/* Forget what was judged of an image's slots: one of them is about to be changed. */
void ferry_recovery_forget(struct ferry_recovery *recovery, uint32_t image);

/* Handlers of the rules. */
int ferry_recovery_begin(void *context, struct ferry_server_call *call,
                         const struct ferry_image_chunk *chunk);
int ferry_recovery_accept(void *context, struct ferry_server_call *call,
                          const struct ferry_image_place *place);
int ferry_recovery_set_state(void *context, struct ferry_server_call *call,
                             const struct ferry_image_place *place, bool confirm);

#endif
