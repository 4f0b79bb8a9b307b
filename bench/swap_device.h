/* SPDX-License-Identifier: Apache-2.0 */
/* The model of a device that `ferry layout` counts with, in the layout of the measurements that
 * MCUboot's figures come from. Whatever goes wrong here ends the program with a message: there is
 * nothing to measure then. */
#ifndef SWAP_DEVICE_H
#define SWAP_DEVICE_H

#include "cli/layout/model.h"

/* The layout: see swap_figures.h. */
#define SWAP_SECTOR     4096U
#define SWAP_SECTORS    64U
#define SWAP_WRITE_SIZE 8U

/* An unsigned image of size bytes with a digest and a version, whose payload depends on seed: no
 * two sectors of two seeds are alike. To be freed by model_image_free(). */
struct model_image swap_image_make(uint32_t size, uint32_t version, uint32_t seed);

/* A copy of an image whose byte at offset, in the payload, is another one; with its own digest,
 * which stands in the last sector. */
struct model_image swap_image_change(const struct model_image *image, uint32_t offset);

struct swap_device {
    struct layout layout;
    struct model model;
};

/* What happened since the last swap_device_reset(). */
struct swap_counts {
    uint32_t primary, secondary, scratch; /* sectors erased */
    uint64_t written, read;               /* bytes, store apart */
    uint32_t calls;                       /* programs that wrote them */
    uint32_t hottest;                     /* most erases of one sector */
    uint32_t hottest_slots;               /* the same, scratch apart */
    const char *hottest_area;
    uint32_t store_erases, store_calls;
    uint64_t store_written, store_read;
};

/* Make a device with erased slots. scratch: its sectors, or 0. May not be moved. */
void swap_device_init(struct swap_device *device, const struct ferry_boot_strategy *strategy,
                      uint32_t scratch);
void swap_device_free(struct swap_device *device);

/* The device's slots. */
const struct ferry_slots *swap_device_slots(const struct swap_device *device);

/* As the factory does: an image in the primary, and the first start. */
void swap_device_load(struct swap_device *device, const struct model_image *image);

/* Erase the slot that uploads go to, have the server take an image, and ask for it. */
void swap_device_upload(struct swap_device *device, const struct model_image *image);

/* Boot once; anything but the image uploaded last is an error, or, when it is not to have changed,
 * anything but the one that ran before. */
void swap_device_boot(struct swap_device *device, bool changed);

/* As the firmware does on trial: say that it started. And for good: confirm it. */
void swap_device_trial(struct swap_device *device);
void swap_device_confirm(struct swap_device *device);

void swap_device_reset(struct swap_device *device);
struct swap_counts swap_device_counts(const struct swap_device *device);

#endif
