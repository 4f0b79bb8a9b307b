/* SPDX-License-Identifier: Apache-2.0 */
/* A device in recovery, for its tests: slots under the rules of flash, a store, a clock. */
#ifndef RECOVERY_RIG_H
#define RECOVERY_RIG_H

#include "boot_bench.h"
#include "ferry/recovery.h"
#include "test_rig.h"

#define RECOVERY_IDLE_MS   1000
#define RECOVERY_WINDOW_MS 200
#define RECOVERY_STORE     1024

struct recovery_rig {
    struct bench bench;
    uint8_t store_memory[RECOVERY_STORE];
    struct ferry_flash_ram store_ram;
    struct ferry_store store;
    struct ferry_recovery_config config;
    struct ferry_recovery recovery;
    uint64_t now;
    unsigned settled; /* calls of the hook */
    int settled_result;
};

/* A device of a strategy with a store, the images 1.0.0 and 2.0.0 (bench.device.old and new) made
 * but not put into place. */
void recovery_rig_set_up(struct recovery_rig *rig, const struct ferry_boot_strategy *strategy);
void recovery_rig_free(struct recovery_rig *rig);

/* Enter recovery; for NO_IMAGE a boot runs first, which must find none. */
void recovery_rig_enter(struct recovery_rig *rig, enum ferry_recovery_way way);

/* What recovery wants after ms more. */
enum ferry_recovery_wish recovery_rig_wait(struct recovery_rig *rig, uint32_t ms);

/* Ask a command of a group in version 2 or 1; the answer as JSON, valid until the next call. */
const char *recovery_rig_ask(struct recovery_rig *rig, uint8_t op, uint16_t group, uint8_t id,
                             const char *json);
const char *recovery_rig_ask_v1(struct recovery_rig *rig, uint8_t op, uint16_t group, uint8_t id,
                                const char *json);

/* Send a chunk [from, to) of an image; number below 0: without "image". */
const char *recovery_rig_chunk(struct recovery_rig *rig, int number,
                               const struct fault_image *image, uint32_t from, uint32_t to);

/* Upload the bytes of an image from the beginning up to `to`, in chunks of 200. The last answer. */
const char *recovery_rig_upload(struct recovery_rig *rig, int number,
                                const struct fault_image *image, uint32_t to);

/* The slots in the list as "0:1.0.0:c 1:2.0.0:pP", with "!" for what is not bootable. */
const char *recovery_rig_list(struct recovery_rig *rig);

/* A state write of an image by its hash. */
const char *recovery_rig_state(struct recovery_rig *rig, const struct fault_image *image,
                               bool confirm);

/* The last report in the store. */
struct ferry_why recovery_rig_why(struct recovery_rig *rig);

#endif
