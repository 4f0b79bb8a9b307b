/* SPDX-License-Identifier: Apache-2.0 */
/* The images of a layout: their strategy, and whether the areas suit it. */
#include "layout_read.h"
#include "layout_slots.h"

#include <stdio.h>
#include <string.h>

/* ---- Fields ----------------------------------------------------------------------------- */

static const struct ferry_strategy_traits *
read_strategy(struct json_reader *reader, const cJSON *item, struct ferry_vchip_image *image)
{
    const struct ferry_strategy_traits *traits;
    char names[256] = "";
    size_t len = 0;

    if (!json_text(reader, item, "strategy", image->strategy, sizeof(image->strategy))) {
        return NULL;
    }
    traits = ferry_strategy_traits_find(image->strategy);
    if (traits != NULL) {
        return traits;
    }
    for (size_t i = 0; len < sizeof(names) && ferry_strategy_traits_at(i) != NULL; i++) {
        len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", i > 0 ? ", " : "",
                                ferry_strategy_traits_at(i)->name);
    }
    (void)json_fail(reader, "strategy", "\"%s\" is unknown; use one of: %s", image->strategy,
                    names);
    return NULL;
}

/* An area serves one purpose. */
static bool is_free(struct json_reader *reader, const char *field, const struct layout *layout,
                    const struct ferry_vchip_image *image, uint32_t area)
{
    static const char *const taken[] = {"bootloader", "keys", "secrets", "store"};
    const char *name = layout->areas[area].name;

    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        if (strcmp(name, taken[i]) == 0) {
            return json_fail(reader, field, "\"%s\" is not for images; name another area", name);
        }
    }
    bool is_s0 = layout->has_first && area == layout->first_slots[0];
    if (layout_is_first(layout, area) ||
        (is_s0 && strcmp(image->strategy, ferry_traits_first_stage.name) != 0)) {
        return json_fail(reader, field, "\"%s\" is the first stage's; name another area", name);
    }
    if (area == image->primary || area == image->secondary) {
        return json_fail(reader, field, "\"%s\" is a slot of this image already; name another area",
                         name);
    }
    for (uint32_t i = 0; i < layout->image_count; i++) {
        const struct ferry_vchip_image *other = &layout->images[i];
        if (area == other->primary || area == other->secondary || area == other->scratch) {
            return json_fail(reader, field, "\"%s\" belongs to image %u; name another area", name,
                             (unsigned)i);
        }
    }
    return true;
}

static bool read_slot(struct json_reader *reader, const cJSON *item, const char *field,
                      const struct layout *layout, const struct ferry_vchip_image *image,
                      uint32_t *index)
{
    char name[FERRY_VCHIP_NAME];

    if (!layout_read_name(reader, item, field, name)) {
        return false;
    }
    const struct ferry_vchip_area *area = layout_area(layout, name);
    if (area == NULL) {
        return json_fail(reader, field, "there is no area \"%s\"; name one of \"areas\"", name);
    }
    uint32_t found = (uint32_t)(area - layout->areas);
    if (!is_free(reader, field, layout, image, found)) {
        return false;
    }
    *index = found;
    return true;
}

/* A field that the strategy needs, or must not have. */
static bool read_slot_if(struct json_reader *reader, const cJSON *item, const char *field,
                         const struct layout *layout, const struct ferry_vchip_image *image,
                         bool needed, uint32_t *index)
{
    if (needed && !json_has(item, field)) {
        return json_fail(reader, field, "is missing; %s needs one: name an area", image->strategy);
    }
    if (!needed && json_has(item, field)) {
        return json_fail(reader, field, "has no use with %s; leave it out", image->strategy);
    }
    return !needed || read_slot(reader, item, field, layout, image, index);
}

/* ---- Whether areas and strategy suit each other ---------------------------------------------- */

