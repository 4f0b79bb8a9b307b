/* SPDX-License-Identifier: Apache-2.0 */
/* A device of a layout, in memory: the real bootloader's engine, the real server's image group and
 * the application's side of trials, on flash that counts. What an update costs is not computed: it
 * happens here. Images are not signed and not encrypted; a digest is all that is checked. */
#ifndef CLI_LAYOUT_MODEL_H
#define CLI_LAYOUT_MODEL_H

#include "model_first.h"
#include "model_image.h"

#include "layout/layout_boot.h"
#include "layout/layout_slots.h"

#include "ferry/group_image.h"

/* The bootloader's workspace, bytes; and what one request uploads. */
#define MODEL_BUF   1024U
#define MODEL_CHUNK 1024U

/* An area of the layout. One that no image of the model needs has no memory. */
struct model_area {
    uint8_t *memory;
    uint32_t *wear; /* erases, a number each sector */
    struct ferry_flash_ram ram;
    struct ferry_flash_counter counter;
};

/* One of the layout's images. */
struct model_slots {
    uint32_t number; /* in the layout */
    uint32_t size;   /* of the image files made for it; at first the largest there can be */
    const struct model_image *next;     /* what it is given next; NULL: a file is made */
    uint8_t running[FERRY_SHA256_SIZE]; /* digests: of what runs, and of what was before it or was
                                           uploaded since */
    uint8_t other[FERRY_SHA256_SIZE];
};

/* May not be moved. */
struct model {
    const struct layout *layout;
    struct model_area areas[FERRY_VCHIP_AREAS];
    struct model_slots slots[FERRY_BOOT_IMAGES];
    uint32_t count;    /* of slots */
    uint32_t releases; /* image files made so far */
    struct ferry_store store;
    const struct ferry_policy_rule *rules[2]; /* of the policy */
    struct ferry_image_policy policy;
    struct ferry_boot_ram ram;
    struct model_first first;
    struct ferry_boot_image images[FERRY_BOOT_IMAGES];
    struct ferry_boot_views views[FERRY_BOOT_IMAGES];
    struct ferry_boot_config config;
    struct ferry_boot_report report; /* of the last boot */
    const char *what;                /* what failed, when something did */
    uint8_t buf[MODEL_BUF];
};

/* Make a device with erased flash.
 *
 * mask  of the layout's images that it has (bit 0: image 0), above 0
 *
 * Close it in any case. Returns FERRY_OK, FERRY_E_SPACE without memory, or why the layout cannot
 * be. */
FERRY_MUST_CHECK
int model_open(struct model *model, const struct layout *layout, uint32_t mask);
void model_close(struct model *model);

/* The following return FERRY_OK, or an error and model->what says at what.
 *
 * factory  put an image into each primary, as a debugger does, and boot it
 * upload   send an image to each by the server, and ask for a test
 * boot     start; upgraded says whether what was uploaded must run now, or what ran before
 * trial    the firmware says that it started
 * confirm  what runs is confirmed, as a client does after an update */
FERRY_MUST_CHECK
int model_factory(struct model *model);
FERRY_MUST_CHECK
int model_upload(struct model *model);
FERRY_MUST_CHECK
int model_boot(struct model *model, bool upgraded);
FERRY_MUST_CHECK
int model_trial(struct model *model);
FERRY_MUST_CHECK
int model_confirm(struct model *model);

/* Begin to count anew. */
void model_reset_counts(struct model *model);

#endif
