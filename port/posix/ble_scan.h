/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices of Bluetooth LE are in reach; port/bluez. */
#ifndef PORT_POSIX_BLE_SCAN_H
#define PORT_POSIX_BLE_SCAN_H

#include "ferry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ferry_ble_found {
    char address[18];
    char name[256]; /* as it tells, or the address with dashes where it tells none */
    bool serves;    /* it has the SMP service, as it advertises, or as was seen on it before */
    bool connected, paired;
    bool heard; /* else rssi is not known: what is connected is silent */
    int16_t rssi;
};

/* Listen for timeout_ms.
 *
 * adapter  "hci1"; "" = the first one that can be used
 * all      also devices that do not say that they have SMP
 * list     filled on FERRY_OK, the strongest first; free() it
 * why      room for cap characters: on an error what is wrong, and, behind the last "; ", what to
 * do
 *
 * Returns FERRY_OK; FERRY_E_NOT_FOUND without BlueZ or adapter; FERRY_E_CONFIG when this program
 * was built without Bluetooth LE; FERRY_E_IO for the rest. */
FERRY_MUST_CHECK
int ferry_ble_scan(const char *adapter, uint32_t timeout_ms, bool all,
                   struct ferry_ble_found **list, size_t *count, char *why, size_t cap);

#endif
