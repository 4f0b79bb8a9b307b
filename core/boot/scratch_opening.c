/* SPDX-License-Identifier: Apache-2.0 */
/* The opening of a swap through scratch whose images reach into the sector of a trailer: there the
 * trailers cannot hold the records while that block moves, so the scratch area does.
 *
 *   1  secondary -> scratch, a short trailer behind it, mark 0
 *   2  the secondary's block and trailer erased, primary -> secondary, mark 1
 *   3  the primary's block and trailer erased, scratch -> primary, the primary's trailer, and the
 *      journal in the secondary, from which on those two rule
 *
 * What a mark says is made sure before the next erase relies on it, for it may be the very word
 * that a cut left unsteady: before step 2 by the secondary, which still verifies unless step 2 has
 * begun; before step 3 by mark 2; before scratch is erased by the journal.
 * [mcuboot-format.md §2.6 "Begin of swap"; bootloader-field.md §5.2: the brick this avoids] */
#include "core/boot/scratch_opening.h"
#include "core/image/blocks.h"

#define MARKS FERRY_SCRATCH_MARKS

/* ---- Where things are ----------------------------------------------------------------------- */

/* The block in question, and whether it is shared. */
static bool shared_block(const struct ferry_boot_swap *swap, struct ferry_flash_sector *block)
{
    const struct ferry_slots *slots = swap->slots;
    uint32_t primary = 0;
    uint32_t secondary = 0;

    if (swap->size == 0 || swap->size > slots->primary->size ||
        ferry_block_of(slots, swap->size - 1, block) != FERRY_OK ||
        ferry_slots_trailer_start(slots, slots->primary, &primary) != FERRY_OK ||
        ferry_slots_trailer_start(slots, slots->secondary, &secondary) != FERRY_OK) {
        return false;
    }
    return block->offset + block->size > ferry_min32(primary, secondary);
}

bool ferry_boot_shares_trailer(const struct ferry_boot_swap *swap)
{
    struct ferry_flash_sector block;

    return shared_block(swap, &block);
}

/* Where mark number i of the opening stands in the scratch area. */
static uint32_t mark_offset(const struct ferry_boot_swap *swap, uint32_t i)
{
    const struct ferry_flash *scratch = swap->slots->scratch;

    return scratch->size - swap->layout.keys - (MARKS - i) * ferry_scratch_unit(swap->slots);
}

/* ---- The short trailer ---------------------------------------------------------------------- */

/* What the field copy_done, which the scratch area has no use for, says again: type, image and
 * size, with a CRC. Where it does not take, the fields say it alone. Returns FERRY_OK or
 * FERRY_E_POWER. */
