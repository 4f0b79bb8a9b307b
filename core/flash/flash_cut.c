/* SPDX-License-Identifier: Apache-2.0 */
/* A flash whose power fails at a chosen operation. */
#include "ferry/flash.h"

/* How much of an operation of len bytes happens. */
static size_t share(const struct ferry_flash_cutter *cutter, size_t len)
{
    size_t unit = cutter->flash.write_size;

    if (cutter->power->how == FERRY_CUT_BEFORE) {
        return 0;
    }
    return cutter->power->how == FERRY_CUT_AFTER ? len : len / unit / 2 * unit;
}

/* Count an operation of *len bytes. When the power fails at it, switch it off and cut *len down
 * to what still happens. */
static void count_operation(const struct ferry_flash_cutter *cutter, size_t *len)
{
    struct ferry_power *power = cutter->power;

    power->operations++;
    if (power->operations == power->cut_at) {
        power->off = true;
        *len = share(cutter, *len);
    }
}

/* What the caller learns: with the power off nobody lives to see how the operation ended. */
static int outcome(const struct ferry_flash_cutter *cutter, int rc)
{
    return cutter->power->off ? FERRY_E_POWER : rc;
}

static int cut_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    const struct ferry_flash_cutter *cutter = flash->context;

    if (cutter->power->off) {
        return FERRY_E_POWER;
    }
    return cutter->inner->ops->read(cutter->inner, offset, data, len);
}

static int cut_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                       size_t len)
{
    const struct ferry_flash_cutter *cutter = flash->context;

    if (cutter->power->off) {
        return FERRY_E_POWER;
    }
    count_operation(cutter, &len);
    if (len == 0) {
        return FERRY_E_POWER;
    }
    return outcome(cutter, cutter->inner->ops->program(cutter->inner, offset, data, len));
}

static int cut_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    const struct ferry_flash_cutter *cutter = flash->context;

    if (cutter->power->off) {
        return FERRY_E_POWER;
    }
    count_operation(cutter, &len);
    if (len == 0) {
        return FERRY_E_POWER;
    }
    return outcome(cutter, cutter->inner->ops->erase(cutter->inner, offset, len));
}

static const struct ferry_flash_ops cut_ops = {
    .read = cut_read, .program = cut_program, .erase = cut_erase};

void ferry_flash_cutter_init(struct ferry_flash_cutter *cutter, const struct ferry_flash *inner,
                             struct ferry_power *power)
{
    cutter->flash = *inner;
    cutter->flash.ops = &cut_ops;
    cutter->flash.context = cutter;
    cutter->inner = inner;
    cutter->power = power;
}
