/* SPDX-License-Identifier: Apache-2.0 */
/* swap-scratch, as everyone must know it: the slots are exchanged through a third area. Sectors
 * may differ between the slots, and an image may reach into the trailer's sector.
 * [mcuboot-format.md §2.6 "Sizes"] */
#include "core/image/blocks.h"
#include "core/image/journal.h"

/* Every block that an image may use fits the scratch area, whose short trailer has the slots' form.
 */
static int check(const struct ferry_slots *slots)
{
    struct ferry_flash_sector block;
    if (slots->primary->size != slots->secondary->size || slots->scratch == NULL ||
        ferry_flash_check(slots->scratch) != FERRY_OK ||
        slots->scratch->write_size > slots->max_align) {
        return FERRY_E_LAYOUT;
    }
    int rc = ferry_block_first(slots, &block);
    while (rc == FERRY_OK && block.offset + block.size < slots->primary->size) {
        if (block.size > slots->scratch->size || block.index >= slots->max_sectors) {
            return FERRY_E_LAYOUT;
        }
        rc = ferry_block_next(slots, &block);
    }
    return rc == FERRY_OK && block.size <= slots->scratch->size && block.index < slots->max_sectors
               ? FERRY_OK
               : FERRY_E_LAYOUT;
}

/* The room up to the trailer of one slot. Where the image shares the trailer's first sector, the
 * scratch area keeps a short trailer of short_size bytes as well. */
static uint32_t room_in(const struct ferry_slots *slots, const struct ferry_flash *slot,
                        uint32_t trailer, uint32_t short_size)
{
    struct ferry_flash_sector sector;
    struct ferry_flash_sector block;
    uint32_t start = slot->size - trailer;
    if (ferry_flash_sector_at(slot, start, &sector) != FERRY_OK ||
        ferry_block_of(slots, start, &block) != FERRY_OK) {
        return 0;
    }
    uint32_t part = sector.offset + sector.size - start;
    uint32_t room = short_size > part ? start - ferry_min32(start, short_size - part) : start;
    uint32_t scratch = slots->scratch->size - ferry_min32(slots->scratch->size, short_size);
    return ferry_min32(room, block.offset + scratch);
}

uint32_t ferry_scratch_unit(const struct ferry_slots *slots)
{
    uint32_t unit = ferry_max32(slots->primary->write_size, slots->secondary->write_size);
    return ferry_max32(unit, slots->scratch->write_size);
}

uint32_t ferry_scratch_trailer(const struct ferry_slots *slots,
                               const struct ferry_trailer_layout *layout)
{
    return layout->keys + FERRY_SCRATCH_MARKS * ferry_scratch_unit(slots);
}

static uint32_t max_image(const struct ferry_slots *slots)
{
    struct ferry_trailer_layout layout;
    if (ferry_slots_trailer(slots, &layout) != FERRY_OK || layout.size > slots->primary->size) {
        return 0;
    }
    uint32_t short_size = ferry_scratch_trailer(slots, &layout);
    return ferry_min32(room_in(slots, slots->primary, layout.size, short_size),
                       room_in(slots, slots->secondary, layout.size, short_size));
}

const struct ferry_strategy_traits ferry_traits_swap_scratch = {.name = "swap-scratch",
                                                                .mode = FERRY_MODE_SWAP_SCRATCH,
                                                                .sector_states = 3,
                                                                .slot_count = 2,
                                                                .erases = 2,
                                                                .scratch = true,
                                                                .reverts = true,
                                                                .keeps_old = true,
                                                                .blocks = &ferry_blocks,
                                                                .check = check,
                                                                .max_image = max_image,
                                                                .read_end = ferry_journal_read_end};
