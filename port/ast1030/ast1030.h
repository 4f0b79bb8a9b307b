/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of this port. */
#ifndef PORT_AST1030_AST1030_H
#define PORT_AST1030_AST1030_H

#include "port/chip/cortex_m.h"
#include "port/chip/parts.h"

/* The entry of every program. */
void ast1030_reset(void);

void ast1030_uart1_interrupt(void);
void ast1030_uart5_interrupt(void);
void ast1030_clock_interrupt(void);

void ast1030_uart_init(void);
void ast1030_uart_stop(void);

/* Returns once all bytes have left both wires. */
void ast1030_uart_drain(void);

/* The flash takes writes. */
void ast1030_flash_init(void);

/* Interrupts off, UARTs and clock stopped, nothing pending. */
void ast1030_stop(void);

#endif