/* What each strategy asks of the slots' sectors, as its check has it. */
static const char *rule_of(const struct ferry_strategy_traits *traits)
{
    static const struct {
        const char *strategy, *rule;
    } rules[] = {
        {"swap-move", "give all sectors of both slots one size, and the primary as many of them as "
                      "the secondary or one more"},
        {"swap-offset", "give all sectors of both slots one size, and the secondary as many of "
                        "them as the primary or one more"},
        {"swap-shift", "give all sectors of both slots one size, and the secondary as many of "
                       "them as the primary or one more"},
        {"swap-scratch", "give both slots one size, the scratch area at least the size of their "
                         "largest sector, and max_sectors at least their sectors"},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (strcmp(rules[i].strategy, traits->name) == 0) {
            return rules[i].rule;
        }
    }
    return "make the slots larger: an image and its trailer must fit";
}

static uint32_t largest_write_size(const struct ferry_slots *slots)
{
    const struct ferry_flash *const areas[] = {slots->primary, slots->secondary, slots->scratch};
    uint32_t size = 0;

    for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
        size = areas[i] != NULL ? ferry_max32(size, areas[i]->write_size) : size;
    }
    return size;
}

/* Say which of the rules is broken, the simplest first. */
static void say_unsuited(struct json_reader *reader, const struct ferry_slots *slots, int result)
{
    const struct ferry_strategy_traits *traits = slots->strategy;
    uint32_t sectors = ferry_flash_sector_count(slots->primary);

    if (slots->secondary != NULL) {
        sectors = ferry_max32(sectors, ferry_flash_sector_count(slots->secondary));
    }
    if (largest_write_size(slots) > slots->max_align) {
        (void)json_fail(reader, NULL, "a slot has write_size %u; give max_align at least as much",
                        (unsigned)largest_write_size(slots));
    } else if (traits->sector_states > 0 && !traits->scratch && sectors > slots->max_sectors) {
        (void)json_fail(reader, NULL,
                        "the slots have %u sectors; give max_sectors at least as many, or smaller "
                        "slots",
                        (unsigned)sectors);
    } else if (result == FERRY_E_LAYOUT && traits->check(slots) == FERRY_OK) {
        (void)json_fail(reader, NULL,
                        "the slots are too small for %s; make them larger: an image and its "
                        "trailer must fit",
                        traits->name);
    } else {
        (void)json_fail(reader, NULL, "the slots do not suit %s (%s); %s", traits->name,
                        ferry_error_text(result), rule_of(traits));
    }
}

static int check_slots(struct json_reader *reader, const struct layout *layout,
                       const struct ferry_vchip_image *image)
{
    struct layout_slots slots;
    int result = layout_slots_of(layout, image, NULL, &slots);

    if (result != FERRY_OK) {
        (void)json_fail(reader, NULL, "an area of it is not usable (%s); move it",
                        ferry_error_text(result));
        return result;
    }
    result = ferry_slots_check(&slots.slots);
    if (result != FERRY_OK) {
        say_unsuited(reader, &slots.slots, result);
    }
    return result;
}

/* Whether the images so far end with the bootloader's own. */
static bool ends_with_first(const struct layout *layout)
{
    return layout->image_count > 0 && strcmp(layout->images[layout->image_count - 1].strategy,
                                             ferry_traits_first_stage.name) == 0;
}

/* The primary of the bootloader's own image is S0; the one that runs is found at the start. */
static bool check_first(struct json_reader *reader, const struct layout *layout,
                        const struct ferry_strategy_traits *traits,
                        const struct ferry_vchip_image *image)
{
    if (traits != &ferry_traits_first_stage) {
        return !ends_with_first(layout)
                   ? true
                   : json_fail(reader, NULL,
                               "stands behind the bootloader's own image; move that to the end");
    }
    if (!layout->has_first) {
        return json_fail(reader, "strategy",
                         "%s installs bootloaders for a first stage, and there is no "
                         "\"first_stage\"; add one or use another strategy",
                         traits->name);
    }
    return layout->image_count > 0 && image->primary == layout->first_slots[0]
               ? true
               : json_fail(reader, "primary",
                           "is not the area of \"s0\", as %s needs it, or is image 0's; name "
                           "another area",
                           traits->name);
}

