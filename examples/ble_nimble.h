/* SPDX-License-Identifier: Apache-2.0 */
/* SMP over NimBLE: what the product's own Bluetooth code calls. */
#ifndef BLE_NIMBLE_H
#define BLE_NIMBLE_H

#include "ferry/server.h"

struct ble_gap_event;

/* Before the host starts: adds the service. Returns 0 or an error of NimBLE. */
int ble_smp_begin(const struct ferry_server *server);

/* From the product's GAP callback, with every event. */
void ble_smp_event(const struct ble_gap_event *event);

/* A task of its own: the stack's may not stand still while flash is erased. */
void ble_smp_task(void *arg);

#endif
