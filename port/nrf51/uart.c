/* SPDX-License-Identifier: Apache-2.0 */
/* UART0 at 115200 baud: bytes come in by interrupt, and are sent while it is waited for. */
#include "port/nrf51/registers.h"
#include "port/nrf51/board.h"
#include "port/nrf51/nrf51.h"

#define RING 256U /* a power of two */

static volatile uint8_t ring[RING];
static volatile uint32_t come, taken; /* bytes since the start */

/* RXDRDY is not cleared: while a byte of the program before waits in RXD no other one announces
 * itself. A pin nobody drives is idle by its pull-up. */
void nrf51_uart_init(void)
{
    GPIO_OUTSET = 1U << PIN_TXD;
    GPIO_DIRSET = 1U << PIN_TXD;
    GPIO_PIN_CNF(PIN_RXD) = GPIO_INPUT_PULLUP;
    UART_PSELTXD = PIN_TXD;
    UART_PSELRXD = PIN_RXD;
    UART_BAUDRATE = UART_BAUDRATE_115200;
    UART_ENABLE = 4;
    UART_INTENSET = UART_INT_RXDRDY;
    UART_STARTTX = 1;
    UART_STARTRX = 1;
    NVIC_ISER(IRQ_UART0) = NVIC_BIT(IRQ_UART0);
}

/* Pins may be chosen while it is disabled. */
void nrf51_uart_stop(void)
{
    UART_INTENCLR = UART_INT_RXDRDY;
    UART_STOPRX = 1;
    UART_STOPTX = 1;
    UART_ENABLE = 0;
}

/* While the ring is full bytes stay in the UART, which has 6 of its own. */
void nrf51_uart_interrupt(void)
{
    while (UART_RXDRDY != 0 && come - taken < RING) {
        UART_RXDRDY = 0;
        ring[come % RING] = (uint8_t)UART_RXD;
        come++;
    }
    if (come - taken == RING) {
        UART_INTENCLR = UART_INT_RXDRDY;
    }
}

bool chip_has_bytes(void)
{
    return come != taken;
}

bool chip_has_link(void)
{
    return false;
}

size_t chip_read(unsigned wire, uint8_t *data, size_t cap)
{
    size_t len = 0;

    (void)wire; /* there is one */
    while (len < cap && come != taken) {
        data[len++] = ring[taken % RING];
        taken++;
    }
    UART_INTENSET = UART_INT_RXDRDY;
    return len;
}

void chip_write(unsigned wire, const uint8_t *data, size_t len)
{
    (void)wire;
    for (size_t i = 0; i < len; i++) {
        UART_TXDRDY = 0;
        UART_TXD = data[i];
        while (UART_TXDRDY == 0) {
        }
    }
}
