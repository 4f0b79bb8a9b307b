/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: the smallest pieces of a pair of slots that begin and end with a sector in both. */
#include "core/image/blocks.h"

/* Where the sector of an area that holds an offset ends. */
static int sector_end(const struct ferry_flash *flash, uint32_t offset, uint32_t *end)
{
    struct ferry_flash_sector sector;
    int rc = ferry_flash_sector_at(flash, offset, &sector);
    if (rc == FERRY_OK) {
        *end = sector.offset + sector.size;
    }
    return rc;
}

/* The first offset behind start at which a sector ends in both slots. */
static int block_end(const struct ferry_slots *slots, uint32_t start, uint32_t *end)
{
    uint32_t primary = start;
    uint32_t secondary = start;
    int rc = FERRY_OK;
    do {
        if (primary <= secondary) {
            rc = sector_end(slots->primary, primary, &primary);
        } else {
            rc = sector_end(slots->secondary, secondary, &secondary);
        }
    } while (rc == FERRY_OK && (primary != secondary || primary == start));
    *end = primary;
    return rc;
}

static int measure(const struct ferry_slots *slots, struct ferry_flash_sector *block)
{
    uint32_t end = 0;
    int rc = block_end(slots, block->offset, &end);
    block->size = end - block->offset;
    return rc;
}

int ferry_block_first(const struct ferry_slots *slots, struct ferry_flash_sector *block)
{
    *block = (struct ferry_flash_sector){0, 0, 0};
    return measure(slots, block);
}

int ferry_block_next(const struct ferry_slots *slots, struct ferry_flash_sector *block)
{
    block->offset += block->size;
    block->index++;
    return measure(slots, block);
}

/* The size of all blocks, where every sector is as large as its neighbours; else 0. */
static uint32_t even_size(const struct ferry_slots *slots)
{
    uint32_t primary = slots->primary->runs[0].size;
    uint32_t secondary = slots->secondary->runs[0].size;
    bool even = slots->primary->run_count == 1 && slots->secondary->run_count == 1;
    return even && primary == secondary ? primary : 0;
}

int ferry_block_at(const struct ferry_slots *slots, uint32_t index,
                   struct ferry_flash_sector *block)
{
    uint32_t even = even_size(slots);
    if (even != 0 && index < slots->primary->size / even) {
        *block = (struct ferry_flash_sector){index, index * even, even};
        return measure(slots, block);
    }
    int rc = ferry_block_first(slots, block);
    while (rc == FERRY_OK && block->index < index) {
        rc = ferry_block_next(slots, block);
    }
    return rc;
}

int ferry_block_of(const struct ferry_slots *slots, uint32_t offset,
                   struct ferry_flash_sector *block)
{
    uint32_t even = even_size(slots);
    if (even != 0) {
        return ferry_block_at(slots, offset / even, block);
    }
    int rc = ferry_block_first(slots, block);
    while (rc == FERRY_OK && offset - block->offset >= block->size) {
        rc = ferry_block_next(slots, block);
    }
    return rc;
}

const struct ferry_blocks ferry_blocks = {
    .next = ferry_block_next, .at = ferry_block_at, .of = ferry_block_of};
