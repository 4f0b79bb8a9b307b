/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to main(), and from one program to the next. */
#include "port/ast1030/registers.h"
#include "port/ast1030/ast1030.h"

/* A vector table as the processor has it: the exceptions of the core, then the chip's interrupts.
 * It begins at a multiple of its size, rounded up to a power of two. */
#define IRQS 64

struct vectors {
    const uint32_t *stack;
    cortex_m_handler *handlers[CORE_VECTORS + IRQS - 1];
};

/* A fault ends the program: the bootloader has the next word. 1 to 5 are NMI, HardFault, and those
 * that may have handlers apart. */
__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    .stack = ram_stack_top,
    .handlers = {[0] = ast1030_reset,
                 [1 ... 5] = cortex_m_reset,
                 [14] = ast1030_clock_interrupt,
                 [CORE_VECTORS - 1 + IRQ_UART5] = ast1030_uart5_interrupt,
                 [CORE_VECTORS - 1 + IRQ_UART1] = ast1030_uart1_interrupt}};

void ast1030_reset(void)
{
    cortex_m_run();
}

/* The next program finds the chip as after a reset, but for the watchdog and RAM that is kept. */
_Noreturn void chip_start(uintptr_t table)
{
    ast1030_stop();
    SCB_VTOR = (uint32_t)table;
    cortex_m_start(table);
}