static int write_twin(const struct ferry_boot_swap *swap)
{
    const struct ferry_flash *scratch = swap->slots->scratch;
    uint8_t record[FERRY_JOURNAL_RECORD] = {(uint8_t)(FERRY_JOURNAL_MAP << 4 | (uint8_t)swap->type),
                                            swap->slots->number};

    ferry_store_le32(record + 2, swap->size);
    ferry_journal_seal(record);

    int rc = ferry_flash_program_padded(scratch, scratch->size - swap->layout.copy_done, record,
                                        sizeof(record));

    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* Write mark i, or the next one whose unit is erased: the later ones say the same and more. What no
 * unit takes is the business of the next boot. Returns FERRY_OK or FERRY_E_POWER. */
static int mark(const struct ferry_boot_swap *swap, uint32_t i)
{
    const struct ferry_flash *scratch = swap->slots->scratch;
    int rc = FERRY_E_NOT_ERASED;

    for (; i < MARKS && rc != FERRY_OK && rc != FERRY_E_POWER; i++) {
        rc = ferry_flash_is_erased(scratch, mark_offset(swap, i), scratch->write_size);
        if (rc == 1) {
            rc = ferry_boot_mark(swap, scratch, mark_offset(swap, i));
        } else if (rc == FERRY_OK) {
            rc = FERRY_E_NOT_ERASED;
        }
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}

/* Bytes of an image of so many that lie in the block. */
static uint32_t part_of(uint32_t size, const struct ferry_flash_sector *block)
{
    return size > block->offset ? size - block->offset : 0;
}

/* ---- The three steps --------------------------------------------------------------------------
 */

static int fill_scratch(struct ferry_boot_swap *swap, const struct ferry_flash_sector *block)
{
    const struct ferry_slots *slots = swap->slots;
    int rc = ferry_boot_erase(swap, slots->scratch, 0, slots->scratch->size);

    if (rc == FERRY_OK) {
        rc = ferry_boot_move(swap, slots->secondary, block->offset, slots->scratch, 0,
                             part_of(swap->secondary_size, block));
    }
    if (rc == FERRY_OK) {
        rc = write_twin(swap);
    }
    if (rc == FERRY_OK) {
        rc = ferry_boot_write_fields(swap, slots->scratch);
    }
    /* Nothing was touched yet: without this mark the next boot begins again. */
    return rc != FERRY_OK ? rc : ferry_boot_mark(swap, slots->scratch, mark_offset(swap, 0));
}

/* Once more where what reads as erased does not take a program. */
static int to_scratch(struct ferry_boot_swap *swap, const struct ferry_flash_sector *block)
{
    bool unsure = swap->unsure;
    int rc = fill_scratch(swap, block);

    if (rc != FERRY_OK && rc != FERRY_E_POWER) {
        swap->unsure = true;
        rc = fill_scratch(swap, block);
        swap->unsure = unsure;
    }
    return rc;
}

/* Move to a block whose slot is erased from there to its end. */
static int to_slot(struct ferry_boot_swap *swap, const struct ferry_flash *from,
                   uint32_t from_offset, const struct ferry_flash *to,
                   const struct ferry_flash_sector *block, uint32_t size)
{
    bool unsure = swap->unsure;
    uint32_t end = block->offset + block->size;
    /* What lies behind first: should it fail, the block is still there. */
    int rc = ferry_boot_erase(swap, to, end, to->size - end);

    if (rc == FERRY_OK) {
        rc = ferry_boot_erase(swap, to, block->offset, block->size);
    }
    swap->unsure = false;
    if (rc == FERRY_OK) {
        rc = ferry_boot_move(swap, from, from_offset, to, block->offset, part_of(size, block));
    }
    swap->unsure = unsure;
    return rc;
}

static int to_secondary(struct ferry_boot_swap *swap, const struct ferry_flash_sector *block)
{
    const struct ferry_slots *slots = swap->slots;
    int rc =
        to_slot(swap, slots->primary, block->offset, swap->outgoing, block, swap->primary_size);

    swap->unsure = false;
    return rc != FERRY_OK ? rc : mark(swap, 1);
}

static int to_primary(struct ferry_boot_swap *swap, const struct ferry_flash_sector *block)
{
    const struct ferry_slots *slots = swap->slots;
    int rc = to_slot(swap, slots->scratch, 0, swap->unpacked, block, swap->secondary_size);

    swap->unsure = false;
    return rc != FERRY_OK ? rc : ferry_boot_write_fields(swap, slots->primary);
}

/* Set swap->journal behind whatever an earlier try has left. */
static int find_journal_end(struct ferry_boot_swap *swap)
{
    struct ferry_trailer primary;
    struct ferry_journal journal;
    int rc = ferry_trailer_read(swap->primary, swap->slots->max_align, &primary);

    if (rc == FERRY_OK) {
        rc = ferry_journal_read(swap->slots, &swap->layout, &primary, FERRY_JOURNAL_ANY, &journal);
    }
    swap->journal = rc == FERRY_OK ? journal.end : swap->secondary->size;
    return rc;
}

/* The pair of slots rules from here on; the blocks below the shared one are as they were. */
static int hand_over(struct ferry_boot_swap *swap, const struct ferry_flash_sector *block)
{
    int rc = find_journal_end(swap);

    if (rc == FERRY_OK && swap->views != NULL) {
        rc = swap->config->encryption->keep_twice(swap);
    }
    if (rc == FERRY_OK) {
        rc = ferry_boot_differ_find(swap, block->index);
    }
    if (rc == FERRY_OK) {
        rc = ferry_boot_journal_state(swap, 0);
    }
    swap->moved = true;
    swap->done = 0;
    return rc;
}

/* Do the steps from number first (1 .. 3) on. Returns 1 or an error. */
static int open_from(struct ferry_boot_swap *swap, uint32_t first,
                     const struct ferry_flash_sector *block)
{
    int rc = first <= 1 ? to_scratch(swap, block) : FERRY_OK;

    if (rc == FERRY_OK && first <= 2) {
        rc = to_secondary(swap, block);
    }
    if (rc == FERRY_OK) {
        rc = to_primary(swap, block);
    }
    if (rc == FERRY_OK) {
        rc = hand_over(swap, block);
    }
    return rc == FERRY_OK ? 1 : rc;
}

int ferry_boot_scratch_begin(struct ferry_boot_swap *swap)
{
    struct ferry_flash_sector block;

    return shared_block(swap, &block) ? open_from(swap, 1, &block) : 0;
}

/* ---- Resuming -----------------------------------------------------------------------------------
 */

static enum ferry_swap_type type_of(const struct ferry_trailer *trailer)
{
    if (trailer->image_ok == FERRY_UNSET) {
        return FERRY_SWAP_TEST;
    }
    return trailer->swap_type == FERRY_SWAP_REVERT ? FERRY_SWAP_REVERT : FERRY_SWAP_PERM;
}

/* Take what is being done. Returns whether it is a swap that shares a trailer's sector. */
static bool take(struct ferry_boot_swap *swap, enum ferry_swap_type type, uint32_t size,
                 struct ferry_flash_sector *block)
{
    swap->type = type;
    swap->size = size;
    swap->primary_size = size;
    swap->secondary_size = size;
    swap->backwards = false;
    return size <= ferry_slots_max_image(swap->slots) && shared_block(swap, block);
}

/* Take it from the trailer of the scratch area: the twin, or the fields. */
static bool take_scratch(struct ferry_boot_swap *swap, const struct ferry_trailer *trailer,
                         struct ferry_flash_sector *block)
{
    const struct ferry_flash *scratch = swap->slots->scratch;
    uint8_t record[FERRY_JOURNAL_RECORD];
    uint32_t size = 0;
    int rc = ferry_journal_place(scratch, scratch->size - swap->layout.copy_done, record);

    if (rc > 0) {
        return record[1] == swap->slots->number &&
               take(swap, (enum ferry_swap_type)(record[0] & 0x0f), ferry_load_le32(record + 2),
                    block);
    }
    if (trailer->swap_type != FERRY_SWAP_NONE && trailer->swap_image != swap->slots->number) {
        return false;
    }
    rc = ferry_trailer_read_size(scratch, &swap->layout, &size);
    return rc == FERRY_OK && take(swap, type_of(trailer), size, block);
}

/* The primary's trailer is there, and so is the journal. Returns 1, 0 or an error. */
static int resume_steps(struct ferry_boot_swap *swap)
{
    struct ferry_trailers trailers;
    struct ferry_journal journal;
    struct ferry_flash_sector block;
    int rc = ferry_slots_read_trailers(swap->slots, &trailers);

    if (rc != FERRY_OK || trailers.primary.magic != FERRY_SET ||
        trailers.primary.copy_done != FERRY_UNSET || trailers.secondary.magic == FERRY_SET) {
        return rc;
    }
    rc = ferry_boot_read_records(swap, &trailers.primary, &journal);
    if (rc != FERRY_OK || !journal.found) {
        return rc;
    }
    ferry_boot_take_blocks(swap, &journal);
    if (!take(swap, journal.type, swap->size, &block)) {
        return FERRY_OK;
    }
    swap->mapped = journal.mapped;
    rc = ferry_boot_differ_resume(swap, block.index);
    if (rc == FERRY_OK && swap->views != NULL) {
        rc = swap->config->encryption->resume(swap);
    }
    swap->moved = true;
    swap->unsure = true;
    return rc != FERRY_OK ? rc : 1;
}

/* Whether the image of the primary, or of the secondary, verifies; its size then. Returns 1, 0 or
 * FERRY_E_POWER. */
static int is_whole(const struct ferry_boot_swap *swap, const struct ferry_flash *slot,
                    uint32_t *size)
{
    struct ferry_image_info info;
    struct ferry_verdict verdict;
    int rc = slot == swap->primary ? ferry_boot_verify(swap, slot, &info, &verdict)
                                   : ferry_boot_verify_secondary(swap, &info, &verdict);

    *size = info.size;
    if (rc == FERRY_E_POWER) {
        return rc;
    }
    return rc == FERRY_OK && ferry_verdict_is_valid(&verdict) ? 1 : 0;
}

/* Whether the opening may be begun again after step 1: the secondary's image is still whole, and
 * what asked for it is there: a request, a trial in the primary, or no image there that runs.
 * Returns 1, 0 or FERRY_E_POWER. */
static int may_begin_again(const struct ferry_boot_swap *swap)
{
    struct ferry_boot_swap asked = *swap;
    uint32_t size = 0;
    int rc = is_whole(swap, swap->secondary, &size);

    if (rc != 1) {
        return rc;
    }
    rc = ferry_boot_decide(&asked);
    if (rc != FERRY_OK || asked.type != FERRY_SWAP_NONE) {
        return rc != FERRY_OK ? rc : 1;
    }
    rc = is_whole(swap, swap->primary, &size);
    return rc < 0 ? rc : 1 - rc;
}

/* Whether step 2 has left in the secondary what the primary's image, which ends at size, has in
 * the block. Returns 1, 0 or FERRY_E_POWER. */
static int has_put_away(const struct ferry_boot_swap *swap, const struct ferry_flash_sector *block,
                        uint32_t size)
{
    const struct ferry_slots *slots = swap->slots;
    uint32_t old_part = part_of(size, block);

    if (old_part == 0) {
        int rc = ferry_flash_is_erased(slots->secondary, block->offset, 1);

        return rc == FERRY_E_FLASH ? 0 : rc;
    }
    return ferry_boot_same(swap, slots->primary, block->offset, swap->outgoing, block->offset,
                           old_part);
}

/* Whether step 3 is to be done, or what the scratch area holds is left from a swap long ended: only
 * step 3 damages the primary. Returns 3, 1 or FERRY_E_POWER. */
static int third_or_none(const struct ferry_boot_swap *swap, const struct ferry_flash_sector *block)
{
    uint32_t size = 0;
    int rc = is_whole(swap, swap->primary, &size);

    if (rc == 1) {
        rc = has_put_away(swap, block, size);
        return rc < 0 ? rc : 1 + 2 * rc;
    }
    return rc < 0 ? rc : 3;
}

/* Which step is to be done; 1 = none of this opening. Returns 1 .. 3, or FERRY_E_POWER. */
static int next_step(const struct ferry_boot_swap *swap, const struct ferry_flash_sector *block)
{
    int found[MARKS];

    for (uint32_t i = 0; i < MARKS; i++) {
        found[i] = ferry_boot_is_marked(swap->slots->scratch, mark_offset(swap, i));
        if (found[i] < 0) {
            return found[i];
        }
    }
    if (found[1] == 1 || found[2] == 1) {
        int rc = third_or_none(swap, block);

        if (rc == 3 && found[2] == 0) {
            rc = mark(swap, 2) == FERRY_OK ? rc : FERRY_E_POWER;
        }
        return rc;
    }
    if (found[0] == 0) {
        return 1;
    }

    int again = may_begin_again(swap);

    return again < 0 ? again : 2 - again;
}

/* What step 2 puts away of a primary that is whole ends with its image: what else lies in the block
 * would make it look as if nothing had been put away. Returns FERRY_OK or FERRY_E_POWER. */
static int measure_primary(struct ferry_boot_swap *swap)
{
    uint32_t size = 0;
    int rc = is_whole(swap, swap->primary, &size);

    if (rc == 1) {
        swap->primary_size = ferry_min32(size, swap->size);
    }
    return rc < 0 ? rc : FERRY_OK;
}

/* How the images are encrypted. Returns FERRY_OK, FERRY_E_SECRET or FERRY_E_POWER. */
static int resume_views(struct ferry_boot_swap *swap)
{
    return swap->views != NULL ? swap->config->encryption->resume_scratch(swap) : FERRY_OK;
}

/* The scratch area's trailer is there. Returns 1, 0 or an error. */
static int resume_opening(struct ferry_boot_swap *swap)
{
    const struct ferry_slots *slots = swap->slots;
    struct ferry_trailer trailer;
    struct ferry_flash_sector block;
    int rc = ferry_trailer_read(slots->scratch, slots->max_align, &trailer);

    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : 0;
    }
    if (trailer.magic != FERRY_SET || !take_scratch(swap, &trailer, &block)) {
        return 0;
    }
    rc = resume_views(swap);
    if (rc == FERRY_E_POWER) {
        return rc;
    }
    int step = next_step(swap, &block);
    if (step <= 1) {
        return step < 0 ? step : 0;
    }
    /* Again: the secondary was looked at meanwhile. */
    rc = resume_views(swap);
    if (rc == FERRY_OK && step == 2) {
        rc = measure_primary(swap);
    }
    swap->unsure = true;
    return rc != FERRY_OK ? rc : open_from(swap, (uint32_t)step, &block);
}

int ferry_boot_scratch_resume(struct ferry_boot_swap *swap)
{
    int rc = resume_steps(swap);

    return rc != 0 ? rc : resume_opening(swap);
}
