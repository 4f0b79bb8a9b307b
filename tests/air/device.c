/* SPDX-License-Identifier: Apache-2.0 */
/* Device1: a peripheral as the central sees it, and the central as the peripheral sees it. */
#include "link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEVICE "org.bluez.Device1"

static const struct air_interface central_interface;

/* ---- Peripherals by their programs ------------------------------------------------------------
 */

struct air_device *air_device_of(const char *sender)
{
    for (struct air_device *device = air.devices; device != NULL; device = device->next) {
        if (!device->gone && strcmp(device->sender, sender) == 0) {
            return device;
        }
    }
    return NULL;
}

struct air_device *air_device_made(const char *sender)
{
    struct air_device *device = air_device_of(sender);

    if (device == NULL) {
        device = calloc(1, sizeof *device);
        (void)snprintf(device->sender, sizeof device->sender, "%s", sender);
        device->next = air.devices;
        air.devices = device;
    }
    return device;
}

/* Addresses follow from the name, so that a device that is started again is the same. */
static void address_of(char *address, unsigned first, uint64_t hash)
{
    (void)snprintf(address, 18, "%02X:%02X:%02X:%02X:%02X:%02X", first, (unsigned)(hash & 255),
                   (unsigned)(hash >> 8 & 255), (unsigned)(hash >> 16 & 255),
                   (unsigned)(hash >> 24 & 255), (unsigned)(hash >> 32 & 255));
}

static void path_of(char *path, const char *adapter, const char *address)
{
    (void)snprintf(path, AIR_PATH, "%s/dev_%s", adapter, address);
    for (char *colon = strchr(path, ':'); colon != NULL; colon = strchr(colon, ':')) {
        *colon = '_';
    }
}

static void export_device(struct air_device *device)
{
    char path[AIR_PATH];
    const struct air_interface *interfaces[] = {&air_device_interface, NULL};

    if (!air_object_exported(&device->object)) {
        path_of(path, AIR_ADAPTER, device->address);
        air_object_export(&device->object, path, device, interfaces);
    }
}

/* A program that had the same name: the bond is the device's, and what is bonded is not forgotten.
 */
static void inherit(struct air_device *device)
{
    for (struct air_device *old = air.devices; old != NULL; old = old->next) {
        if (old != device && old->gone && strcmp(old->address, device->address) == 0) {
            if (!old->paired) { /* handed on, or there was none; its path is needed */
                if (air_object_exported(&old->object)) {
                    air_device_forget(old);
                }
                continue;
            }
            device->paired = old->paired;
            device->trusted = old->trusted;
            device->bond = old->bond;
            old->paired = false;
            air_device_forget(old);
            if (device->paired) {
                export_device(device);
            }
        }
    }
}

static bool is_taken(const struct air_device *device)
{
    for (const struct air_device *other = air.devices; other != NULL; other = other->next) {
        if (other != device && !other->gone && strcmp(other->address, device->address) == 0) {
            return true;
        }
    }
    return false;
}

void air_device_named(struct air_device *device)
{
    uint64_t hash = 0xcbf29ce484222325U; /* FNV-1a */

    if (device->address[0] != '\0') {
        return; /* it advertises again */
    }
    for (const char *c = device->name; *c != '\0'; c++) {
        hash = (hash ^ (uint8_t)*c) * 0x100000001b3U;
    }
    address_of(device->address, 0xd0, hash);
    while (is_taken(device)) { /* a twin */
        address_of(device->address, 0xd0, ++hash);
    }
    address_of(device->central_address, 0xc4, hash);
    device->rssi = (int16_t)(-40 - (int16_t)(hash >> 40) % 40);
    inherit(device);
}

void air_device_left(struct air_device *device)
{
    device->gone = true;
    device->advertises = false;
    air_link_end(device, "the device is gone");
    air_gatt_withdraw(device);
    device->has_app = false;
    device->characteristic_count = 0;
    air_object_withdraw(&device->central);
}

/* ---- Being heard ------------------------------------------------------------------------------
 */

void air_device_heard(struct air_device *device)
{
    device->heard = true;
    device->heard_us = air_now_us();
    device->rssi = (int16_t)(device->rssi + (int)(radio_random(&air.seed) % 3) - 1);
    if (air_object_exported(&device->object)) {
        air_object_changed(&device->object, DEVICE, "RSSI");
    } else {
        export_device(device);
    }
}

void air_device_silent(struct air_device *device)
{
    if (device->heard) {
        device->heard = false;
        air_object_changed(&device->object, DEVICE, "RSSI");
    }
}

