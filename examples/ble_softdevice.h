/* SPDX-License-Identifier: Apache-2.0 */
/* SMP over a SoftDevice: what the product's own Bluetooth code calls. */
#ifndef BLE_SOFTDEVICE_H
#define BLE_SOFTDEVICE_H

#include "ferry/server.h"

#include "ble.h"

/* Once the SoftDevice is enabled: adds the service. Returns NRF_SUCCESS or an error of Nordic's. */
uint32_t ble_smp_begin(const struct ferry_server *server);

/* With every event, from the main loop: NRF_SDH_DISPATCH_MODEL is _POLLING or _APPSH. Between two
 * events the loop calls ble_server_work(). */
void ble_smp_event(ble_evt_t const *event);

#endif
