/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated device for tests of the bootloader. */
#include "fault_device.h"

#include "test_image.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- The rules of flash ---------------------------------------------------------------------- */

static bool touches(const struct fault_range *range, uint32_t offset, size_t len)
{
    return range->len != 0 && offset < range->offset + range->len && range->offset < offset + len;
}

static int rules_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    const struct fault_slot *slot = flash->context;

    if (slot->dead || touches(&slot->unreadable, offset, len)) {
        return FERRY_E_FLASH;
    }
    return ferry_flash_read(&slot->ram.flash, offset, data, len);
}

/* Whether the power is failing in the middle of this very operation. */
static bool tears(const struct fault_slot *slot)
{
    return slot->device->power.off && slot->device->way >= FAULT_TORN;
}

static uint8_t noise(struct fault_device *device)
{
    device->noise = device->noise * 1664525U + 1013904223U;
    return (uint8_t)(device->noise >> 24);
}

/* From byte `from` on every bit takes its new value or keeps the old one. */
static void tear(struct fault_slot *slot, uint32_t offset, const uint8_t *data, size_t from,
                 size_t len)
{
    uint8_t *memory = slot->memory + offset;

    for (size_t i = from; i < len; i++) {
        uint8_t target = data != NULL ? data[i] : slot->ram.flash.erased_value;
        uint8_t mask = noise(slot->device);

        memory[i] = (uint8_t)((memory[i] & (uint8_t)~mask) | (target & mask));
    }
    if (slot->device->way == FAULT_UNREADABLE) {
        slot->unreadable = (struct fault_range){offset + (uint32_t)from, (uint32_t)(len - from)};
    }
}

/* Stricter than NOR, as flash with ECC is: what is programmed must be erased. */
static int rules_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                         size_t len)
{
    struct fault_slot *slot = flash->context;

    if (slot->dead || (slot->bad_program != 0 && slot->bad_program == offset)) {
        return FERRY_E_FLASH;
    }
    if (touches(&slot->unreadable, offset, len) ||
        ferry_flash_is_erased(&slot->ram.flash, offset, len) != 1) {
        slot->reprogrammed++;
    }
    if (tears(slot)) {
        size_t unit = flash->write_size;
        size_t whole = len / unit / 2 * unit;

        memcpy(slot->memory + offset, data, whole);
        tear(slot, offset, data, whole, whole + unit);
        return FERRY_OK;
    }

    int rc = ferry_flash_program(&slot->ram.flash, offset, data, len);

    if (slot->loses_bit != 0 && slot->loses_bit == offset) {
        slot->memory[offset] ^= 0x20;
        slot->loses_bit = 0;
    }
    return rc;
}

static int rules_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    struct fault_slot *slot = flash->context;

    if (slot->dead) {
        return FERRY_E_FLASH;
    }
    /* Of an erase that the power cuts short only a part arrives here. */
    if (len % slot->device->geometry.sector_size == 0 && !touches(&slot->unreadable, offset, len) &&
        ferry_flash_is_erased(&slot->ram.flash, offset, len) == 1) {
        slot->needless++;
    }
    if (tears(slot)) {
        tear(slot, offset, NULL, 0, len);
        return FERRY_OK;
    }
    if (touches(&slot->unreadable, offset, len)) {
        slot->unreadable.len = 0;
    }
    /* Not ferry_flash_erase(): half a sector is erased when the power fails inside. */
    return slot->ram.flash.ops->erase(&slot->ram.flash, offset, len);
}

static const struct ferry_flash_ops rules_ops = {
    .read = rules_read, .program = rules_program, .erase = rules_erase};

/* ---- The device ------------------------------------------------------------------------------ */

static void init_slot(struct fault_device *device, struct fault_slot *slot, uint32_t sectors)
{
    const struct fault_geometry *geometry = &device->geometry;
    uint32_t size = sectors * geometry->sector_size;

    slot->device = device;
    slot->memory = malloc(size);
    assert_non_null(slot->memory);
    memset(slot->memory, geometry->erased_value, size);
    slot->ram.flash.size = size;
    slot->ram.flash.write_size = geometry->write_size;
    slot->ram.flash.erased_value = geometry->erased_value;
    slot->ram.flash.run_count = 1;
    slot->ram.flash.runs[0] = (struct ferry_flash_run){sectors, geometry->sector_size};
    assert_int_equal(ferry_flash_ram_init(&slot->ram, slot->memory), FERRY_OK);
    slot->rules = slot->ram.flash;
    slot->rules.ops = &rules_ops;
    slot->rules.context = slot;
    ferry_flash_counter_init(&slot->counter, &slot->rules, NULL);
    ferry_flash_cutter_init(&slot->cutter, &slot->counter.flash, &device->power);
}

