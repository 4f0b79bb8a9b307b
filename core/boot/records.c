/* SPDX-License-Identifier: Apache-2.0 */
/* The records of a swap in the trailers: marks of steps, the request of the bootloader itself, the
 * begin and the end. At rest the fields are MCUboot's; the marks stand where it keeps its status
 * entries. [mcuboot-format.md §2.6 "Begin of swap", "End of swap"] */
#include "core/boot/swap.h"
#include "core/image/blocks.h"

#include <string.h>

/* A field or a trailer that does not take is tried so often. */
#define TRIES 3

/* A unit that the power left half written may read now so and now so. */
#define LOOKS 3

/* ---- Marks ------------------------------------------------------------------------------- */

uint32_t ferry_boot_unit(const struct ferry_boot_swap *swap)
{
    return ferry_max32(swap->primary->write_size, swap->secondary->write_size);
}

/* One bit may have flipped at rest; two are somebody's writing. */
static bool is_written(uint8_t byte, uint8_t erased_value)
{
    uint8_t changed = byte ^ erased_value;

    return (changed & (uint8_t)(changed - 1)) != 0;
}

int ferry_boot_is_marked(const struct ferry_flash *area, uint32_t offset)
{
    uint8_t byte = 0;
    int rc = ferry_trailer_read_steadily(area, offset, LOOKS, &byte);

    if (rc == FERRY_E_POWER) {
        return rc;
    }
    return rc != 1 || is_written(byte, area->erased_value);
}

/* Write the byte of a mark or a flag, unless a cut or a flipped bit has spoilt its unit: that is
 * FERRY_E_NOT_ERASED. Returns FERRY_OK or a flash error. */
static int write_byte(const struct ferry_boot_swap *swap, uint32_t offset, uint8_t byte)
{
    const struct ferry_flash *primary = swap->primary;
    int rc = ferry_flash_is_erased(primary, offset, primary->write_size);

    if (rc == 1) {
        rc = ferry_flash_program_padded(primary, offset, &byte, 1);
        return ferry_boot_noted(swap, primary, offset, rc);
    }
    return rc == 0 ? FERRY_E_NOT_ERASED : rc;
}

int ferry_boot_mark(const struct ferry_boot_swap *swap, const struct ferry_flash *area,
                    uint32_t offset)
{
    uint8_t mark = (uint8_t)~area->erased_value;

    return ferry_boot_noted(swap, area, offset, ferry_flash_program_padded(area, offset, &mark, 1));
}

/* Where the mark of step n stands in the primary. */
static uint32_t mark_offset(const struct ferry_boot_swap *swap, uint32_t n)
{
    return swap->primary->size - swap->layout.size + n * ferry_boot_unit(swap);
}

/* One past the last mark: a unit that did not take it is made up for by the next. */
int ferry_boot_count_marks(struct ferry_boot_swap *swap)
{
    int rc = 0;

    swap->done = swap->slots->max_sectors * swap->slots->strategy->sector_states;
    for (; swap->done > 0; swap->done--) {
        rc = ferry_boot_is_marked(swap->primary, mark_offset(swap, swap->done - 1));
        if (rc != 0) {
            break;
        }
    }
    return rc < 0 ? rc : FERRY_OK;
}

int ferry_boot_read_records(struct ferry_boot_swap *swap, const struct ferry_trailer *primary,
                            struct ferry_journal *journal)
{
    int rc = ferry_boot_count_marks(swap);

    if (rc == FERRY_OK) {
        rc = ferry_journal_read(swap->slots, &swap->layout, primary, swap->done, journal);
    }
    if (rc == FERRY_OK) {
        swap->journal = journal->end;
        swap->done = ferry_max32(swap->done, journal->done);
    }
    return rc;
}

int ferry_boot_step_done(struct ferry_boot_swap *swap)
{
    const struct ferry_flash *primary = swap->primary;
    int rc = write_byte(swap, mark_offset(swap, swap->done), (uint8_t)~primary->erased_value);

    if (rc == FERRY_E_POWER) {
        return rc;
    }
    if (rc != FERRY_OK) {
        rc = ferry_boot_journal_state(swap, swap->done + 1);
    }
    if (rc == FERRY_OK) {
        swap->done++;
    }
    return rc;
}

/* ---- Fields ---------------------------------------------------------------------------------- */

static int write_number(const struct ferry_flash *area, uint32_t distance, uint32_t number)
{
    uint8_t raw[4];

    ferry_store_le32(raw, number);
    return ferry_flash_program_padded(area, area->size - distance, raw, sizeof(raw));
}

int ferry_boot_write_fields(const struct ferry_boot_swap *swap, const struct ferry_flash *area)
{
    uint32_t align = swap->slots->max_align;
    int rc = FERRY_OK;

    if (swap->views != NULL && area != swap->secondary) {
        rc = swap->config->encryption->keep(swap, area);
    }
    if (rc != FERRY_OK) {
        return rc; /* noted there: it may be in another sector */
    }
    rc = ferry_trailer_write_swap_info(area, align, swap->slots->number, swap->type);
    if (rc == FERRY_OK && swap->type != FERRY_SWAP_TEST) {
        rc = ferry_trailer_write_image_ok(area, align);
    }
    if (rc == FERRY_OK) {
        rc = write_number(area, swap->layout.swap_size, swap->size);
    }
    if (rc == FERRY_OK && swap->layout.tlv_sizes != 0) {
        rc = write_number(area, swap->layout.tlv_sizes, swap->tlv_sizes);
    }
    if (rc == FERRY_OK) {
        rc = ferry_trailer_write_magic(area, align);
    }
    return ferry_boot_noted(swap, area, area->size - 1, rc);
}

