/* SPDX-License-Identifier: Apache-2.0 */
/* A strict chip under a power supply that fails at an operation, for tests of what keeps records in
 * flash. It fails the test when a unit is programmed that is not erased. */
#ifndef CUT_CHIP_H
#define CUT_CHIP_H

#include "ferry/flash.h"

#define CUT_CHIP_MAX 1536

/* How the power fails: the three ways of the library's cutter, and two worse ones made here. */
enum cut_way {
    WAY_BEFORE = FERRY_CUT_BEFORE,
    WAY_AFTER = FERRY_CUT_AFTER,
    WAY_INSIDE = FERRY_CUT_INSIDE,
    WAY_NOISE, /* first half of a program, then a unit with some of its bits; an erase leaves
                * each byte old, erased or between */
    WAY_TAIL,  /* only the second half happens */
    WAYS
};

/* Programs and erases are counted from power on. */
struct cut_chip {
    struct ferry_flash_cutter cutter; /* its flash is what is tested */
    struct ferry_flash flash;
    struct ferry_power power;
    uint8_t memory[CUT_CHIP_MAX];
    uint32_t noise;
    uint64_t operations;
    uint64_t cut_at; /* for the ways made here */
    enum cut_way way;
    bool off;
};

/* A chip of erased flash, without power; may not be moved. */
void cut_chip_init(struct cut_chip *chip, uint32_t sectors, uint32_t sector_size,
                   uint8_t write_size, uint8_t erased_value);

/* Power on. It fails at operation cut_at, counted from 1; 0 never. */
void cut_chip_power_on(struct cut_chip *chip, uint64_t cut_at, enum cut_way way);

/* The next of a sequence of numbers that is the same in every run. *seed is not 0. */
uint32_t cut_random(uint32_t *seed);

#endif
