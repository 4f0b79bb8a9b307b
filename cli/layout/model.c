/* SPDX-License-Identifier: Apache-2.0 */
#include "model.h"

#include "room.h"

#include <stdlib.h>
#include <string.h>

/* ---- Flash ------------------------------------------------------------------------------- */

/* Give an area memory, erased. FERRY_VCHIP_NO_AREA, and one that has it, are left alone. */
static int open_area(struct model *model, uint32_t number)
{
    struct ferry_flash_slice slice;

    if (number == FERRY_VCHIP_NO_AREA || model->areas[number].memory != NULL) {
        return FERRY_OK;
    }
    struct model_area *area = &model->areas[number];
    int rc = layout_area_open(model->layout, number, NULL, &slice);
    if (rc != FERRY_OK) {
        return rc;
    }
    area->memory = malloc(slice.flash.size);
    area->wear = calloc(ferry_flash_sector_count(&slice.flash), sizeof *area->wear);
    if (area->memory == NULL || area->wear == NULL) {
        return FERRY_E_SPACE;
    }
    memset(area->memory, slice.flash.erased_value, slice.flash.size);
    area->ram.flash = slice.flash;
    rc = ferry_flash_ram_init(&area->ram, area->memory);
    ferry_flash_counter_init(&area->counter, &area->ram.flash, area->wear);
    return rc;
}

static const struct ferry_flash *flash_of(const struct model *model, uint32_t number)
{
    return number == FERRY_VCHIP_NO_AREA ? NULL : &model->areas[number].counter.flash;
}

static int open_areas(struct model *model, const struct ferry_vchip_image *image)
{
    int rc = open_area(model, image->primary);
    rc = rc == FERRY_OK ? open_area(model, image->secondary) : rc;
    return rc == FERRY_OK ? open_area(model, image->scratch) : rc;
}

static int open_store(struct model *model)
{
    const struct ferry_vchip_area *area = layout_area(model->layout, "store");
    if (area == NULL) {
        return FERRY_OK;
    }
    uint32_t number = (uint32_t)(area - model->layout->areas);
    int rc = open_area(model, number);
    return rc == FERRY_OK ? ferry_store_open(&model->store, flash_of(model, number)) : rc;
}

static int open_ram(struct model *model)
{
    const struct layout *layout = model->layout;
    model->ram = (struct ferry_boot_ram){NULL, layout->ram_address, layout->ram_size};
    if (layout->ram_size == 0) {
        return FERRY_OK;
    }
    model->ram.memory = malloc(layout->ram_size);
    return model->ram.memory != NULL ? FERRY_OK : FERRY_E_SPACE;
}

void model_reset_counts(struct model *model)
{
    for (size_t i = 0; i < FERRY_VCHIP_AREAS; i++) {
        struct model_area *area = &model->areas[i];
        if (area->memory != NULL) {
            memset(&area->counter.counts, 0, sizeof area->counter.counts);
            memset(area->wear, 0,
                   ferry_flash_sector_count(&area->counter.flash) * sizeof *area->wear);
        }
    }
}

/* ---- Slots ------------------------------------------------------------------------------- */

static int open_first(struct model *model)
{
    const struct layout *layout = model->layout;
    const struct ferry_flash *slots[2];

    for (size_t i = 0; i < 2; i++) {
        int rc = open_area(model, layout->first_slots[i]);
        if (rc != FERRY_OK) {
            return rc;
        }
        slots[i] = flash_of(model, layout->first_slots[i]);
    }
    int rc = open_area(model, layout->first_provision);
    return rc != FERRY_OK ? rc
                          : model_first_open(&model->first, layout, slots,
                                             flash_of(model, layout->first_provision), model->buf,
                                             sizeof model->buf);
}

static int open_slots(struct model *model, uint32_t number)
{
    const struct ferry_vchip_image *image = &model->layout->images[number];
    struct ferry_boot_image *boot = &model->images[model->count];
    struct layout_slots shape;
    struct room room;
    int rc = open_areas(model, image);

    rc = rc == FERRY_OK ? room_of(model->layout, number, &room) : rc;
    rc = rc == FERRY_OK ? layout_slots_open(model->layout, number, NULL, &shape) : rc;
    if (rc != FERRY_OK) {
        return rc;
    }
    *boot = (struct ferry_boot_image){.slots = shape.slots,
                                      .strategy = layout_boot_strategy(shape.slots.strategy),
                                      .ram = model->ram.memory != NULL ? &model->ram : NULL};
    boot->slots.primary = flash_of(model, image->primary);
    boot->slots.secondary = flash_of(model, image->secondary);
    boot->slots.scratch = flash_of(model, image->scratch);
    boot->slots.store = model->store.flash != NULL ? &model->store : NULL;
    boot->slots.policy = &model->policy;
    if (boot->strategy == &ferry_boot_first_stage) {
        rc = open_first(model);
        boot->first = &model->first.first;
    }
    model->slots[model->count] = (struct model_slots){.number = number};
    model->slots[model->count].size = room.limit;
    model->count++;
    return rc;
}

/* Where images may be encrypted the bootloader looks after that too, though these are not. */
static void configure(struct model *model)
{
    static const struct ferry_image_secrets no_secrets;
    bool decrypts = layout_area(model->layout, "secrets") != NULL;
    static const struct ferry_image_digest_kind *const digests[] = {&ferry_digest_sha256};
    model->config = (struct ferry_boot_config){
        .images = model->images,
        .image_count = model->count,
        .trust = {.digests = digests, .digest_count = 1, .digest_only = true},
        .memory = &ferry_boot_in_store,
        .admission = &ferry_boot_by_policy,
        .set =
            model->count > 1 ? layout_boot_set(model->layout, model->images, model->count) : NULL,
        .trials = (uint8_t)model->layout->trials,
        .cause = FERRY_CAUSE_OTHER,
        .encryption = decrypts ? &ferry_boot_encrypted : NULL,
        .secrets = decrypts ? &no_secrets : NULL,
        .views = model->views,
        .buf = model->buf,
        .buf_size = sizeof model->buf};
}

/* The rules of the layout that the store keeps something for. */
static void set_policy(struct model *model)
{
    uint32_t flags = model->layout->flags;
    size_t count = 0;

    if ((flags & FERRY_VCHIP_NO_DOWNGRADE) != 0) {
        model->rules[count++] = &ferry_policy_version;
    }
    if ((flags & FERRY_VCHIP_SECURITY_COUNTER) != 0) {
        model->rules[count++] = &ferry_policy_counter;
    }
    model->policy = (struct ferry_image_policy){
        .rules = model->rules, .rule_count = count, .memory = &ferry_policy_in_store};
}

int model_open(struct model *model, const struct layout *layout, uint32_t mask)
{
    *model = (struct model){.layout = layout, .what = "making the device"};
    set_policy(model);
    int rc = open_store(model);
    rc = rc == FERRY_OK ? open_ram(model) : rc;
    for (uint32_t i = 0; rc == FERRY_OK && i < layout->image_count; i++) {
        rc = (mask >> i & 1U) != 0 ? open_slots(model, i) : FERRY_OK;
    }
    configure(model);
    return rc;
}

void model_close(struct model *model)
{
    for (size_t i = 0; i < FERRY_VCHIP_AREAS; i++) {
        free(model->areas[i].memory);
        free(model->areas[i].wear);
    }
    free(model->ram.memory);
    model_first_close(&model->first);
    *model = (struct model){.count = 0};
}
