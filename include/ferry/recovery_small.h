/* SPDX-License-Identifier: Apache-2.0 */
/* Serial recovery for chips with little flash: echo, reset and parameters, the list of images, and
 * an upload that is verified by the boot's own keys and policy before it is answered. One image
 * that runs in its primary (swap_*, overwrite, single_slot). Packets in, packets out, time in, a
 * deadline out, as ferry/recovery.h, whose ways and wishes it has. [smp.md §4; docs/SERVER.md]
 *
 * "image" of an upload: 0 or none = wherever no good image is lost: the primary when nothing runs
 * or what runs is on trial, else the secondary, asked for for good. 1 = the primary. 2 = the
 * secondary, not asked for. */
#ifndef FERRY_RECOVERY_SMALL_H
#define FERRY_RECOVERY_SMALL_H

#include "ferry/group_image_small.h"
#include "ferry/group_os_small.h"
#include "ferry/recovery.h"

/* Set up once; must outlive the recovery. */
struct ferry_recovery_small_config {
    /* As the boot's own: one image, trust, policy, workspace, hooks (feed). */
    const struct ferry_boot_config *boot;
    uint16_t
        buf_size; /* largest packet the wires take: os/6 says so; FERRY_IMAGE_SMALL_LIST or more */
    uint16_t buf_count; /* packets that may wait */
    uint32_t window_ms; /* way WINDOW: how long to wait for the first command; above 0 */
    uint32_t idle_ms;   /* leave when no command came for so long; 0 = never */
};

/* The state of recovery; do not rely on the contents. */
struct ferry_recovery_small {
    uint8_t way;          /* enum ferry_recovery_way */
    bool settled;         /* nothing is left that a boot would finish */
    bool waits;           /* nothing runs, and no slot was changed since */
    bool touched;         /* a command came; its time is not known yet */
    bool stays;           /* a command came: the window does not count any more */
    uint8_t good[2];      /* whether a slot verifies, if that is known */
    uint32_t quiet_since; /* milliseconds, modulo 2^32 */
    const struct ferry_recovery_small_config *config;
    struct ferry_boot_report *report; /* of the boot, once settled */
    struct ferry_server server;
    struct ferry_server_config server_config;
    struct ferry_server_mount mounts[2];
    struct ferry_os_small os;
    struct ferry_image_small image;
};

/* Begin. recovery may not be moved afterwards. The configuration is not checked: it is the one of a
 * boot that did not answer FERRY_E_CONFIG.
 *
 * report  with way NO_IMAGE: of the boot that found nothing to run. Else memory for one: the boot
 *         is run into it when the first command comes that changes a slot, so that no swap is left
 *         half way. Must outlive the recovery
 * now     milliseconds of a monotonic clock */
void ferry_recovery_small_init(struct ferry_recovery_small *recovery,
                               const struct ferry_recovery_small_config *config,
                               enum ferry_recovery_way way, struct ferry_boot_report *report,
                               uint64_t now);

/* Handle the next request at the front of pending: as ferry_server_handle(). Erases and
 * verification take their time in here; the boot hooks' feed is called meanwhile. */
FERRY_MUST_CHECK
size_t ferry_recovery_small_handle(struct ferry_recovery_small *recovery,
                                   struct ferry_bytes *pending, uint8_t *out, size_t cap);

/* What is to be done now: as ferry_recovery_next(), but RESET comes at once. Whoever resets waits
 * until the answer has left, and no longer: what a client sends then would be answered by a
 * recovery that goes away. */
enum ferry_recovery_wish ferry_recovery_small_next(struct ferry_recovery_small *recovery,
                                                   uint64_t now, uint64_t *deadline);

/* The boot mode that a reset was asked with: 1 leads back into recovery. */
uint8_t ferry_recovery_small_boot_mode(const struct ferry_recovery_small *recovery);

#endif
