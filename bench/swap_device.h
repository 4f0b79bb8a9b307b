/* SPDX-License-Identifier: Apache-2.0 */
/* A device in memory whose flash operations are counted area by area, and images for it. Whatever
 * goes wrong here ends the program with a message: there is nothing to measure then. */
#ifndef SWAP_DEVICE_H
#define SWAP_DEVICE_H

#include "ferry/boot.h"

/* The layout of the measurements that MCUboot's figures come from: see swap_figures.h. */
#define SWAP_SECTOR     4096U
#define SWAP_SECTORS    64U
#define SWAP_WRITE_SIZE 8U
#define SWAP_BUF        1024U

#define SWAP_RAM (SWAP_SECTORS * SWAP_SECTOR)

struct swap_image {
    uint8_t *bytes;
    uint32_t size;
};

/* An unsigned image of size bytes with a digest, major.0.0, whose payload depends on seed: no two
 * sectors of two seeds are alike. To be freed by swap_image_free(). */
struct swap_image swap_image_make(uint32_t size, uint8_t major, uint32_t seed);

/* A copy of an image whose byte at offset, in the payload, is another one; with its own digest,
 * which stands in the last sector. */
struct swap_image swap_image_change(const struct swap_image *image, uint32_t offset);

void swap_image_free(struct swap_image *image);

struct swap_area {
    uint8_t *memory; /* NULL: the device has no such area */
    struct ferry_flash_ram ram;
    struct ferry_flash_counter counter;
    uint32_t wear[SWAP_SECTORS];
};

struct swap_device {
    struct swap_area primary, secondary, scratch, store;
    struct ferry_store records;
    struct ferry_boot_image image;
    struct ferry_boot_ram ram;
    struct ferry_boot_config config;
    struct ferry_boot_report report; /* of the last boot */
    uint8_t buf[SWAP_BUF];
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

/* Make a device with erased slots. scratch: its sectors, or 0. */
void swap_device_init(struct swap_device *device, const struct ferry_boot_strategy *strategy,
                      uint32_t scratch);
void swap_device_free(struct swap_device *device);

/* As the factory does: an image at the start of the primary; padded and confirmed where an image
 * without a trailer would not start. */
void swap_device_load(struct swap_device *device, const struct swap_image *image);

/* As the application does: erase what is not erased of the slot that uploads go to, write the
 * image, ask for it. */
void swap_device_upload(struct swap_device *device, const struct swap_image *image, bool permanent);

/* Boot once; anything but this image, byte for byte, is an error. */
void swap_device_boot(struct swap_device *device, const struct swap_image *image);

/* As the firmware does on trial: say that it started. */
void swap_device_trial(struct swap_device *device);

void swap_device_reset(struct swap_device *device);
struct swap_counts swap_device_counts(const struct swap_device *device);

#endif
