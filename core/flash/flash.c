/* SPDX-License-Identifier: Apache-2.0 */
/* Flash: the checks in front of every port, and what can be built from its three verbs. */
#include "ferry/flash.h"

#include <string.h>

/* Bytes looked at at once by the erased test; on the stack. */
#define LOOK_SIZE 64

/* ---- Geometry ------------------------------------------------------------------- */

static bool is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static bool is_unit_aligned(const struct ferry_flash *flash, size_t value)
{
    return (value & (flash->write_size - 1U)) == 0;
}

/* Add the bytes of a run to *sum; false for an empty one or a sum beyond 32 bits. */
static bool add_run(const struct ferry_flash_run *run, uint32_t *sum)
{
    if (run->count == 0 || run->size == 0) {
        return false;
    }
    if (run->count > (UINT32_MAX - *sum) / run->size) {
        return false;
    }
    *sum += run->count * run->size;
    return true;
}

int ferry_flash_check(const struct ferry_flash *flash)
{
    uint32_t sum = 0;

    if (flash == NULL || flash->ops == NULL) {
        return FERRY_E_CONFIG;
    }
    if (!is_power_of_two(flash->write_size) || flash->write_size > FERRY_FLASH_WRITE_MAX) {
        return FERRY_E_CONFIG;
    }
    if (flash->erased_value != 0xff && flash->erased_value != 0x00) {
        return FERRY_E_CONFIG;
    }
    if (flash->run_count == 0 || flash->run_count > FERRY_FLASH_RUNS) {
        return FERRY_E_CONFIG;
    }
    for (size_t i = 0; i < flash->run_count; i++) {
        /* A sector of whole write units: else no program could reach its last bytes. */
        if (!add_run(&flash->runs[i], &sum) || !is_unit_aligned(flash, flash->runs[i].size)) {
            return FERRY_E_CONFIG;
        }
    }
    return sum == flash->size ? FERRY_OK : FERRY_E_CONFIG;
}

uint32_t ferry_flash_sector_count(const struct ferry_flash *flash)
{
    uint32_t count = 0;

    for (size_t i = 0; i < flash->run_count; i++) {
        count += flash->runs[i].count;
    }
    return count;
}

int ferry_flash_sector_at(const struct ferry_flash *flash, uint32_t offset,
                          struct ferry_flash_sector *sector)
{
    uint32_t start = 0;
    uint32_t first = 0;

    for (size_t i = 0; i < flash->run_count; i++) {
        const struct ferry_flash_run *run = &flash->runs[i];

        if (offset - start < run->count * run->size) {
            uint32_t within = (offset - start) / run->size;

            sector->index = first + within;
            sector->offset = start + within * run->size;
            sector->size = run->size;
            return FERRY_OK;
        }
        first += run->count;
        start += run->count * run->size;
    }
    return FERRY_E_BOUNDS;
}

int ferry_flash_sector(const struct ferry_flash *flash, uint32_t index,
                       struct ferry_flash_sector *sector)
{
    uint32_t offset = 0;

    for (size_t i = 0; i < flash->run_count; i++) {
        const struct ferry_flash_run *run = &flash->runs[i];

        if (index < run->count) {
            return ferry_flash_sector_at(flash, offset + index * run->size, sector);
        }
        index -= run->count;
        offset += run->count * run->size;
    }
    return FERRY_E_BOUNDS;
}

bool ferry_flash_is_edge(const struct ferry_flash *flash, uint32_t offset)
{
    struct ferry_flash_sector sector;

    if (offset == flash->size) {
        return true;
    }
    return ferry_flash_sector_at(flash, offset, &sector) == FERRY_OK && sector.offset == offset;
}

/* ---- Checked access --------------------------------------------------------------- */

static int check_program(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    if (!ferry_inside(offset, len, flash->size)) {
        return FERRY_E_BOUNDS;
    }
    if (!is_unit_aligned(flash, offset) || !is_unit_aligned(flash, len)) {
        return FERRY_E_ALIGN;
    }
    return FERRY_OK;
}

int ferry_flash_read(const struct ferry_flash *flash, uint32_t offset, void *data, size_t len)
{
    if (len == 0) {
        return FERRY_OK;
    }
    if (!ferry_inside(offset, len, flash->size)) {
        return FERRY_E_BOUNDS;
    }
    return flash->ops->read(flash, offset, data, len);
}

