/* SPDX-License-Identifier: Apache-2.0 */
/* Swap with one spare sector in the primary: its image moves up, from its end, then sector after
 * sector changes places with the secondary. [mcuboot-format.md §2.6 "move"]
 *
 * Only the sectors that differ take part: D[0] .. D[m-1], from the lowest on; D[m] is the spare
 * behind both images. With all of them it is MCUboot's own order. There are 3 m steps:
 *   move k = m-1 .. 0  P[D[k]] -> P[D[k+1]]
 *   swap j = 0 .. m-1  S[D[j]] -> P[D[j]], then P[D[j+1]] -> S[D[j]]
 * The source of each step is not touched before the mark of that step stands. */
#include "core/boot/swap.h"

static uint32_t sector_size(const struct ferry_boot_swap *swap)
{
    return swap->primary->runs[0].size;
}

/* Bytes of an image of so many in a sector. */
static uint32_t part_of(const struct ferry_boot_swap *swap, uint32_t size, uint32_t sector)
{
    uint32_t start = sector * sector_size(swap);

    return start < size ? ferry_min32(sector_size(swap), size - start) : 0;
}

/* The two sectors D[k] and D[k + 1]. */
static int find_pair(const struct ferry_boot_swap *swap, uint32_t k, uint32_t *low, uint32_t *high)
{
    int rc = ferry_boot_differ_at(swap, k, low);

    *high = ferry_boot_blocks(swap);
    if (rc == FERRY_OK && k + 1 < swap->differing) {
        rc = ferry_boot_differ_at(swap, k + 1, high);
    }
    return rc;
}

static uint32_t count(const struct ferry_boot_swap *swap)
{
    return 3 * swap->differing;
}

static int step(const struct ferry_boot_swap *swap, uint32_t n)
{
    const struct ferry_flash *primary = swap->primary;
    uint32_t size = sector_size(swap);
    uint32_t moves = swap->differing;
    bool moving = n < moves;
    uint32_t low = 0;
    uint32_t high = 0;
    int rc = find_pair(swap, moving ? moves - 1 - n : (n - moves) / 2, &low, &high);

    if (rc != FERRY_OK) {
        return rc;
    }
    uint32_t old_part = part_of(swap, swap->primary_size, low);
    if (moving) {
        return ferry_boot_move(swap, primary, low * size, primary, high * size, old_part);
    }
    if ((n - moves) % 2 == 0) {
        return ferry_boot_move(swap, swap->incoming, low * size, primary, low * size,
                               part_of(swap, swap->secondary_size, low));
    }
    return ferry_boot_move(swap, primary, high * size, swap->outgoing, low * size, old_part);
}

static const struct ferry_boot_plan plan = {
    .differ = &ferry_boot_differ, .count = count, .step = step};

const struct ferry_boot_strategy ferry_boot_swap_move = {
    .traits = &ferry_traits_swap_move, .boot = ferry_boot_by_swap, .plan = &plan};
