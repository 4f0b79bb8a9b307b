/* SPDX-License-Identifier: Apache-2.0 */
/* Bootloaders for a first stage, and a device with one, in memory. Firmware and provision data are
 * written from nsib-format.md, not with core/first's help. */
#ifndef FIRST_RIG_H
#define FIRST_RIG_H

#include "fault_chip.h"
#include "test_image.h"

#include "ferry/first.h"

#define FIRST_RIG_HEADER 512  /* MCUboot's, in front of the firmware */
#define FIRST_RIG_SLOT   8192 /* bytes of S0, S1 and the staging area */
#define FIRST_RIG_PAGE   1024 /* of provision data */

/* Where the firmware of S0 and S1 begins. */
#define FIRST_RIG_S0 0x00020200U
#define FIRST_RIG_S1 0x00050200U

/* All zero but address and version is a good start: 2048 bytes, fw_info at 0x200, TEST_KEY_P256. */
struct first_spec {
    enum test_key_id key;
    uint32_t version;
    uint32_t address;
    uint32_t size;        /* of the firmware; 0 = 2048 */
    uint32_t info_offset; /* 0 = 0x200; 1 = 0 */
    uint8_t seed;
    /* Change the firmware before it is signed, and the whole afterwards. */
    void (*before)(uint8_t *firmware, uint32_t info);
    void (*after)(uint8_t *firmware, uint32_t size);
    enum test_key_id image_key; /* for first_image() */
};

/* Firmware and validation info. Returns how many bytes. */
size_t first_build(const struct first_spec *spec, uint8_t *out, size_t cap);

/* The same as an MCUboot image of version spec->version.0.0. */
size_t first_image(const struct first_spec *spec, uint8_t *out, size_t cap);

/* The hash by which a test key is provisioned. */
void first_key_hash(enum test_key_id key, uint8_t hash[16]);

/* Provision data for keys (count of them) and a counter (0 = none). Returns how many bytes. */
size_t first_page(const enum test_key_id *keys, uint32_t count, uint16_t slots, uint8_t *out);

/* A device: S0, S1, staging area and provision data are the places of a chip under fault. */
struct first_rig {
    struct fault_chip chip;
    struct ferry_first first;
    uint8_t buf[2048];
};

#define FIRST_RIG_STAGING   FAULT_SCRATCH
#define FIRST_RIG_PROVISION FAULT_STORE

/* An erased device with provision data for keys. May not be moved. Give it to first_rig_free(). */
void first_rig_init(struct first_rig *rig, const enum test_key_id *keys, uint32_t count,
                    uint16_t slots);
/* The same, with this write size of S0, S1 and the staging area, and this erased value of S0 and
 * S1. */
void first_rig_init_of(struct first_rig *rig, const enum test_key_id *keys, uint32_t count,
                       uint16_t slots, uint8_t write_size, uint8_t erased_value);
void first_rig_free(struct first_rig *rig);

/* Put an image into a place, behind the back of every rule. */
void first_rig_put(struct first_rig *rig, enum fault_place place, const uint8_t *image, size_t len);

/* Build a bootloader for slot 0 or 1 and put it there. */
void first_rig_stage(struct first_rig *rig, uint32_t slot, const struct first_spec *spec);

#endif
