/* SPDX-License-Identifier: Apache-2.0 */
/* uart_port.h on a computer, to try uart_server.c: standard input and output are the UART, memory
 * is the flash. */
#include "uart_port.h"

#include <stdlib.h>
#include <unistd.h>

#define SLOT_SIZE   0x20000
#define SECTOR_SIZE 0x1000

/* Bits are kept inverted, so that memory, which begins as zeroes, begins erased. */
static uint8_t memory[2][SLOT_SIZE];

static int flash_read(const struct ferry_flash *flash, uint32_t offset, uint8_t *data, size_t len)
{
    const uint8_t *slot = flash->context;

    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)~slot[offset + i];
    }
    return FERRY_OK;
}

static int flash_program(const struct ferry_flash *flash, uint32_t offset, const uint8_t *data,
                         size_t len)
{
    uint8_t *slot = flash->context;

    for (size_t i = 0; i < len; i++) {
        slot[offset + i] |= (uint8_t)~data[i]; /* NOR: programming only clears bits */
    }
    return FERRY_OK;
}

static int flash_erase(const struct ferry_flash *flash, uint32_t offset, size_t len)
{
    uint8_t *slot = flash->context;

    for (size_t i = 0; i < len; i++) {
        slot[offset + i] = 0;
    }
    return FERRY_OK;
}

static const struct ferry_flash_ops flash_ops = {
    .read = flash_read, .program = flash_program, .erase = flash_erase};

#define SLOT(number)                                                                               \
    {                                                                                              \
        .ops = &flash_ops, .context = memory[number], .size = SLOT_SIZE, .write_size = 8,          \
        .erased_value = 0xff, .run_count = 1, .runs = {{SLOT_SIZE / SECTOR_SIZE, SECTOR_SIZE}},    \
    }

const struct ferry_flash port_primary = SLOT(0);
const struct ferry_flash port_secondary = SLOT(1);

uint8_t port_uart_get(void)
{
    uint8_t byte;

    if (read(STDIN_FILENO, &byte, 1) != 1) {
        exit(EXIT_FAILURE); /* nobody is at the other end any more */
    }
    return byte;
}

void port_uart_put(uint8_t byte)
{
    if (write(STDOUT_FILENO, &byte, 1) != 1) {
        exit(EXIT_FAILURE);
    }
}

void port_reset(void)
{
    exit(EXIT_SUCCESS);
}
