/* SPDX-License-Identifier: Apache-2.0 */
/* The example firmware of a chip: an SMP server on the host's wire. Built several times:
 * APP_VERSION is what it says it is, APP_FAULT makes it faulty, to be taken back. */
#include "firmware/chips/app/product.h"
#include "firmware/chips/common/console.h"
#include "firmware/chips/common/print.h"

#include "port/chip/chip.h"

enum { FAULT_NONE, FAULT_CRASH, FAULT_HANG };

/* The bootloader's watchdog bites after 8 s. */
#define FEED_MS 1000

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
    uint8_t boot_mode;

    if (product_reset_due(&boot_mode)) {
        chip_keep_boot_mode(boot_mode);
        chip_reset();
    }
}

int main(void)
{
    chip_init();
    print("app: " APP_VERSION "\n");
    break_down();
    console_init();
    if (product_init() != FERRY_OK) {
        return 1; /* the slots do not fit the strategy: a mistake in the product's tables */
    }
    for (;;) {
        chip_wait(chip_now_ms() + FEED_MS);
        chip_feed(NULL);
        console_serve(product_handle);
        reset_if_asked();
    }
}
