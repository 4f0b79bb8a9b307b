/* SPDX-License-Identifier: Apache-2.0 */
/* Milliseconds by TIMER1, sleep, and the chip's start and end. */
#include "port/nrf51/registers.h"
#include "port/nrf51/board.h"
#include "port/nrf51/map.h"
#include "port/nrf51/nrf51.h"

void nrf51_clock_init(void)
{
    TIMER_MODE = 0;
    TIMER_BITMODE = 0;   /* 16 bits */
    TIMER_PRESCALER = 4; /* 1 MHz */
    TIMER_CC0 = 1000;
    TIMER_SHORTS = TIMER_SHORT_COMPARE0_CLEAR;
    TIMER_INTENSET = TIMER_INT_COMPARE0;
    NVIC_ISER(IRQ_TIMER1) = NVIC_BIT(IRQ_TIMER1);
    TIMER_START = 1;
}

void nrf51_clock_interrupt(void)
{
    TIMER_COMPARE0 = 0;
    chip_tick();
}

/* The crystal takes over when it is ready; nobody waits for it. On the RC oscillator alone the
 * UART's rate may be off by more than a receiver takes. */
void chip_init(void)
{
    CLOCK_HFCLKSTART = 1;
    GPIO_PIN_CNF(PIN_BUTTON) = GPIO_INPUT_PULLUP;
    nrf51_uart_init();
    nrf51_clock_init();
}

void nrf51_stop(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
    TIMER_STOP = 1;
    TIMER_INTENCLR = TIMER_INT_COMPARE0;
    TIMER_COMPARE0 = 0;
    TIMER_CLEAR = 1;
    nrf51_uart_stop();
    CLOCK_HFCLKSTOP = 1;
    NVIC_ICER(IRQ_TIMER1) = NVIC_BIT(IRQ_UART0) | NVIC_BIT(IRQ_TIMER1);
    NVIC_ICPR(IRQ_TIMER1) = NVIC_BIT(IRQ_UART0) | NVIC_BIT(IRQ_TIMER1);
}

/* chip_write() has waited for the last byte. */
_Noreturn void chip_reset(void)
{
    cortex_m_reset();
}

bool chip_button(void)
{
    return (GPIO_IN & (1U << PIN_BUTTON)) == 0;
}

void chip_light(bool on)
{
    GPIO_DIRSET = (1U << PIN_ROW) | (1U << PIN_COLUMN);
    if (on) {
        GPIO_OUTSET = 1U << PIN_ROW;
    } else {
        GPIO_OUTCLR = 1U << PIN_ROW;
    }
}

void chip_keep_stage(uint8_t slot)
{
    REGISTER(MAP_RAM_STAGE) = slot;
}

uint8_t chip_stage(void)
{
    return (uint8_t)(REGISTER(MAP_RAM_STAGE) & 1);
}

/* Counts in 32768 Hz, also while the processor sleeps, not while a debugger holds it. It starts the
 * low-frequency clock itself. In a program after the first these registers are locked. */
void chip_watchdog(uint32_t ms)
{
    WDT_CONFIG = 1;
    WDT_CRV = (uint32_t)((uint64_t)ms * 32768 / 1000);
    WDT_RREN = 1;
    WDT_START = 1;
}

void chip_feed(void *context)
{
    (void)context;
    WDT_RR0 = WDT_RELOAD;
}
