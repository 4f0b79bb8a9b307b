/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to main(), and from one program to the next. */
#include "port/nrf51/registers.h"
#include "port/nrf51/map.h"
#include "port/nrf51/nrf51.h"

/* A fault ends the program: the bootloader has the next word. */
__attribute__((section(".vectors"), used)) static const NRF51_VECTORS(IRQ_TIMER1 + 1) vectors = {
    .stack = ram_stack_top,
    .handlers = {[0] = nrf51_reset,
                 [1] = cortex_m_reset, /* NMI */
                 [2] = cortex_m_reset, /* HardFault */
                 [CORE_VECTORS - 1 + IRQ_UART0] = nrf51_uart_interrupt,
                 [CORE_VECTORS - 1 + IRQ_TIMER1] = nrf51_clock_interrupt}};

void nrf51_reset(void)
{
    REGISTER(MAP_RAM_VECTORS) = (uintptr_t)&vectors;
    cortex_m_run();
}

/* The next program finds the chip as after a reset, but for RAM that is kept. */
_Noreturn void chip_start(uintptr_t table)
{
    nrf51_stop();
    REGISTER(MAP_RAM_VECTORS) = (uint32_t)table;
    cortex_m_start(table);
}
