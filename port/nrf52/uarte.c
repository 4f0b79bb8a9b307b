/* SPDX-License-Identifier: Apache-2.0 */
/* UARTE0 at 115200 baud. It writes what comes in to one half of a ring, then to the other, with no
 * help but the address of the next half: a half takes longer to fill than a page to erase, when the
 * processor stands still. How many bytes have come TIMER2 counts, by PPI. */
#include "port/nrf52/registers.h"
#include "port/nrf52/board.h"
#include "port/nrf52/nrf52.h"

#include <string.h>

#define HALF 2048U /* 178 ms of bytes; a page is erased in 85 */
#define RING (2 * HALF)

/* Longer than the UARTE takes from RXDRDY to the byte in RAM, and much less than a byte takes. */
#define SETTLE_LOOPS 64

#define OUT 128U /* bytes that are sent at once */

static uint8_t ring[RING];
static volatile uint32_t next_half;
static uint32_t come, taken; /* bytes since the start */

static void give_next_half(void)
{
    UARTE_RXD_PTR = (uint32_t)(uintptr_t)&ring[next_half * HALF];
    UARTE_RXD_MAXCNT = HALF;
    next_half ^= 1;
}

static void count_bytes(void)
{
    COUNTER_MODE = MODE_COUNTER;
    COUNTER_BITMODE = BITMODE_32;
    COUNTER_CLEAR = 1;
    COUNTER_START = 1;
    PPI_CH0_EEP = UARTE_RXDRDY_ADDRESS;
    PPI_CH0_TEP = COUNTER_COUNT_ADDRESS;
    PPI_CHENSET = 1;
}

void nrf52_uarte_init(void)
{
    GPIO_OUTSET = 1U << PIN_TXD;
    GPIO_PIN_CNF(PIN_TXD) = GPIO_OUTPUT;
    GPIO_PIN_CNF(PIN_RXD) = GPIO_INPUT_PULLUP;
    UARTE_PSELTXD = PIN_TXD;
    UARTE_PSELRXD = PIN_RXD;
    UARTE_BAUDRATE = UARTE_BAUDRATE_115200;
    UARTE_CONFIG = 0; /* 8 bits, no parity, no handshake */
    UARTE_ENABLE = UARTE_ENABLED;
    count_bytes();
    give_next_half();
    UARTE_RXDRDY = 0;
    UARTE_RXSTARTED = 0;
    UARTE_SHORTS = UARTE_SHORT_ENDRX_STARTRX;
    UARTE_INTENSET = UARTE_INT_RXDRDY | UARTE_INT_RXSTARTED;
    NVIC_ISER(IRQ_UARTE0) = NVIC_BIT(IRQ_UARTE0);
    UARTE_STARTRX = 1;
}

/* Once a half is begun its address may be another one's. RXDRDY only ends a sleep. */
void nrf52_uarte_interrupt(void)
{
    if (UARTE_RXSTARTED != 0) {
        UARTE_RXSTARTED = 0;
        give_next_half();
    }
    UARTE_RXDRDY = 0;
    (void)UARTE_RXDRDY; /* or the interrupt is pending still when this returns */
}

void nrf52_uarte_stop(void)
{
    UARTE_INTENCLR = UARTE_INT_RXDRDY | UARTE_INT_RXSTARTED;
    UARTE_SHORTS = 0;
    UARTE_RXTO = 0;
    UARTE_STOPRX = 1;
    while (UARTE_RXTO == 0) {
    }
    UARTE_ENABLE = 0;
    UARTE_RXDRDY = 0;
    UARTE_RXSTARTED = 0;
    PPI_CHENCLR = 1;
    COUNTER_STOP = 1;
}

static uint32_t counted(void)
{
    COUNTER_CAPTURE0 = 1;
    return COUNTER_CC0;
}

bool chip_has_bytes(void)
{
    return counted() != taken;
}

bool chip_has_link(void)
{
    return false;
}

/* Look for more than is known to be in RAM. */
static void look(void)
{
    uint32_t count = counted();

    if (count == come) {
        return;
    }
    for (uint32_t i = 0; i < SETTLE_LOOPS; i++) {
        __asm__ volatile("nop");
    }
    come = count;
    if (come - taken > RING) { /* the oldest are written over */
        taken = come - HALF;
    }
}

size_t chip_read(unsigned wire, uint8_t *data, size_t cap)
{
    const volatile uint8_t *bytes = ring; /* the UARTE writes it */
    size_t len = 0;

    (void)wire; /* there is one */
    if (come == taken) {
        look();
    }
    while (len < cap && come != taken) {
        data[len++] = bytes[taken % RING];
        taken++;
    }
    return len;
}

/* The UARTE reads RAM only: constants are copied. */
static void send(const uint8_t *data, size_t len)
{
    static uint8_t out[OUT];

    memcpy(out, data, len);
    __asm__ volatile("" ::: "memory");
    UARTE_TXD_PTR = (uint32_t)(uintptr_t)out;
    UARTE_TXD_MAXCNT = (uint32_t)len;
    UARTE_ENDTX = 0;
    UARTE_STARTTX = 1;
    while (UARTE_ENDTX == 0) {
    }
}

void chip_write(unsigned wire, const uint8_t *data, size_t len)
{
    (void)wire;
    if (len == 0) {
        return; /* what did not begin does not stop */
    }
    while (len > 0) {
        size_t part = len < OUT ? len : OUT;

        send(data, part);
        data += part;
        len -= part;
    }
    UARTE_TXSTOPPED = 0;
    UARTE_STOPTX = 1; /* it takes current until then */
    while (UARTE_TXSTOPPED == 0) {
    }
}