void ferry_boot_take_blocks(struct ferry_boot_swap *swap, const struct ferry_journal *journal)
{
    uint32_t largest = ferry_slots_max_image(swap->slots);
    struct ferry_flash_sector block;

    swap->size = 0;
    if (journal->blocks > 0 &&
        ferry_slots_block_at(swap->slots, journal->blocks - 1U, &block) == FERRY_OK) {
        swap->size = ferry_min32(block.offset + block.size, largest);
    }
    swap->primary_size = swap->size;
    swap->secondary_size = swap->size;
}

/* Erase a trailer and fill it; again where it does not take, for half a trailer says something
 * else, and what reads as erased may not take a program. */
static int fill_trailer(const struct ferry_boot_swap *swap, const struct ferry_flash *slot)
{
    struct ferry_boot_swap careful = *swap;
    int rc = FERRY_E_FLASH;

    for (int i = 0; i < TRIES && rc != FERRY_OK && rc != FERRY_E_POWER; i++) {
        rc = ferry_boot_erase_trailer(&careful, slot);
        if (rc != FERRY_OK) {
            break; /* an erase has its own tries */
        }
        rc = ferry_boot_write_fields(&careful, slot);
        careful.unsure = true;
    }
    return rc;
}

/* ---- Begin --------------------------------------------------------------------------------- */

/* Whether the journal has records that this swap would take for its own: they are left from one of
 * the same type. Returns 1, 0 or FERRY_E_POWER. */
static int is_haunted(const struct ferry_boot_swap *swap)
{
    const struct ferry_trailer wanted = {
        .magic = FERRY_SET,
        .image_ok = swap->type == FERRY_SWAP_TEST ? FERRY_UNSET : FERRY_SET,
        .copy_done = FERRY_UNSET,
        .swap_type = (uint8_t)swap->type,
    };
    struct ferry_journal journal;
    int rc = ferry_journal_read(swap->slots, &swap->layout, &wanted, FERRY_JOURNAL_ANY, &journal);

    return rc == FERRY_OK ? journal.found : rc;
}

/* Ask for swap->type in the secondary. What is left of another swap's journal may stay: only fields
 * that are not erased make an erase necessary. */
static int ask(const struct ferry_boot_swap *swap, bool erase)
{
    const struct ferry_flash *secondary = swap->secondary;
    uint32_t fields = swap->layout.swap_size;
    int rc = ferry_flash_is_erased(secondary, secondary->size - fields, fields);

    if (rc == FERRY_E_POWER) {
        return rc;
    }
    if (rc == 1 && !erase) {
        rc = ferry_boot_write_fields(swap, secondary);
        if (rc == FERRY_OK || rc == FERRY_E_POWER) {
            return rc;
        }
    }
    return fill_trailer(swap, secondary);
}

int ferry_boot_begin(const struct ferry_boot_swap *swap)
{
    int rc = is_haunted(swap);
    bool haunted = rc == 1;

    if (rc >= 0 && (haunted || !swap->asked)) {
        rc = ask(swap, haunted);
    }
    return rc < 0 ? rc : fill_trailer(swap, swap->primary);
}

int ferry_boot_take_over(struct ferry_boot_swap *swap)
{
    const struct ferry_flash *secondary = swap->secondary;
    int rc = ferry_boot_erase_trailer(swap, secondary);

    if (rc != FERRY_OK) {
        return rc;
    }
    swap->journal = secondary->size - swap->layout.size;
    swap->done = 0; /* this boot may have swapped before, and falls back */
    swap->mapped = false;
    if (swap->views != NULL) {
        rc = swap->config->encryption->keep_twice(swap);
    }
    if (rc == FERRY_OK && swap->strategy->plan->differ != NULL) {
        rc = swap->strategy->plan->differ->find(swap, ferry_boot_blocks(swap));
    }
    if (rc == FERRY_OK) {
        rc = ferry_boot_journal_state(swap, 0);
    }
    return rc;
}

/* ---- End ------------------------------------------------------------------------------------ */

int ferry_boot_set_flag(const struct ferry_boot_swap *swap, enum ferry_trailer_field found,
                        enum ferry_trailer_place place)
{
    uint32_t offset = swap->primary->size - ferry_trailer_distance(swap->slots->max_align, place);
    int rc = FERRY_E_FLASH;

    if (found != FERRY_UNSET) {
        return FERRY_OK;
    }
    for (int i = 0; i < TRIES && rc == FERRY_E_FLASH; i++) {
        rc = write_byte(swap, offset, FERRY_TRAILER_FLAG);
    }
    return ferry_boot_noted(swap, swap->primary, offset, rc);
}

int ferry_boot_end(struct ferry_boot_swap *swap)
{
    struct ferry_trailers trailers;
    int rc = ferry_slots_read_trailers(swap->slots, &trailers);

    if (rc == FERRY_OK && swap->type != FERRY_SWAP_TEST) {
        /* It stands since the begin; a unit that went bad meanwhile counts all the same. */
        rc = ferry_boot_set_flag(swap, trailers.primary.image_ok, FERRY_TRAILER_IMAGE_OK);
        rc = rc == FERRY_E_POWER ? rc : FERRY_OK;
    }
    if (rc == FERRY_OK) {
        rc = ferry_boot_set_flag(swap, trailers.primary.copy_done, FERRY_TRAILER_COPY_DONE);
    }
    if (rc != FERRY_OK && rc != FERRY_E_POWER) {
        rc = ferry_boot_journal_finished(swap);
    }
    return rc == FERRY_E_POWER ? rc : FERRY_OK;
}
