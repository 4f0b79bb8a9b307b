/* SPDX-License-Identifier: Apache-2.0 */
/* The example firmware of a chip: the smallest SMP server, and a button that leads to recovery.
 * Built several times: APP_VERSION is what it says it is, APP_FAULT makes it faulty, to be taken
 * back. */
#include "firmware/chips/common/console.h"
#include "firmware/chips/common/print.h"

#include "ferry/group_image.h"
#include "ferry/group_os.h"
#include "port/chip/chip.h"

enum { FAULT_NONE, FAULT_CRASH, FAULT_HANG };

/* From an accepted reset to the reset: the answer must have left. */
#define RESET_MS 50

/* The bootloader's watchdog bites after 8 s. */
#define FEED_MS 1000

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

static size_t handle(struct ferry_bytes *pending, uint8_t *out, size_t cap)
{
    return ferry_server_handle(&server, pending, CHIP_WIRE_HOST, out, cap);
}

/* Volatile, so that the faulty ones differ in nothing else. */
static void break_down(void)
{
    static volatile int fault = APP_FAULT;

    if (fault == FAULT_CRASH) {
        __builtin_trap();
    }
    while (fault == FAULT_HANG) { /* the watchdog is not fed */
    }
}

static void reset_if_asked(void)
{
    struct ferry_os_reset reset;

    if (ferry_os_group_reset_due(&os, &reset)) {
        uint64_t at = chip_now_ms() + RESET_MS;

        chip_keep_boot_mode(reset.boot_mode);
        while (chip_now_ms() < at) {
            chip_wait(at);
        }
        chip_reset();
    }
}

int main(void)
{
    chip_init();
    print("app: " APP_VERSION "\n");
    break_down();
    ferry_os_group_init(&os, &os_config);
    console_init();
    if (ferry_image_group_init(&image, &image_config) != FERRY_OK ||
        ferry_server_init(&server, &config) != FERRY_OK) {
        return 1; /* the slots do not fit the strategy: a mistake in the tables above */
    }
    for (;;) {
        chip_wait(chip_now_ms() + FEED_MS);
        chip_feed();
        console_serve(handle);
        reset_if_asked();
    }
}
