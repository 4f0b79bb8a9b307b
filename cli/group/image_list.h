/* SPDX-License-Identifier: Apache-2.0 */
/* The device's list of images: asked for, searched, printed. */
#ifndef CLI_DEVICE_IMAGE_LIST_H
#define CLI_DEVICE_IMAGE_LIST_H

#include "cli/device/session.h"

#define IMAGE_LIST_MAX 16

struct image_list {
    struct session_bootloader bootloader; /* looked for by image_list_read() alone */
    struct ferry_image_state states[IMAGE_LIST_MAX];
    size_t count;
    bool has_split;
    uint64_t split; /* "splitStatus": 0 = it does not apply */
};

/* Ask for the list. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int image_list_read(struct session *session, struct image_list *list);

/* Take the list out of an answer. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int image_list_take(const struct session *session, const struct ferry_client_answer *answer,
                    struct image_list *list);

/* Find the image whose hash begins with the hex digits of prefix.
 * After a message (none, or more than one) returns an enum cli_exit. */
FERRY_MUST_CHECK
int image_list_find(const struct session *session, const struct image_list *list,
                    const char *prefix, const struct ferry_image_state **found);

/* Whether the device has an image of this number, as far as it says; image 0 always. Returns
 * CLI_OK, or CLI_REFUSED after a message. */
FERRY_MUST_CHECK
int image_list_has(struct session *session, uint32_t image);

/* Print it as mcumgr does, with what it does not tell on lines of its own, or as JSON. */
void image_list_print(const struct cli *cli, const struct image_list *list);

#endif
