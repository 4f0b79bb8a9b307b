/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/chips/boot/product.h"
#include "firmware/chips/common/console.h"

#include "ferry/recovery_small.h"

static const struct ferry_recovery_small_config config = {
    .boot = &product_boot,
    .buf_size = CONSOLE_PACKET,
    .buf_count = 1,
    .idle_ms = RECOVERY_IDLE_MS,
};
static struct ferry_recovery_small recovery;

static int begin(enum ferry_recovery_way way, struct ferry_boot_report *report, uint64_t now)
{
    ferry_recovery_small_init(&recovery, &config, way, report, now);
    return FERRY_OK;
}

static size_t handle(struct ferry_bytes *pending, uint8_t *out, size_t cap)
{
    return ferry_recovery_small_handle(&recovery, pending, out, cap);
}

static enum ferry_recovery_wish next(uint64_t now)
{
    uint64_t deadline; /* main() asks often enough */

    return ferry_recovery_small_next(&recovery, now, &deadline);
}

static uint8_t boot_mode(void)
{
    return ferry_recovery_small_boot_mode(&recovery);
}

const struct recovery_kind recovery_small = {
    .begin = begin, .handle = handle, .next = next, .boot_mode = boot_mode};
