/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the small image groups of application and bootloader: the upload, an entry of the list.
 */
#ifndef FERRY_CORE_SERVER_IMAGE_SMALL_H
#define FERRY_CORE_SERVER_IMAGE_SMALL_H

#include "core/server/image_group.h"
#include "ferry/group_image_small.h"

/* Where an upload goes. */
struct ferry_image_small_target {
    const struct ferry_flash *slot;
    uint32_t at;      /* the file begins here */
    uint32_t max;     /* bytes it may have */
    uint32_t trailer; /* first sector of the slot's trailer */
    uint32_t old;     /* where an old image begins, whose header must not stay */
};

/* An upload's first chunk, as far as it decides where the file goes. */
struct ferry_image_small_first {
    uint32_t number;
    const uint8_t *header; /* FERRY_IMAGE_HEADER_SIZE bytes, with the right magic */
    bool upgrade;
};

/* What differs between an application and a bootloader. Both return 0 or an error of the group. */
struct ferry_image_small_rules {
    int (*place)(struct ferry_image_small *group, const struct ferry_image_small_first *first,
                 struct ferry_image_small_target *target);
    /* All of the file is in the slot, and the upload is open still. */
    int (*accept)(struct ferry_image_small *group);
};

/* The upload command; call->context begins with the struct ferry_image_small. */
int ferry_image_small_upload(struct ferry_server_call *call,
                             const struct ferry_image_small_rules *rules);

/* Forget an open upload. */
void ferry_image_small_close(struct ferry_image_small *group);

/* Erase the sectors from the one that begins at `from` on, up to `end`; the watchdog is fed.
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_image_small_erase(const struct ferry_image_small *group, const struct ferry_flash *slot,
                            uint32_t from, uint32_t end);

/* Flags of an entry, in the order of the list. */
enum {
    FERRY_ENTRY_BOOTABLE = 1,
    FERRY_ENTRY_PENDING = 2,
    FERRY_ENTRY_CONFIRMED = 4,
    FERRY_ENTRY_ACTIVE = 8,
    FERRY_ENTRY_PERMANENT = 16,
    FERRY_ENTRY_ALL = 31
};

/* Write an entry of the list.
 *
 * flags  those that are true
 * told   those that are written */
void ferry_image_small_put(struct ferry_cbor_writer *out, uint32_t slot,
                           const struct ferry_image_info *info, uint32_t flags, uint32_t told);

#endif
