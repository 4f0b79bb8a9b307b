/* SPDX-License-Identifier: Apache-2.0 */
/* Flash is a contract, and decorators are flash: whatever reads, programs and erases is a
 * struct ferry_flash, be it a chip, a slot of it, a file, or a wrapper that counts or cuts. */
#ifndef FERRY_FLASH_H
#define FERRY_FLASH_H

#include "ferry/bytes.h"
#include "ferry/error.h"

/* Runs of equal sectors one area may have. */
#define FERRY_FLASH_RUNS 4

/* Largest write size served, bytes. */
#define FERRY_FLASH_WRITE_MAX 32

struct ferry_flash;

/* What a port implements. Offsets and lengths were checked by the callers below: inside the
 * area, aligned to the write size (program) or to sectors (erase), len above 0.
 * Each returns FERRY_OK, or FERRY_E_FLASH (FERRY_E_NOT_ERASED, FERRY_E_POWER where it knows).
 *
 * A unit that a power cut left half written, or a sector half erased, reads as some bytes with
 * FERRY_OK, or, in a part with ECC, answers FERRY_E_FLASH until it is erased: who reads survives
 * both. It must not trap. */
struct ferry_flash_ops {
    int (*read)(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len);
    int (*program)(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                   size_t len);
    int (*erase)(const struct ferry_flash *flash, uint32_t offset, size_t len);
};

struct ferry_flash_run {
    uint32_t count; /* sectors, above 0 */
    uint32_t size;  /* bytes of each, above 0, a multiple of the write size */
};

/* A flash area with its geometry. Offsets begin at 0 in every area. The fields are set once,
 * before first use, and never change. */
struct ferry_flash {
    const struct ferry_flash_ops *ops;
    void *context;        /* the port's own */
    uint32_t size;        /* bytes, the sum of the runs */
    uint8_t write_size;   /* bytes one program writes at least: 1, 2, 4, 8, 16 or 32 */
    uint8_t erased_value; /* a byte after erase: 0xff or 0x00 */
    uint8_t run_count;    /* 1 .. FERRY_FLASH_RUNS */
    bool ciphered;        /* bytes are stored in another form than they read and are programmed
                             in: what is erased cannot be told from them */
    struct ferry_flash_run runs[FERRY_FLASH_RUNS];
};

struct ferry_flash_sector {
    uint32_t index;
    uint32_t offset;
    uint32_t size;
};

/* Check a geometry once, before use. Returns FERRY_OK or FERRY_E_CONFIG. */
FERRY_MUST_CHECK
int ferry_flash_check(const struct ferry_flash *flash);

/* Read, program, erase. Nothing is touched unless the whole range is legal.
 *
 * program  offset and len are multiples of the write size; the bytes must be erased
 * erase    offset and len cover whole sectors
 * len 0 is FERRY_OK and does nothing
 *
 * Returns FERRY_OK; FERRY_E_BOUNDS; FERRY_E_ALIGN; or what the port said. */
FERRY_MUST_CHECK
int ferry_flash_read(const struct ferry_flash *flash, uint32_t offset, void *data, size_t len);
FERRY_MUST_CHECK
int ferry_flash_program(const struct ferry_flash *flash, uint32_t offset, const void *data,
                        size_t len);
FERRY_MUST_CHECK
int ferry_flash_erase(const struct ferry_flash *flash, uint32_t offset, size_t len);

/* Program len (1 .. FERRY_FLASH_WRITE_MAX) bytes at a multiple of the write size, padded with
 * the erased value to whole write units. Errors as ferry_flash_program(); FERRY_E_RANGE for len. */
FERRY_MUST_CHECK
int ferry_flash_program_padded(const struct ferry_flash *flash, uint32_t offset, const void *data,
                               size_t len);

/* Sectors: how many, the one with a number, the one that holds an offset.
 * The last two return FERRY_OK or FERRY_E_BOUNDS. */
uint32_t ferry_flash_sector_count(const struct ferry_flash *flash);
FERRY_MUST_CHECK
int ferry_flash_sector(const struct ferry_flash *flash, uint32_t index,
                       struct ferry_flash_sector *sector);
FERRY_MUST_CHECK
int ferry_flash_sector_at(const struct ferry_flash *flash, uint32_t offset,
                          struct ferry_flash_sector *sector);

/* Whether offset is where a sector begins or the area ends. */
bool ferry_flash_is_edge(const struct ferry_flash *flash, uint32_t offset);

/* Whether a range reads as erased. Returns 1, 0, or an error of ferry_flash_read(). In a ciphered
 * flash nothing does: ask the one inside. */
