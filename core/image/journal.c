/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a swap: reading. */
#include "core/image/journal.h"

#include "core/image/blocks.h"

#include "ferry/crc.h"

#include <string.h>

/* Half a record may read right now and then: one bit of it may be all that is missing. */
#define LOOKS 24

struct ferry_journal_area ferry_journal_area(const struct ferry_slots *slots,
                                             const struct ferry_trailer_layout *layout)
{
    uint32_t size = slots->secondary->size;
    return (struct ferry_journal_area){
        .start = size - layout->size,
        .end = size - layout->keys,
        .place = ferry_align_up(FERRY_JOURNAL_RECORD, slots->secondary->write_size)};
}

static bool is_sound(const uint8_t record[FERRY_JOURNAL_RECORD])
{
    uint8_t kind = record[0] >> 4;
    return ferry_load_le16(record + FERRY_JOURNAL_CRC) ==
               ferry_crc16(0, record, FERRY_JOURNAL_CRC) &&
           (kind == FERRY_JOURNAL_STATE || kind == FERRY_JOURNAL_MAP);
}

/* Put the one bit right that makes it a record. Returns whether there is such a bit. */
static bool heal(uint8_t record[FERRY_JOURNAL_RECORD])
{
    for (uint32_t bit = 0; bit < 8 * FERRY_JOURNAL_RECORD; bit++) {
        uint8_t mask = (uint8_t)(1U << (bit % 8));
        record[bit / 8] ^= mask;
        if (is_sound(record)) {
            return true;
        }
        record[bit / 8] ^= mask;
    }
    return false;
}

void ferry_journal_seal(uint8_t record[FERRY_JOURNAL_RECORD])
{
    ferry_store_le16(record + FERRY_JOURNAL_CRC, ferry_crc16(0, record, FERRY_JOURNAL_CRC));
}

/* Whether a place was never written; one bit may have flipped there. */
static bool is_blank(const uint8_t record[FERRY_JOURNAL_RECORD], uint8_t erased_value)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < FERRY_JOURNAL_RECORD; i++) {
        for (uint8_t byte = record[i] ^ erased_value; byte != 0; byte &= (uint8_t)(byte - 1)) {
            bits++;
        }
    }
    return bits <= 1;
}

/* Whether a place goes on reading as it did. Returns 1, 0 or FERRY_E_POWER. */
static int is_steady(const struct ferry_flash *area, uint32_t offset,
                     const uint8_t record[FERRY_JOURNAL_RECORD])
{
    uint8_t again[FERRY_JOURNAL_RECORD];
    for (int look = 1; look < LOOKS; look++) {
        int rc = ferry_flash_read(area, offset, again, sizeof again);
        if (rc != FERRY_OK || memcmp(again, record, sizeof again) != 0) {
            return rc == FERRY_E_POWER ? rc : 0;
        }
    }
    return 1;
}

int ferry_journal_place(const struct ferry_flash *area, uint32_t offset,
                        uint8_t record[FERRY_JOURNAL_RECORD])
{
    int rc = ferry_flash_read(area, offset, record, FERRY_JOURNAL_RECORD);
    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : FERRY_E_FORMAT;
    }
    if (is_blank(record, area->erased_value)) {
        return 0;
    }
    rc = is_steady(area, offset, record);
    if (rc != 1) {
        return rc == FERRY_E_POWER ? rc : FERRY_E_FORMAT;
    }
    if (is_sound(record)) {
        return 1;
    }
    return heal(record) ? FERRY_JOURNAL_HEALED : FERRY_E_FORMAT;
}

/* Whether a record of this type can be of the swap that primary tells of. swap_info may have lost
 * a bit: a test and a permanent swap are one apart, and image_ok stands from the begin on unless it
 * is a test. */
static bool belongs(enum ferry_swap_type type, const struct ferry_trailer *primary)
{
    if (type != FERRY_SWAP_TEST && type != FERRY_SWAP_PERM && type != FERRY_SWAP_REVERT) {
        return false;
    }
    enum ferry_swap_type told = (enum ferry_swap_type)primary->swap_type;
    if (told == type) {
        return true;
    }
    if (told != FERRY_SWAP_NONE && (told == FERRY_SWAP_REVERT || type == FERRY_SWAP_REVERT)) {
        return false;
    }
    return (type == FERRY_SWAP_TEST) == (primary->image_ok == FERRY_UNSET);
}

static void take_state(const uint8_t record[FERRY_JOURNAL_RECORD], uint32_t marks,
                       struct ferry_journal *journal)
{
    uint32_t done = ferry_load_le16(record + 4);
    uint32_t known = ferry_max32(marks, journal->done);
    if (done != FERRY_JOURNAL_FINISHED && done > known + 1) {
        return;
    }
    journal->found = true;
    journal->type = (enum ferry_swap_type)(record[0] & 0x0f);
    journal->mapped = (record[1] & FERRY_JOURNAL_MAPPED) != 0;
    journal->backwards = (record[1] & FERRY_JOURNAL_BACKWARDS) != 0;
    journal->blocks = ferry_load_le16(record + 2);
    journal->finished = journal->finished || done == FERRY_JOURNAL_FINISHED;
    journal->done = done == FERRY_JOURNAL_FINISHED ? journal->done : done;
}

/* Whether a record that was put right is what was written: half of another one may look so. It has
 * the blocks of swap_size, which no second fault has touched. */
static bool is_plausible(const struct ferry_slots *slots, const struct ferry_trailer_layout *layout,
                         const uint8_t record[FERRY_JOURNAL_RECORD])
{
    const struct ferry_flash *primary = slots->primary;
    struct ferry_flash_sector block;
    uint32_t size;
    return ferry_trailer_read_size(primary, layout, &size) == FERRY_OK && size != 0 &&
           size <= primary->size && ferry_slots_block_of(slots, size - 1, &block) == FERRY_OK &&
           block.index + 1 == ferry_load_le16(record + 2);
}

int ferry_journal_read(const struct ferry_slots *slots, const struct ferry_trailer_layout *layout,
                       const struct ferry_trailer *primary, uint32_t marks,
                       struct ferry_journal *journal)
{
    struct ferry_journal_area area = ferry_journal_area(slots, layout);
    uint8_t record[FERRY_JOURNAL_RECORD];
    memset(journal, 0, sizeof *journal);
    journal->end = area.start;
    for (uint32_t at = area.start; area.place <= area.end - at; at += area.place) {
        int rc = ferry_journal_place(slots->secondary, at, record);
        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (rc != 0) {
            journal->end = at + area.place;
        }
        if (rc > 0 && record[0] >> 4 == FERRY_JOURNAL_STATE &&
            belongs((enum ferry_swap_type)(record[0] & 0x0f), primary) &&
            (rc != FERRY_JOURNAL_HEALED || is_plausible(slots, layout, record))) {
            take_state(record, marks, journal);
        }
    }
    return FERRY_OK;
}

int ferry_journal_read_end(const struct ferry_slots *slots, struct ferry_trailers *trailers)
{
    struct ferry_trailer_layout layout;
    struct ferry_journal journal;
    if (trailers->primary.magic != FERRY_SET || trailers->primary.copy_done != FERRY_UNSET ||
        trailers->secondary.magic == FERRY_SET) {
        return FERRY_OK;
    }
    int rc = ferry_slots_trailer(slots, &layout);
    if (rc == FERRY_OK) {
        rc = ferry_journal_read(slots, &layout, &trailers->primary, FERRY_JOURNAL_ANY, &journal);
    }
    if (rc == FERRY_OK && journal.finished) {
        trailers->primary.copy_done = FERRY_SET;
    }
    return rc;
}
