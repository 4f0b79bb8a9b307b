/* SPDX-License-Identifier: Apache-2.0 */
/* A device for the tests of what is on flash between updates: slots in memory, two images, and
 * what is expected of trailers and images. No store: the rules are MCUboot's. */
#ifndef REST_RIG_H
#define REST_RIG_H

#include "mcuboot_rest.h"
#include "test_image.h"

#include "ferry/boot.h"

#define REST_SECTOR  512U
#define REST_PRIMARY 12U /* sectors */
#define REST_MOST    13U
#define REST_N       24U
#define REST_BYTES   (REST_MOST * REST_SECTOR)
#define REST_RAM     0x20000000U

#define REST_COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct rest_subject {
    const struct ferry_boot_strategy *strategy;
    enum rest_status status;
    uint32_t secondary; /* sectors of REST_SECTOR … */
    uint32_t merged;    /* … of which so many make one, 0 = 1 */
    uint32_t scratch;   /* sectors, or 0 */
    bool offset;        /* the format of swap-offset builds */
    uint32_t upload;    /* offset in the secondary of uploads … */
    uint32_t old;       /* … and of the old image after an upgrade */
};

struct rest_image {
    uint8_t bytes[REST_BYTES];
    uint32_t size;
    uint32_t tlvs; /* bytes of the unprotected area */
};

struct rest_rig {
    const struct rest_subject *subject;
    struct rest_format format;
    struct ferry_flash_ram primary, secondary, scratch;
    uint8_t primary_bytes[REST_BYTES], secondary_bytes[REST_BYTES], scratch_bytes[REST_BYTES];
    uint8_t saved[2][REST_BYTES];
    uint8_t ram_bytes[REST_BYTES];
    struct ferry_boot_ram ram;
    struct ferry_boot_image boot;
    struct ferry_boot_report report;
    struct rest_image old, new; /* 1000 and 1900 bytes, versions 1 and 2 */
};

/* All erased. To be freed with free(). */
struct rest_rig *rest_rig_new(const struct rest_subject *subject, const struct rest_format *format);

/* Call walk for each subject in each alignment, write size and erased value. */
void rest_everywhere(const struct rest_subject *subjects, size_t count,
                     void (*walk)(const struct rest_subject *, const struct rest_format *));

/* An image of exactly size bytes; extra: bytes of one more unprotected TLV. */
void rest_make_image(struct rest_image *image, uint8_t major, uint32_t size, uint16_t extra);

/* Put images and fields into slots, behind the back of every rule; the images alone, all else is
 * erased. */
void rest_put_images(struct rest_rig *rig, const struct rest_image *primary,
                     const struct rest_image *secondary, uint32_t secondary_at);
void rest_put_fields(const struct rest_rig *rig, const struct ferry_flash_ram *slot,
                     const struct rest_fields *fields);

void rest_set_pending(struct rest_rig *rig, bool permanent);

/* Boot once, successfully; the second also expects an action. */
void rest_boot_any(struct rest_rig *rig);
void rest_boot(struct rest_rig *rig, enum ferry_boot_action action);

/* Both slots, for later; whether nothing changed since. */
void rest_save(struct rest_rig *rig);
void rest_restore(struct rest_rig *rig);
void rest_expect_saved(const struct rest_rig *rig);

void rest_expect_image(const uint8_t *slot, uint32_t at, const struct rest_image *image);

/* The fields at the end of a slot, but for those an image reaches into. */
void rest_expect_fields(const struct rest_rig *rig, const struct ferry_flash_ram *slot,
                        const struct rest_fields *fields, uint32_t image_end);

void rest_expect_erased(const struct rest_rig *rig, const uint8_t *bytes, uint32_t len);

extern const struct rest_fields rest_untouched;

#endif
