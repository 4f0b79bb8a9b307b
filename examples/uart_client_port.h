/* SPDX-License-Identifier: Apache-2.0 */
/* What uart_client.c wants of a chip. */
#ifndef EXAMPLES_UART_CLIENT_PORT_H
#define EXAMPLES_UART_CLIENT_PORT_H

#include "ferry/bytes.h"

#include <stdint.h>

/* The image to send: its length, the SHA-256 of all of it, and the digest of its TLV. */
extern uint32_t port_image_size;
extern uint8_t port_image_sha[32];
extern uint8_t port_image_hash[32];

/* Fill buf with len bytes of it from off. Returns FERRY_OK. */
int port_image_read(void *context, uint32_t off, uint8_t *buf, size_t len);

/* Take a byte that was received. Returns whether there was one. */
bool port_uart_get(uint8_t *byte);

/* Send a byte; may wait until there is room. */
void port_uart_put(uint8_t byte);

/* A clock that only goes forward. */
uint64_t port_now_ms(void);

/* The end: FERRY_OK or an error. */
_Noreturn void port_done(int error);

#endif
