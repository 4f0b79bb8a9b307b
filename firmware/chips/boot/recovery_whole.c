/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/chips/boot/product.h"
#include "firmware/chips/common/console.h"

#include "port/chip/chip.h"

/* A bootloader that is installed goes on with recovery. */
static void settled(void *context, int result, const struct ferry_boot_report *report)
{
    (void)context;
    (void)result;
    product_settle(report, BOOT_MODE_RECOVERY);
}

static const struct ferry_recovery_config config = {
    .boot = &product_boot,
    .buf_size = CONSOLE_PACKET,
    .buf_count = 1,
    .idle_ms = RECOVERY_IDLE_MS,
    .settled = settled,
};
static struct ferry_recovery recovery;

static int begin(enum ferry_recovery_way way, struct ferry_boot_report *report, uint64_t now)
{
    return ferry_recovery_init(&recovery, &config, way,
                               way == FERRY_RECOVERY_NO_IMAGE ? report : NULL, now);
}

static size_t handle(struct ferry_bytes *pending, uint8_t *out, size_t cap)
{
    return ferry_recovery_handle(&recovery, pending, CHIP_WIRE_HOST, out, cap);
}

static enum ferry_recovery_wish next(uint64_t now)
{
    uint64_t deadline; /* main() asks often enough */

    return ferry_recovery_next(&recovery, now, &deadline);
}

static uint8_t boot_mode(void)
{
    return ferry_recovery_boot_mode(&recovery);
}

const struct recovery_kind recovery_whole = {
    .begin = begin, .handle = handle, .next = next, .boot_mode = boot_mode};
