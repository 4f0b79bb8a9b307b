/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what can go wrong. */
#include "fault_models.h"

#include <string.h>

#define FILL 256

/* ---- Parts of an operation ------------------------------------------------------------------- */

static uint32_t unit_of(const struct fault_op *op)
{
    return op->area->flash.write_size;
}

static uint32_t sector_of(const struct fault_op *op)
{
    return op->area->flash.runs[0].size;
}

static uint32_t pick(const struct fault_op *op, uint32_t count)
{
    struct fault_chip *chip = op->area->chip;
    uint32_t random = (uint32_t)fault_chip_noise(chip) << 8;

    return (random | fault_chip_noise(chip)) % count;
}

/* Random bytes where nothing else is known to stand. */
static void scramble(const struct fault_op *op, uint32_t offset, uint32_t len)
{
    uint8_t noise[FILL];

    while (len > 0) {
        uint32_t part = ferry_min32(len, FILL);

        for (uint32_t i = 0; i < part; i++) {
            noise[i] = fault_chip_noise(op->area->chip);
        }
        fault_chip_poke(op->area, offset, noise, part);
        offset += part;
        len -= part;
    }
}

/* ---- Programs -------------------------------------------------------------------------------- */

/* Whole units up to one that is chosen by chance; returns its place in the operation. */
static uint32_t program_up_to_a_unit(const struct fault_op *op)
{
    uint32_t whole = pick(op, op->len / unit_of(op)) * unit_of(op);

    if (whole > 0) {
        fault_chip_program(op->area, op->offset, op->data, whole);
    }
    return whole;
}

/* Of a unit every bit takes its new value or keeps the old one. mask gets the bits that change. */
static void tear_unit(const struct fault_op *op, uint32_t at, uint8_t mask[FERRY_FLASH_WRITE_MAX])
{
    uint8_t *memory = op->area->memory + op->offset + at;
    uint8_t torn[FERRY_FLASH_WRITE_MAX];

    for (uint32_t i = 0; i < unit_of(op); i++) {
        mask[i] = memory[i] ^ op->data[at + i];
        torn[i] = memory[i] ^ (uint8_t)(mask[i] & fault_chip_noise(op->area->chip));
    }
    fault_chip_poke(op->area, op->offset + at, torn, unit_of(op));
}

static void torn_program(const struct fault_op *op, enum fault_spot_kind kind)
{
    uint8_t mask[FERRY_FLASH_WRITE_MAX] = {0};
    uint32_t at = program_up_to_a_unit(op);

    tear_unit(op, at, mask);
    fault_chip_doubt(op->area, kind, op->offset + at, unit_of(op), mask);
}

static void half_program(const struct fault_op *op)
{
    uint32_t units = op->len / unit_of(op);
    uint32_t len = units > 1 ? units / 2 * unit_of(op) : op->len / 2;

    if (len > 0) {
        fault_chip_program(op->area, op->offset, op->data, len);
    }
    if (units == 1 && len > 0) {
        uint8_t mask[FERRY_FLASH_WRITE_MAX] = {0};

        fault_chip_doubt(op->area, FAULT_SPOT_TORN, op->offset, op->len, mask);
    }
}

static void noisy_program(const struct fault_op *op)
{
    uint32_t whole = op->len - unit_of(op);

    if (whole > 0) {
        fault_chip_program(op->area, op->offset, op->data, whole);
    }
    scramble(op, op->offset + whole, unit_of(op));
}

/* ---- Erases ---------------------------------------------------------------------------------- */

/* Whole sectors up to one that is chosen by chance; returns where it begins. */
static uint32_t erase_up_to_a_sector(const struct fault_op *op)
{
    uint32_t whole = pick(op, op->len / sector_of(op)) * sector_of(op);

    fault_chip_wear(op->area, op->offset, whole + 1);
    if (whole > 0) {
        fault_chip_erase(op->area, op->offset, whole);
    }
    return op->offset + whole;
}

static void half_erase(const struct fault_op *op, bool second)
{
    uint32_t half = sector_of(op) / 2;
    uint32_t at = erase_up_to_a_sector(op);

    fault_chip_erase(op->area, at + (second ? half : 0), half);
}

static void noisy_erase(const struct fault_op *op)
{
    scramble(op, erase_up_to_a_sector(op), sector_of(op));
}

static void doubtful_erase(const struct fault_op *op, enum fault_spot_kind kind)
{
    uint32_t at = erase_up_to_a_sector(op);

    scramble(op, at, sector_of(op));
    fault_chip_doubt(op->area, kind, at, sector_of(op), NULL);
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static void happen_not(const struct fault_op *op)
{
    if (op->data == NULL) {
        /* An erase that was asked for wears out even when it fails. */
        fault_chip_wear(op->area, op->offset, 1);
    }
}

static void happen_before(const struct fault_op *op)
{
    (void)op;
}

void fault_model_complete(const struct fault_op *op)
{
    if (op->data != NULL) {
        fault_chip_program(op->area, op->offset, op->data, op->len);
    } else {
        fault_chip_wear(op->area, op->offset, op->len);
        fault_chip_erase(op->area, op->offset, op->len);
    }
}

static void happen_half(const struct fault_op *op)
{
    if (op->data != NULL) {
        half_program(op);
    } else {
        half_erase(op, false);
    }
}

static void happen_torn(const struct fault_op *op)
{
    if (op->data != NULL) {
        torn_program(op, FAULT_SPOT_TORN);
    } else {
        half_erase(op, true);
    }
}

static void happen_noisy(const struct fault_op *op)
{
    if (op->data != NULL) {
        noisy_program(op);
    } else {
        noisy_erase(op);
    }
}

static void happen_unstable(const struct fault_op *op)
{
    if (op->data != NULL) {
        torn_program(op, FAULT_SPOT_UNSTABLE);
    } else {
        doubtful_erase(op, FAULT_SPOT_UNSTABLE);
    }
}

static void happen_unreadable(const struct fault_op *op)
{
    if (op->data != NULL) {
        torn_program(op, FAULT_SPOT_UNREADABLE);
    } else {
        doubtful_erase(op, FAULT_SPOT_UNREADABLE);
    }
}

const struct fault_model fault_models[] = {
    {"cut before", 'B', FAULT_CUT, false, happen_before},
    {"cut after", 'A', FAULT_CUT, false, fault_model_complete},
    {"first half", 'H', FAULT_CUT, false, happen_half},
    {"torn word/second half", 'T', FAULT_CUT, false, happen_torn},
    {"noisy word/sector", 'N', FAULT_CUT, false, happen_noisy},
    {"unstable reads", 'U', FAULT_CUT, false, happen_unstable},
    {"read error (ECC)", 'E', FAULT_CUT, false, happen_unreadable},
    {"fails once", 'O', FAULT_ERROR, false, happen_not},
    {"fails once, half done", 'D', FAULT_ERROR, false, happen_half},
    {"fails for ever", 'X', FAULT_ERROR, true, happen_not},
    {"flipped bit at rest", 'F', FAULT_FLIP, false, NULL},
    {"reset before the app", 'R', FAULT_RESET, false, NULL},
};

const size_t fault_model_count = sizeof(fault_models) / sizeof(fault_models[0]);

const struct fault_model *fault_model_find(char letter)
{
    for (size_t i = 0; i < fault_model_count; i++) {
        if (fault_models[i].letter == letter) {
            return &fault_models[i];
        }
    }
    return NULL;
}
