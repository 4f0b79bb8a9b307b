/* SPDX-License-Identifier: Apache-2.0 */
/* A device in memory whose flash operations are counted, and images for it. */
#include "bench/swap_device.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE  512U
#define LOAD_ADDRESS 0x20000000U
/* The area's own 4 bytes, and the digest's TLV. */
#define TLV_SIZE (4U + 4U + FERRY_SHA256_SIZE)

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
        die("%s: %s: %s", device->image.slots.strategy->name, what, ferry_error_name(rc));
    }
}

static void *allocate(size_t size)
{
    void *memory = malloc(size);

    if (memory == NULL) {
        die("no memory");
    }
    return memory;
}

/* ---- Images --------------------------------------------------------------------------- */

/* Write digest and TLVs behind the payload. */
static void seal(struct swap_image *image)
{
    uint32_t at = image->size - TLV_SIZE;
    uint8_t *tlv = image->bytes + at;
    struct ferry_sha256 sha;

    ferry_store_le16(tlv, FERRY_TLV_MAGIC);
    ferry_store_le16(tlv + 2, TLV_SIZE);
    ferry_store_le16(tlv + 4, FERRY_TLV_SHA256);
    ferry_store_le16(tlv + 6, FERRY_SHA256_SIZE);
    ferry_crypto_sha256_init(&sha);
    ferry_crypto_sha256_update(&sha, image->bytes, at);
    ferry_crypto_sha256_final(&sha, tlv + 8);
}

struct swap_image swap_image_make(uint32_t size, uint8_t major, uint32_t seed)
{
    struct ferry_image_header header = {.load_address = LOAD_ADDRESS,
                                        .header_size = HEADER_SIZE,
                                        .payload_size = size - HEADER_SIZE - TLV_SIZE,
                                        .flags = FERRY_IMAGE_RAM_LOAD,
                                        .version = {.major = major}};
    struct swap_image image = {allocate(size), size};
    uint32_t x = seed;

    memset(image.bytes, 0, HEADER_SIZE);
    ferry_image_header_write(&header, image.bytes);
    for (uint32_t i = HEADER_SIZE; i < size; i++) {
        x = x * 1664525U + 1013904223U;
        image.bytes[i] = (uint8_t)(x >> 24);
    }
    seal(&image);
    return image;
}

struct swap_image swap_image_change(const struct swap_image *image, uint32_t offset)
{
    struct swap_image changed = {allocate(image->size), image->size};

    if (offset < HEADER_SIZE || offset >= image->size - TLV_SIZE) {
        die("offset %u is not in the payload", (unsigned)offset);
    }
    memcpy(changed.bytes, image->bytes, image->size);
    changed.bytes[offset] ^= 0x5a;
    seal(&changed);
    return changed;
}

void swap_image_free(struct swap_image *image)
{
    free(image->bytes);
    *image = (struct swap_image){NULL, 0};
}

/* ---- The device ------------------------------------------------------------------------- */

static void init_area(struct swap_area *area, uint32_t sectors)
{
    uint32_t size = sectors * SWAP_SECTOR;

    area->memory = allocate(size);
    memset(area->memory, 0xff, size);
    area->ram.flash = (struct ferry_flash){.size = size,
                                           .write_size = SWAP_WRITE_SIZE,
                                           .erased_value = 0xff,
                                           .run_count = 1,
                                           .runs = {{sectors, SWAP_SECTOR}}};
    if (ferry_flash_ram_init(&area->ram, area->memory) != FERRY_OK) {
        die("an area of %u sectors cannot be", (unsigned)sectors);
    }
    ferry_flash_counter_init(&area->counter, &area->ram.flash, area->wear);
}

void swap_device_init(struct swap_device *device, const struct ferry_boot_strategy *strategy,
                      uint32_t scratch)
{
    static const struct ferry_image_digest_kind *const digests[] = {&ferry_digest_sha256};
    memset(device, 0, sizeof(*device));
    init_area(&device->primary, SWAP_SECTORS);
    init_area(&device->secondary, SWAP_SECTORS);
    init_area(&device->store, 2);
    if (scratch != 0) {
        init_area(&device->scratch, scratch);
    }
    device->ram = (struct ferry_boot_ram){allocate(SWAP_RAM), LOAD_ADDRESS, SWAP_RAM};
    device->image = (struct ferry_boot_image){
        .slots = {.primary = &device->primary.counter.flash,
                  .secondary =
                      strategy->traits->slot_count == 2 ? &device->secondary.counter.flash : NULL,
                  .strategy = strategy->traits,
                  .state = ferry_slots_state_of(strategy->traits),
                  .max_align = SWAP_WRITE_SIZE,
                  .max_sectors = SWAP_SECTORS,
                  .scratch = scratch != 0 ? &device->scratch.counter.flash : NULL,
                  .store = &device->records},
        .strategy = strategy,
        .ram = &device->ram};
    device->config = (struct ferry_boot_config){
        .images = &device->image,
        .memory = &ferry_boot_in_store,
        .image_count = 1,
        .trust = {.digests = digests, .digest_count = 1, .digest_only = true},
        .trials = 1,
        .cause = FERRY_CAUSE_OTHER,
        .buf = device->buf,
        .buf_size = sizeof(device->buf)};
    check(ferry_store_open(&device->records, &device->store.counter.flash), "opening the store",
          device);
    check(ferry_slots_check(&device->image.slots), "the layout", device);
}

