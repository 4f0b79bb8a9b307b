/* SPDX-License-Identifier: Apache-2.0 */
/* The chip's radio: SMP's GATT service and an advertisement, served by BlueZ on whatever bus is the
 * system's. It knows values and links, not packets.
 *
 * BlueZ has one pair of descriptors for all centrals: who writes into it is known as long as one
 * alone is connected. With more, each value comes by a call that names its central. The other way
 * nobody can be named: what is notified, by descriptor or by signal, BlueZ sends to every central
 * that has subscribed, as far as the characteristic's permission lets it. */
#ifndef DEVICE_BLE_H
#define DEVICE_BLE_H

#include "ferry/error.h"
#include "ferry/gatt.h"
#include "ferry/vchip.h"

#include <poll.h>

/* Descriptors for poll(). */
#define BLE_POLLED 3

/* Notifications of a link that may be on their way at once. */
#define BLE_QUEUE 4

#define BLE_NEVER UINT64_MAX

struct ble_config {
    const char *name; /* as advertised */
    enum ferry_gatt_permission permission;
    bool plain; /* each value by a call, no descriptors */
    /* A link has begun, changed or ended. Its values are in ble_first() afterwards. */
    void (*told)(void *context, uint32_t link, const struct ferry_vchip_peer *state);
    /* So many notifications have left. */
    void (*left)(void *context, uint32_t link, uint32_t count);
    /* The radio is of no use any more. why: what failed and what to do */
    void (*failed)(void *context, const char *why);
    void *context;
};

/* What a central wrote. */
struct ble_value {
    struct ble_value *next;
    uint32_t link;
    size_t len;
    uint8_t bytes[];
};

struct ble;

/* Find the bus and an adapter; nothing is advertised yet. config is copied, its name must stay.
 *
 * why  room for cap characters
 *
 * Returns FERRY_OK or FERRY_E_IO. Free it with ble_close(), which ends all. */
FERRY_MUST_CHECK
int ble_open(struct ble **ble, const struct ble_config *config, char *why, size_t cap);
void ble_close(struct ble *ble); /* NULL is ignored */

/* Be found and take links, or be silent: then all links end, and nobody is told of it. */
void ble_advertise(struct ble *ble, bool on);

/* Notify. What does not fit the link's ATT_MTU, or has nobody to go to, goes nowhere. */
void ble_send(struct ble *ble, uint32_t link, struct ferry_bytes value);

/* The first value that waits, or NULL; it is there until it is dropped. */
const struct ble_value *ble_first(const struct ble *ble);
void ble_drop(struct ble *ble);

/* Fill in what to poll. Returns when to call ble_work() at the latest, in ns of CLOCK_MONOTONIC. */
uint64_t ble_poll(struct ble *ble, struct pollfd polled[BLE_POLLED]);
/* Do what is to be done. */
void ble_work(struct ble *ble);

#endif
