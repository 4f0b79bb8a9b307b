/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the record store share: a strict chip that may be faulty, and a model of what
 * the store ought to hold. */
#ifndef STORE_CHIP_H
#define STORE_CHIP_H

#include "ferry/store.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CHIP_SIZE    4096
#define SECTOR       1024

enum fault {
    FAULT_REFUSES,   /* does nothing and says so */
    FAULT_DOES,      /* does it and says it failed */
    FAULT_LIES,      /* does nothing and says it is done */
    FAULT_FLIPS_BIT, /* does it, but for one bit, and says it is done */
    FAULT_SPOILS,    /* what it changes cannot be read until it is erased, as by a cut under ECC */
    FAULTS
};

/* Every unit is programmed at most once between two erases: flash with ECC allows no more. */
struct chip {
    struct ferry_flash flash;
    uint8_t memory[CHIP_SIZE];
    bool spoilt[CHIP_SIZE]; /* cannot be read */
    uint32_t operations;
    uint32_t fail_at; /* operation, counted from 1; 0 never */
    enum fault fault;
    bool dead; /* nothing answers */
};

/* A chip of erased flash; may not be moved. */
void chip_init(struct chip *chip, uint8_t write_size, uint8_t erased_value, uint32_t sectors,
               uint32_t sector_size);

/* Open, which must succeed and write nothing. */
void open_store(struct ferry_store *store, const struct chip *chip);

/* An opened store on a fresh chip of four sectors. */
void fresh(struct ferry_store *store, struct chip *chip);

/* Put a text, which must succeed. */
void put_text(struct ferry_store *store, uint16_t key, const char *text);

/* Get must give this text. NULL: the key must be absent. */
void expect_text(const struct ferry_store *store, uint16_t key, const char *text);

#define KEYS 6

/* What the store ought to hold. */
struct model {
    uint8_t data[KEYS][FERRY_STORE_MAX];
    size_t len[KEYS];
};

/* Every key must read as the model says. */
void expect_model(const struct ferry_store *store, const struct model *model);

/* The next of a sequence of numbers that is the same in every run. *seed is not 0. */
uint32_t next_random(uint32_t *seed);

#endif
