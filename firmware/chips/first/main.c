/* SPDX-License-Identifier: Apache-2.0 */
/* The immutable first stage of a chip ("B0"): lets the engine choose one of two bootloaders, says
 * on the host's wire what it did, and starts it. Nobody updates it. */
#include "firmware/chips/common/print.h"
#include "firmware/chips/first/stages.h"

#include "port/chip/chip.h"

/* Bites when this program hangs; the bootloader feeds it, too. */
#define WATCHDOG_MS 8000

static struct ferry_first first;
static struct ferry_first_report report;

static void print_slot(unsigned slot)
{
    print(slot == 0 ? "S0" : "S1");
}

static void print_refusal(unsigned slot)
{
    if (report.reasons[slot] == FERRY_OK) {
        return;
    }
    print("b0: ");
    print_slot(slot);
    print(" may not run: ");
    print(ferry_error_text(report.reasons[slot]));
    print(report.invalidated[slot] ? "; given up for good\n" : "\n");
}

static void print_settled(void)
{
    int failed = report.revoked < 0 ? report.revoked : report.raised < 0 ? report.raised : 0;

    if (report.revoked > 0) {
        print("b0: older keys revoked: ");
        print_number(report.revoked);
        print("\n");
    }
    if (report.raised == 1) {
        print("b0: no bootloader below ");
        print_number((int32_t)report.stage.info.version);
        print(" runs from now on\n");
    }
    if (failed != 0) {
        print("b0: provision data not written: ");
        print(ferry_error_text(failed));
        print("\n");
    }
}

/* Nothing can be done here but to wait for a person. */
static _Noreturn void halt(int why)
{
    print("b0: stopped: ");
    print(ferry_error_text(why));
    print("; program S0 and the provision data by debugger (docs/FIRST.md)\n");
    for (;;) {
        chip_feed(NULL);
        chip_wait(chip_now_ms() + WATCHDOG_MS / 4);
    }
}

static _Noreturn void start(void)
{
    print("b0: starting ");
    print_slot(report.slot);
    print(", version ");
    print_number((int32_t)report.stage.info.version);
    print("\n");
    chip_keep_stage(report.slot);
    chip_start(report.stage.info.boot_address);
}

int main(void)
{
    chip_init();
    chip_watchdog(WATCHDOG_MS);
    stages_read(&first, 0);

    int result = ferry_first_select(&first, &report);

    print_refusal(0);
    print_refusal(1);
    if (result != FERRY_OK) {
        halt(result);
    }
    print_settled();
    start();
}
