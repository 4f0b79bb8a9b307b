/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors at address 0, the only ones that a Cortex-M0 looks for: each leads to the table that
 * a word of RAM names, the running program's. Linked with the program at address 0 alone. */
#include "port/nrf51/map.h"
#include "port/nrf51/nrf51.h"

/* r0 to r3 were saved by the processor. */
__attribute__((naked)) static void forward(void)
{
    __asm__ volatile(".syntax unified\n"
                     "mrs r0, ipsr\n"
                     "lsls r0, #2\n"
                     "ldr r1, =%c0\n"
                     "ldr r1, [r1]\n"
                     "ldr r0, [r0, r1]\n"
                     "bx r0\n"
                     ".ltorg\n"
                     :
                     : "i"(MAP_RAM_VECTORS));
}

__attribute__((section(".forwarder"), used)) static const NRF51_VECTORS(NRF51_IRQS) forwarder = {
    .stack = ram_stack_top,
    .handlers = {[0] = nrf51_reset, [1 ... CORE_VECTORS + NRF51_IRQS - 2] = forward}};
