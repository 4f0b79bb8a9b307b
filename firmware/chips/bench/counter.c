/* SPDX-License-Identifier: Apache-2.0 */
#include "firmware/chips/bench/counter.h"

#include "ferry/bytes.h"
#include "port/nrf51/registers.h"

#define COUNTER_START     REGISTER(0x40008000)
#define COUNTER_CAPTURE0  REGISTER(0x40008040)
#define COUNTER_MODE      REGISTER(0x40008504)
#define COUNTER_BITMODE   REGISTER(0x40008508)
#define COUNTER_PRESCALER REGISTER(0x40008510)
#define COUNTER_CC0       REGISTER(0x40008540)
#define BITMODE_32        3U

void counter_begin(void)
{
    COUNTER_MODE = 0;
    COUNTER_BITMODE = BITMODE_32;
    COUNTER_PRESCALER = 0; /* 16 MHz */
    COUNTER_START = 1;
}

uint32_t counter_ticks(void)
{
    COUNTER_CAPTURE0 = 1;
    return COUNTER_CC0;
}

static void put(char character)
{
    UART_TXDRDY = 0;
    UART_TXD = (uint32_t)character;
    while (UART_TXDRDY == 0) {
    }
}

static void put_all(const char *text)
{
    while (*text != '\0') {
        put(*text++);
    }
}

static void put_hex(uint8_t byte)
{
    put("0123456789abcdef"[byte >> 4]);
    put("0123456789abcdef"[byte & 15]);
}

static void begin_line(const char *name)
{
    UART_ENABLE = 4;
    UART_STARTTX = 1;
    put_all("bench: ");
    put_all(name);
    put(' ');
}

void counter_tell(const char *name, uint32_t ticks)
{
    char digits[12];

    digits[ferry_text_decimal(digits, ticks, 1)] = '\0';
    begin_line(name);
    put_all(digits);
    put('\n');
}

_Noreturn void counter_end(const uint8_t *bytes, size_t len)
{
    begin_line("end");
    for (size_t i = 0; i < len; i++) {
        put_hex(bytes[i]);
    }
    put('\n');
    for (;;) {
        __asm__ volatile("cpsid i\nwfi");
    }
}
