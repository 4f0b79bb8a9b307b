/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the radio: what its files share. */
#ifndef DEVICE_BLE_PARTS_H
#define DEVICE_BLE_PARTS_H

#include "ble.h"

#include <systemd/sd-bus.h>

#define BLE_PATH     256 /* characters of an object's path, its NUL included */
#define BLE_LINKS    4
#define BLE_CENTRALS 16 /* connected devices known at once */

/* Values that wait for the chip; more are lost. */
#define BLE_VALUES 1024

#define BLE_APPLICATION         "/ferry/application"
#define BLE_SERVICE_PATH        BLE_APPLICATION "/service0"
#define BLE_VALUE_PATH          BLE_SERVICE_PATH "/characteristic0"
#define BLE_ADVERTISEMENT       "/ferry/advertisement"
#define BLE_BLUEZ               "org.bluez"
#define BLE_DEVICE              "org.bluez.Device1"
#define BLE_CHARACTERISTIC_FACE "org.bluez.GattCharacteristic1"

struct ble_link {
    uint32_t number;       /* 0: the place is free */
    char device[BLE_PATH]; /* its object at BlueZ */
    struct ferry_vchip_peer state;
};

struct ble_queue {
    struct ble_value *first;
    struct ble_value **end;
    size_t count;
};

struct ble {
    struct ble_config config;
    sd_bus *bus;
    char owner[64]; /* who org.bluez is */
    char adapter[BLE_PATH];
    bool on;        /* registered, or about to be */
    bool notifying; /* plain: somebody wants notifications */
    struct ble_link links[BLE_LINKS];
    uint32_t last_number;
    char centrals[BLE_CENTRALS][BLE_PATH]; /* who is connected; "" = a free place */
    bool crowded;                          /* … and more than there is room for */
    int write_fd, notify_fd;               /* -1: none */
    uint32_t write_link, notify_link;
    struct ble_queue in, out;
};

/* ---- ble.c --------------------------------------------------------------------------------- */

/* The link of a central, which begins now if there is none; NULL: there are too many.
 *
 * mtu  0: not said */
struct ble_link *ble_link_of(struct ble *ble, const char *device, uint16_t mtu);

/* Tell the chip of a link's state. */
void ble_tell(struct ble *ble, struct ble_link *link, bool subscribed);

/* A central has gone. */
void ble_lost(struct ble *ble, const char *device);

/* A central wrote. */
void ble_written(struct ble *ble, const struct ble_link *link, const void *data, size_t len);

/* The radio is of no use any more, because of an error. */
void ble_fail(struct ble *ble, const char *what, const char *error, const char *next);

/* End what a descriptor was for. */
void ble_close_write(struct ble *ble);
void ble_close_notify(struct ble *ble);

/* ---- ble_objects.c: what BlueZ has ------------------------------------------------------------
 */

/* Find org.bluez and an adapter, and be told of centrals. Returns as ble_open(). */
FERRY_MUST_CHECK
int ble_find(struct ble *ble, char *why, size_t cap);

/* Whether a central other than this one is connected. */
bool ble_others(const struct ble *ble, const char *device);

/* ---- ble_gatt.c: what it gets ------------------------------------------------------------------
 */

/* Put the service and the advertisement on the bus. Returns a negative errno on failure. */
FERRY_MUST_CHECK
int ble_export(struct ble *ble);

#endif
