/* SPDX-License-Identifier: Apache-2.0 */
/* SMP over Zephyr's Bluetooth host: what the product's own code calls. */
#ifndef BLE_ZEPHYR_H
#define BLE_ZEPHYR_H

#include "ferry/server.h"

/* Before bt_enable(). Returns FERRY_OK or an error. */
int ble_smp_begin(const struct ferry_server *server);

/* In a thread of its own: those of the host may not stand still while flash is erased. */
void ble_smp_thread(void);

#endif