void swap_device_free(struct swap_device *device)
{
    free(device->primary.memory);
    free(device->secondary.memory);
    free(device->scratch.memory);
    free(device->store.memory);
    free(device->ram.memory);
}

static void write_image(const struct swap_device *device, const struct ferry_flash *slot,
                        uint32_t offset, const struct swap_image *image)
{
    uint32_t whole = image->size / SWAP_WRITE_SIZE * SWAP_WRITE_SIZE;

    check(ferry_flash_erase_dirty(slot, 0, slot->size), "erasing a slot", device);
    check(ferry_flash_program(slot, offset, image->bytes, whole), "writing an image", device);
    if (whole < image->size) {
        check(ferry_flash_program_padded(slot, offset + whole, image->bytes + whole,
                                         image->size - whole),
              "writing an image", device);
    }
}

void swap_device_load(struct swap_device *device, const struct swap_image *image)
{
    const struct ferry_flash *primary = &device->primary.counter.flash;
    const struct ferry_strategy_traits *traits = device->image.slots.strategy;

    write_image(device, primary, 0, image);
    if (traits->in_place && traits->reverts) {
        check(ferry_trailer_write_image_ok(primary, SWAP_WRITE_SIZE), "the trailer", device);
        check(ferry_trailer_write_magic(primary, SWAP_WRITE_SIZE), "the trailer", device);
    }
}

void swap_device_upload(struct swap_device *device, const struct swap_image *image, bool permanent)
{
    const struct ferry_slots *slots = &device->image.slots;
    uint32_t slot = slots->active == 0 ? 1 : 0;

    write_image(device, ferry_slots_slot(slots, slot),
                slot == 1 ? ferry_slots_upload_offset(slots) : 0, image);

    int rc = ferry_slots_set_pending(slots, permanent);

    if (rc != FERRY_E_UNSUPPORTED) {
        check(rc, "asking for the image", device);
    }
}

void swap_device_boot(struct swap_device *device, const struct swap_image *image)
{
    const struct ferry_boot_image_report *report = &device->report.images[0];

    check(ferry_boot_run(&device->config, &device->report), "booting", device);
    device->image.slots.active = report->slot;

    const struct swap_area *area = report->slot == 0 ? &device->primary : &device->secondary;

    if (memcmp(area->memory, image->bytes, image->size) != 0) {
        die("%s: another image runs than should; the boot says %s (%s)",
            device->image.slots.strategy->name, ferry_boot_action_name(report->action),
            ferry_error_name(report->reason));
    }
}

void swap_device_trial(struct swap_device *device)
{
    check(ferry_trial_started(&device->image.slots), "marking the trial", device);
}

/* ---- Counts ------------------------------------------------------------------------------- */

static void reset_area(struct swap_area *area)
{
    memset(&area->counter.counts, 0, sizeof(area->counter.counts));
    memset(area->wear, 0, sizeof(area->wear));
}

void swap_device_reset(struct swap_device *device)
{
    reset_area(&device->primary);
    reset_area(&device->secondary);
    reset_area(&device->scratch);
    reset_area(&device->store);
}

static void add_area(struct swap_counts *counts, const struct swap_area *area, const char *name)
{
    counts->written += area->counter.counts.bytes_programmed;
    counts->calls += area->counter.counts.programs;
    counts->read += area->counter.counts.bytes_read;
    for (uint32_t i = 0; i < SWAP_SECTORS; i++) {
        if (area->wear[i] > counts->hottest) {
            counts->hottest = area->wear[i];
            counts->hottest_area = name;
        }
    }
}

struct swap_counts swap_device_counts(const struct swap_device *device)
{
    const struct ferry_flash_counts *store = &device->store.counter.counts;
    struct swap_counts counts = {.primary = device->primary.counter.counts.sectors_erased,
                                 .secondary = device->secondary.counter.counts.sectors_erased,
                                 .scratch = device->scratch.counter.counts.sectors_erased,
                                 .hottest_area = "",
                                 .store_erases = store->sectors_erased,
                                 .store_calls = store->programs,
                                 .store_written = store->bytes_programmed,
                                 .store_read = store->bytes_read};

    add_area(&counts, &device->primary, "pri");
    add_area(&counts, &device->secondary, "sec");
    counts.hottest_slots = counts.hottest;
    add_area(&counts, &device->scratch, "scr");
    return counts;
}
