/* SPDX-License-Identifier: Apache-2.0 */
/* What one product's firmware serves: its slots, and the SMP groups it has for them. */
#ifndef FIRMWARE_CHIPS_APP_PRODUCT_H
#define FIRMWARE_CHIPS_APP_PRODUCT_H

#include "ferry/bytes.h"
#include "ferry/error.h"

/* Begin to serve. Returns FERRY_OK or an error of the product's own tables. */
FERRY_MUST_CHECK
int product_init(void);

/* Answer the next request at the front of pending, as ferry_server_handle(). */
size_t product_handle(struct ferry_bytes *pending, uint8_t *out, size_t cap);

/* Whether a reset was asked for and accepted, and the boot mode to keep over it. */
bool product_reset_due(uint8_t *boot_mode);

#endif
