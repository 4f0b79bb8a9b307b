/* SPDX-License-Identifier: Apache-2.0 */
/* The slots of a carrier: its own, and for what it carries a pair whose first slot holds nothing
 * and whose second is the store. So the list has the stored image as it is: there, and neither
 * running nor to be started here. */
#include "firmware/chips/carrier/carrier.h"
#include "port/chip/chip.h"

#include <string.h>

/* ---- A slot with nothing in it ----------------------------------------------------------------
 */

static int read_nothing(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    (void)offset;
    memset(data, flash->erased_value, len);
    return FERRY_OK;
}

static int program_nothing(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                           size_t len)
{
    (void)flash;
    (void)offset;
    (void)data;
    (void)len;
    return FERRY_E_UNSUPPORTED;
}

static int erase_nothing(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    (void)flash;
    (void)offset;
    (void)len;
    return FERRY_OK;
}

static const struct ferry_flash_ops nothing_ops = {
    .read = read_nothing, .program = program_nothing, .erase = erase_nothing};

/* As large as the store: the smaller of a pair says what fits. */
static struct ferry_flash nothing;

/* ---- Nothing to ask for -----------------------------------------------------------------------
 */

static int next_boot(const struct ferry_slots *slots, struct ferry_slots_next *next)
{
    (void)slots;
    *next = (struct ferry_slots_next){0, FERRY_SWAP_NONE};
    return FERRY_OK;
}

static int refuse_request(const struct ferry_slots *slots, bool permanent)
{
    (void)slots;
    (void)permanent;
    return FERRY_E_UNSUPPORTED;
}

static int refuse(const struct ferry_slots *slots)
{
    (void)slots;
    return FERRY_E_UNSUPPORTED;
}

static int cancel(const struct ferry_slots *slots)
{
    (void)slots;
    return FERRY_OK;
}

static const struct ferry_slots_state stored = {
    .next = next_boot, .set_pending = refuse_request, .confirm = refuse, .cancel = cancel};

/* ---- Both -------------------------------------------------------------------------------------
 */

static struct ferry_slots slots[CARRIER_IMAGES] = {
    {.primary = &chip_primary,
     .secondary = &chip_secondary,
     .strategy = &ferry_traits_ram_load_revert, /* the bootloader's, and the rest, too */
     .state = &ferry_slots_in_place,
     .max_align = 8,
     .max_sectors = 128},
    {.primary = &nothing,
     .secondary = &chip_store,
     .strategy = &ferry_traits_ram_load,
     .state = &stored,
     .max_align = 8,
     .max_sectors = 128,
     .number = CARRIER_STORED},
};

const struct ferry_slots *carrier_slots(uint8_t active)
{
    nothing = chip_store;
    nothing.ops = &nothing_ops;
    slots[0].active = active;
    return slots;
}
