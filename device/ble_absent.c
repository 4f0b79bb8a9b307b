/* SPDX-License-Identifier: Apache-2.0 */
/* No radio: what is built without libsystemd. */
#include "ble.h"

#include <stdio.h>

int ble_open(struct ble **ble, const struct ble_config *config, char *why, size_t cap)
{
    (void)config;
    *ble = NULL;
    (void)snprintf(why, cap,
                   "--ble: this ferry-device was built without Bluetooth; install libsystemd-dev "
                   "and build it again");
    return FERRY_E_IO;
}

void ble_close(struct ble *ble)
{
    (void)ble;
}

void ble_advertise(struct ble *ble, bool on)
{
    (void)ble;
    (void)on;
}

void ble_send(struct ble *ble, uint32_t link, struct ferry_bytes value)
{
    (void)ble;
    (void)link;
    (void)value;
}

const struct ble_value *ble_first(const struct ble *ble)
{
    (void)ble;
    return NULL;
}

void ble_drop(struct ble *ble)
{
    (void)ble;
}

uint64_t ble_poll(struct ble *ble, struct pollfd polled[BLE_POLLED])
{
    (void)ble;
    (void)polled;
    return BLE_NEVER;
}

void ble_work(struct ble *ble)
{
    (void)ble;
}
