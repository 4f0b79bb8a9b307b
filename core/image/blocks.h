/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: the smallest pieces of a pair of slots that begin and end with a sector in both. Where
 * the sectors are alike a block is a sector, and it is described as one. Internal to core/image and
 * core/boot. */
#ifndef FERRY_CORE_IMAGE_BLOCKS_H
#define FERRY_CORE_IMAGE_BLOCKS_H

#include "ferry/slots.h"

/* The first block of a pair, and the one behind block: *block becomes it.
 * Returns FERRY_OK, or FERRY_E_BOUNDS behind the last one or where the sectors have no common end
 * (block is then not to be used). */
FERRY_MUST_CHECK
int ferry_block_first(const struct ferry_slots *slots, struct ferry_flash_sector *block);
FERRY_MUST_CHECK
int ferry_block_next(const struct ferry_slots *slots, struct ferry_flash_sector *block);

/* The block with an index, and the one that holds an offset. Returns as ferry_block_next(). */
FERRY_MUST_CHECK
int ferry_block_at(const struct ferry_slots *slots, uint32_t index,
                   struct ferry_flash_sector *block);
FERRY_MUST_CHECK
int ferry_block_of(const struct ferry_slots *slots, uint32_t offset,
                   struct ferry_flash_sector *block);

/* For strategies whose sectors may differ. */
struct ferry_blocks {
    int (*next)(const struct ferry_slots *slots, struct ferry_flash_sector *block);
    int (*at)(const struct ferry_slots *slots, uint32_t index, struct ferry_flash_sector *block);
    int (*of)(const struct ferry_slots *slots, uint32_t offset, struct ferry_flash_sector *block);
};
extern const struct ferry_blocks ferry_blocks;

/* The same by the strategy of the slots: where its sectors are alike none of the above is linked.
 */
static inline int ferry_slots_block_next(const struct ferry_slots *slots,
                                         struct ferry_flash_sector *block)
{
    const struct ferry_blocks *blocks = slots->strategy->blocks;

    return blocks != NULL
               ? blocks->next(slots, block)
               : ferry_flash_sector_at(slots->primary, block->offset + block->size, block);
}

static inline int ferry_slots_block_at(const struct ferry_slots *slots, uint32_t index,
                                       struct ferry_flash_sector *block)
{
    const struct ferry_blocks *blocks = slots->strategy->blocks;

    return blocks != NULL ? blocks->at(slots, index, block)
                          : ferry_flash_sector(slots->primary, index, block);
}

static inline int ferry_slots_block_of(const struct ferry_slots *slots, uint32_t offset,
                                       struct ferry_flash_sector *block)
{
    const struct ferry_blocks *blocks = slots->strategy->blocks;

    return blocks != NULL ? blocks->of(slots, offset, block)
                          : ferry_flash_sector_at(slots->primary, offset, block);
}

#endif
