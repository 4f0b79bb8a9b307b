/* SPDX-License-Identifier: Apache-2.0 */
/* Milliseconds by the processor's own timer, sleep, the watchdog, and the chip's start and end. */
#include "port/ast1030/registers.h"
#include "port/ast1030/ast1030.h"
#include "port/ast1030/map.h"

/* GPIO A0, high while it is pressed; and A1, high for light. */
#define BUTTON (1U << 0)
#define LIGHT  (1U << 1)

static volatile uint64_t now;

void ast1030_clock_interrupt(void)
{
    now++;
}

static void begin_clock(void)
{
    SYSTICK_RELOAD = CLOCK_HZ / 1000 - 1;
    SYSTICK_CURRENT = 0;
    SYSTICK_CTRL = SYSTICK_RUNS;
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
    if (!ast1030_uart_has_bytes() && now < until) {
        __asm__ volatile("wfi");
    }
    __asm__ volatile("cpsie i" ::: "memory");
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
    SCB_AIRCR = SCB_AIRCR_SYSRESETREQ;
    for (;;) {
    }
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

bool chip_was_powered_on(void)
{
    return !is_kept();
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
