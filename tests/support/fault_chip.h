/* SPDX-License-Identifier: Apache-2.0 */
/* The flash of a device under fault: its areas under one counter of operations, with the rules of
 * NOR or write-once parts, words and sectors that a power cut left in doubt, and a journal by which
 * any earlier content comes back. */
#ifndef FAULT_CHIP_H
#define FAULT_CHIP_H

#include "fault_secrets.h"
#include "ferry/flash.h"

#define FAULT_SECTORS_MAX 80
#define FAULT_SPOTS_MAX   12
#define FAULT_ARMED_MAX   2

/* Two images at most, which share the scratch area; what stands before the store has trailers. */
enum fault_place {
    FAULT_PRIMARY,
    FAULT_SECONDARY,
    FAULT_SCRATCH,
    FAULT_PRIMARY_2,
    FAULT_SECONDARY_2,
    FAULT_STORE,
    FAULT_PLACES
};

extern const char *const fault_place_names[FAULT_PLACES];

struct fault_chip;
struct fault_model; /* fault_models.h */

/* What an area is made of. */
struct fault_shape {
    uint32_t sectors; /* 0 = the device has no such area */
    uint32_t sector_size;
    uint8_t write_size;
    uint8_t erased_value;
};

struct fault_area {
    struct ferry_flash flash; /* use this */
    struct fault_chip *chip;
    enum fault_place place;
    uint8_t *memory;
};

/* One erase (data NULL) or program, about to happen. */
struct fault_op {
    struct fault_area *area;
    uint32_t offset;
    uint32_t len;
    const uint8_t *data;
};

enum fault_spot_kind {
    FAULT_SPOT_TORN,      /* reads as some bytes; a write-once part takes no program there */
    FAULT_SPOT_UNSTABLE,  /* reads differently each time until programmed or erased */
    FAULT_SPOT_UNREADABLE /* answers FERRY_E_FLASH until erased */
};

/* A word or sector that a fault left in doubt. */
struct fault_spot {
    uint8_t place;
    uint8_t kind;
    bool masked; /* only the bits in mask are in doubt: spots of one word */
    uint32_t offset;
    uint32_t len;
    uint8_t mask[FERRY_FLASH_WRITE_MAX];
};

/* An operation that is going to fail with an error. */
struct fault_armed {
    uint64_t at; /* the operation, counted from 1 */
    const struct fault_model *model;
    bool fired;
    /* What fails for ever once it has fired. */
    uint8_t place;
    bool is_erase;
    uint32_t offset;
};

/* All that is not content: copied as a whole where lives branch. */
struct fault_state {
    uint64_t operations; /* begun so far */
    uint32_t steps;      /* accesses since the power came on, for the guard */
    uint32_t noise;      /* of the generator; never 0 */
    bool runaway;        /* the guard cut the power: the code did not come to an end */
    bool booting;        /* the bootloader runs: its erases are counted */
    uint8_t spot_count;
    uint8_t armed_count;
    struct fault_armed armed[FAULT_ARMED_MAX];
    struct fault_spot spots[FAULT_SPOTS_MAX];
    uint16_t wear[FAULT_STORE][FAULT_SECTORS_MAX]; /* erases by the bootloader */
    uint32_t reprogrammed; /* programs of what could be seen not to be erased */
    uint32_t needless;     /* erases of what was erased, the store left out */
    uint8_t leaked;        /* enum fault_secret_kind: the worst that an operation has left */
};

struct fault_chip {
    struct fault_area areas[FAULT_PLACES];
    struct fault_state state;
    bool verbose;    /* tell of programs that break the rules */
    bool write_once; /* a program of a unit that is not erased answers FERRY_E_NOT_ERASED */
    /* Called before each operation that is going to happen; may branch off other lives as long as
     * it leaves content and state as they were. */
    void (*watch)(void *watcher, const struct fault_op *op);
    void *watcher;
    const struct fault_secrets *secrets; /* what may not be in flash, or NULL */
    uint8_t *journal;
    size_t journal_len;
    size_t journal_cap;
};

/* Accesses in one boot or run of the application after which the guard cuts the power. */
#define FAULT_STEPS_MAX 400000

/* Set up erased areas. May not be moved afterwards. Aborts when memory is out.
 * Give it to fault_chip_free(). */
void fault_chip_init(struct fault_chip *chip, const struct fault_shape shapes[FAULT_PLACES]);
void fault_chip_free(struct fault_chip *chip);

/* Whether the device has an area. */
bool fault_chip_has(const struct fault_chip *chip, enum fault_place place);

/* The next pseudo-random byte of the state's generator. */
uint8_t fault_chip_noise(struct fault_chip *chip);

/* Where the journal stands now; and back to the content of that moment. */
size_t fault_chip_mark(const struct fault_chip *chip);
void fault_chip_undo(struct fault_chip *chip, size_t mark);

/* Change content behind the back of every rule. program and erase do what flash does (bits move
 * one way; any range may be erased), poke sets bytes. */
void fault_chip_program(struct fault_area *area, uint32_t offset, const uint8_t *data,
                        uint32_t len);
void fault_chip_erase(struct fault_area *area, uint32_t offset, uint32_t len);
void fault_chip_poke(struct fault_area *area, uint32_t offset, const uint8_t *bytes, uint32_t len);

/* Leave a spot in doubt. mask: len bytes for a word, NULL for a sector: all bits. */
void fault_chip_doubt(struct fault_area *area, enum fault_spot_kind kind, uint32_t offset,
                      uint32_t len, const uint8_t *mask);

/* Count an erase by the bootloader that a fault cut short. */
void fault_chip_wear(struct fault_area *area, uint32_t offset, uint32_t len);

#endif