/* The image of ram-load would be overwritten by another one's after it was verified. */
static bool check_ram(struct json_reader *reader, const struct layout *layout,
                      const struct ferry_strategy_traits *traits)
{
    if (traits->mode != FERRY_MODE_RAM_LOAD) {
        return true;
    }
    if (layout->ram_size == 0) {
        return json_fail(reader, "strategy",
                         "%s runs images from RAM, and there is no \"ram\"; "
                         "add its address and size",
                         traits->name);
    }
    for (uint32_t i = 0; i < layout->image_count; i++) {
        if (strncmp(layout->images[i].strategy, "ram-load", 8) == 0) {
            return json_fail(reader, "strategy", "image %u has the RAM already; use another one",
                             (unsigned)i);
        }
    }
    return true;
}

static int read_image(struct json_reader *reader, const cJSON *item, struct layout *layout)
{
    struct ferry_vchip_image image = {
        {0}, FERRY_VCHIP_NO_AREA, FERRY_VCHIP_NO_AREA, FERRY_VCHIP_NO_AREA};

    (void)json_only(reader, item, "primary secondary scratch strategy");
    const struct ferry_strategy_traits *traits = read_strategy(reader, item, &image);
    if (traits == NULL || !read_slot(reader, item, "primary", layout, &image, &image.primary) ||
        !read_slot_if(reader, item, "secondary", layout, &image, traits->slot_count == 2,
                      &image.secondary) ||
        !read_slot_if(reader, item, "scratch", layout, &image, traits->scratch, &image.scratch) ||
        !check_ram(reader, layout, traits) || !check_first(reader, layout, traits, &image)) {
        return FERRY_E_CONFIG;
    }
    layout->images[layout->image_count++] = image;
    return check_slots(reader, layout, &image);
}

/* ---- All images, and what holds for all -------------------------------------------------------
 */

static void read_ram(struct json_reader *reader, const cJSON *root, struct layout *layout)
{
    const cJSON *ram = cJSON_GetObjectItemCaseSensitive(root, "ram");

    if (ram == NULL) {
        return;
    }
    (void)snprintf(reader->where, sizeof(reader->where), "ram");
    (void)json_only(reader, ram, "address size");
    (void)json_number(reader, ram, "address", 0, 0xf0000000U, &layout->ram_address);
    (void)json_number(reader, ram, "size", 4096, FERRY_VCHIP_RAM_MAX, &layout->ram_size);
    reader->where[0] = '\0';
}

static void read_common(struct json_reader *reader, const cJSON *root, struct layout *layout)
{
    reader->where[0] = '\0';
    (void)json_number(reader, root, "max_align", 8, 32, &layout->max_align);
    if (!reader->failed && (layout->max_align & (layout->max_align - 1)) != 0) {
        (void)json_fail(reader, "max_align", "is %u; give 8, 16 or 32",
                        (unsigned)layout->max_align);
    }
    (void)json_number(reader, root, "max_sectors", 1, 32768, &layout->max_sectors);
    layout->trials = 1;
    if (json_has(root, "trials")) {
        (void)json_number(reader, root, "trials", 0, 100, &layout->trials);
    }
    if (json_has(root, "enc_tlv")) {
        (void)json_number(reader, root, "enc_tlv", 24, FERRY_TRAILER_ENC_TLV_MAX, &layout->enc_tlv);
    }
    read_ram(reader, root, layout);
}

int layout_read_images(struct json_reader *reader, const cJSON *root, struct layout *layout)
{
    const cJSON *images;
    const cJSON *item;
    uint32_t count;
    int result = FERRY_OK;

    read_common(reader, root, layout);
    (void)json_array(reader, root, "images", 1, FERRY_VCHIP_IMAGES, &images, &count);
    cJSON_ArrayForEach(item, images)
    {
        json_at(reader, "images", layout->image_count);
        result = reader->failed ? FERRY_E_CONFIG : read_image(reader, item, layout);
        if (result != FERRY_OK) {
            return result;
        }
    }
    return result;
}
