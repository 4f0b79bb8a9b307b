/* SPDX-License-Identifier: Apache-2.0 */
/* A wire in place of the nRF51's UART, so that nothing that is counted waits: what comes in lies in
 * flash, of what is sent the last frame is kept. The counter runs from here on, and is told once
 * all has been taken. */
#include "firmware/chips/bench/counter.h"
#include "port/nrf51/nrf51.h"

#include <string.h>

/* Behind every slot: a word with the length, then the bytes. bench/firmware.py puts them there. */
#define FEED 0x50000

#define FRAME_BEGIN 0x06 /* the first byte of a frame of the console */

static uint32_t taken;
static uint8_t last[256];
static size_t last_len;

static uint32_t feed_length(void)
{
    return *(const volatile uint32_t *)FEED;
}

void nrf51_uart_init(void)
{
    counter_begin();
}

void nrf51_uart_stop(void)
{
}

void nrf51_uart_interrupt(void)
{
}

bool chip_has_bytes(void)
{
    return true;
}

bool chip_has_link(void)
{
    return false;
}

size_t chip_read(unsigned wire, uint8_t *data, size_t cap)
{
    static uint32_t before;
    size_t len = feed_length() - taken;

    (void)wire;
    if (taken == 0) {
        before = counter_ticks();
    }
    if (len == 0) {
        counter_tell("upload", counter_ticks() - before);
        counter_end(last, last_len);
    }
    len = len < cap ? len : cap;
    memcpy(data, (const uint8_t *)FEED + sizeof(uint32_t) + taken, len);
    taken += (uint32_t)len;
    return len;
}

void chip_write(unsigned wire, const uint8_t *data, size_t len)
{
    (void)wire;
    if (len > 0 && data[0] == FRAME_BEGIN) {
        last_len = 0;
    }
    for (size_t i = 0; i < len && last_len < sizeof(last); i++) {
        last[last_len++] = data[i];
    }
}
