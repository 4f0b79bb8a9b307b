/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of this port. */
#ifndef PORT_NRF51_NRF51_H
#define PORT_NRF51_NRF51_H

#include "port/chip/cortex_m.h"
#include "port/chip/parts.h"

/* A vector table as the processor has it: stack, the exceptions of the core from its number 1 on,
 * then the interrupts up to the last one that is used. */
#define NRF51_IRQS 32

#define NRF51_VECTORS(irqs)                                                                        \
    struct {                                                                                       \
        const uint32_t *stack;                                                                     \
        cortex_m_handler *handlers[CORE_VECTORS - 1 + (irqs)];                                     \
    }

/* The entry of every program. */
void nrf51_reset(void);

void nrf51_uart_interrupt(void);
void nrf51_clock_interrupt(void);

void nrf51_uart_init(void);
void nrf51_uart_stop(void);

/* The clock is begun after the UART: only then does the emulator's UART hear at once. */
void nrf51_clock_init(void);

/* Interrupts off, UART and clock stopped, nothing pending. */
void nrf51_stop(void);

#endif
