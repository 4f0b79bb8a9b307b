/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 1, image, for chips with little flash: the state of one image, test and confirm, upload
 * and erase. Clients see what they see of ferry/group_image.h. [smp.md §3.1; docs/SERVER.md]
 *
 * The image moves to its primary to run there (swap_*, overwrite) and has a SHA-256. There are no
 * hooks but the one that feeds the watchdog, no texts beside errors, and the observer is told
 * nothing. */
#ifndef FERRY_GROUP_IMAGE_SMALL_H
#define FERRY_GROUP_IMAGE_SMALL_H

#include "ferry/server.h"
#include "ferry/slots_small.h"

/* Bytes an upload programs at a time, counted from where it begins; the last ones are padded to
 * whole write units. */
#define FERRY_IMAGE_SMALL_BLOCK FERRY_FLASH_WRITE_MAX

/* Bytes of the longest list, as an SMP packet: what a server's packets must hold at least. Console
 * framing takes 4 more. */
#define FERRY_IMAGE_SMALL_LIST 292

/* The state of the group, in RAM; do not rely on the contents. One upload at a time. */
struct ferry_image_small {
    const struct ferry_slots *slots;
    void (*feed)(void *context);
    void *feed_context;
    const struct ferry_flash *slot; /* of the open upload; the rest counts only then */
    uint32_t at;                    /* where it begins in the slot */
    uint32_t number;                /* the request's "image" */
    uint32_t size;                  /* 0 = no upload is open, and offset is 0 */
    uint32_t offset;                /* bytes taken, those held included */
    uint32_t sha_len;               /* 0 = the client gave none: no resume */
    uint8_t sha[FERRY_SHA256_SIZE];
    uint8_t held[FERRY_IMAGE_SMALL_BLOCK]; /* taken, too few for a block yet */
};

/* Mount it with a struct ferry_image_small * as context. */
extern const struct ferry_group ferry_image_small_table;

/* Begin with no upload open.
 *
 * slots    must outlive the group: strategy one of the small traits (or the whole ones of the same
 *          strategies), state ferry_slots_by_swap_small (or the whole ones), active 0. They are not
 *          checked
 * feed     called with context after each sector erased: feed the watchdog. May be NULL */
void ferry_image_small_init(struct ferry_image_small *group, const struct ferry_slots *slots,
                            void (*feed)(void *context), void *context);

#endif
