/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations of Zephyr that examples/ble_zephyr.c uses; see the README beside this folder. */
#ifndef STACK_ZEPHYR_UUID_H
#define STACK_ZEPHYR_UUID_H

#include <stdint.h>

enum { BT_UUID_TYPE_16, BT_UUID_TYPE_32, BT_UUID_TYPE_128 };

struct bt_uuid {
    uint8_t type;
};

struct bt_uuid_128 {
    struct bt_uuid uuid;
    uint8_t val[16];
};

#endif
