/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a swap, in the status area of the secondary's trailer, which MCUboot leaves
 * unused: what makes sure what the marks in the primary only say.
 *
 * A mark that a cut left half written may count at one boot and not at the next. So a boot that
 * resumes appends what it believes before it goes on, and the later record wins. Each stands for
 * itself with a CRC, so that one that was cut is no record, and one with a bit that flipped at rest
 * is put right. The journal is begun anew with every swap and left where it is at the end. */
#include "core/boot/swap.h"
#include "ferry/crc.h"

#include <string.h>

/* kind << 4 | type, flags, u16 blocks, u16 done, u16 CRC; a map has u32 bits instead of the
 * numbers and its index for the flags. */
#define RECORD     8
#define CRC_AT     6
#define KIND_STATE 0x5
#define KIND_MAP   0xa
#define FINISHED   0xffff

enum { FLAG_MAPPED = 1, FLAG_BACKWARDS = 2 };

/* A record that does not take is tried in so many places. */
#define TRIES 3

/* ---- Places -------------------------------------------------------------------------------- */

static uint32_t place_size(const struct ferry_boot_swap *swap)
{
    return ferry_align_up(RECORD, swap->slots->secondary->write_size);
}

static uint32_t journal_start(const struct ferry_boot_swap *swap)
{
    return swap->slots->secondary->size - swap->layout.size;
}

static uint32_t journal_end(const struct ferry_boot_swap *swap)
{
    return swap->slots->secondary->size - swap->layout.swap_size;
}

uint32_t ferry_boot_journal_room(const struct ferry_boot_swap *swap)
{
    return (journal_end(swap) - ferry_min32(swap->journal, journal_end(swap))) / place_size(swap);
}

/* ---- Reading -------------------------------------------------------------------------------- */

static bool is_sound(const uint8_t record[RECORD])
{
    uint8_t kind = record[0] >> 4;

    return ferry_load_le16(record + CRC_AT) == ferry_crc16(0, record, CRC_AT) &&
           (kind == KIND_STATE || kind == KIND_MAP);
}

/* Whether it is a record, after putting one bit right if need be. */
static bool heal(uint8_t record[RECORD])
{
    bool sound = is_sound(record);

    for (uint32_t bit = 0; bit < 8 * RECORD && !sound; bit++) {
        uint8_t mask = (uint8_t)(1U << (bit % 8));

        record[bit / 8] ^= mask;
        sound = is_sound(record);
        if (!sound) {
            record[bit / 8] ^= mask;
        }
    }
    return sound;
}

/* Read the place at an offset. Returns 1 = a record; 0 = erased; FERRY_E_FORMAT = neither, or
 * unreadable; FERRY_E_POWER. */
static int read_place(const struct ferry_boot_swap *swap, uint32_t offset, uint8_t record[RECORD])
{
    const struct ferry_flash *secondary = swap->slots->secondary;
    int rc = ferry_flash_read(secondary, offset, record, RECORD);

    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : FERRY_E_FORMAT;
    }
    if (ferry_all_equal(record, RECORD, secondary->erased_value)) {
        return 0;
    }
    return heal(record) ? 1 : FERRY_E_FORMAT;
}

static void take_state(const uint8_t record[RECORD], struct ferry_boot_journal *journal)
{
    uint32_t done = ferry_load_le16(record + 4);

    journal->found = true;
    journal->type = (enum ferry_swap_type)(record[0] & 0x0f);
    journal->mapped = (record[1] & FLAG_MAPPED) != 0;
    journal->backwards = (record[1] & FLAG_BACKWARDS) != 0;
    journal->blocks = ferry_load_le16(record + 2);
    journal->finished = journal->finished || done == FINISHED;
    journal->done = done == FINISHED ? journal->done : done;
}

int ferry_boot_journal_read(struct ferry_boot_swap *swap, struct ferry_boot_journal *journal)
{
    uint8_t record[RECORD];

    memset(journal, 0, sizeof(*journal));
    swap->journal = journal_start(swap);
    for (uint32_t at = swap->journal; at + place_size(swap) <= journal_end(swap);
         at += place_size(swap)) {
        int rc = read_place(swap, at, record);

        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (rc != 0) {
            swap->journal = at + place_size(swap);
        }
        if (rc == 1 && record[0] >> 4 == KIND_STATE) {
            take_state(record, journal);
        }
    }
    return FERRY_OK;
}

int ferry_boot_journal_map_read(const struct ferry_boot_swap *swap, uint32_t index, uint32_t *bits)
{
    uint8_t record[RECORD];

    for (uint32_t at = journal_start(swap); at + place_size(swap) <= journal_end(swap);
         at += place_size(swap)) {
        int rc = read_place(swap, at, record);

        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (rc == 1 && record[0] >> 4 == KIND_MAP && record[1] == index) {
            *bits = ferry_load_le32(record + 2);
            return FERRY_OK;
        }
    }
    return FERRY_E_NOT_FOUND;
}

/* ---- Writing ------------------------------------------------------------------------------- */

static int append(struct ferry_boot_swap *swap, uint8_t record[RECORD])
{
    const struct ferry_flash *secondary = swap->slots->secondary;
    int rc = FERRY_E_FULL;

    ferry_store_le16(record + CRC_AT, ferry_crc16(0, record, CRC_AT));
    for (int i = 0; i < TRIES && ferry_boot_journal_room(swap) > 0; i++) {
        rc = ferry_boot_noted(swap, secondary, swap->journal,
                              ferry_flash_program_padded(secondary, swap->journal, record, RECORD));
        swap->journal += place_size(swap);
        if (rc == FERRY_OK || rc == FERRY_E_POWER) {
            return rc;
        }
    }
    return rc;
}

int ferry_boot_journal_state(struct ferry_boot_swap *swap, uint32_t done)
{
    uint8_t record[RECORD] = {0};

    record[0] = (uint8_t)(KIND_STATE << 4 | (uint8_t)swap->type);
    record[1] =
        (uint8_t)((swap->mapped ? FLAG_MAPPED : 0) | (swap->backwards ? FLAG_BACKWARDS : 0));
    ferry_store_le16(record + 2, (uint16_t)ferry_boot_blocks(swap));
    ferry_store_le16(record + 4, (uint16_t)done);
    return append(swap, record);
}

int ferry_boot_journal_finished(struct ferry_boot_swap *swap)
{
    return ferry_boot_journal_state(swap, FINISHED);
}

int ferry_boot_journal_map(struct ferry_boot_swap *swap, uint32_t index, uint32_t bits)
{
    uint8_t record[RECORD] = {KIND_MAP << 4, (uint8_t)index};

    ferry_store_le32(record + 2, bits);
    return append(swap, record);
}
