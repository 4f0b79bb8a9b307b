/* SPDX-License-Identifier: Apache-2.0 */
/* Swap through a scratch area, group of blocks by group, from the end of the images to their
 * beginning. [mcuboot-format.md §2.6 "scratch"]
 *
 * A group is as many differing blocks as fit the scratch area. It takes 3 steps: secondary to
 * scratch, primary to secondary, scratch to primary. Where an image reaches into the sector of a
 * trailer, that block goes first, with the scratch area for its records: scratch_opening.c. */
#include "core/boot/scratch_opening.h"
#include "core/image/blocks.h"

/* Differing blocks low .. high - 1, by their numbers. */
struct group {
    uint32_t low;
    uint32_t high;
};

/* One of them, and its place in the scratch area. */
struct member {
    uint32_t number;
    struct ferry_flash_sector block;
    uint32_t place;
};

/* ---- Groups --------------------------------------------------------------------------------- */

static int find_block(const struct ferry_boot_swap *swap, uint32_t number,
                      struct ferry_flash_sector *block)
{
    uint32_t index = 0;
    int rc = ferry_boot_differ_at(swap, number, &index);

    return rc != FERRY_OK ? rc : ferry_block_at(swap->slots, index, block);
}

/* The highest member of a group that ends below `high`. */
static int first_member(const struct ferry_boot_swap *swap, uint32_t high, struct member *member)
{
    member->number = high - 1;
    member->place = 0;
    return find_block(swap, member->number, &member->block);
}

/* The member below. Returns 1; 0 when it does not fit the scratch area or there is none; or an
 * error. */
static int next_member(const struct ferry_boot_swap *swap, struct member *member)
{
    const struct ferry_flash *scratch = swap->slots->scratch;
    struct ferry_flash_sector last;
    int rc = ferry_flash_sector_at(scratch, member->place + member->block.size - 1, &last);

    if (rc != FERRY_OK || member->number == 0) {
        return rc;
    }
    member->number--;
    member->place = last.offset + last.size;
    rc = find_block(swap, member->number, &member->block);
    if (rc != FERRY_OK) {
        return rc;
    }
    return member->block.size <= scratch->size - member->place ? 1 : 0;
}

/* The group that ends below high, which is above 0. */
static int find_group(const struct ferry_boot_swap *swap, uint32_t high, struct group *group)
{
    struct member member;
    int rc = first_member(swap, high, &member);

    *group = (struct group){high - 1, high};
    while (rc >= 0) {
        rc = next_member(swap, &member);
        if (rc != 1) {
            break;
        }
        group->low = member.number;
    }
    return rc < 0 ? rc : FERRY_OK;
}

/* Group number q, from the top; group->high is 0 behind the last. Returns FERRY_OK or an error. */
static int group_at(const struct ferry_boot_swap *swap, uint32_t q, struct group *group)
{
    int rc = FERRY_OK;

    *group = (struct group){swap->differing, swap->differing};
    for (uint32_t i = 0; rc == FERRY_OK && i <= q; i++) {
        if (group->low == 0) {
            group->high = 0;
            break;
        }
        rc = find_group(swap, group->low, group);
    }
    return rc;
}

static uint32_t group_count(const struct ferry_boot_swap *swap)
{
    struct group group = {swap->differing, swap->differing};
    uint32_t count = 0;

    while (group.low > 0 && find_group(swap, group.low, &group) == FERRY_OK) {
        count++;
    }
    return count;
}

/* ---- Steps ---------------------------------------------------------------------------------- */

/* Bytes of an image of so many in a block. */
static uint32_t part_of(uint32_t size, const struct ferry_flash_sector *block)
{
    return block->offset < size ? ferry_min32(block->size, size - block->offset) : 0;
}

static int move_member(const struct ferry_boot_swap *swap, const struct member *member,
                       uint32_t phase)
{
    const struct ferry_slots *slots = swap->slots;
    uint32_t at = member->block.offset;
    uint32_t new_part = part_of(swap->secondary_size, &member->block);

    if (phase == 0) {
        return ferry_boot_move(swap, slots->secondary, at, slots->scratch, member->place, new_part);
    }
    if (phase == 1) {
        return ferry_boot_move(swap, slots->primary, at, swap->outgoing, at,
                               part_of(swap->primary_size, &member->block));
    }
    return ferry_boot_move(swap, slots->scratch, member->place, swap->unpacked, at, new_part);
}

/* Leave no trailer in the scratch area. One that cannot be erased harms nobody: see
 * scratch_opening.c. Returns FERRY_OK or FERRY_E_POWER. */
static int clear_scratch(const struct ferry_boot_swap *swap)
{
    const struct ferry_flash *scratch = swap->slots->scratch;
    int rc = ferry_boot_erase(swap, scratch, 0, scratch->size);

    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* With the opening that is the last step. */
static uint32_t count(const struct ferry_boot_swap *swap)
{
    return 3 * group_count(swap) + (ferry_boot_shares_trailer(swap) ? 1 : 0);
}

static int step(const struct ferry_boot_swap *swap, uint32_t n)
{
    struct group group;
    struct member member;
    int rc = group_at(swap, n / 3, &group);

    if (rc == FERRY_OK && group.high == 0) {
        return clear_scratch(swap);
    }
    if (rc == FERRY_OK) {
        rc = first_member(swap, group.high, &member);
    }
    while (rc == FERRY_OK) {
        rc = move_member(swap, &member, n % 3);
        if (rc != FERRY_OK || member.number == group.low) {
            break;
        }
        rc = next_member(swap, &member);
        rc = rc == 1 ? FERRY_OK : rc;
    }
    return rc;
}

static const struct ferry_boot_plan plan = {.differ = &ferry_boot_differ,
                                            .count = count,
                                            .step = step,
                                            .resume = ferry_boot_scratch_resume,
                                            .begin = ferry_boot_scratch_begin};

const struct ferry_boot_strategy ferry_boot_swap_scratch = {
    .traits = &ferry_traits_swap_scratch, .boot = ferry_boot_by_swap, .plan = &plan};
