/* SPDX-License-Identifier: Apache-2.0 */
#include "server_flash.h"

#include "check.h"

#include <string.h>

/* Whether this operation fails: the one that fail_in comes to. */
static bool fails(struct server_faults *faults)
{
    if (faults->fail_in > 0 && --faults->fail_in == 0) {
        faults->happened = true;
        return true;
    }
    return faults->off;
}

static int flash_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    struct server_flash *area = flash->context;

    if (fails(area->faults)) {
        return FERRY_E_FLASH;
    }
    memcpy(data, area->memory + offset, len);
    return FERRY_OK;
}

static int flash_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                         size_t len)
{
    struct server_flash *area = flash->context;

    CHECK(offset >= area->forbidden);
    area->faults->writes++;
    if (fails(area->faults)) {
        size_t half = len / 2 / flash->write_size * flash->write_size;

        (void)ferry_flash_program(&area->ram.flash, offset, data, area->faults->off ? 0 : half);
        return FERRY_E_FLASH;
    }
    return ferry_flash_program(&area->ram.flash, offset, data, len);
}

static int flash_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    struct server_flash *area = flash->context;

    CHECK(area->forbidden == 0);
    area->faults->writes++;
    if (fails(area->faults)) {
        if (!area->faults->off) {
            memset(area->memory + offset, flash->erased_value, len / 2);
        }
        return FERRY_E_FLASH;
    }
    return ferry_flash_erase(&area->ram.flash, offset, len);
}

static const struct ferry_flash_ops ops = {
    .read = flash_read, .program = flash_program, .erase = flash_erase};

void server_flash_init(struct server_flash *flash, struct server_faults *faults, uint32_t sectors)
{
    struct ferry_flash *geometry = &flash->ram.flash;

    CHECK(sectors <= SERVER_SECTORS);
    memset(flash->memory, 0xff, sizeof(flash->memory));
    *geometry = (struct ferry_flash){.size = sectors * SERVER_SECTOR,
                                     .write_size = 8,
                                     .erased_value = 0xff,
                                     .run_count = 1,
                                     .runs = {{sectors, SERVER_SECTOR}}};
    CHECK(ferry_flash_ram_init(&flash->ram, flash->memory) == FERRY_OK);
    flash->flash = *geometry;
    flash->flash.ops = &ops;
    flash->flash.context = flash;
    flash->faults = faults;
    flash->forbidden = 0;
}

void server_flash_load(struct server_flash *flash, uint32_t offset, const uint8_t *bytes,
                       size_t len)
{
    CHECK(offset <= SERVER_AREA && len <= SERVER_AREA - offset);
    memcpy(flash->memory + offset, bytes, len);
}
