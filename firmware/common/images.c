/* SPDX-License-Identifier: Apache-2.0 */
/* What the board's layout means to a program: the slots of its images, and the store. */
#include "images.h"

static void open_store(struct images *images, const struct vchip *chip)
{
    int number = vchip_find(chip, "store");

    images->store_result = FERRY_E_NOT_FOUND;
    if (number < 0) {
        return;
    }
    images->store_result = vchip_area(chip, (uint32_t)number, &images->store_area);
    if (images->store_result == FERRY_OK) {
        images->store_result = ferry_store_open(&images->store, &images->store_area.flash);
    }
}

/* The area with a number as flash; NULL when the image has none of its kind. */
static int open_area(const struct vchip *chip, uint32_t number, struct ferry_flash_slice *area,
                     const struct ferry_flash **flash)
{
    *flash = NULL;
    if (number == FERRY_VCHIP_NO_AREA) {
        return FERRY_OK;
    }
    int result = vchip_area(chip, number, area);
    if (result == FERRY_OK) {
        *flash = &area->flash;
    }
    return result;
}

/* Where an area begins, as images linked to an address count. */
static uint32_t address_of(const struct vchip *chip, uint32_t number)
{
    if (number >= chip->start.area_count) {
        return 0;
    }
    const struct ferry_vchip_area *area = &chip->start.areas[number];
    return area->device * FERRY_VCHIP_SPAN + area->offset;
}

/* The bootloader's own image runs from S0 or S1, as the first stage said. */
static struct ferry_vchip_image find_running(const struct vchip *chip, uint32_t i)
{
    struct ferry_vchip_image image = chip->start.images[i];

    if (ferry_strategy_traits_find(image.strategy) == &ferry_traits_first_stage) {
        image.primary = chip->start.first_slots[chip->start.first_active == 1 ? 1 : 0];
    }
    return image;
}

static int read_image(struct images *images, const struct vchip *chip, uint32_t i, const char **why)
{
    const struct ferry_vchip_image running = find_running(chip, i);
    const struct ferry_vchip_image *image = &running;
    struct ferry_slots *slots = &images->slots[i];

    *slots = (struct ferry_slots){
        .strategy = ferry_strategy_traits_find(image->strategy),
        .max_align = chip->start.max_align,
        .max_sectors = chip->start.max_sectors,
        .store = images->store_result == FERRY_OK ? &images->store : NULL,
        .number = (uint8_t)i,
        .active = chip->start.slots[i],
        .policy = &images->policy.image,
        .enc_tlv = (uint16_t)chip->start.enc_tlv,
    };
    images->addresses[i][0] = address_of(chip, image->primary);
    images->addresses[i][1] = address_of(chip, image->secondary);
    if (slots->strategy == NULL) {
        *why = "a strategy that this program does not know";
        return FERRY_E_CONFIG;
    }
    slots->state = ferry_slots_state_of(slots->strategy);
    if (open_area(chip, image->primary, &images->areas[i][0], &slots->primary) != FERRY_OK ||
        open_area(chip, image->secondary, &images->areas[i][1], &slots->secondary) != FERRY_OK ||
        open_area(chip, image->scratch, &images->areas[i][2], &slots->scratch) != FERRY_OK) {
        *why = "a slot that is no part of the flash";
        return FERRY_E_LAYOUT;
    }
    return FERRY_OK;
}

int images_read(struct images *images, const struct vchip *chip, const char **why)
{
    int result = FERRY_OK;

    open_store(images, chip);
    policy_read(&images->policy, &chip->start);
    for (uint32_t i = 0; result == FERRY_OK && i < chip->start.image_count; i++) {
        result = read_image(images, chip, i, why);
    }
    return result;
}
