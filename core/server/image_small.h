/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the small image groups of application and bootloader: the upload, an entry of the list.
 */
#ifndef FERRY_CORE_SERVER_IMAGE_SMALL_H
#define FERRY_CORE_SERVER_IMAGE_SMALL_H

#include "core/server/image_group.h"
#include "ferry/group_image_small.h"

/* What differs between an application and a bootloader. The functions return 0 or an error of the
 * group. */
struct ferry_image_small_rules {
    /* An upload with group->number begins: say where, in group->slot and group->at.
     *
     * newer  the header of the file, which is to be above what runs; NULL = it may be any
     * max    gets the bytes it may have */
    int (*place)(struct ferry_image_small *group, const uint8_t *newer, uint32_t *max);
    /* All of the file is in the slot, and the upload is open still. */
    int (*accept)(struct ferry_image_small *group);
    /* Of the request "sha" and "upgrade" count: the first chunk of the file that is being sent
     * already goes on where that stands. */
    bool application;
};

/* The upload command; call->context begins with the struct ferry_image_small. */
int ferry_image_small_upload(struct ferry_server_call *call,
                             const struct ferry_image_small_rules *rules);

/* Forget an open upload. */
void ferry_image_small_close(struct ferry_image_small *group);

/* Erase the sector that ends at or behind `end`, and all before it up to `stop`; the watchdog is
 * fed. From the end on, since there is the trailer: a cut leaves no request for an image that is
 * half erased. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_image_small_erase(const struct ferry_image_small *group, const struct ferry_flash *slot,
                            uint32_t end, uint32_t stop);

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
