/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations of Zephyr that examples/ble_zephyr.c uses; see the README beside this folder. */
#ifndef STACK_ZEPHYR_BLUETOOTH_H
#define STACK_ZEPHYR_BLUETOOTH_H

#include <stdint.h>

/* zephyr/bluetooth/addr.h */
typedef struct {
    uint8_t val[6];
} bt_addr_t;

typedef struct {
    uint8_t type;
    bt_addr_t a;
} bt_addr_le_t;

#endif
