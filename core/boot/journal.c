/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a swap: writing, and the map of blocks. It makes sure what the marks in the
 * primary only say.
 *
 * A mark that a cut left half written may count at one boot and not at the next. So a boot that
 * resumes appends what it believes before it goes on, and the later record wins. The journal is
 * begun anew with every swap and left where it is at the end. */
#include "core/boot/swap.h"
#include "core/image/blocks.h"

/* A record that does not take is tried in so many places. */
#define TRIES 3

static struct ferry_journal_area area_of(const struct ferry_boot_swap *swap)
{
    return ferry_journal_area(swap->slots, &swap->layout);
}

uint32_t ferry_boot_blocks(const struct ferry_boot_swap *swap)
{
    struct ferry_flash_sector block;

    if (swap->size == 0 || ferry_slots_block_of(swap->slots, swap->size - 1, &block) != FERRY_OK) {
        return 0;
    }
    return block.index + 1;
}

uint32_t ferry_boot_journal_room(const struct ferry_boot_swap *swap)
{
    struct ferry_journal_area area = area_of(swap);

    return (area.end - ferry_min32(swap->journal, area.end)) / area.place;
}

int ferry_boot_journal_map_read(const struct ferry_boot_swap *swap, uint32_t index, uint32_t *bits)
{
    struct ferry_journal_area area = area_of(swap);
    uint8_t record[FERRY_JOURNAL_RECORD];

    for (uint32_t at = area.start; area.place <= area.end - at; at += area.place) {
        int rc = ferry_journal_place(swap->secondary, at, record);

        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (rc > 0 && record[0] >> 4 == FERRY_JOURNAL_MAP && record[1] == index) {
            *bits = ferry_load_le32(record + 2);
            return FERRY_OK;
        }
    }
    return FERRY_E_NOT_FOUND;
}

/* Go to the next place; one in which a bit has flipped is left out. Returns 1, 0 = full, or
 * FERRY_E_POWER. */
static int find_place(struct ferry_boot_swap *swap, const struct ferry_journal_area *area)
{
    for (; swap->journal + area->place <= area->end; swap->journal += area->place) {
        int rc = ferry_flash_is_erased(swap->secondary, swap->journal, area->place);

        if (rc == 1 || rc == FERRY_E_POWER) {
            return rc;
        }
    }
    return 0;
}

static int append(struct ferry_boot_swap *swap, uint8_t record[FERRY_JOURNAL_RECORD])
{
    const struct ferry_flash *secondary = swap->secondary;
    struct ferry_journal_area area = area_of(swap);
    int rc = FERRY_E_FULL;

    ferry_journal_seal(record);
    for (int i = 0; i < TRIES && rc != FERRY_OK && rc != FERRY_E_POWER; i++) {
        int found = find_place(swap, &area);

        if (found != 1) {
            return found == FERRY_E_POWER ? found : rc;
        }
        rc = ferry_boot_noted(
            swap, secondary, swap->journal,
            ferry_flash_program_padded(secondary, swap->journal, record, FERRY_JOURNAL_RECORD));
        swap->journal += area.place;
    }
    return rc;
}

int ferry_boot_journal_state(struct ferry_boot_swap *swap, uint32_t done)
{
    uint8_t record[FERRY_JOURNAL_RECORD] = {0};

    record[0] = (uint8_t)(FERRY_JOURNAL_STATE << 4 | (uint8_t)swap->type);
    record[1] = (uint8_t)((swap->mapped ? FERRY_JOURNAL_MAPPED : 0) |
                          (swap->backwards ? FERRY_JOURNAL_BACKWARDS : 0));
    ferry_store_le16(record + 2, (uint16_t)ferry_boot_blocks(swap));
    ferry_store_le16(record + 4, (uint16_t)done);
    return append(swap, record);
}

int ferry_boot_journal_finished(struct ferry_boot_swap *swap)
{
    return ferry_boot_journal_state(swap, FERRY_JOURNAL_FINISHED);
}

int ferry_boot_journal_map(struct ferry_boot_swap *swap, uint32_t index, uint32_t bits)
{
    uint8_t record[FERRY_JOURNAL_RECORD] = {FERRY_JOURNAL_MAP << 4, (uint8_t)index};

    ferry_store_le32(record + 2, bits);
    return append(swap, record);
}
