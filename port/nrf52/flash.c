/* SPDX-License-Identifier: Apache-2.0 */
/* The flash inside the chip: pages of 4 KiB, words of 4 bytes. While it is erased (85 ms a page) or
 * programmed (41 us a word) the processor stands still. */
#include "port/nrf52/registers.h"
#include "port/nrf52/map.h"
#include "port/nrf52/nrf52.h"

#include <string.h>

static uintptr_t address_of(const struct ferry_flash *flash, uint32_t offset)
{
    return (uintptr_t)flash->context + offset;
}

/* The barrier: a word may wait in the processor still, and the controller seem ready. */
static void wait_until_done(void)
{
    __asm__ volatile("dmb" ::: "memory");
    while (NVMC_READY == 0) {
    }
}

static void allow(uint32_t what)
{
    NVMC_CONFIG = what;
    wait_until_done();
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
        wait_until_done();
    }
    allow(NVMC_READ_ONLY);
    return memcmp((const uint8_t *)address_of(flash, offset), data, len) == 0 ? FERRY_OK
                                                                              : FERRY_E_FLASH;
}

/* The controller tells no errors: what it did is looked at, as in program(). A slot takes 10
 * seconds, longer than a watchdog waits. */
static int erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    uintptr_t at = address_of(flash, offset);
    uint32_t bits = UINT32_MAX;

    allow(NVMC_ERASE);
    for (size_t i = 0; i < len; i += MAP_PAGE) {
        chip_feed(NULL);
        NVMC_ERASEPAGE = (uint32_t)(at + i);
        wait_until_done();
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
