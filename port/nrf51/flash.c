/* SPDX-License-Identifier: Apache-2.0 */
/* The flash inside the chip: pages of 1 KiB, words of 4 bytes. While it is erased (22 ms) or
 * programmed (46 us) the processor stands still, and the milliseconds with it.
 * [nRF51 Series Reference Manual 3.0, NVMC] */
#include "port/nrf51/registers.h"
#include "port/nrf51/map.h"
#include "port/nrf51/nrf51.h"

#include <string.h>

static uintptr_t address_of(const struct ferry_flash *flash, uint32_t offset)
{
    return (uintptr_t)flash->context + offset;
}

static void allow(uint32_t what)
{
    NVMC_CONFIG = what;
    while (NVMC_READY == 0) {
    }
}

static int read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    memcpy(data, (const uint8_t *)address_of(flash, offset), len);
    return FERRY_OK;
}

static int program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                   size_t len)
{
    allow(NVMC_WRITE);
    for (size_t i = 0; i < len; i += 4) {
        uint32_t word;

        memcpy(&word, data + i, sizeof(word));
        REGISTER(address_of(flash, offset) + i) = word;
        while (NVMC_READY == 0) {
        }
    }
    allow(NVMC_READ_ONLY);
    return memcmp((const uint8_t *)address_of(flash, offset), data, len) == 0 ? FERRY_OK
                                                                              : FERRY_E_FLASH;
}

/* The controller tells no errors: what it did is looked at, as in program(). */
static int erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    uintptr_t at = address_of(flash, offset);
    uint32_t bits = UINT32_MAX;

    allow(NVMC_ERASE);
    for (size_t i = 0; i < len; i += MAP_PAGE) {
        NVMC_ERASEPAGE = (uint32_t)(at + i);
        while (NVMC_READY == 0) {
        }
    }
    allow(NVMC_READ_ONLY);
    for (size_t i = 0; i < len; i += 4) {
        bits &= REGISTER(at + i);
    }
    return bits == UINT32_MAX ? FERRY_OK : FERRY_E_FLASH;
}

static const struct ferry_flash_ops ops = {.read = read, .program = program, .erase = erase};

#define AREA(address, bytes)                                                                       \
    {                                                                                              \
        .ops = &ops, .context = (void *)(address), .size = (bytes), .write_size = 4,               \
        .erased_value = 0xff, .run_count = 1, .runs = {                                            \
            {(bytes) / MAP_PAGE, MAP_PAGE}                                                         \
        }                                                                                          \
    }

const struct ferry_flash chip_primary = AREA(MAP_PRIMARY, MAP_SLOT_SIZE);
const struct ferry_flash chip_secondary = AREA(MAP_SECONDARY, MAP_SLOT_SIZE);
const uintptr_t chip_primary_address = MAP_PRIMARY;

#ifdef MAP_WITH_FIRST_STAGE
const struct ferry_flash chip_stages[2] = {AREA(MAP_S0, MAP_STAGE_SIZE),
                                           AREA(MAP_S1, MAP_STAGE_SIZE)};
const uint32_t chip_stage_addresses[2] = {MAP_S0, MAP_S1};
const struct ferry_flash chip_staging = AREA(MAP_STAGING, MAP_STAGE_SIZE);
const struct ferry_flash chip_provision = AREA(MAP_PROVISION, MAP_PAGE);
#endif
