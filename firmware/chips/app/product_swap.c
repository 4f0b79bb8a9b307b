/* SPDX-License-Identifier: Apache-2.0 */
/* One image that is swapped into the primary and runs there, with the smallest server:
 * PRODUCT_STRATEGY is the bootloader's. */
#include "firmware/chips/app/product.h"
#include "firmware/chips/common/console.h"

#include "ferry/group_image.h"
#include "ferry/group_os.h"
#include "port/chip/chip.h"

#define TABLE(family, strategy)  TABLE_(family, strategy)
#define TABLE_(family, strategy) ferry_##family##_##strategy

static const struct ferry_slots slots = {
    .primary = &chip_primary,
    .secondary = &chip_secondary,
    .strategy = &TABLE(traits, PRODUCT_STRATEGY), /* the bootloader's */
    .state = &ferry_slots_by_swap_no_store,
    .max_align = 8,
    .max_sectors = 128,
};

static void feed(void *context)
{
    (void)context;
    chip_feed();
}

static const struct ferry_image_group_config image_config = {
    .images = &slots, .image_count = 1, .feed = feed};
static const struct ferry_os_group_config os_config = {.boot_modes = true};
static struct ferry_image_group image;
static struct ferry_os_group os;

static const struct ferry_server_mount groups[] = {
    {&ferry_os_minimal_table, &os},
    {&ferry_image_minimal_table, &image},
};
static const struct ferry_server_config config = {
    .groups = groups, .group_count = 2, .buf_size = CONSOLE_PACKET, .buf_count = 1};
static struct ferry_server server;

int product_init(void)
{
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