int ferry_flash_program(const struct ferry_flash *flash, uint32_t offset, const void *data,
                        size_t len)
{
    if (len == 0) {
        return FERRY_OK;
    }

    int rc = check_program(flash, offset, len);

    return rc != FERRY_OK ? rc : flash->ops->program(flash, offset, data, len);
}

int ferry_flash_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    if (len == 0) {
        return FERRY_OK;
    }
    if (!ferry_inside(offset, len, flash->size)) {
        return FERRY_E_BOUNDS;
    }
    if (!ferry_flash_is_edge(flash, offset) ||
        !ferry_flash_is_edge(flash, offset + (uint32_t)len)) {
        return FERRY_E_ALIGN;
    }
    return flash->ops->erase(flash, offset, len);
}

/* ---- Built from the three verbs ------------------------------------------------- */

int ferry_flash_program_padded(const struct ferry_flash *flash, uint32_t offset, const void *data,
                               size_t len)
{
    uint8_t units[FERRY_FLASH_WRITE_MAX];

    if (len == 0 || len > sizeof(units)) {
        return FERRY_E_RANGE;
    }
    memset(units, flash->erased_value, sizeof(units));
    memcpy(units, data, len);
    return ferry_flash_program(flash, offset, units,
                               ferry_align_up((uint32_t)len, flash->write_size));
}

int ferry_flash_is_erased(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    uint8_t look[LOOK_SIZE];

    if (!ferry_inside(offset, len, flash->size)) {
        return FERRY_E_BOUNDS;
    }
    if (flash->ciphered && len > 0) {
        return 0;
    }
    while (len > 0) {
        size_t part = len < sizeof(look) ? len : sizeof(look);
        int rc = ferry_flash_read(flash, offset, look, part);

        if (rc != FERRY_OK) {
            return rc;
        }
        if (!ferry_all_equal(look, part, flash->erased_value)) {
            return 0;
        }
        offset += (uint32_t)part;
        len -= part;
    }
    return 1;
}

int ferry_flash_erase_dirty(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    if (!ferry_inside(offset, len, flash->size)) {
        return FERRY_E_BOUNDS;
    }

    uint32_t end = offset + (uint32_t)len;

    while (offset < end) {
        struct ferry_flash_sector sector;
        int rc = ferry_flash_sector_at(flash, offset, &sector);

        /* A failing read may be the ECC of a torn write, which an erase heals. */
        if (rc == FERRY_OK && ferry_flash_is_erased(flash, sector.offset, sector.size) != 1) {
            rc = ferry_flash_erase(flash, sector.offset, sector.size);
        }
        if (rc != FERRY_OK) {
            return rc;
        }
        offset = sector.offset + sector.size;
    }
    return FERRY_OK;
}

/* Program a chunk of a copy, unless it already reads so. In a ciphered target erased bytes read as
 * anything but erased. */
static int program_chunk(const struct ferry_flash *from, const struct ferry_flash *to,
                         uint32_t offset, const uint8_t *data, size_t len)
{
    if (!to->ciphered && from->erased_value == to->erased_value &&
        ferry_all_equal(data, len, to->erased_value)) {
        return FERRY_OK;
    }
    return ferry_flash_program(to, offset, data, len);
}

int ferry_flash_copy(const struct ferry_flash *from, uint32_t from_offset,
                     const struct ferry_flash *to, uint32_t to_offset, size_t len, uint8_t *buf,
                     size_t cap)
{
    size_t chunk = cap & ~(size_t)(to->write_size - 1U);
    int rc = check_program(to, to_offset, len);

    if (rc != FERRY_OK) {
        return rc;
    }
    if (!ferry_inside(from_offset, len, from->size)) {
        return FERRY_E_BOUNDS;
    }
    if (chunk == 0) {
        return FERRY_E_SPACE;
    }
    while (rc == FERRY_OK && len > 0) {
        size_t part = len < chunk ? len : chunk;

        rc = ferry_flash_read(from, from_offset, buf, part);
        if (rc == FERRY_OK) {
            rc = program_chunk(from, to, to_offset, buf, part);
        }
        from_offset += (uint32_t)part;
        to_offset += (uint32_t)part;
        len -= part;
    }
    return rc;
}
