/* SPDX-License-Identifier: Apache-2.0 */
/* Milliseconds by TIMER1, sleep, and the chip's start and end. */
#include "port/nrf51/registers.h"
#include "port/nrf51/board.h"
#include "port/nrf51/map.h"
#include "port/nrf51/nrf51.h"

static volatile uint64_t now;

void nrf51_clock_init(void)
{
    TIMER_MODE = 0;
    TIMER_BITMODE = 0;   /* 16 bits */
    TIMER_PRESCALER = 4; /* 1 MHz */
    TIMER_CC0 = 1000;
    TIMER_SHORTS = TIMER_SHORT_COMPARE0_CLEAR;
    TIMER_INTENSET = TIMER_INT_COMPARE0;
    NVIC_ISER = 1U << IRQ_TIMER1;
    TIMER_START = 1;
}

void nrf51_clock_interrupt(void)
{
    TIMER_COMPARE0 = 0;
    now++;
}

uint64_t chip_now_ms(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
    uint64_t result = now; /* two words */
    __asm__ volatile("cpsie i" ::: "memory");
    return result;
}

/* What is pending ends the sleep, though interrupts are off: nothing is slept through. */
void chip_wait(uint64_t until)
{
    __asm__ volatile("cpsid i" ::: "memory");
    if (!nrf51_uart_has_bytes() && now < until) {
        __asm__ volatile("wfi");
    }
    __asm__ volatile("cpsie i" ::: "memory");
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
    NVIC_ICER = (1U << IRQ_UART0) | (1U << IRQ_TIMER1);
    NVIC_ICPR = (1U << IRQ_UART0) | (1U << IRQ_TIMER1);
}

/* chip_write() has waited for the last byte. */
_Noreturn void chip_reset(void)
{
    SCB_AIRCR = SCB_AIRCR_SYSRESETREQ;
    for (;;) {
    }
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

/* The mode, and the same inverted: RAM has anything in it after power-on. */
void chip_keep_boot_mode(uint8_t mode)
{
    REGISTER(MAP_RAM_BOOT_MODE) = mode;
    REGISTER(MAP_RAM_BOOT_MODE + 4) = ~(uint32_t)mode;
}

static bool is_kept(void)
{
    return REGISTER(MAP_RAM_BOOT_MODE) == ~REGISTER(MAP_RAM_BOOT_MODE + 4);
}

uint8_t chip_take_boot_mode(void)
{
    uint8_t mode = is_kept() ? (uint8_t)REGISTER(MAP_RAM_BOOT_MODE) : 0;

    chip_keep_boot_mode(0);
    return mode;
}

void chip_keep_stage(uint8_t slot)
{
    REGISTER(MAP_RAM_STAGE) = slot;
}

uint8_t chip_stage(void)
{
    return (uint8_t)(REGISTER(MAP_RAM_STAGE) & 1);
}

bool chip_was_powered_on(void)
{
    return !is_kept();
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
