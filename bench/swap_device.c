/* SPDX-License-Identifier: Apache-2.0 */
/* A device in memory whose flash operations are counted, and images for it. */
#include "bench/swap_device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOAD_ADDRESS 0x20000000U

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    fputs("bench_swap: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

static void check(int rc, const char *what, const struct swap_device *device)
{
    if (rc != FERRY_OK) {
        die("%s: %s: %s", device->layout.images[0].strategy, what, ferry_error_name(rc));
    }
}

/* ---- Images --------------------------------------------------------------------------- */

struct model_image swap_image_make(uint32_t size, uint32_t version, uint32_t seed)
{
    const struct model_image_spec spec = {.size = size,
                                          .number = version,
                                          .seed = seed,
                                          .flags = FERRY_IMAGE_RAM_LOAD,
                                          .load_address = LOAD_ADDRESS};
    struct model_image image;

    if (model_image_make(&spec, &image) != FERRY_OK) {
        die("an image of %u bytes cannot be made", (unsigned)size);
    }
    return image;
}

struct model_image swap_image_change(const struct model_image *image, uint32_t offset)
{
    struct model_image changed;

    if (model_image_change(image, offset, &changed) != FERRY_OK) {
        die("offset %u is not in the payload", (unsigned)offset);
    }
    return changed;
}

/* ---- The device ------------------------------------------------------------------------- */

/* Bootloader, store and scratch area, then the slots. */
static const char layout_text[] =
    "{\"flash\": [{\"name\": \"flash\", \"sectors\": [{\"count\": 256, \"size\": %u}], "
    "\"write_size\": %u, \"erased_value\": 255}], \"areas\": [{\"name\": \"bootloader\", "
    "\"device\": \"flash\", \"offset\": 0, \"size\": %u}, {\"name\": \"store\", \"device\": "
    "\"flash\", \"offset\": %u, \"size\": %u}, {\"name\": \"scratch\", \"device\": \"flash\", "
    "\"offset\": %u, \"size\": %u}, {\"name\": \"primary\", \"device\": \"flash\", \"offset\": %u, "
    "\"size\": %u}, {\"name\": \"secondary\", \"device\": \"flash\", \"offset\": %u, \"size\": "
    "%u}], \"images\": [{\"strategy\": \"%s\", \"primary\": \"primary\"%s%s}], \"ram\": "
    "{\"address\": %u, \"size\": %u}, \"max_align\": %u, \"max_sectors\": %u, \"trials\": 1, "
    "\"keys\": []}";

void swap_device_init(struct swap_device *device, const struct ferry_boot_strategy *strategy,
                      uint32_t scratch)
{
    const uint32_t slot = SWAP_SECTORS * SWAP_SECTOR;
    char why[LAYOUT_WHY_MAX];
    char text[2048];

    (void)snprintf(text, sizeof(text), layout_text, SWAP_SECTOR, SWAP_WRITE_SIZE, SWAP_SECTOR,
                   SWAP_SECTOR, 2 * SWAP_SECTOR, 4 * SWAP_SECTOR,
                   (scratch != 0 ? scratch : 1) * SWAP_SECTOR, slot, slot, 2 * slot, slot,
                   strategy->traits->name,
                   strategy->traits->slot_count == 2 ? ", \"secondary\": \"secondary\"" : "",
                   scratch != 0 ? ", \"scratch\": \"scratch\"" : "", LOAD_ADDRESS, slot,
                   SWAP_WRITE_SIZE, SWAP_SECTORS);
    if (layout_parse(text, &device->layout, why) != FERRY_OK) {
        die("%s: %s", strategy->traits->name, why);
    }
    check(model_open(&device->model, &device->layout, 1), "making the device", device);
    device->model.images[0].slots.policy = NULL; /* as it was with MCUboot */
}

void swap_device_free(struct swap_device *device)
{
    model_close(&device->model);
}

const struct ferry_slots *swap_device_slots(const struct swap_device *device)
{
    return &device->model.images[0].slots;
}

void swap_device_load(struct swap_device *device, const struct model_image *image)
{
    device->model.slots[0].next = image;
    check(model_factory(&device->model), "programming an image", device);
}

void swap_device_upload(struct swap_device *device, const struct model_image *image)
{
    const struct ferry_slots *slots = swap_device_slots(device);
    const struct ferry_flash *slot = ferry_slots_slot(slots, slots->active == 0 ? 1 : 0);

    check(ferry_flash_erase_dirty(slot, 0, slot->size), "erasing a slot", device);
    device->model.slots[0].next = image;
    check(model_upload(&device->model), device->model.what, device);
}

void swap_device_boot(struct swap_device *device, bool changed)
{
    check(model_boot(&device->model, changed), "booting", device);
}

void swap_device_trial(struct swap_device *device)
{
    check(model_trial(&device->model), "marking the trial", device);
}

void swap_device_confirm(struct swap_device *device)
{
    check(model_confirm(&device->model), "confirming", device);
}

/* ---- Counts ------------------------------------------------------------------------------- */

void swap_device_reset(struct swap_device *device)
{
    model_reset_counts(&device->model);
}

static const struct model_area *find_area(const struct swap_device *device, const char *name)
{
    return &device->model.areas[layout_area(&device->layout, name) - device->layout.areas];
}

/* Add what an area's flash did. Returns how many of its sectors were erased. */
static uint32_t add_area(const struct swap_device *device, const char *name,
                         struct swap_counts *counts)
{
    const struct model_area *area = find_area(device, name);

    if (area->memory == NULL) {
        return 0;
    }
    counts->written += area->counter.counts.bytes_programmed;
    counts->calls += area->counter.counts.programs;
    counts->read += area->counter.counts.bytes_read;
    for (uint32_t i = 0; i < ferry_flash_sector_count(&area->counter.flash); i++) {
        if (area->wear[i] > counts->hottest) {
            counts->hottest = area->wear[i];
            counts->hottest_area = name;
        }
    }
    return area->counter.counts.sectors_erased;
}

struct swap_counts swap_device_counts(const struct swap_device *device)
{
    const struct ferry_flash_counts *store = &find_area(device, "store")->counter.counts;
    struct swap_counts counts = {.hottest_area = "",
                                 .store_erases = store->sectors_erased,
                                 .store_calls = store->programs,
                                 .store_written = store->bytes_programmed,
                                 .store_read = store->bytes_read};

    counts.primary = add_area(device, "primary", &counts);
    counts.secondary = add_area(device, "secondary", &counts);
    counts.hottest_slots = counts.hottest;
    counts.scratch = add_area(device, "scratch", &counts);
    return counts;
}
