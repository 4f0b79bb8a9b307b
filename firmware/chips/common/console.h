/* SPDX-License-Identifier: Apache-2.0 */
/* SMP on the host's wire, for any server: frames in, packets to it, its answers out. */
#ifndef FIRMWARE_CHIPS_COMMON_CONSOLE_H
#define FIRMWARE_CHIPS_COMMON_CONSOLE_H

#include "ferry/bytes.h"

/* The largest request and the largest answer, bytes: what os/6 says. */
#define CONSOLE_PACKET 1024

/* Answer the next request at the front of pending, as ferry_server_handle(). */
typedef size_t console_handler(struct ferry_bytes *pending, uint8_t *out, size_t cap);

void console_init(void);

/* Take what has come in; each packet is handled and answered. */
void console_serve(console_handler *handle);

#endif
