/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks: the smallest pieces of a pair of slots that begin and end with a sector in both. Where
 * the sectors are alike a block is a sector. Internal to core/image and core/boot. */
#ifndef FERRY_CORE_IMAGE_BLOCKS_H
#define FERRY_CORE_IMAGE_BLOCKS_H

#include "ferry/slots.h"

struct ferry_block {
    uint32_t index;
    uint32_t offset;
    uint32_t size;
};

/* The first block of a pair, and the one behind block: *block becomes it.
 * Returns FERRY_OK, or FERRY_E_BOUNDS behind the last one or where the sectors have no common end
 * (block is then not to be used). */
FERRY_MUST_CHECK
int ferry_block_first(const struct ferry_slots *slots, struct ferry_block *block);
FERRY_MUST_CHECK
int ferry_block_next(const struct ferry_slots *slots, struct ferry_block *block);

/* The block with an index, and the one that holds an offset. Returns as ferry_block_next(). */
FERRY_MUST_CHECK
int ferry_block_at(const struct ferry_slots *slots, uint32_t index, struct ferry_block *block);
FERRY_MUST_CHECK
int ferry_block_of(const struct ferry_slots *slots, uint32_t offset, struct ferry_block *block);

#endif
