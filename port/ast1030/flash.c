/* SPDX-License-Identifier: Apache-2.0 */
/* The SPI flash at the firmware memory controller: read in its window, erased and programmed by the
 * commands that all parts of up to 16 MiB have (JEDEC). Programs run from SRAM, so nothing stands
 * still meanwhile. */
#include "port/ast1030/registers.h"
#include "port/ast1030/ast1030.h"
#include "port/ast1030/map.h"

#include "ferry/boot.h"

#include <string.h>

#define COMMAND_PROGRAM 0x02
#define COMMAND_STATUS  0x05
#define COMMAND_WRITE   0x06 /* is about to happen: without it a part takes nothing */
#define COMMAND_ERASE   0x20 /* a sector of 4 KiB */
#define STATUS_BUSY     0x01

void ast1030_flash_init(void)
{
    FMC_CONF |= FMC_CONF_WRITABLE;
    FMC_CTRL0 = FMC_MAPPED;
}

/* ---- One command: from one edge of chip select to the other ------------------------------------
 */

static void send(uint32_t byte)
{
    REGISTER_BYTE(FMC_WINDOW) = (uint8_t)byte;
}

static void begin(uint32_t command)
{
    FMC_CTRL0 = FMC_USER_SELECTED;
    send(command);
}

static void end(void)
{
    FMC_CTRL0 = FMC_USER_RELEASED;
}

/* A command that changes something, at an address. */
static void begin_change(uint32_t command, uint32_t address)
{
    begin(COMMAND_WRITE);
    end();
    begin(command);
    send(address >> 16);
    send(address >> 8);
    send(address);
}

/* It begins when chip select rises, and the part says when it is done. */
static void end_change(void)
{
    uint8_t status;

    end();
    do {
        begin(COMMAND_STATUS);
        status = REGISTER_BYTE(FMC_WINDOW);
        end();
    } while ((status & STATUS_BUSY) != 0);
    FMC_CTRL0 = FMC_MAPPED;
}

/* ---- The contract -----------------------------------------------------------------------------
 */

static uint32_t address_of(const struct ferry_flash *flash, uint32_t offset)
{
    return (uint32_t)(uintptr_t)flash->context + offset;
}

static const uint8_t *seen_at(const struct ferry_flash *flash, uint32_t offset)
{
    return (const uint8_t *)(uintptr_t)(FMC_WINDOW + address_of(flash, offset));
}

static int read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    memcpy(data, seen_at(flash, offset), len);
    return FERRY_OK;
}

/* A part goes on at the beginning of a page that is written over its end. */
static int program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                   size_t len)
{
    for (size_t done = 0; done < len;) {
        uint32_t address = address_of(flash, offset) + (uint32_t)done;
        size_t end_of_page = done + MAP_PAGE - address % MAP_PAGE;

        begin_change(COMMAND_PROGRAM, address);
        for (; done < len && done < end_of_page; done++) {
            send(data[done]);
        }
        end_change();
    }
    return memcmp(seen_at(flash, offset), data, len) == 0 ? FERRY_OK : FERRY_E_FLASH;
}

static int erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    for (size_t done = 0; done < len; done += MAP_SECTOR) {
        begin_change(COMMAND_ERASE, address_of(flash, offset) + (uint32_t)done);
        end_change();
    }
    return FERRY_OK;
}

static const struct ferry_flash_ops ops = {.read = read, .program = program, .erase = erase};

#define AREA(address, bytes)                                                                       \
    {                                                                                              \
        .ops = &ops, .context = (void *)(address), .size = (bytes), .write_size = 1,               \
        .erased_value = 0xff, .run_count = 1, .runs = {                                            \
            {(bytes) / MAP_SECTOR, MAP_SECTOR}                                                     \
        }                                                                                          \
    }

const struct ferry_flash chip_primary = AREA(MAP_PRIMARY, MAP_SLOT_SIZE);
const struct ferry_flash chip_secondary = AREA(MAP_SECONDARY, MAP_SLOT_SIZE);
const struct ferry_flash chip_store = AREA(MAP_STORE, MAP_STORE_SIZE);

const struct ferry_boot_ram chip_load = {(uint8_t *)MAP_LOAD, MAP_LOAD, MAP_LOAD_SIZE};
uint8_t *const chip_shared = (uint8_t *)MAP_RAM_SHARED;
_Static_assert(MAP_RAM_SHARED + CHIP_SHARED_SIZE <= MAP_RAM + MAP_RAM_KEPT,
               "outlives chip_start()");
