/* SPDX-License-Identifier: Apache-2.0 */
/* The two ways between a primary and a secondary that is one sector longer than the image.
 *
 * With L sectors to swap, P and S the sectors of the slots:
 *   up,   i = L-1 .. 0:  P[i] -> S[i+1], S[i]   -> P[i];  last, S[0] is erased
 *   down, i = 0 .. L-1:  P[i] -> S[i],   S[i+1] -> P[i]
 * The target of each step holds nothing that is still needed: S[i+1] went to the primary a step
 * before, or was free. Its source is not touched before the mark of the step stands.
 * [mcuboot-format.md §2.6 "offset"] */
#include "core/boot/plan_offset.h"

static uint32_t sector_size(const struct ferry_boot_swap *swap)
{
    return swap->primary->runs[0].size;
}

/* Bytes of an image of so many in sector i. */
static uint32_t part_of(const struct ferry_boot_swap *swap, uint32_t size, uint32_t i)
{
    uint32_t start = i * sector_size(swap);

    return start < size ? ferry_min32(sector_size(swap), size - start) : 0;
}

/* P[i] to the secondary. */
static int put_away(const struct ferry_boot_swap *swap, uint32_t i, uint32_t to)
{
    uint32_t size = sector_size(swap);

    return ferry_boot_move(swap, swap->primary, i * size, swap->outgoing, to * size,
                           part_of(swap, swap->primary_size, i));
}

/* P[i] from the secondary. */
static int fetch(const struct ferry_boot_swap *swap, uint32_t from, uint32_t i)
{
    uint32_t size = sector_size(swap);

    return ferry_boot_move(swap, swap->incoming, from * size, swap->primary, i * size,
                           part_of(swap, swap->secondary_size, i));
}

uint32_t ferry_boot_up_count(const struct ferry_boot_swap *swap)
{
    return 2 * ferry_boot_blocks(swap) + 1;
}

uint32_t ferry_boot_down_count(const struct ferry_boot_swap *swap)
{
    return 2 * ferry_boot_blocks(swap);
}

int ferry_boot_up_step(const struct ferry_boot_swap *swap, uint32_t n)
{
    uint32_t sectors = ferry_boot_blocks(swap);

    if (n == 2 * sectors) {
        return ferry_boot_erase(swap, swap->secondary, 0, 1);
    }

    uint32_t i = sectors - 1 - n / 2;

    return n % 2 == 0 ? put_away(swap, i, i + 1) : fetch(swap, i, i);
}

int ferry_boot_down_step(const struct ferry_boot_swap *swap, uint32_t n)
{
    uint32_t i = n / 2;

    return n % 2 == 0 ? put_away(swap, i, i) : fetch(swap, i + 1, i);
}
