/* SPDX-License-Identifier: Apache-2.0 */
/* The chip of the power-cut tests. */
#include "cut_chip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

uint32_t cut_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* From old towards new, some of the bits. */
static uint8_t partly(struct cut_chip *chip, uint8_t old, uint8_t new)
{
    uint8_t mask = (uint8_t)(cut_random(&chip->noise) >> 8);

    return (uint8_t)((old & ~mask) | (new &mask));
}

static int chip_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    const struct cut_chip *chip = flash->context;

    if (chip->off) {
        return FERRY_E_POWER;
    }
    memcpy(data, chip->memory + offset, len);
    return FERRY_OK;
}

/* Whether the operation that begins now is cut; then the power is off. */
static bool is_cut(struct cut_chip *chip)
{
    chip->operations++;
    chip->off = chip->operations == chip->cut_at;
    return chip->off;
}

static int chip_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                        size_t len)
{
    struct cut_chip *chip = flash->context;
    uint8_t *target = chip->memory + offset;
    size_t unit = flash->write_size;
    size_t half = len / unit / 2 * unit;

    if (chip->off) {
        return FERRY_E_POWER;
    }
    assert_true(ferry_all_equal(target, len, flash->erased_value));
    if (!is_cut(chip)) {
        memcpy(target, data, len);
        return FERRY_OK;
    }
    if (chip->way == WAY_TAIL) {
        memcpy(target + half, data + half, len - half);
        return FERRY_E_POWER;
    }
    memcpy(target, data, half);
    for (size_t i = half; i < half + unit; i++) {
        target[i] = partly(chip, target[i], data[i]);
    }
    return FERRY_E_POWER;
}

static int chip_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    struct cut_chip *chip = flash->context;
    uint8_t *target = chip->memory + offset;

    if (chip->off) {
        return FERRY_E_POWER;
    }
    if (!is_cut(chip)) {
        memset(target, flash->erased_value, len);
        return FERRY_OK;
    }
    if (chip->way == WAY_TAIL) {
        memset(target + len / 2, flash->erased_value, len - len / 2);
        return FERRY_E_POWER;
    }
    for (size_t i = 0; i < len; i++) {
        target[i] = partly(chip, target[i], flash->erased_value);
    }
    return FERRY_E_POWER;
}

static const struct ferry_flash_ops chip_ops = {
    .read = chip_read, .program = chip_program, .erase = chip_erase};

void cut_chip_init(struct cut_chip *chip, uint32_t sectors, uint32_t sector_size,
                   uint8_t write_size, uint8_t erased_value)
{
    *chip = (struct cut_chip){.flash = {.ops = &chip_ops,
                                        .context = chip,
                                        .size = sectors * sector_size,
                                        .write_size = write_size,
                                        .erased_value = erased_value,
                                        .run_count = 1,
                                        .runs = {{sectors, sector_size}}},
                              .noise = 0x2545f491,
                              .off = true};
    assert_true(chip->flash.size <= CUT_CHIP_MAX);
    memset(chip->memory, erased_value, sizeof(chip->memory));
    ferry_flash_cutter_init(&chip->cutter, &chip->flash, &chip->power);
}

void cut_chip_power_on(struct cut_chip *chip, uint64_t cut_at, enum cut_way way)
{
    bool library = way <= WAY_INSIDE;

    chip->power = (struct ferry_power){.cut_at = library ? cut_at : 0};
    chip->power.how = library ? (enum ferry_cut)way : FERRY_CUT_BEFORE;
    chip->operations = 0;
    chip->cut_at = library ? 0 : cut_at;
    chip->way = way;
    chip->off = false;
}
