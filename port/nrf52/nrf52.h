/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of this port. */
#ifndef PORT_NRF52_NRF52_H
#define PORT_NRF52_NRF52_H

#include "port/chip/cortex_m.h"
#include "port/chip/parts.h"

/* A vector table as the processor has it: the exceptions of the core, then the chip's interrupts.
 */
#define NRF52_IRQS 48

struct nrf52_vectors {
    const uint32_t *stack;
    cortex_m_handler *handlers[CORE_VECTORS + NRF52_IRQS - 1];
};

/* The entry of every program. */
void nrf52_reset(void);

void nrf52_uarte_interrupt(void);
void nrf52_clock_interrupt(void);

void nrf52_uarte_init(void);

/* Nothing is written to RAM any more. */
void nrf52_uarte_stop(void);

/* Interrupts off, UARTE and clock stopped, nothing pending. */
void nrf52_stop(void);

#endif
