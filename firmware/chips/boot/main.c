/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader of a chip: lets the engine work, says in a line what it did, starts the image, and
 * serves recovery where it was asked for or nothing may run. */
#include "firmware/chips/boot/product.h"
#include "firmware/chips/common/console.h"
#include "firmware/chips/common/print.h"

#include "ferry/recovery.h"
#include "port/chip/chip.h"

/* Bites when this program hangs, and also a firmware that does not feed it. */
#define WATCHDOG_MS 8000

/* Recovery asked for is left after so long without a command. */
#define IDLE_MS 30000

#define BOOT_MODE_RECOVERY 1

static struct ferry_boot_report report;
static struct ferry_recovery recovery;

static void print_report(void)
{
    const struct ferry_boot_image_report *image = &report.images[0];

    print("boot: ");
    print(ferry_boot_action_name(image->action));
    if (image->reason != FERRY_OK) {
        print(", error ");
        print_number(image->reason);
    }
    print("\n");
}

/* ---- Recovery ---------------------------------------------------------------------------------
 */

static const struct ferry_recovery_config recovery_config = {
    .boot = &product_boot,
    .buf_size = CONSOLE_PACKET,
    .buf_count = 1,
    .idle_ms = IDLE_MS,
};

static size_t handle(struct ferry_bytes *pending, uint8_t *out, size_t cap)
{
    return ferry_recovery_handle(&recovery, pending, CHIP_WIRE_HOST, out, cap);
}

static void serve(void)
{
    for (;;) {
        uint64_t deadline;
        enum ferry_recovery_wish wish = ferry_recovery_next(&recovery, chip_now_ms(), &deadline);

        if (wish == FERRY_RECOVERY_RESET) {
            chip_keep_boot_mode(ferry_recovery_boot_mode(&recovery));
            chip_reset();
        }
        if (wish == FERRY_RECOVERY_LEAVE) {
            return;
        }
        chip_feed();
        chip_wait(chip_now_ms() + WATCHDOG_MS / 4);
        console_serve(handle);
    }
}

/* Returns when it is left: boot, once more. */
static void recover(enum ferry_recovery_way way)
{
    int rc = ferry_recovery_init(&recovery, &recovery_config, way,
                                 way == FERRY_RECOVERY_NO_IMAGE ? &report : NULL, chip_now_ms());

    print("boot: recovery (");
    print(ferry_recovery_way_name(way));
    print("): serving SMP\n");
    console_init();
    if (rc == FERRY_OK) {
        serve();
    }
}

static void recover_if_asked(void)
{
    if (chip_take_boot_mode() == BOOT_MODE_RECOVERY) {
        recover(FERRY_RECOVERY_BOOT_MODE);
    } else if (chip_button()) {
        recover(FERRY_RECOVERY_BUTTON);
    }
}

/* ---- The boot ---------------------------------------------------------------------------------
 */

static void start(void)
{
    const struct ferry_boot_image_report *image = &report.images[0];

    if (!ferry_boot_may_start(&report)) {
        return;
    }
    print("boot: starting ");
    print_version(&image->info.header.version);
    print("\n");
    chip_start(product_vectors(image));
}

int main(void)
{
    chip_init();
    chip_watchdog(WATCHDOG_MS);
    print("boot: Ferry\n");
    recover_if_asked();
    for (;;) {
        int result = ferry_boot_run(&product_boot, &report);

        print_report();
        if (result == FERRY_OK) {
            start();
        }
        recover(FERRY_RECOVERY_NO_IMAGE);
    }
}
