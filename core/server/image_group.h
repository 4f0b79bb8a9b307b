/* SPDX-License-Identifier: Apache-2.0 */
/* Shared inside the image group: slots by number, the next boot, the handlers of each file. */
#ifndef FERRY_CORE_SERVER_IMAGE_GROUP_H
#define FERRY_CORE_SERVER_IMAGE_GROUP_H

#include "ferry/group_image.h"

/* Slots of an image. With every strategy so far slot 0 is the one that runs. */
#define FERRY_IMAGE_ACTIVE 0
#define FERRY_IMAGE_OTHER  1

enum ferry_image_next_type { FERRY_NEXT_NORMAL, FERRY_NEXT_TEST, FERRY_NEXT_REVERT };

/* What the next boot starts: NORMAL stays there for good. */
struct ferry_image_next {
    uint8_t slot;
    enum ferry_image_next_type type;
};

/* A state write, reduced to what the rules look at. */
struct ferry_image_wish {
    bool confirm;
    bool running; /* the image is the one this program is part of */
    bool active;  /* the slot is the active one of its image */
    enum ferry_image_next_type type;
    bool next;                    /* the next boot would start the slot */
    bool confirm_non_active_slot; /* as the option, and the strategy reverts */
    const struct ferry_image_options *options;
};

/* The slot's trailer is to be written. */
#define FERRY_IMAGE_RULE_WRITE (-1)

/* The rules a … h, the first that fits. [smp.md §3.1]
 * Returns FERRY_IMAGE_RULE_WRITE, 0 = nothing to do, or an enum ferry_image_error. */
int ferry_image_rule(const struct ferry_image_wish *wish);

/* Slot 0 or 1 of an image below image_count. */
const struct ferry_flash *ferry_image_slot(const struct ferry_image_group *group, uint32_t image,
                                           uint32_t slot);

/* Read what a slot holds. Returns whether it is an image with a digest. */
bool ferry_image_slot_inspect(const struct ferry_image_group *group, uint32_t image, uint32_t slot,
                              struct ferry_image_info *info);

/* What the next boot does with an image. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_image_next_boot(const struct ferry_image_group *group, uint32_t image,
                          struct ferry_image_next *next);

/* Whether the slot that is not active may not be overwritten. */
bool ferry_image_other_in_use(const struct ferry_image_group *group,
                              const struct ferry_image_next *next);

/* Make len bytes from the start of the other slot, and its trailer, ready for an image. The
 * trailer goes first: a cut leaves no request for an image that is half erased.
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_image_prepare(const struct ferry_image_group *group, uint32_t image, uint32_t len);

/* End an open upload and tell the observer. */
void ferry_image_stop_upload(struct ferry_server_call *call);

int ferry_image_state_read(struct ferry_server_call *call);
int ferry_image_state_write(struct ferry_server_call *call);
int ferry_image_upload(struct ferry_server_call *call);

#endif
