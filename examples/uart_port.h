/* SPDX-License-Identifier: Apache-2.0 */
/* What uart_server.c wants of a chip. */
#ifndef EXAMPLES_UART_PORT_H
#define EXAMPLES_UART_PORT_H

#include "ferry/flash.h"

/* The two slots: this program runs from the primary, a new one is uploaded to the secondary. */
extern const struct ferry_flash port_primary;
extern const struct ferry_flash port_secondary;

/* Wait for a byte. */
uint8_t port_uart_get(void);

/* Send a byte: returns when there is room for the next one; may wait. */
void port_uart_put(uint8_t byte);

/* Restart the chip once the last byte has left the UART. */
_Noreturn void port_reset(void);

#endif