static void on_feed(void *context)
{
    ((struct fault_device *)context)->feeds++;
}

static void on_progress(void *context, uint32_t image, uint32_t done, uint32_t total)
{
    struct fault_device *device = context;

    assert_int_equal(image, 0);
    assert_true(done > 0 && done <= total);
    device->progresses++;
}

static void on_nothing_runs(void *context, const struct ferry_boot_report *report)
{
    assert_non_null(report);
    ((struct fault_device *)context)->nothing_runs++;
}

void fault_device_init(struct fault_device *device, const struct fault_geometry *geometry,
                       const struct ferry_boot_strategy *strategy)
{
    memset(device, 0, sizeof(*device));
    device->geometry = *geometry;
    init_slot(device, &device->primary, geometry->primary_sectors);
    init_slot(device, &device->secondary, geometry->secondary_sectors);
    device->image.slots = (struct ferry_slots){.primary = &device->primary.cutter.flash,
                                               .secondary = &device->secondary.cutter.flash,
                                               .strategy = strategy->traits,
                                               .state = ferry_slots_state_of(strategy->traits),
                                               .max_align = geometry->max_align,
                                               .max_sectors = geometry->max_sectors};
    device->image.strategy = strategy;
    device->hooks = (struct ferry_boot_hooks){.context = device,
                                              .feed = on_feed,
                                              .progress = on_progress,
                                              .nothing_runs = on_nothing_runs};
    device->config = (struct ferry_boot_config){.images = &device->image,
                                                .memory = &ferry_boot_in_store,
                                                .admission = &ferry_boot_by_policy,
                                                .image_count = 1,
                                                .trust = test_trust_digest_only,
                                                .hooks = &device->hooks,
                                                .buf = device->buf,
                                                .buf_size = sizeof(device->buf)};
}

void fault_device_free(struct fault_device *device)
{
    free(device->primary.memory);
    free(device->secondary.memory);
}

uint8_t *fault_device_save(const struct fault_device *device)
{
    const size_t range = sizeof(struct fault_range);
    size_t primary = device->primary.ram.flash.size;
    size_t secondary = device->secondary.ram.flash.size;
    uint8_t *saved = malloc(2 * range + primary + secondary);

    assert_non_null(saved);
    memcpy(saved, &device->primary.unreadable, range);
    memcpy(saved + range, &device->secondary.unreadable, range);
    memcpy(saved + 2 * range, device->primary.memory, primary);
    memcpy(saved + 2 * range + primary, device->secondary.memory, secondary);
    return saved;
}

void fault_device_restore(struct fault_device *device, const uint8_t *saved)
{
    const size_t range = sizeof(struct fault_range);
    size_t primary = device->primary.ram.flash.size;

    memcpy(&device->primary.unreadable, saved, range);
    memcpy(&device->secondary.unreadable, saved + range, range);
    memcpy(device->primary.memory, saved + 2 * range, primary);
    memcpy(device->secondary.memory, saved + 2 * range + primary, device->secondary.ram.flash.size);
}

void fault_device_power_on(struct fault_device *device, uint64_t cut_at, enum fault_way way)
{
    static const enum ferry_cut cuts[FAULT_WAYS] = {[FAULT_BEFORE] = FERRY_CUT_BEFORE,
                                                    [FAULT_AFTER] = FERRY_CUT_AFTER,
                                                    [FAULT_INSIDE] = FERRY_CUT_INSIDE,
                                                    [FAULT_TORN] = FERRY_CUT_AFTER,
                                                    [FAULT_UNREADABLE] = FERRY_CUT_AFTER};

    device->power = (struct ferry_power){.cut_at = cut_at, .how = cuts[way]};
    device->way = way;
    device->noise = (uint32_t)cut_at;
}

void fault_device_load(struct fault_slot *slot, const struct fault_image *image)
{
    assert_true(image->size <= slot->ram.flash.size);
    slot->unreadable.len = 0;
    memset(slot->memory, slot->ram.flash.erased_value, slot->ram.flash.size);
    if (image->size > 0) {
        memcpy(slot->memory, image->bytes, image->size);
    }
}

bool fault_device_holds(const struct fault_slot *slot, const struct fault_image *image)
{
    return image->size > 0 && image->size <= slot->ram.flash.size &&
           memcmp(slot->memory, image->bytes, image->size) == 0;
}

uint32_t fault_device_violations(const struct fault_device *device)
{
    return device->primary.reprogrammed + device->primary.needless +
           device->secondary.reprogrammed + device->secondary.needless;
}

int fault_device_boot(struct fault_device *device, struct ferry_boot_report *report)
{
    return ferry_boot_run(&device->config, report);
}
