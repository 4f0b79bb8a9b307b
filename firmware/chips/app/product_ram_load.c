/* SPDX-License-Identifier: Apache-2.0 */
/* One image that runs from RAM, loaded from either slot, with the whole groups os and image. */
#include "firmware/chips/app/product.h"
#include "firmware/chips/common/console.h"

#include "ferry/group_image.h"
#include "ferry/group_os.h"
#include "ferry/shared_data.h"
#include "port/chip/chip.h"

/* active is found out at the start. */
static struct ferry_slots slots = {
    .primary = &chip_primary,
    .secondary = &chip_secondary,
    .strategy = &ferry_traits_ram_load_revert, /* the bootloader's, and the rest, too */
    .state = &ferry_slots_in_place,
    .max_align = 8,
    .max_sectors = 128,
};

static const struct ferry_image_group_config image_config = {
    .images = &slots,
    .image_count = 1,
    .check = &ferry_image_check_sha256,
    .upload = ferry_image_refuse_compressed,
    .feed = chip_feed,
};
static const struct ferry_os_group_config os_config = {
    .boot_modes = true,
    .bootloader_mode = FERRY_MODE_RAM_LOAD,
};
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
    int rc = ferry_shared_data_u8(chip_shared, CHIP_SHARED_SIZE, FERRY_BLINFO_SLOT, &slots.active);

    ferry_os_group_init(&os, &os_config);
    if (rc == FERRY_OK) {
        rc = ferry_image_group_init(&image, &image_config);
    }
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
