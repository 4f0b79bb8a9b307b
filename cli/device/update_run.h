/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the command update: one run, its images, and what is done with their files before the
 * first byte is sent. */
#ifndef CLI_DEVICE_UPDATE_RUN_H
#define CLI_DEVICE_UPDATE_RUN_H

#include "cli/image/image_file.h"
#include "progress.h"
#include "session.h"

#include "ferry/update.h"

/* Images one run takes. */
#define ITEMS_MAX 4

/* One image of the update. */
struct update_item {
    const char *path;
    const char *other_path; /* of a bootloader built for S0 and for S1; else NULL */
    uint32_t image;
    struct image_file file;
    uint8_t sha[FERRY_SHA256_SIZE];
    struct ferry_image_state proof; /* what the device listed last; valid if proved */
    bool proved;
    bool worked;
};

/* One run of the command. */
struct update_run {
    struct cli *cli;
    const char *key_path;
    struct update_item items[ITEMS_MAX];
    size_t count;
    struct update_item *item; /* the present one */
    uint32_t image;           /* -n */
    bool test_only, no_confirm;
    struct session session;
    struct ferry_update flow;
    struct ferry_update_config config;
    struct progress progress;
    uint32_t acked;
    bool told_recovery; /* that a bootloader's recovery answers */
};

/* Read the file of an image and check it; of a bootloader with two builds both, and nothing is kept
 * yet. Returns an exit code; the file is open after CLI_OK. */
int update_check(struct update_run *run, struct update_item *item);

/* Of a bootloader with two builds: ask the device which slot is free, and open the file for it.
 * Returns an exit code. */
int update_choose(struct update_run *run, struct update_item *item);

/* Say what is about to be sent. */
void update_tell(const struct update_run *run, const struct update_item *item);

/* "image 1: " where there are several; else nothing. */
void update_name(const struct update_run *run, const struct update_item *item, char out[16]);

#endif
