/* SPDX-License-Identifier: Apache-2.0 */
/* Shared inside the image group: slots by number, the next boot, the handlers of each file. */
#ifndef FERRY_CORE_SERVER_IMAGE_GROUP_H
#define FERRY_CORE_SERVER_IMAGE_GROUP_H

#include "ferry/group_image.h"

/* No slot: where the image's only one is what runs. */
#define FERRY_IMAGE_NOWHERE 2

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

/* The slot of an image whose content runs, and the one that takes uploads (or NOWHERE). The image
 * is below image_count, here and below. */
uint32_t ferry_image_active(const struct ferry_image_group *group, uint32_t image);
uint32_t ferry_image_target(const struct ferry_image_group *group, uint32_t image);

/* Read what a slot holds, where its strategy keeps it. Returns whether it is an image with a
 * digest; false for a slot that is not there. */
bool ferry_image_slot_inspect(const struct ferry_image_group *group, uint32_t image, uint32_t slot,
                              struct ferry_image_info *info);

/* The version alone, which takes less stack of the caller's. */
bool ferry_image_slot_version(const struct ferry_image_group *group, uint32_t image, uint32_t slot,
                              struct ferry_version *version);

/* What the next boot does with an image. Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_image_next_boot(const struct ferry_image_group *group, uint32_t image,
                          struct ferry_image_next *next);

/* What the number of an upload means in an application: an image's slot that does not run, or the
 * slot that it names. Returns false when there is no such image. */
bool ferry_image_place_of(const struct ferry_image_group *group, uint64_t number,
                          struct ferry_image_place *place);

/* Whether a slot takes an upload: it does not run (unless upload_running), and the next boot does
 * not start it. place: of an image that is there; the slot may be missing, or NOWHERE.
 * Returns 0 or an error of the group, then with a reason. */
int ferry_image_check_free(const struct ferry_image_group *group,
                           const struct ferry_image_place *place, const char **reason);

/* Whether a slot that is not active may not be overwritten: the next boot starts its image. What an
 * upload left half written is nobody's. */
bool ferry_image_slot_in_use(const struct ferry_image_group *group, uint32_t image, uint32_t slot,
                             const struct ferry_image_next *next);

/* Make view the part of a slot that uploads go to, up to the end of the slot.
 * Returns FERRY_OK or an error of the flash's geometry. */
FERRY_MUST_CHECK
int ferry_image_upload_view(const struct ferry_image_group *group,
                            const struct ferry_image_place *place, struct ferry_flash_slice *view);

/* Long work goes on: the watchdog. */
void ferry_image_feed(const struct ferry_image_group *group);

/* Erase the sectors of a range of a slot, unless they are erased; the watchdog is fed.
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_image_erase_range(const struct ferry_image_group *group, const struct ferry_flash *flash,
                            uint32_t from, uint32_t end);

/* An upload is about to write up to end: see to it that it may. view: as of upload_view().
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_image_reach(struct ferry_image_group *group, const struct ferry_flash *view,
                      uint32_t end);

/* Make the trailer of a slot, and len bytes where uploads begin, ready for an image; where the
 * strategy keeps old images in another place, no header is left there. The trailer goes first: a
 * cut leaves no request for an image that is half erased.
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_image_prepare(const struct ferry_image_group *group,
                        const struct ferry_image_place *place, uint32_t len);

/* No upload is open any more, and none goes on after a reset. */
void ferry_image_close_upload(struct ferry_image_group *group);

/* The same; the observer is told of one that was open. */
void ferry_image_stop_upload(struct ferry_server_call *call);

/* What an upload's request says. */
struct ferry_image_request {
    struct ferry_bytes data;
    struct ferry_bytes sha;
    uint32_t offset;
    uint32_t len;    /* of the file; first chunk only */
    uint32_t number; /* "image"; first chunk only */
    bool has_offset;
    bool has_len;
    bool upgrade;
    struct ferry_image_place place; /* where the file goes; set by the checks, first chunk only */
    const char *reason;             /* set by the checks */
};

/* Read the request. Returns an rc. */
FERRY_MUST_CHECK
int ferry_image_read_request(const struct ferry_server_call *call,
                             struct ferry_image_request *request);

/* There is nothing to write: answer where the upload stands. */
#define FERRY_IMAGE_ANSWER_OFFSET (-1)

/* Whether a chunk may be written. Returns 0, FERRY_IMAGE_ANSWER_OFFSET, or an error of the group,
 * with request->reason set. */
FERRY_MUST_CHECK
int ferry_image_check_request(const struct ferry_image_group *group,
                              struct ferry_image_request *request);

/* The offset the next chunk must have. */
uint32_t ferry_image_expected_offset(const struct ferry_image_group *group);

/* Write the entry of a slot, if there is an image in it. frugal: without flags that are false. */
void ferry_image_put_slot(struct ferry_server_call *call, bool frugal,
                          const struct ferry_image_place *place,
                          const struct ferry_image_next *next);

/* Write the list of the images, the frugal one where the buffer does not take the other. Returns
 * whether it fits. */
bool ferry_image_put_list(struct ferry_server_call *call);

/* The slot that holds the image with a hash. Returns whether there is one. */
bool ferry_image_find_by_hash(const struct ferry_image_group *group, const struct ferry_bytes *hash,
                              struct ferry_image_place *target);

int ferry_image_state_read(struct ferry_server_call *call);
int ferry_image_state_write(struct ferry_server_call *call);
int ferry_image_erase(struct ferry_server_call *call);
int ferry_image_slot_info(struct ferry_server_call *call);

/* The group's errors in version 1. */
#define FERRY_IMAGE_V1_RCS (FERRY_IMAGE_ERR_ALREADY_PENDING + 1)
extern const uint8_t ferry_image_v1_rc[FERRY_IMAGE_V1_RCS];
int ferry_image_upload(struct ferry_server_call *call);

#endif
