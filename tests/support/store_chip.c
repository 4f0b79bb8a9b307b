/* SPDX-License-Identifier: Apache-2.0 */
/* The strict chip and the model of test_store*.c. */
#include "store_chip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static int chip_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    const struct chip *chip = flash->context;

    for (size_t i = 0; i < len; i++) {
        if (chip->dead || chip->spoilt[offset + i]) {
            return FERRY_E_FLASH;
        }
    }
    memcpy(data, chip->memory + offset, len);
    return FERRY_OK;
}

static int chip_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                        size_t len)
{
    struct chip *chip = flash->context;
    bool fails = ++chip->operations == chip->fail_at;

    assert_true(ferry_all_equal(chip->memory + offset, len, flash->erased_value));
    for (size_t i = 0; i < len; i++) {
        assert_false(chip->spoilt[offset + i]);
    }
    if (chip->dead || (fails && chip->fault == FAULT_REFUSES)) {
        return FERRY_E_FLASH;
    }
    if (fails && chip->fault == FAULT_LIES) {
        return FERRY_OK;
    }
    memcpy(chip->memory + offset, data, len);
    if (fails && chip->fault == FAULT_SPOILS) {
        memset(chip->spoilt + offset, true, len);
        return FERRY_E_FLASH;
    }
    if (fails && chip->fault == FAULT_FLIPS_BIT) {
        chip->memory[offset + len / 2] ^= 0x04;
    }
    return fails && chip->fault == FAULT_DOES ? FERRY_E_FLASH : FERRY_OK;
}

static int chip_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    struct chip *chip = flash->context;
    bool fails = ++chip->operations == chip->fail_at;

    if (chip->dead || (fails && chip->fault == FAULT_REFUSES)) {
        return FERRY_E_FLASH;
    }
    memset(chip->memory + offset, flash->erased_value, len);
    memset(chip->spoilt + offset, fails && chip->fault == FAULT_SPOILS, len);
    if (fails && chip->fault == FAULT_SPOILS) {
        return FERRY_E_FLASH;
    }
    return fails && chip->fault == FAULT_DOES ? FERRY_E_FLASH : FERRY_OK;
}

static const struct ferry_flash_ops chip_ops = {
    .read = chip_read, .program = chip_program, .erase = chip_erase};

void chip_init(struct chip *chip, uint8_t write_size, uint8_t erased_value, uint32_t sectors,
               uint32_t sector_size)
{
    *chip = (struct chip){.flash = {.ops = &chip_ops,
                                    .context = chip,
                                    .size = sectors * sector_size,
                                    .write_size = write_size,
                                    .erased_value = erased_value,
                                    .run_count = 1,
                                    .runs = {{sectors, sector_size}}}};
    memset(chip->memory, erased_value, sizeof(chip->memory));
}

void open_store(struct ferry_store *store, const struct chip *chip)
{
    uint32_t before = chip->operations;

    assert_int_equal(ferry_store_open(store, &chip->flash), FERRY_OK);
    assert_int_equal(chip->operations, before);
}

void fresh(struct ferry_store *store, struct chip *chip)
{
    chip_init(chip, 4, 0xff, 4, SECTOR);
    open_store(store, chip);
}

void put_text(struct ferry_store *store, uint16_t key, const char *text)
{
    assert_int_equal(ferry_store_put(store, key, text, strlen(text)), FERRY_OK);
}

void expect_text(const struct ferry_store *store, uint16_t key, const char *text)
{
    char data[FERRY_STORE_MAX];
    int len = ferry_store_get(store, key, data, sizeof(data));

    if (text == NULL) {
        assert_int_equal(len, FERRY_E_NOT_FOUND);
        return;
    }
    assert_int_equal(len, strlen(text));
    assert_memory_equal(data, text, strlen(text));
}

void expect_model(const struct ferry_store *store, const struct model *model)
{
    uint8_t data[FERRY_STORE_MAX];

    for (uint16_t i = 0; i < KEYS; i++) {
        int len = ferry_store_get(store, (uint16_t)(i + 1), data, sizeof(data));

        assert_int_equal(len, model->len[i] == 0 ? FERRY_E_NOT_FOUND : (int)model->len[i]);
        assert_memory_equal(data, model->data[i], model->len[i]);
    }
}

uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}
