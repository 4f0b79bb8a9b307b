/* SPDX-License-Identifier: Apache-2.0 */
/* Milliseconds by TIMER1, sleep, and the chip's start and end. */
#include "port/nrf52/registers.h"
#include "port/nrf52/board.h"
#include "port/nrf52/nrf52.h"

static void begin_clock(void)
{
    TIMER_MODE = MODE_TIMER;
    TIMER_BITMODE = BITMODE_16;
    TIMER_PRESCALER = 4; /* 1 MHz */
    TIMER_CC0 = 1000;
    TIMER_SHORTS = TIMER_SHORT_COMPARE0_CLEAR;
    TIMER_INTENSET = TIMER_INT_COMPARE0;
    NVIC_ISER(IRQ_TIMER1) = NVIC_BIT(IRQ_TIMER1);
    TIMER_START = 1;
}

void nrf52_clock_interrupt(void)
{
    TIMER_COMPARE0 = 0;
    (void)TIMER_COMPARE0; /* or the interrupt is pending still when this returns */
    chip_tick();
}

/* The crystal takes over when it is ready; nobody waits for it. On the RC oscillator alone the
 * UART's rate may be off by more than a receiver takes. */
void chip_init(void)
{
    CLOCK_HFCLKSTART = 1;
    GPIO_PIN_CNF(PIN_BUTTON) = GPIO_INPUT_PULLUP;
    nrf52_uarte_init();
    begin_clock();
}

void nrf52_stop(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
    nrf52_uarte_stop();
    TIMER_STOP = 1;
    TIMER_INTENCLR = TIMER_INT_COMPARE0;
    TIMER_COMPARE0 = 0;
    TIMER_CLEAR = 1;
    CLOCK_HFCLKSTOP = 1;
    NVIC_ICER(IRQ_TIMER1) = NVIC_BIT(IRQ_UARTE0) | NVIC_BIT(IRQ_TIMER1);
    NVIC_ICPR(IRQ_TIMER1) = NVIC_BIT(IRQ_UARTE0) | NVIC_BIT(IRQ_TIMER1);
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
    if (on) {
        GPIO_OUTCLR = 1U << PIN_LIGHT;
    } else {
        GPIO_OUTSET = 1U << PIN_LIGHT;
    }
    GPIO_PIN_CNF(PIN_LIGHT) = GPIO_OUTPUT;
}

/* A register of 8 bits that outlives a reset by software; any other reset clears it. */
void chip_keep_boot_mode(uint8_t mode)
{
    POWER_GPREGRET = mode;
}

uint8_t chip_take_boot_mode(void)
{
    uint8_t mode = (uint8_t)POWER_GPREGRET;

    chip_keep_boot_mode(0);
    return mode;
}

/* Each other kind of reset has a bit, which stays until somebody clears it. */
bool chip_was_powered_on(void)
{
    return POWER_RESETREAS == 0;
}

/* Counts in 32768 Hz, also while the processor sleeps, not while a debugger holds it. It starts the
 * low-frequency clock itself. In a program after the first, and after a reset by software, these
 * registers are locked. */
void chip_watchdog(uint32_t ms)
{
    WDT_CONFIG = WDT_SLEEP;
    WDT_CRV = (uint32_t)((uint64_t)ms * 32768 / 1000);
    WDT_RREN = 1;
    WDT_START = 1;
}

void chip_feed(void *context)
{
    (void)context;
    WDT_RR0 = WDT_RELOAD;
}
