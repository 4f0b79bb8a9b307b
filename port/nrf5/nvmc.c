/* SPDX-License-Identifier: Apache-2.0 */
/* The flash inside the chip. While it is erased (22 ms a page of an nRF51, 85 ms of an nRF52) or
 * programmed (46 us a word, 41 us) the processor stands still, and the milliseconds with it. */
#include "port/nrf5/nvmc.h"
#include "port/chip/chip.h"
#include "port/chip/cortex_m.h"

#define NVMC_READY     REGISTER(0x4001e400)
#define NVMC_CONFIG    REGISTER(0x4001e504)
#define NVMC_ERASEPAGE REGISTER(0x4001e508)
#define NVMC_READ_ONLY 0U
#define NVMC_WRITE     1U
#define NVMC_ERASE     2U

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

/* The controller tells no errors: what it did is looked at, as in program(). A slot of an nRF52
 * takes 10 seconds, longer than a watchdog waits. */
static int erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    uintptr_t at = address_of(flash, offset);
    uint32_t bits = UINT32_MAX;

    allow(NVMC_ERASE);
    for (size_t i = 0; i < len; i += flash->runs[0].size) {
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

const struct ferry_flash_ops nvmc_ops = {.read = read, .program = program, .erase = erase};
