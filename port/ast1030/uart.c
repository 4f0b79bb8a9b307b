/* SPDX-License-Identifier: Apache-2.0 */
/* UART5 to the host and UART1 to another chip, at 115200 baud: bytes come in by interrupt, and are
 * sent while it is waited for. */
#include "port/ast1030/registers.h"
#include "port/ast1030/ast1030.h"

#define RING 2048U /* a power of two */

struct uart {
    uintptr_t base;
    uint32_t irq;
};

#define UARTS 2

static const struct uart uarts[UARTS] = {
    [CHIP_WIRE_HOST] = {UART5, IRQ_UART5}, [CHIP_WIRE_LINK] = {UART1, IRQ_UART1}};

static struct ring {
    volatile uint32_t come, taken; /* bytes since the start */
    volatile uint8_t bytes[RING];
} rings[UARTS];

void ast1030_uart_init(void)
{
    for (unsigned i = 0; i < UARTS; i++) {
        uintptr_t base = uarts[i].base;

        UART_LCR(base) = UART_LCR_DIVISOR | UART_LCR_8N1;
        UART_DATA(base) = UART_DIVISOR_115200;
        UART_IER(base) = 0; /* the divisor's upper half */
        UART_LCR(base) = UART_LCR_8N1;
        UART_FCR(base) = UART_FCR_FIFO;
        UART_IER(base) = UART_IER_RECEIVED;
        NVIC_ISER(uarts[i].irq) = NVIC_BIT(uarts[i].irq);
    }
}

void ast1030_uart_stop(void)
{
    for (unsigned i = 0; i < UARTS; i++) {
        UART_IER(uarts[i].base) = 0;
        NVIC_ICER(uarts[i].irq) = NVIC_BIT(uarts[i].irq);
        NVIC_ICPR(uarts[i].irq) = NVIC_BIT(uarts[i].irq);
    }
}

void ast1030_uart_drain(void)
{
    for (unsigned i = 0; i < UARTS; i++) {
        while ((UART_LSR(uarts[i].base) & UART_LSR_SENT) == 0) {
        }
    }
}

/* While the ring is full bytes stay in the UART, which has 16 of its own. */
static void receive(unsigned wire)
{
    uintptr_t base = uarts[wire].base;
    struct ring *ring = &rings[wire];

    while (ring->come - ring->taken < RING && (UART_LSR(base) & UART_LSR_RECEIVED) != 0) {
        ring->bytes[ring->come % RING] = (uint8_t)UART_DATA(base);
        ring->come++;
    }
    if (ring->come - ring->taken == RING) {
        UART_IER(base) = 0;
    }
}

void ast1030_uart5_interrupt(void)
{
    receive(CHIP_WIRE_HOST);
}

void ast1030_uart1_interrupt(void)
{
    receive(CHIP_WIRE_LINK);
}

bool chip_has_bytes(void)
{
    return rings[CHIP_WIRE_HOST].come != rings[CHIP_WIRE_HOST].taken ||
           rings[CHIP_WIRE_LINK].come != rings[CHIP_WIRE_LINK].taken;
}

bool chip_has_link(void)
{
    return true;
}

size_t chip_read(unsigned wire, uint8_t *data, size_t cap)
{
    struct ring *ring = &rings[wire];
    size_t len = 0;

    while (len < cap && ring->come != ring->taken) {
        data[len++] = ring->bytes[ring->taken % RING];
        ring->taken++;
    }
    UART_IER(uarts[wire].base) = UART_IER_RECEIVED;
    return len;
}

void chip_write(unsigned wire, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        while ((UART_LSR(uarts[wire].base) & UART_LSR_TAKES) == 0) {
        }
        UART_DATA(uarts[wire].base) = data[i];
    }
}