void air_device_forget(struct air_device *device)
{
    air_gatt_withdraw(device);
    air_object_withdraw(&device->object);
    device->heard = false;
}

/* ---- Connecting -------------------------------------------------------------------------------
 */

static void both_changed(const struct air_device *device, const char *property)
{
    air_object_changed(&device->object, DEVICE, property);
    air_object_changed(&device->central, DEVICE, property);
}

void air_device_connected(struct air_device *device)
{
    char path[AIR_PATH];
    const struct air_interface *interfaces[] = {&central_interface, NULL};

    if (!air_object_exported(&device->central)) {
        path_of(path, AIR_DEVICES, device->central_address);
        air_object_export(&device->central, path, device, interfaces);
    }
    both_changed(device, "Connected");
}

void air_device_resolved(struct air_device *device)
{
    air_object_changed(&device->object, DEVICE, "ServicesResolved");
}

void air_device_lost(struct air_device *device)
{
    air_object_changed(&device->object, DEVICE, "ServicesResolved");
    both_changed(device, "Connected");
    device->heard_us = air_now_us();
}

void air_device_paired(struct air_device *device, enum air_security security)
{
    device->paired = true;
    device->bond = security;
    both_changed(device, "Paired");
    both_changed(device, "Bonded");
}

void air_device_stop_connecting(struct air_device *device, const char *why)
{
    sd_bus_message *call = device->connecting;

    device->connecting = NULL;
    device->connect_timer = sd_event_source_disable_unref(device->connect_timer);
    if (call != NULL) {
        if (why == NULL) {
            sd_bus_reply_method_return(call, "");
        } else {
            air_error(call, "Failed", why);
        }
        sd_bus_message_unref(call);
    }
}

static int try_connection(sd_event_source *timer, uint64_t now, void *userdata)
{
    struct air_device *device = userdata;

    (void)timer, (void)now;
    if (device->advertises && !device->gone && device->hidden == 0) {
        air_link_begin(device);
        air_device_stop_connecting(device, NULL);
        return 0;
    }
    device->connect_waited_ms += air.options.adv_ms;
    if (device->connect_waited_ms >= air.options.give_up_ms) {
        air_device_stop_connecting(device, "le-connection-abort-by-local");
        return 0;
    }
    air_after(&device->connect_timer, air.options.adv_ms * 1000ULL, try_connection, device);
    return 0;
}

static int method_connect(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    struct air_device *device = userdata;

    (void)error;
    if (!air.powered) {
        return air_error(call, "NotReady", "Resource Not Ready");
    }
    if (device->connecting != NULL) {
        return air_error(call, "InProgress", "In Progress");
    }
    if (device->link != NULL) {
        return sd_bus_reply_method_return(call, "");
    }
    device->connecting = sd_bus_message_ref(call);
    device->connect_waited_ms = 0;
    air_after(&device->connect_timer, air.options.connect_ms * 1000ULL, try_connection, device);
    return 1;
}

static int method_disconnect(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    struct air_device *device = userdata;

    (void)error;
    bool by_device = strcmp(sd_bus_message_get_sender(call), device->sender) == 0;
    if (device->connecting != NULL) {
        air_device_stop_connecting(device, "le-connection-abort-by-local");
        return sd_bus_reply_method_return(call, "");
    }
    if (device->link == NULL) {
        return air_error(call, "NotConnected", "Not Connected");
    }
    air_link_end(device, by_device ? "the device" : "the central");
    return sd_bus_reply_method_return(call, "");
}

/* ---- Pairing ----------------------------------------------------------------------------------
 */

static void paired(struct air_device *device, const char *error, void *context)
{
    sd_bus_message *call = context;

    (void)device;
    if (error == NULL) {
        sd_bus_reply_method_return(call, "");
    } else {
        air_error(call, error, error);
    }
    sd_bus_message_unref(call);
}

static void pair_now(struct air_device *device, sd_bus_message *call)
{
    air_pair(device, sd_bus_message_get_sender(call), paired, sd_bus_message_ref(call));
}

static int method_pair(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    struct air_device *device = userdata;

    (void)error;
    if (!air.powered) {
        return air_error(call, "NotReady", "Resource Not Ready");
    }
    if (device->pairing != NULL) {
        return air_error(call, "InProgress", "In Progress");
    }
    if (device->paired) {
        return air_error(call, "AlreadyExists", "Already Exists");
    }
    if (device->link == NULL && device->advertises) {
        air_link_begin(device);
    }
    if (device->link == NULL) {
        return air_error(call, "ConnectionAttemptFailed", "Page Timeout");
    }
    pair_now(device, call);
    return 1;
}

