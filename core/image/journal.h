/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of a swap: records in the status area of the secondary's trailer, which MCUboot
 * leaves unused. The bootloader writes it (core/boot/journal.c); what it says of the end of a swap
 * everyone must know. Internal to core/image and core/boot.
 *
 * Each record stands for itself with a CRC, so that one that was cut is no record, and one with a
 * bit that flipped at rest is put right. The later record wins. */
#ifndef FERRY_CORE_IMAGE_JOURNAL_H
#define FERRY_CORE_IMAGE_JOURNAL_H

#include "ferry/slots.h"

/* kind << 4 | swap type, flags, u16 blocks, u16 done, u16 CRC; a map has u32 bits instead of the
 * numbers and its index for the flags. */
#define FERRY_JOURNAL_RECORD   8
#define FERRY_JOURNAL_CRC      6
#define FERRY_JOURNAL_STATE    0x5
#define FERRY_JOURNAL_MAP      0xa
#define FERRY_JOURNAL_FINISHED 0xffff

/* Records the area must have room for: a begin, and boots that resume. */
#define FERRY_JOURNAL_PLACES 6

enum { FERRY_JOURNAL_MAPPED = 1, FERRY_JOURNAL_BACKWARDS = 2 };

/* Bytes at the end of the scratch area that keep the records of a swap whose images share the
 * trailer's sector: the fields, what is kept of encrypted images, and three marks
 * (core/boot/scratch_opening.c; traits_swap_scratch.c). */
#define FERRY_SCRATCH_MARKS 3
uint32_t ferry_scratch_unit(const struct ferry_slots *slots);
uint32_t ferry_scratch_trailer(const struct ferry_slots *slots,
                               const struct ferry_trailer_layout *layout);

/* What the records say. */
struct ferry_journal {
    bool found;    /* there is a state */
    bool finished; /* the swap is at its end, whatever copy_done reads */
    enum ferry_swap_type type;
    bool backwards;
    bool mapped;
    uint32_t blocks; /* that swap_size covers */
    uint32_t done;   /* steps */
    uint32_t end;    /* behind the last record, offset in the secondary */
};

/* The area of the journal in the secondary: [start, end), records every place bytes. The strategy
 * keeps status entries, or it is empty. */
struct ferry_journal_area {
    uint32_t start;
    uint32_t end;
    uint32_t place;
};
struct ferry_journal_area ferry_journal_area(const struct ferry_slots *slots,
                                             const struct ferry_trailer_layout *layout);

/* Give a record its CRC. */
void ferry_journal_seal(uint8_t record[FERRY_JOURNAL_RECORD]);

/* Read the record at an offset of an area, and put one bit right if need be. Returns 1 = as it was
 * written; FERRY_JOURNAL_HEALED = with one bit put right; 0 = erased, but for one bit perhaps;
 * FERRY_E_FORMAT = neither, unreadable or unsteady; FERRY_E_POWER. */
#define FERRY_JOURNAL_HEALED 2
FERRY_MUST_CHECK
int ferry_journal_place(const struct ferry_flash *area, uint32_t offset,
                        uint8_t record[FERRY_JOURNAL_RECORD]);

/* Read the journal of the swap that primary, its trailer, tells of.
 *
 * marks  steps that have their mark there: a record tells of one more at most than those and the
 *        records before it, or it is noise. FERRY_JOURNAL_ANY where nobody knows
 *
 * Records of another type are left from the swap before and count for nothing.
 * Returns FERRY_OK (with nothing found when it cannot be read), or FERRY_E_POWER. */
#define FERRY_JOURNAL_ANY 0xffff
FERRY_MUST_CHECK
int ferry_journal_read(const struct ferry_slots *slots, const struct ferry_trailer_layout *layout,
                       const struct ferry_trailer *primary, uint32_t marks,
                       struct ferry_journal *journal);

/* The end of a swap whose copy_done did not take stands in the journal: set it then. The read_end
 * of strategies with a journal. Returns FERRY_OK or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_journal_read_end(const struct ferry_slots *slots, struct ferry_trailers *trailers);

#endif
