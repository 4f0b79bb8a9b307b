/* SPDX-License-Identifier: Apache-2.0 */
/* Serial recovery: the SMP server of a bootloader. The same server code as an application's (os
 * and image groups), with rules of its own: nothing runs, any slot may be written, and what was
 * uploaded is judged by the boot's own keys and policy before the upload is answered. Packets in,
 * packets out, time in, a deadline out: no wire, no clock. [smp.md §4; docs/SERVER.md]
 *
 *     for (;;) {
 *         enum ferry_recovery_wish wish = ferry_recovery_next(&recovery, now(), &deadline);
 *         if (wish != FERRY_RECOVERY_STAY) { break; }
 *         wait for a packet until the deadline; for each:
 *             while (pending.len > 0) {
 *                 len = ferry_recovery_handle(&recovery, &pending, wire, out, sizeof(out));
 *                 if (len > 0) { send(out, len); }
 *             }
 *     } */
#ifndef FERRY_RECOVERY_H
#define FERRY_RECOVERY_H

#include "ferry/boot.h"
#include "ferry/encrypted.h"
#include "ferry/group_image.h"
#include "ferry/group_os.h"

/* From an accepted reset to FERRY_RECOVERY_RESET: the answer must have left. */
#define FERRY_RECOVERY_RESET_MS 250

/* Never: until something is received. */
#define FERRY_RECOVERY_NEVER UINT64_MAX

/* How recovery was entered. */
enum ferry_recovery_way {
    FERRY_RECOVERY_BUTTON,    /* held down at the start */
    FERRY_RECOVERY_BOOT_MODE, /* the application asked: reset with boot_mode 1 */
    FERRY_RECOVERY_WINDOW,    /* a window at each start: a command must come inside it */
    FERRY_RECOVERY_NO_IMAGE   /* a boot found nothing that may run */
};

/* "button", "boot-mode", "window", "no-image"; "?" for any other value. */
const char *ferry_recovery_way_name(enum ferry_recovery_way way);

struct ferry_recovery;

/* Verifying encrypted images: a const table, so that a device that takes none links none of it. */
struct ferry_recovery_encryption {
    /* As ferry_image_verify(), through a view that decrypts with the secrets. */
    int (*verify)(const struct ferry_recovery *recovery, const struct ferry_flash *image,
                  const struct ferry_image_header *header, struct ferry_image_info *info);
};

extern const struct ferry_recovery_encryption ferry_recovery_encrypted;

/* Set up once; must outlive the recovery. */
struct ferry_recovery_config {
    /* As the boot's own: images (whose slots.state is set), trust, policy, memory, workspace,
     * hooks (feed). */
    const struct ferry_boot_config *boot;
    uint16_t buf_size;  /* largest packet the wires take: os/6 says so */
    uint16_t buf_count; /* packets that may wait */
    uint32_t window_ms; /* way WINDOW: how long to wait for the first command; above 0 */
    uint32_t idle_ms;   /* leave when no command came for so long; 0 = never */
    bool no_downgrade;  /* the policy refuses older versions: the bootloader information says so */
    bool verbose;       /* texts beside rc answers */
    const char *(*text)(int error); /* of them why an image is refused: ferry_error_text(), whose
                                       texts take 5 KiB. NULL = none */
    /* &ferry_recovery_encrypted and what content keys are found with, where the boot decrypts, too;
     * both NULL: an encrypted image is refused, FERRY_E_UNSUPPORTED. */
    const struct ferry_recovery_encryption *encryption;
    const struct ferry_image_secrets *secrets;
    /* The boot was run, because a command is about to change a slot. May be NULL. */
    void (*settled)(void *context, int result, const struct ferry_boot_report *report);
    void *context;
};

/* The state of recovery; do not rely on the contents. */
struct ferry_recovery {
    const struct ferry_recovery_config *config;
    enum ferry_recovery_way way;
    struct ferry_slots slots[FERRY_BOOT_IMAGES];
    uint32_t addresses[2 * FERRY_BOOT_IMAGES];
    struct ferry_boot_report report; /* of the boot, once settled */
    int result;                      /* of it */
    bool settled;                    /* nothing is left that a boot would finish */
    bool changed;                    /* a slot was changed since that boot */
    bool by_number;                  /* the open upload named its slot itself */
    bool touched;                    /* a command came; its time is not known yet */
    bool stays;                      /* a command came: the window does not count any more */
    uint64_t quiet_since;
    uint64_t reset_at; /* 0 = not asked for */
    bool known[FERRY_BOOT_IMAGES][2];
    int why[FERRY_BOOT_IMAGES][2]; /* where known: FERRY_OK, or why the image may not run */
    struct ferry_os_group_config os_config;
    struct ferry_os_group os;
    struct ferry_image_group_config image_config;
    struct ferry_image_group image;
    struct ferry_server_mount mounts[2];
    struct ferry_server_config server_config;
    struct ferry_server server;
};

/* Begin. recovery may not be moved afterwards.
 *
 * report  way NO_IMAGE: of the boot that found nothing to run; else NULL: the boot is run when the
 *         first command comes that changes a slot, so that no swap is left half way
 * now     milliseconds of a monotonic clock
 *
 * Returns FERRY_OK; FERRY_E_CONFIG for a boot configuration or sizes that cannot be, or no report
 * with NO_IMAGE; or as ferry_slots_check(). */
FERRY_MUST_CHECK
int ferry_recovery_init(struct ferry_recovery *recovery, const struct ferry_recovery_config *config,
                        enum ferry_recovery_way way, const struct ferry_boot_report *report,
                        uint64_t now);

/* Handle the next request at the front of pending: as ferry_server_handle(). Erases and
 * verification take their time in here; the boot hooks' feed is called meanwhile. */
FERRY_MUST_CHECK
size_t ferry_recovery_handle(struct ferry_recovery *recovery, struct ferry_bytes *pending,
                             uint8_t transport, uint8_t *out, size_t cap);

enum ferry_recovery_wish {
    FERRY_RECOVERY_STAY,
    FERRY_RECOVERY_LEAVE, /* run the boot (again); if nothing may run, come back with NO_IMAGE */
    FERRY_RECOVERY_RESET  /* reset the chip, with ferry_recovery_boot_mode() */
};

/* What is to be done now. A command counts from the first call after it was handled.
 *
 * deadline  when to call again though nothing was received, or FERRY_RECOVERY_NEVER
 *
 * LEAVE comes when the window or idle time is over. It never comes where a boot found nothing to
 * run and nothing was changed since: then recovery waits for somebody. */
enum ferry_recovery_wish ferry_recovery_next(struct ferry_recovery *recovery, uint64_t now,
                                             uint64_t *deadline);

/* The boot mode that a reset was asked with: 1 leads back into recovery. */
uint8_t ferry_recovery_boot_mode(const struct ferry_recovery *recovery);

/* Whether a command has come: what began as a window is a conversation now. */
bool ferry_recovery_is_used(const struct ferry_recovery *recovery);

#endif