static int method_cancel_pairing(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    (void)error;
    if (!air_pair_cancel(userdata, "AuthenticationCanceled")) {
        return air_error(call, "DoesNotExist", "Does Not Exist");
    }
    return sd_bus_reply_method_return(call, "");
}

/* ---- Properties -------------------------------------------------------------------------------
 */

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct air_device *device = userdata;
    bool central = strcmp(path, device->central.path) == 0;

    (void)bus, (void)interface, (void)error;
    if (strcmp(property, "Address") == 0) {
        return sd_bus_message_append(reply, "s",
                                     central ? device->central_address : device->address);
    }
    if (strcmp(property, "AddressType") == 0) {
        return sd_bus_message_append(reply, "s", "random");
    }
    return sd_bus_message_append(reply, "s", central ? "air" : device->name);
}

static int get_flag(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct air_device *device = userdata;
    const struct {
        const char *name;
        bool value;
    } flags[] = {{"Paired", device->paired},
                 {"Bonded", device->paired},
                 {"Trusted", device->trusted},
                 {"Connected", device->link != NULL},
                 {"ServicesResolved", device->link != NULL && device->link->resolved}};

    (void)bus, (void)path, (void)interface, (void)error;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (strcmp(flags[i].name, property) == 0) {
            return sd_bus_message_append(reply, "b", flags[i].value);
        }
    }
    return sd_bus_message_append(reply, "b", false); /* Blocked, LegacyPairing */
}

static int set_trusted(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *value, void *userdata, sd_bus_error *error)
{
    struct air_device *device = userdata;
    int on = 0;

    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    int r = sd_bus_message_read(value, "b", &on);
    device->trusted = on;
    return r < 0 ? r : 1;
}

static int get_uuids(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct air_device *device = userdata;

    (void)bus, (void)interface, (void)property, (void)error;
    sd_bus_message_open_container(reply, 'a', "s");
    for (int i = 0; strcmp(path, device->object.path) == 0 && i < device->uuid_count; i++) {
        sd_bus_message_append(reply, "s", device->uuids[i]);
    }
    return sd_bus_message_close_container(reply);
}

static int get_adapter(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct air_device *device = userdata;

    (void)bus, (void)interface, (void)property, (void)error;
    return sd_bus_message_append(
        reply, "o", strcmp(path, device->central.path) == 0 ? AIR_DEVICES : AIR_ADAPTER);
}

static int get_rssi(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct air_device *device = userdata;

    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    return sd_bus_message_append(reply, "n", device->rssi);
}

static const sd_bus_vtable device_table[] = {
    SD_BUS_VTABLE_START(SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Connect", "", "", method_connect, 0),
    SD_BUS_METHOD("Disconnect", "", "", method_disconnect, 0),
    SD_BUS_METHOD("Pair", "", "", method_pair, 0),
    SD_BUS_METHOD("CancelPairing", "", "", method_cancel_pairing, 0),
    SD_BUS_PROPERTY("Address", "s", get_text, 0, 0),
    SD_BUS_PROPERTY("AddressType", "s", get_text, 0, 0),
    SD_BUS_PROPERTY("Name", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Alias", "s", get_text, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Paired", "b", get_flag, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Bonded", "b", get_flag, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_WRITABLE_PROPERTY("Trusted", "b", get_flag, set_trusted, 0,
                             SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Blocked", "b", get_flag, 0, 0),
    SD_BUS_PROPERTY("LegacyPairing", "b", get_flag, 0, 0),
    SD_BUS_PROPERTY("RSSI", "n", get_rssi, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Connected", "b", get_flag, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("UUIDs", "as", get_uuids, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Adapter", "o", get_adapter, 0, 0),
    SD_BUS_PROPERTY("ServicesResolved", "b", get_flag, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_VTABLE_END,
};

static bool device_has(const void *userdata, const char *property)
{
    const struct air_device *device = userdata;

    return strcmp(property, "RSSI") != 0 || device->heard;
}

static bool central_has(const void *userdata, const char *property)
{
    (void)userdata;
    return strcmp(property, "RSSI") != 0;
}

const struct air_interface air_device_interface = {DEVICE, device_table, device_has};
static const struct air_interface central_interface = {DEVICE, device_table, central_has};
