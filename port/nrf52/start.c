/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to main(), and from one program to the next. */
#include "port/nrf52/registers.h"
#include "port/nrf52/nrf52.h"

#include <string.h>

extern uint32_t ram_data_begin[], ram_data_end[], ram_bss_begin[], ram_bss_end[], ram_stack_top[];
extern const uint32_t flash_data_begin[];

int main(void);

/* A fault ends the program: the bootloader has the next word. */
static void fault(void)
{
    SCB_AIRCR = SCB_AIRCR_SYSRESETREQ;
    for (;;) {
    }
}

__attribute__((section(".vectors"), used)) static const struct nrf52_vectors vectors = {
    .stack = ram_stack_top,
    .handlers = {[0] = nrf52_reset,
                 [1] = fault, /* NMI */
                 [2] = fault, /* HardFault, which the other faults become */
                 [NRF52_CORE_VECTORS - 1 + IRQ_UARTE0] = nrf52_uarte_interrupt,
                 [NRF52_CORE_VECTORS - 1 + IRQ_TIMER1] = nrf52_clock_interrupt}};

void nrf52_reset(void)
{
    SCB_VTOR = (uint32_t)(uintptr_t)&vectors;
    memcpy(ram_data_begin, flash_data_begin,
           (size_t)((char *)ram_data_end - (char *)ram_data_begin));
    memset(ram_bss_begin, 0, (size_t)((char *)ram_bss_end - (char *)ram_bss_begin));
    (void)main();
    fault();
}

/* The next program finds the chip as after a reset, but for the watchdog. */
_Noreturn void chip_start(uintptr_t table)
{
    const uint32_t *next = (const uint32_t *)table;

    nrf52_stop();
    SCB_VTOR = (uint32_t)table;
    __asm__ volatile("dsb\n"
                     "isb\n"
                     "msr msp, %0\n"
                     "cpsie i\n"
                     "bx %1\n"
                     :
                     : "r"(next[0]), "r"(next[1])
                     : "memory");
    __builtin_unreachable();
}
