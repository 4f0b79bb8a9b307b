/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to main(), and from one program to the next. */
#include "port/nrf52/registers.h"
#include "port/nrf52/nrf52.h"

/* A fault ends the program: the bootloader has the next word. */
__attribute__((section(".vectors"), used)) static const struct nrf52_vectors vectors = {
    .stack = ram_stack_top,
    .handlers = {[0] = nrf52_reset,
                 [1] = cortex_m_reset, /* NMI */
                 [2] = cortex_m_reset, /* HardFault, which the other faults become */
                 [CORE_VECTORS - 1 + IRQ_UARTE0] = nrf52_uarte_interrupt,
                 [CORE_VECTORS - 1 + IRQ_TIMER1] = nrf52_clock_interrupt}};

void nrf52_reset(void)
{
    SCB_VTOR = (uint32_t)(uintptr_t)&vectors;
    cortex_m_run();
}

/* The next program finds the chip as after a reset, but for the watchdog. */
_Noreturn void chip_start(uintptr_t table)
{
    nrf52_stop();
    SCB_VTOR = (uint32_t)table;
    cortex_m_start(table);
}
