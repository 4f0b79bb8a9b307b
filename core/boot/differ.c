/* SPDX-License-Identifier: Apache-2.0 */
/* Which blocks of the two images differ: the others need not be moved at all. While the swap runs
 * this can no longer be seen, so it stands in the journal. */
#include "core/boot/swap.h"
#include "core/image/blocks.h"

#define MAP_BITS 32

/* A map's index is one byte in the journal. */
#define MAPS_MAX 256

/* Places that are left for boots that resume. */
#define SPARE_PLACES 5

/* Bytes of a block that hold image. */
static uint32_t used(const struct ferry_boot_swap *swap, const struct ferry_flash_sector *block)
{
    return block->offset < swap->size ? ferry_min32(block->size, swap->size - block->offset) : 0;
}

/* Whether a block may stay as it is in both slots: it is what comes and what leaves.
 * Returns 1, 0 or FERRY_E_POWER. */
static int is_alike(const struct ferry_boot_swap *swap, uint32_t offset, uint32_t len)
{
    const struct ferry_flash *primary = swap->primary;
    int rc = ferry_boot_same(swap, primary, offset, swap->incoming, offset, len);

    if (rc == 1 && swap->outgoing != swap->incoming) {
        rc = ferry_boot_same(swap, primary, offset, swap->outgoing, offset, len);
    }
    return rc;
}

/* Compare the next blocks, up to MAP_BITS of them, before limit. Returns FERRY_OK or an error. */
static int compare(const struct ferry_boot_swap *swap, struct ferry_flash_sector *block,
                   uint32_t limit, uint32_t *bits, uint32_t *differing)
{
    uint32_t end = ferry_min32(limit, block->index + MAP_BITS);
    int rc = FERRY_OK;

    *bits = 0;
    while (rc == FERRY_OK && block->index < end) {
        int same = is_alike(swap, block->offset, used(swap, block));

        if (same < 0) {
            return same;
        }
        if (same == 0) {
            *bits |= 1U << (block->index % MAP_BITS);
            (*differing)++;
        }
        ferry_boot_feed(swap);
        if (block->index + 1 == limit) {
            block->index++;
            break;
        }
        rc = ferry_slots_block_next(swap->slots, block);
    }
    return rc;
}

/* Walk over all blocks; with write, put the maps into the journal. */
static int walk(struct ferry_boot_swap *swap, uint32_t limit, bool write, uint32_t *differing)
{
    struct ferry_flash_sector block;
    uint32_t bits = 0;
    int rc = ferry_slots_block_at(swap->slots, 0, &block);

    *differing = 0;
    while (rc == FERRY_OK && block.index < limit) {
        uint32_t index = block.index / MAP_BITS;

        rc = compare(swap, &block, limit, &bits, differing);
        if (rc == FERRY_OK && write) {
            rc = ferry_boot_journal_map(swap, index, bits);
        }
    }
    return rc;
}

int ferry_boot_differ_find(struct ferry_boot_swap *swap, uint32_t limit)
{
    uint32_t maps = (limit + MAP_BITS - 1) / MAP_BITS;
    uint32_t differing = 0;

    swap->mapped = false;
    swap->differing = limit;
    if (maps > MAPS_MAX || maps + SPARE_PLACES > ferry_boot_journal_room(swap)) {
        return FERRY_OK;
    }

    int rc = walk(swap, limit, false, &differing);

    if (rc != FERRY_OK || differing == limit) {
        return rc;
    }
    rc = walk(swap, limit, true, &differing);
    if (rc == FERRY_OK) {
        swap->mapped = true;
        swap->differing = differing;
    }
    /* Without the map the swap only does more than it must. */
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

static uint32_t bits_set(uint32_t bits)
{
    uint32_t count = 0;

    for (; bits != 0; bits &= bits - 1) {
        count++;
    }
    return count;
}

int ferry_boot_differ_resume(struct ferry_boot_swap *swap, uint32_t limit)
{
    uint32_t bits = 0;
    int rc = FERRY_OK;

    swap->differing = swap->mapped ? 0 : limit;
    for (uint32_t first = 0; swap->mapped && rc == FERRY_OK && first < limit; first += MAP_BITS) {
        rc = ferry_boot_journal_map_read(swap, first / MAP_BITS, &bits);
        swap->differing += rc == FERRY_OK ? bits_set(bits) : 0;
    }
    return rc == FERRY_E_NOT_FOUND ? FERRY_E_FLASH : rc;
}

int ferry_boot_differ_at(const struct ferry_boot_swap *swap, uint32_t n, uint32_t *index)
{
    uint32_t bits = 0;

    if (!swap->mapped) {
        *index = n;
        return FERRY_OK;
    }
    for (uint32_t map = 0; map < MAPS_MAX; map++) {
        int rc = ferry_boot_journal_map_read(swap, map, &bits);

        if (rc != FERRY_OK) {
            return rc == FERRY_E_NOT_FOUND ? FERRY_E_FLASH : rc;
        }
        if (n < bits_set(bits)) {
            for (; n > 0; n--) {
                bits &= bits - 1;
            }
            *index = map * MAP_BITS + bits_set((bits & (~bits + 1)) - 1);
            return FERRY_OK;
        }
        n -= bits_set(bits);
    }
    return FERRY_E_FLASH;
}

const struct ferry_boot_differ ferry_boot_differ = {.find = ferry_boot_differ_find,
                                                    .resume = ferry_boot_differ_resume};
