/* SPDX-License-Identifier: Apache-2.0 */
/* Two images: 0 is this firmware, swapped into the primary; 1 is the bootloader, of which the one
 * in the slot that runs is listed, and another is uploaded to the staging area. */
#include "firmware/chips/app/product.h"
#include "firmware/chips/common/console.h"

#include "ferry/group_image.h"
#include "ferry/group_os.h"
#include "port/chip/chip.h"

static struct ferry_slots slots[] = {
    {.primary = &chip_primary,
     .secondary = &chip_secondary,
     .strategy = &ferry_traits_swap_shift,
     .state = &ferry_slots_by_swap_no_store,
     .max_align = 8,
     .max_sectors = 128},
    {.secondary = &chip_staging,
     .strategy = &ferry_traits_first_stage,
     .state = &ferry_slots_first_stage,
     .max_align = 8,
     .max_sectors = 128,
     .number = 1},
};

static const struct ferry_image_group_config image_config = {
    .images = slots, .image_count = 2, .feed = chip_feed};
static struct ferry_os_group_config os_config = {.boot_modes = true, .has_b0 = true};
static struct ferry_image_group image;
static struct ferry_os_group os;

static const struct ferry_server_mount groups[] = {
    {&ferry_os_group_table, &os},
    {&ferry_image_group_table, &image},
};
static const struct ferry_server_config config = {
    .groups = groups, .group_count = 2, .buf_size = CONSOLE_PACKET, .buf_count = 1};
static struct ferry_server server;

int product_init(void)
{
    slots[1].primary = &chip_stages[chip_stage()];
    os_config.b0_slot = chip_stage();
    ferry_os_group_init(&os, &os_config);

    int rc = ferry_image_group_init(&image, &image_config);

    return rc == FERRY_OK ? ferry_server_init(&server, &config) : rc;
}

size_t product_handle(struct ferry_bytes *pending, uint8_t *out, size_t cap)
{
    return ferry_server_handle(&server, pending, CHIP_WIRE_HOST, out, cap);
}

bool product_reset_due(uint8_t *boot_mode)
{
    struct ferry_os_reset reset;

    if (!ferry_os_group_reset_due(&os, &reset)) {
        return false;
    }
    *boot_mode = reset.boot_mode;
    return true;
}
