/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to main(), and from one program to the next. */
#include "port/ast1030/registers.h"
#include "port/ast1030/ast1030.h"

#include <string.h>

/* A vector table as the processor has it: the exceptions of the core, then the chip's interrupts.
 * It begins at a multiple of its size, rounded up to a power of two. */
#define CORE_VECTORS 16
#define IRQS         64

typedef void handler(void);

struct vectors {
    const uint32_t *stack;
    handler *handlers[CORE_VECTORS + IRQS - 1];
};

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

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    .stack = ram_stack_top,
    .handlers = {[0] = ast1030_reset,
                 [1 ... 5] = fault, /* NMI, HardFault, and those that may have handlers apart */
                 [14] = ast1030_clock_interrupt,
                 [CORE_VECTORS - 1 + IRQ_UART5] = ast1030_uart5_interrupt,
                 [CORE_VECTORS - 1 + IRQ_UART1] = ast1030_uart1_interrupt}};

void ast1030_reset(void)
{
    memcpy(ram_data_begin, flash_data_begin,
           (size_t)((char *)ram_data_end - (char *)ram_data_begin));
    memset(ram_bss_begin, 0, (size_t)((char *)ram_bss_end - (char *)ram_bss_begin));
    (void)main();
    fault();
}

/* The next program finds the chip as after a reset, but for the watchdog and RAM that is kept. */
_Noreturn void chip_start(uintptr_t table)
{
    const uint32_t *next = (const uint32_t *)table;

    ast1030_stop();
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
