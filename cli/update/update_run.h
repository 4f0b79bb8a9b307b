/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the command update: one run, its images, and what is done with their files before the
 * first byte is sent. */
#ifndef CLI_DEVICE_UPDATE_RUN_H
#define CLI_DEVICE_UPDATE_RUN_H

#include "cli/bundle/archive.h"
#include "cli/image/image_file.h"
#include "cli/device/progress.h"
#include "cli/device/unlock.h"

#include "ferry/update.h"

/* Images one run takes. */
#define ITEMS_MAX 4

/* How the file for an image is found. */
enum update_choice {
    UPDATE_GIVEN,   /* there is one */
    UPDATE_BY_SLOT, /* one for each slot of the image, for direct-xip */
    UPDATE_BY_B0    /* a bootloader's builds for S0 and S1 */
};

/* One image of the update. It may not be moved once its file is open. */
struct update_item {
    const char *path;
    const char *other_path; /* of a bootloader built for S0 and for S1; else NULL */
    uint32_t image;
    struct image_file file;
    uint8_t sha[FERRY_SHA256_SIZE];
    struct ferry_image_state proof; /* what the device listed last; valid if proved */
    bool proved;
    bool worked;
    enum update_choice choice; /* of what is out of a bundle */
    struct image_file build[2];
    char names[2][ARCHIVE_NAME_MAX]; /* in the bundle; "" = it has none for that slot */
};

/* One run of the command. */
struct update_run {
    struct cli *cli;
    const char *key_path;
    struct update_item items[ITEMS_MAX];
    size_t count;
    bool of_bundle;
    struct update_item *item; /* the present one */
    uint32_t image;           /* -n */
    bool test_only, no_confirm;
    struct unlock unlock; /* --unlock; without a key_path nothing is unlocked */
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

/* Whether a file is a bundle, by its first bytes. */
bool update_is_bundle(const char *path);

/* Read a bundle, check all of it as `bundle verify` does, and take its images, in the order of
 * their numbers. Returns an exit code; what was taken is open. */
int update_take_bundle(struct update_run *run, const char *path);

/* Of a bundle's files for an image: ask the device which slot is free, and open the one for it.
 * Returns an exit code. */
int update_choose_build(struct update_run *run, struct update_item *item);

/* Ask from which slot the bootloader runs. Returns an exit code. */
int update_ask_b0(struct update_run *run, uint32_t *slot);

/* Say what is about to be sent. */
void update_tell(const struct update_run *run, const struct update_item *item);

/* "image 1: " where there are several; else nothing. */
void update_name(const struct update_run *run, const struct update_item *item, char out[16]);

#endif
