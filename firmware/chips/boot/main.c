/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader of a chip: lets the engine work, says in a line what it did, starts the image, and
 * serves recovery where it was asked for or nothing may run. */
#include "firmware/chips/boot/product.h"
#include "firmware/chips/common/console.h"
#include "firmware/chips/common/print.h"

#include "port/chip/chip.h"

/* Bites when this program hangs, and also a firmware that does not feed it. */
#define WATCHDOG_MS 8000

static struct ferry_boot_report report;

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

static void serve(void)
{
    for (;;) {
        enum ferry_recovery_wish wish = product_recovery->next(chip_now_ms());

        if (wish == FERRY_RECOVERY_RESET) {
            chip_keep_boot_mode(product_recovery->boot_mode());
            chip_reset();
        }
        if (wish == FERRY_RECOVERY_LEAVE) {
            return;
        }
        chip_feed(NULL);
        chip_wait(chip_now_ms() + WATCHDOG_MS / 4);
        console_serve(product_recovery->handle);
    }
}

/* Returns when it is left: boot, once more. */
static void recover(enum ferry_recovery_way way)
{
    int rc = product_recovery->begin(way, &report, chip_now_ms());

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
    product_start(&report);
}

int main(void)
{
    chip_init();
    chip_watchdog(WATCHDOG_MS);
    product_begin();
    print(chip_was_powered_on() ? "boot: Ferry, powered on\n" : "boot: Ferry, reset\n");
    recover_if_asked();
    for (;;) {
        int result = ferry_boot_run(&product_boot, &report);

        print_report();
        product_settle(&report, 0);
        if (result == FERRY_OK) {
            start();
        }
        recover(FERRY_RECOVERY_NO_IMAGE);
    }
}
