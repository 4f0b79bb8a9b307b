/* SPDX-License-Identifier: Apache-2.0 */
/* What the unit tests of the bootloader share. */
#include "boot_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BENCH_IMAGE_MAX (128 * 1024)

const struct fault_geometry bench_geometry = {.sector_size = 512,
                                              .primary_sectors = 8,
                                              .secondary_sectors = 8,
                                              .max_sectors = 8,
                                              .max_align = 8,
                                              .write_size = 8,
                                              .erased_value = 0xff};

void bench_init(struct bench *bench, const struct fault_geometry *geometry,
                const struct ferry_boot_strategy *strategy)
{
    memset(bench, 0, sizeof(*bench));
    fault_device_init(&bench->device, geometry, strategy);
}

void bench_free(struct bench *bench)
{
    for (size_t i = 0; i < bench->image_count; i++) {
        free(bench->images[i]);
    }
    fault_device_free(&bench->device);
}

struct fault_image bench_build(struct bench *bench, const struct test_image_spec *spec)
{
    uint8_t *bytes = malloc(BENCH_IMAGE_MAX);
    size_t size = 0;

    assert_non_null(bytes);
    assert_true(bench->image_count < BENCH_IMAGES);
    bench->images[bench->image_count++] = bytes;
    size = test_image_build(spec, bytes, BENCH_IMAGE_MAX);
    assert_true(size > 0);
    return (struct fault_image){bytes, (uint32_t)size};
}

struct fault_image bench_image(struct bench *bench, uint8_t major, size_t size)
{
    /* The header, the area's own 4 bytes, and a digest TLV. */
    struct test_image_spec spec = {.version = {.major = major},
                                   .key = TEST_KEY_NONE,
                                   .header_size = 32,
                                   .payload_size = size - 32 - 4 - 36};
    struct fault_image image = bench_build(bench, &spec);

    assert_int_equal(image.size, size);
    return image;
}

void bench_upload(struct bench *bench)
{
    struct fault_device *device = &bench->device;

    device->old = bench_image(bench, 1, 1000);
    device->new = bench_image(bench, 2, 1900);
    fault_device_load(&device->primary, &device->old);
    fault_device_load(&device->secondary, &device->new);
}

void bench_request(struct bench *bench, bool permanent)
{
    assert_int_equal(ferry_slots_set_pending(&bench->device.image.slots, permanent), FERRY_OK);
}

static uint32_t needless(const struct bench *bench)
{
    return bench->device.primary.needless + bench->device.secondary.needless;
}

uint32_t bench_expect_after_cut(struct bench *bench, int result, enum ferry_boot_action action,
                                int reason)
{
    struct fault_device *device = &bench->device;
    uint32_t reprogrammed = device->primary.reprogrammed + device->secondary.reprogrammed;
    uint32_t before = needless(bench);

    fault_device_power_on(device, 0, FAULT_BEFORE);
    memset(&bench->report, 0x5a, sizeof(bench->report));
    assert_int_equal(fault_device_boot(device, &bench->report), result);
    assert_string_equal(ferry_boot_action_name(bench->report.images[0].action),
                        ferry_boot_action_name(action));
    assert_string_equal(ferry_error_name(bench->report.images[0].reason), ferry_error_name(reason));
    assert_int_equal(device->primary.reprogrammed + device->secondary.reprogrammed, reprogrammed);
    return needless(bench) - before;
}

void bench_expect(struct bench *bench, int result, enum ferry_boot_action action, int reason)
{
    assert_int_equal(bench_expect_after_cut(bench, result, action, reason), 0);
}

void bench_expect_idle(struct bench *bench)
{
    bench_expect(bench, FERRY_OK, FERRY_BOOT_RAN, FERRY_OK);
    assert_int_equal(bench->device.power.operations, 0);
    assert_int_equal(bench->report.images[0].next, FERRY_SWAP_NONE);
    assert_false(bench->report.images[0].resumed);
}

static struct ferry_trailer trailer_of(const struct bench *bench, const struct fault_slot *slot)
{
    struct ferry_trailer trailer;

    assert_int_equal(
        ferry_trailer_read(&slot->ram.flash, bench->device.geometry.max_align, &trailer), FERRY_OK);
    return trailer;
}

struct ferry_trailer bench_primary_trailer(const struct bench *bench)
{
    return trailer_of(bench, &bench->device.primary);
}

struct ferry_trailer bench_secondary_trailer(const struct bench *bench)
{
    return trailer_of(bench, &bench->device.secondary);
}

void bench_poke(struct fault_slot *slot, uint32_t distance, const void *bytes, size_t len)
{
    assert_true(distance <= slot->ram.flash.size && len <= distance);
    memcpy(slot->memory + slot->ram.flash.size - distance, bytes, len);
}
