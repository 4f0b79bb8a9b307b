/* SPDX-License-Identifier: Apache-2.0 */
/* A device with two images, each with slots of its own, and one store: for tests of images that
 * depend on each other or change as one. */
#ifndef SET_RIG_H
#define SET_RIG_H

#include "fault_chip.h"
#include "ferry/boot.h"
#include "ferry/set.h"
#include "test_image.h"

#define SET_IMAGES 2

/* What an image needs: image `image` in version major.0.0 at least; major 0 = nothing. */
struct set_need {
    uint8_t image;
    uint8_t major;
};

struct set_rig {
    struct fault_chip chip;
    struct ferry_store store;
    struct ferry_boot_image images[SET_IMAGES];
    struct ferry_slots slots[SET_IMAGES]; /* as the application has them */
    struct ferry_boot_config config;
    struct ferry_boot_report report; /* of the last boot */
    uint8_t buf[256];
};

/* Version 1 of both images runs; the store is there and empty, one trial; ferry_boot_as_one. */
void set_rig_init(struct set_rig *rig, const struct ferry_boot_strategy *strategy);
void set_rig_free(struct set_rig *rig);

/* Program an image of 200 bytes and more into a slot, the rest erased. */
void set_rig_load(struct set_rig *rig, uint32_t image, uint32_t slot, uint8_t major,
                  struct set_need need);

/* Upload version 2 of both. */
void set_rig_upload(struct set_rig *rig);

/* Damage the payload of what a slot holds. */
void set_rig_spoil(struct set_rig *rig, uint32_t image, uint32_t slot);

/* One boot that must return result; the application's slots are opened anew. */
void set_rig_boot(struct set_rig *rig, int result, enum ferry_reset_cause cause);

/* Both images run in these versions, and are on trial or not, all alike. */
void set_rig_expect(const struct set_rig *rig, uint8_t first, uint8_t second, bool on_trial);

/* The last boot did this with an image, because of reason. */
void set_rig_expect_report(const struct set_rig *rig, uint32_t image, enum ferry_boot_action action,
                           int reason);

#endif
