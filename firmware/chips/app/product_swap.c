/* SPDX-License-Identifier: Apache-2.0 */
/* One image that is swapped into the primary and runs there, with the smallest server:
 * PRODUCT_STRATEGY is the bootloader's. */
#include "firmware/chips/app/product.h"
#include "firmware/chips/common/console.h"

#include "ferry/group_image_small.h"
#include "ferry/group_os_small.h"
#include "port/chip/chip.h"

#define TRAITS(strategy)  TRAITS_(strategy)
#define TRAITS_(strategy) ferry_traits_##strategy##_small

static const struct ferry_slots slots = {
    .primary = &chip_primary,
    .secondary = &chip_secondary,
    .strategy = &TRAITS(PRODUCT_STRATEGY), /* the bootloader's */
    .state = &ferry_slots_by_swap_small,
    .max_align = 8,
    .max_sectors = 128,
};

static struct ferry_image_small image;
static struct ferry_os_small os;

static const struct ferry_server_mount groups[] = {
    {&ferry_os_small_table, &os},
    {&ferry_image_small_table, &image},
};
static const struct ferry_server_config config = {
    .groups = groups, .group_count = 2, .buf_size = CONSOLE_PACKET, .buf_count = 1};
static struct ferry_server server;

int product_init(void)
{
    ferry_image_small_init(&image, &slots, chip_feed, NULL);
    return ferry_server_init(&server, &config);
}

size_t product_handle(struct ferry_bytes *pending, uint8_t *out, size_t cap)
{
    return ferry_server_handle(&server, pending, CHIP_WIRE_HOST, out, cap);
}

bool product_reset_due(uint8_t *boot_mode)
{
    *boot_mode = os.boot_mode;
    return os.reset_due;
}
