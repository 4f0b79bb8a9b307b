/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated device for tests of the bootloader: two slots in memory under one power supply,
 * with the rules of real flash enforced and every operation counted. */
#ifndef FAULT_DEVICE_H
#define FAULT_DEVICE_H

#include "ferry/boot.h"

struct fault_geometry {
    uint32_t sector_size;       /* bytes, both slots */
    uint32_t primary_sectors;   /* above 0 */
    uint32_t secondary_sectors; /* above 0 */
    uint32_t max_sectors;       /* N of the trailer */
    uint32_t max_align;         /* 8, 16 or 32 */
    uint8_t write_size;
    uint8_t erased_value;
};

/* How the power fails at an operation. */
enum fault_way {
    FAULT_BEFORE,     /* it does not happen */
    FAULT_AFTER,      /* it happens, and nothing after it */
    FAULT_INSIDE,     /* its first half happens */
    FAULT_TORN,       /* of its second half every bit happens or not */
    FAULT_UNREADABLE, /* torn, and what is torn cannot be read until it is erased: an ECC */
    FAULT_WAYS
};

struct fault_range {
    uint32_t offset;
    uint32_t len; /* 0 = none */
};

struct fault_image {
    const uint8_t *bytes;
    uint32_t size;
};

/* One slot: memory, under the rules, under a counter, under the power supply. */
struct fault_slot {
    uint8_t *memory;
    struct ferry_flash_ram ram;
    struct ferry_flash rules; /* counts what good code never does */
    struct ferry_flash_counter counter;
    struct ferry_flash_cutter cutter;
    struct fault_device *device;
    bool dead;                     /* every access fails */
    struct fault_range unreadable; /* reads of it fail until it is erased */
    uint32_t loses_bit;    /* the next program at this offset goes wrong unnoticed; 0 = none */
    uint32_t bad_program;  /* programs at this offset fail; 0 = none */
    uint32_t reprogrammed; /* programs of bytes that were not erased */
    uint32_t needless;     /* erases of what was erased */
};

struct fault_device {
    struct fault_geometry geometry;
    struct ferry_power power;
    enum fault_way way; /* of the cut to come */
    uint32_t noise;     /* state of the generator for torn bits */
    struct fault_slot primary;
    struct fault_slot secondary;
    struct ferry_boot_image image;
    struct ferry_boot_hooks hooks;
    struct ferry_boot_config config;
    uint8_t buf[256];
    /* What the images of a flow are; bytes belong to the test. */
    struct fault_image old;
    struct fault_image new;
    /* What the hooks saw. */
    uint32_t feeds, progresses, nothing_runs;
};

/* Set a device up: erased slots, power on, digest-only trust. May not be moved afterwards.
 * Fails the running test when memory is out. Give it to fault_device_free(). */
void fault_device_init(struct fault_device *device, const struct fault_geometry *geometry,
                       const struct ferry_boot_strategy *strategy);
void fault_device_free(struct fault_device *device);

/* Both slots' state, to come back to. free() it. */
uint8_t *fault_device_save(const struct fault_device *device);
void fault_device_restore(struct fault_device *device, const uint8_t *saved);

/* Power on; counting begins anew, and the power fails at operation cut_at, 0 = never. */
void fault_device_power_on(struct fault_device *device, uint64_t cut_at, enum fault_way way);

/* Erase a slot and write an image at its beginning, behind the back of the power supply. */
void fault_device_load(struct fault_slot *slot, const struct fault_image *image);

/* Whether a slot begins with exactly these bytes. */
bool fault_device_holds(const struct fault_slot *slot, const struct fault_image *image);

/* Operations that no code may do, counted over both slots. */
uint32_t fault_device_violations(const struct fault_device *device);

/* One boot. */
int fault_device_boot(struct fault_device *device, struct ferry_boot_report *report);

#endif
