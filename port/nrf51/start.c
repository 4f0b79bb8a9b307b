/* SPDX-License-Identifier: Apache-2.0 */
/* From reset to main(), and from one program to the next. */
#include "port/nrf51/registers.h"
#include "port/nrf51/map.h"
#include "port/nrf51/nrf51.h"

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

__attribute__((section(".vectors"), used)) static const NRF51_VECTORS(IRQ_TIMER1 + 1) vectors = {
    .stack = ram_stack_top,
    .handlers = {[0] = nrf51_reset,
                 [1] = fault, /* NMI */
                 [2] = fault, /* HardFault */
                 [NRF51_CORE_VECTORS - 1 + IRQ_UART0] = nrf51_uart_interrupt,
                 [NRF51_CORE_VECTORS - 1 + IRQ_TIMER1] = nrf51_clock_interrupt}};

void nrf51_reset(void)
{
    REGISTER(MAP_RAM_VECTORS) = (uintptr_t)&vectors;
    memcpy(ram_data_begin, flash_data_begin,
           (size_t)((char *)ram_data_end - (char *)ram_data_begin));
    memset(ram_bss_begin, 0, (size_t)((char *)ram_bss_end - (char *)ram_bss_begin));
    (void)main();
    fault();
}

/* The next program finds the chip as after a reset, but for RAM that is kept. */
_Noreturn void chip_start(uintptr_t table)
{
    const uint32_t *next = (const uint32_t *)table;

    nrf51_stop();
    REGISTER(MAP_RAM_VECTORS) = (uint32_t)table;
    __asm__ volatile("msr msp, %0\n"
                     "cpsie i\n"
                     "bx %1\n"
                     :
                     : "r"(next[0]), "r"(next[1])
                     : "memory");
    __builtin_unreachable();
}
