/* SPDX-License-Identifier: Apache-2.0 */
/* The flows of the bootloader that are run under power cuts: what is in the slots at first, what
 * the application does, and how it may end. */
#ifndef BOOT_FLOWS_H
#define BOOT_FLOWS_H

#include "fault_runner.h"
#include "test_image.h"

#define FLOW_SECTOR    512
#define FLOW_IMAGE_MAX (16 * FLOW_SECTOR)

struct flow_images {
    uint8_t old_bytes[FLOW_IMAGE_MAX];
    uint8_t new_bytes[FLOW_IMAGE_MAX];
    uint8_t bad_bytes[FLOW_IMAGE_MAX];
    struct fault_image old, new, bad; /* bad is new with one bit changed */
};

struct flow {
    struct fault_flow flow;
    bool needs_revert; /* of the strategy */
};

/* By name: "test", "permanent", "revert", …; the first two are these. */
extern const struct flow flows[];
extern const size_t flow_count;
enum { FLOW_TEST, FLOW_PERMANENT };

/* An upload without a request: the device must rest with the old image. */
extern const struct fault_flow flow_idle;

/* Build the images of a set: their sizes in bytes, above 72; a signature by key (or
 * TEST_KEY_NONE) comes on top. */
void flow_make_images(struct flow_images *set, size_t old_size, size_t new_size,
                      enum test_key_id key);

/* The set that the flows use from now on. */
void flow_use(const struct flow_images *set);

/* Slots of so many sectors of FLOW_SECTOR bytes. */
struct fault_geometry flow_geometry(uint32_t sectors, uint8_t write_size, uint8_t erased_value);

#endif
