/* SPDX-License-Identifier: Apache-2.0 */
/* Memory as flash: NOR in RAM, and constant bytes to read from. */
#include "ferry/flash.h"

#include <string.h>

static int ram_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    const struct ferry_flash_ram *ram = flash->context;

    memcpy(data, ram->bytes + offset, len);
    return FERRY_OK;
}

/* Whether old can become new without a bit going back to its erased value. */
static bool can_become(uint8_t old, uint8_t new, uint8_t erased_value)
{
    return (uint8_t)((new ^ erased_value) | (old ^ erased_value)) == (new ^ erased_value);
}

static int ram_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                       size_t len)
{
    const struct ferry_flash_ram *ram = flash->context;
    uint8_t *target = ram->memory + offset;

    for (size_t i = 0; i < len; i++) {
        if (!can_become(target[i], data[i], flash->erased_value)) {
            return FERRY_E_NOT_ERASED;
        }
    }
    memcpy(target, data, len);
    return FERRY_OK;
}

static int ram_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    const struct ferry_flash_ram *ram = flash->context;

    memset(ram->memory + offset, flash->erased_value, len);
    return FERRY_OK;
}

static int rom_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                       size_t len)
{
    (void)flash;
    (void)offset;
    (void)data;
    (void)len;
    return FERRY_E_UNSUPPORTED;
}

static int rom_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    (void)flash;
    (void)offset;
    (void)len;
    return FERRY_E_UNSUPPORTED;
}

static const struct ferry_flash_ops ram_ops = {
    .read = ram_read, .program = ram_program, .erase = ram_erase};

static const struct ferry_flash_ops rom_ops = {
    .read = ram_read, .program = rom_program, .erase = rom_erase};

int ferry_flash_ram_init(struct ferry_flash_ram *ram, uint8_t *memory)
{
    ram->flash.ops = &ram_ops;
    ram->flash.context = ram;
    ram->bytes = memory;
    ram->memory = memory;
    return memory == NULL ? FERRY_E_CONFIG : ferry_flash_check(&ram->flash);
}

int ferry_flash_rom_init(struct ferry_flash_ram *rom, const uint8_t *bytes, uint32_t size)
{
    rom->flash = (struct ferry_flash){.ops = &rom_ops,
                                      .context = rom,
                                      .size = size,
                                      .write_size = 1,
                                      .erased_value = 0xff,
                                      .run_count = 1,
                                      .runs = {{.count = 1, .size = size}}};
    rom->bytes = bytes;
    rom->memory = NULL;
    return bytes == NULL ? FERRY_E_CONFIG : ferry_flash_check(&rom->flash);
}
