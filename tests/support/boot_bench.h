/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit tests of the bootloader share: a device, images for it, and the questions they
 * ask again and again. */
#ifndef BOOT_BENCH_H
#define BOOT_BENCH_H

#include "fault_device.h"
#include "test_image.h"
#include "test_policies.h"

#define BENCH_IMAGES 8

struct bench {
    struct fault_device device;
    struct ferry_boot_report report; /* of the last boot */
    uint8_t *images[BENCH_IMAGES];
    size_t image_count;
};

/* Sectors of 512 bytes, 8 of them in both slots; write size 8, max_align 8, erased value 0xff. */
extern const struct fault_geometry bench_geometry;

void bench_init(struct bench *bench, const struct fault_geometry *geometry,
                const struct ferry_boot_strategy *strategy);
void bench_free(struct bench *bench);

/* Build an image of a spec; its bytes live as long as the bench. Fails the test when it cannot. */
struct fault_image bench_build(struct bench *bench, const struct test_image_spec *spec);

/* An unsigned image of exactly size bytes, at least 73, with version major.0.0. */
struct fault_image bench_image(struct bench *bench, uint8_t major, size_t size);

/* Old and new (major 1 and 2, 1000 and 1900 bytes) into place; request a test or for good. */
void bench_upload(struct bench *bench);
void bench_request(struct bench *bench, bool permanent);

/* One boot with the power on that must return result and say action and reason. No unit is
 * programmed twice, and no erased sector is erased. */
void bench_expect(struct bench *bench, int result, enum ferry_boot_action action, int reason);

/* As that, after a cut or a fault: what was being erased or written is erased anew, even if it
 * reads erased. Returns how many sectors were. */
uint32_t bench_expect_after_cut(struct bench *bench, int result, enum ferry_boot_action action,
                                int reason);

/* One boot that must return FERRY_OK, do nothing and write nothing. */
void bench_expect_idle(struct bench *bench);

/* The trailers as they are read. */
struct ferry_trailer bench_primary_trailer(const struct bench *bench);
struct ferry_trailer bench_secondary_trailer(const struct bench *bench);

/* Program bytes `distance` before the end of a slot, behind the back of every rule. */
void bench_poke(struct fault_slot *slot, uint32_t distance, const void *bytes, size_t len);

#endif
