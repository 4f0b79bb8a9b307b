/* SPDX-License-Identifier: Apache-2.0 */
/* Milliseconds by the processor's own timer, sleep, the watchdog, and the chip's start and end. */
#include "port/ast1030/registers.h"
#include "port/ast1030/ast1030.h"
#include "port/ast1030/map.h"

/* GPIO A0, high while it is pressed; and A1, high for light. */
#define BUTTON (1U << 0)
#define LIGHT  (1U << 1)

void ast1030_clock_interrupt(void)
{
    chip_tick();
}

static void begin_clock(void)
{
    SYSTICK_RELOAD = CLOCK_HZ / 1000 - 1;
    SYSTICK_CURRENT = 0;
    SYSTICK_CTRL = SYSTICK_RUNS;
}

void chip_init(void)
{
    ast1030_flash_init();
    ast1030_uart_init();
    begin_clock();
}

void ast1030_stop(void)
{
    __asm__ volatile("cpsid i" ::: "memory");
    SYSTICK_CTRL = 0;
    SCB_ICSR = SCB_ICSR_PENDSTCLR;
    ast1030_uart_stop();
}

_Noreturn void chip_reset(void)
{
    ast1030_uart_drain();
    cortex_m_reset();
}

bool chip_button(void)
{
    return (GPIO_DATA & BUTTON) != 0;
}

void chip_light(bool on)
{
    GPIO_DIRECTION |= LIGHT;
    GPIO_DATA = on ? GPIO_DATA | LIGHT : GPIO_DATA & ~LIGHT;
}

void chip_watchdog(uint32_t ms)
{
    WDT_RELOAD = ms * 1000;
    WDT_RESTART = WDT_RESTART_MAGIC;
    WDT_CTRL = WDT_CTRL_1MHZ | WDT_CTRL_RESET | WDT_CTRL_ENABLE;
}

void chip_feed(void *context)
{
    (void)context;
    WDT_RESTART = WDT_RESTART_MAGIC;
}