FERRY_MUST_CHECK
int ferry_flash_is_erased(const struct ferry_flash *flash, uint32_t offset, size_t len);

/* Erase every sector that [offset, offset + len) touches and that is not erased yet. One that
 * cannot be read is erased too. Returns FERRY_OK or the first error of an erase. */
FERRY_MUST_CHECK
int ferry_flash_erase_dirty(const struct ferry_flash *flash, uint32_t offset, size_t len);

/* Copy len bytes (a multiple of the target's write size) from one area to another or within one.
 * The target is erased. buf has cap bytes, at least one write unit of the target; not kept.
 * Chunks that are all erased in the source are not programmed when both areas erase to the
 * same value and the target is not ciphered. Returns FERRY_OK or the first error. */
FERRY_MUST_CHECK
int ferry_flash_copy(const struct ferry_flash *from, uint32_t from_offset,
                     const struct ferry_flash *to, uint32_t to_offset, size_t len, uint8_t *buf,
                     size_t cap);

/* ---- A part of another area ------------------------------------------------ */

struct ferry_flash_slice {
    struct ferry_flash flash; /* use this */
    const struct ferry_flash *parent;
    uint32_t offset;
};

/* Make slice a view of [offset, offset + size) of parent, both on sector boundaries.
 * parent and slice must outlive every use of slice->flash, and slice may not be moved.
 * Returns FERRY_OK, FERRY_E_BOUNDS or FERRY_E_ALIGN. */
FERRY_MUST_CHECK
int ferry_flash_slice_init(struct ferry_flash_slice *slice, const struct ferry_flash *parent,
                           uint32_t offset, uint32_t size);

/* ---- Memory as flash -------------------------------------------------------- */

/* Behaves as NOR: program clears bits only (sets only, with erased value 0x00). One that would
 * need a bit back is refused whole with FERRY_E_NOT_ERASED. */
struct ferry_flash_ram {
    struct ferry_flash flash; /* geometry filled by the caller, then init */
    const uint8_t *bytes;     /* what is read */
    uint8_t *memory;          /* the same, to be written; NULL when read only */
};

/* Serve flash->size bytes of memory under the geometry already in ram->flash. The memory is
 * left as it is; it and ram must outlive the use and ram may not be moved.
 * Returns FERRY_OK or FERRY_E_CONFIG. */
FERRY_MUST_CHECK
int ferry_flash_ram_init(struct ferry_flash_ram *ram, uint8_t *memory);

/* Bytes in memory, read only: a file as an image source. program and erase answer
 * FERRY_E_UNSUPPORTED. size above 0. Returns FERRY_OK or FERRY_E_CONFIG. */
FERRY_MUST_CHECK
int ferry_flash_rom_init(struct ferry_flash_ram *rom, const uint8_t *bytes, uint32_t size);

/* ---- Decorator: counting ------------------------------------------------------ */

struct ferry_flash_counts {
    uint32_t reads, programs, erases; /* calls */
    uint64_t bytes_read, bytes_programmed;
    uint32_t sectors_erased;
};

struct ferry_flash_counter {
    struct ferry_flash flash; /* use this */
    const struct ferry_flash *inner;
    struct ferry_flash_counts counts;
    uint32_t *wear; /* erases by sector index, or NULL; the caller's */
};

/* Count what passes to inner. wear: an array of ferry_flash_sector_count(inner) zeroes, or NULL. */
void ferry_flash_counter_init(struct ferry_flash_counter *counter, const struct ferry_flash *inner,
                              uint32_t *wear);

/* ---- Decorator: power cut --------------------------------------------------------- */

enum ferry_cut {
    FERRY_CUT_BEFORE, /* the operation does not happen */
    FERRY_CUT_AFTER,  /* it happens, and nothing after it */
    FERRY_CUT_INSIDE  /* its first half happens (whole write units; half of the erase range) */
};
/* For FERRY_CUT_INSIDE the inner flash must be able to erase a part of a sector: memory and
 * files can. */

/* One power supply, shared by all the areas of a device. Operation n is the nth program or erase
 * of all of them, counted from 1. */
struct ferry_power {
    uint64_t operations; /* happened or begun so far */
    uint64_t cut_at;     /* the operation the power fails at; 0 = never */
    enum ferry_cut how;
    bool off; /* once off, every access answers FERRY_E_POWER */
};

struct ferry_flash_cutter {
    struct ferry_flash flash; /* use this */
    const struct ferry_flash *inner;
    struct ferry_power *power;
};

/* Put inner under a power supply. All three must outlive the use. */
void ferry_flash_cutter_init(struct ferry_flash_cutter *cutter, const struct ferry_flash *inner,
                             struct ferry_power *power);

#endif
