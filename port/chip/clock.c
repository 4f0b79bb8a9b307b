/* SPDX-License-Identifier: Apache-2.0 */
/* Milliseconds that an interrupt counts, and sleep. */
#include "port/chip/parts.h"

static volatile uint64_t now;

void chip_tick(void)
{
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
    if (!chip_has_bytes() && now < until) {
        __asm__ volatile("dsb\nwfi");
    }
    __asm__ volatile("cpsie i" ::: "memory");
}
