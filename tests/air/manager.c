/* SPDX-License-Identifier: Apache-2.0 */
/* GattManager1 and LEAdvertisingManager1: what a peripheral's program registers. */
#include "air.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SERVICE        "org.bluez.GattService1"
#define CHARACTERISTIC "org.bluez.GattCharacteristic1"
#define PROPERTIES     "org.freedesktop.DBus.Properties"

/* ---- Reading an application ----------------------------------------------------------------- */

/* A variant of a text or a path. */
static int read_text(sd_bus_message *from, char *text, size_t cap)
{
    const char *value = "", *inside = "";
    char type = 0;
    int r = sd_bus_message_peek_type(from, &type, &inside);

    if (r < 0 || (strcmp(inside, "s") != 0 && strcmp(inside, "o") != 0)) {
        return r < 0 ? r : -EBADMSG;
    }
    r = sd_bus_message_read(from, "v", inside, &value);
    (void)snprintf(text, cap, "%s", value);
    return r;
}

/* A variant of texts: the first cap of them. Returns how many. */
static int read_texts(sd_bus_message *from, char *texts, int cap, size_t size)
{
    const char *value;
    int count = 0;
    int r = sd_bus_message_enter_container(from, 'v', "as");

    if (r < 0) {
        return r;
    }
    sd_bus_message_enter_container(from, 'a', "s");
    while (sd_bus_message_read(from, "s", &value) > 0) {
        if (count < cap) {
            (void)snprintf(texts + (size_t)count++ * size, size, "%s", value);
        }
    }
    sd_bus_message_exit_container(from);
    sd_bus_message_exit_container(from);
    return count;
}

static int read_characteristic_property(sd_bus_message *from, const char *key,
                                        struct air_characteristic *to)
{
    if (strcmp(key, "UUID") == 0) {
        return read_text(from, to->uuid, sizeof to->uuid);
    }
    if (strcmp(key, "Flags") == 0) {
        to->flag_count = read_texts(from, to->flags[0], AIR_FLAGS, AIR_FLAG);
        return to->flag_count;
    }
    to->offers_write_fd |= strcmp(key, "WriteAcquired") == 0;
    to->offers_notify_fd |= strcmp(key, "NotifyAcquired") == 0;
    return sd_bus_message_skip(from, "v");
}

static int read_characteristic(sd_bus_message *from, const char *path, struct air_device *device)
{
    struct air_characteristic scrap;
    struct air_characteristic *to = device->characteristic_count < AIR_CHARACTERISTICS
                                        ? &device->characteristics[device->characteristic_count++]
                                        : &scrap;
    int r = sd_bus_message_enter_container(from, 'a', "{sv}");

    *to = (struct air_characteristic){
        .device = device, .app_write_fd = -1, .app_notify_fd = -1, .write_fd = -1, .notify_fd = -1};
    to->held_end = &to->held;
    (void)snprintf(to->their_path, sizeof to->their_path, "%s", path);
    while (r >= 0 && (r = sd_bus_message_enter_container(from, 'e', "sv")) > 0) {
        const char *key = "";
        sd_bus_message_read(from, "s", &key);
        r = read_characteristic_property(from, key, to);
        r = r < 0 ? r : sd_bus_message_exit_container(from);
    }
    return r < 0 ? r : sd_bus_message_exit_container(from);
}

static int read_service(sd_bus_message *from, const char *path, struct air_device *device)
{
    int r = sd_bus_message_enter_container(from, 'a', "{sv}");

    (void)snprintf(device->their_service, sizeof device->their_service, "%s", path);
    while (r >= 0 && (r = sd_bus_message_enter_container(from, 'e', "sv")) > 0) {
        const char *key = "";
        sd_bus_message_read(from, "s", &key);
        r = strcmp(key, "UUID") == 0
                ? read_text(from, device->service_uuid, sizeof device->service_uuid)
                : sd_bus_message_skip(from, "v");
        r = r < 0 ? r : sd_bus_message_exit_container(from);
    }
    return r < 0 ? r : sd_bus_message_exit_container(from);
}

/* One object: its interfaces. One service is what a program here has. */
static int read_object(sd_bus_message *from, struct air_device *device)
{
    const char *path = "", *interface = "";

    sd_bus_message_read(from, "o", &path);
    int r = sd_bus_message_enter_container(from, 'a', "{sa{sv}}");
    while (r >= 0 && (r = sd_bus_message_enter_container(from, 'e', "sa{sv}")) > 0) {
        sd_bus_message_read(from, "s", &interface);
        if (strcmp(interface, SERVICE) == 0) {
            r = read_service(from, path, device);
        } else if (strcmp(interface, CHARACTERISTIC) == 0) {
            r = read_characteristic(from, path, device);
        } else {
            r = sd_bus_message_skip(from, "a{sv}");
        }
        r = r < 0 ? r : sd_bus_message_exit_container(from);
    }
    return r < 0 ? r : sd_bus_message_exit_container(from);
}

static int read_objects(sd_bus_message *from, struct air_device *device)
{
    int r = sd_bus_message_enter_container(from, 'a', "{oa{sa{sv}}}");

    device->characteristic_count = 0;
    device->service_uuid[0] = '\0';
    while (r >= 0 && (r = sd_bus_message_enter_container(from, 'e', "oa{sa{sv}}")) > 0) {
        r = read_object(from, device);
        r = r < 0 ? r : sd_bus_message_exit_container(from);
    }
    return r;
}

/* ---- GattManager1 ---------------------------------------------------------------------------- */

static int objects_came(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    sd_bus_message *call = userdata;
    struct air_device *device = air_device_of(sd_bus_message_get_sender(call));

    (void)error;
    if (device == NULL || device->has_app) {
        /* its program has ended, or it asked twice */
    } else if (sd_bus_message_is_method_error(reply, NULL) || read_objects(reply, device) < 0 ||
               device->service_uuid[0] == '\0' || device->characteristic_count == 0) {
        air_error(call, "Failed", "No object received");
    } else {
        device->has_app = true;
        sd_bus_reply_method_return(call, "");
        air_link_service_came(device);
    }
    sd_bus_message_unref(call);
    return 1;
}

static int register_application(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const char *path = "", *sender = sd_bus_message_get_sender(call);
    struct air_device *device = air_device_made(sender);

    (void)userdata, (void)error;
    sd_bus_message_read(call, "o", &path);
    if (device->has_app) {
        return air_error(call, "AlreadyExists", "Already Exists");
    }
    (void)snprintf(device->app, sizeof device->app, "%s", path);
    int r =
        sd_bus_call_method_async(air.bus, NULL, sender, path, "org.freedesktop.DBus.ObjectManager",
                                 "GetManagedObjects", objects_came, sd_bus_message_ref(call), "");
    return r < 0 ? r : 1;
}

static int unregister_application(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const char *path = "";
    struct air_device *device = air_device_of(sd_bus_message_get_sender(call));

    (void)userdata, (void)error;
    sd_bus_message_read(call, "o", &path);
    if (device == NULL || !device->has_app || strcmp(device->app, path) != 0) {
        return air_error(call, "DoesNotExist", "Does Not Exist");
    }
    air_link_service_gone(device);
    device->has_app = false;
    device->characteristic_count = 0;
    return sd_bus_reply_method_return(call, "");
}

static const sd_bus_vtable gatt_manager_table[] = {
    SD_BUS_VTABLE_START(SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("RegisterApplication", "oa{sv}", "", register_application, 0),
    SD_BUS_METHOD("UnregisterApplication", "o", "", unregister_application, 0),
    SD_BUS_VTABLE_END,
};

const struct air_interface air_gatt_manager_interface = {"org.bluez.GattManager1",
                                                         gatt_manager_table, NULL};

/* ---- LEAdvertisingManager1 ------------------------------------------------------------------- */

static int read_advertisement(sd_bus_message *from, struct air_device *device)
{
    int r = sd_bus_message_enter_container(from, 'a', "{sv}");

    (void)snprintf(device->name, sizeof device->name, "air");
    device->uuid_count = 0;
    while (r >= 0 && (r = sd_bus_message_enter_container(from, 'e', "sv")) > 0) {
        const char *key = "";
        sd_bus_message_read(from, "s", &key);
        if (strcmp(key, "LocalName") == 0) {
            r = read_text(from, device->name, sizeof device->name);
        } else if (strcmp(key, "ServiceUUIDs") == 0) {
            r = device->uuid_count = read_texts(from, device->uuids[0], AIR_UUIDS, AIR_UUID);
        } else {
            r = sd_bus_message_skip(from, "v");
        }
        r = r < 0 ? r : sd_bus_message_exit_container(from);
    }
    return r;
}

static int advertisement_came(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    sd_bus_message *call = userdata;
    struct air_device *device = air_device_of(sd_bus_message_get_sender(call));

    (void)error;
    if (device == NULL) {
        /* its program has ended */
    } else if (sd_bus_message_is_method_error(reply, NULL) ||
               read_advertisement(reply, device) < 0) {
        air_error(call, "Failed", "Failed to parse advertisement.");
    } else {
        device->advertises = true;
        air_device_named(device);
        air_say("advertises: %s %s", device->name, device->address);
        sd_bus_reply_method_return(call, "");
    }
    sd_bus_message_unref(call);
    return 1;
}

static int register_advertisement(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const char *path = "", *sender = sd_bus_message_get_sender(call);
    struct air_device *device = air_device_made(sender);

    (void)userdata, (void)error;
    sd_bus_message_read(call, "o", &path);
    if (device->advertises) {
        return air_error(call, "AlreadyExists", "Already Exists");
    }
    (void)snprintf(device->advertisement, sizeof device->advertisement, "%s", path);
    int r = sd_bus_call_method_async(air.bus, NULL, sender, path, PROPERTIES, "GetAll",
                                     advertisement_came, sd_bus_message_ref(call), "s",
                                     "org.bluez.LEAdvertisement1");
    return r < 0 ? r : 1;
}

static int unregister_advertisement(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    const char *path = "";
    struct air_device *device = air_device_of(sd_bus_message_get_sender(call));

    (void)userdata, (void)error;
    sd_bus_message_read(call, "o", &path);
    if (device == NULL || !device->advertises || strcmp(device->advertisement, path) != 0) {
        return air_error(call, "DoesNotExist", "Does Not Exist");
    }
    device->advertises = false;
    return sd_bus_reply_method_return(call, "");
}

static int get_instances(sd_bus *bus, const char *path, const char *interface, const char *property,
                         sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    uint8_t active = 0;

    (void)bus, (void)path, (void)interface, (void)userdata, (void)error;
    for (const struct air_device *device = air.devices; device != NULL; device = device->next) {
        active = (uint8_t)(active + device->advertises);
    }
    return sd_bus_message_append(reply, "y", strcmp(property, "ActiveInstances") == 0 ? active : 5);
}

static int get_includes(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    (void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
    return sd_bus_message_append(reply, "as", 3, "tx-power", "appearance", "local-name");
}

static const sd_bus_vtable advertising_table[] = {
    SD_BUS_VTABLE_START(SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("RegisterAdvertisement", "oa{sv}", "", register_advertisement, 0),
    SD_BUS_METHOD("UnregisterAdvertisement", "o", "", unregister_advertisement, 0),
    SD_BUS_PROPERTY("ActiveInstances", "y", get_instances, 0, 0),
    SD_BUS_PROPERTY("SupportedInstances", "y", get_instances, 0, 0),
    SD_BUS_PROPERTY("SupportedIncludes", "as", get_includes, 0, 0),
    SD_BUS_VTABLE_END,
};

const struct air_interface air_advertising_interface = {"org.bluez.LEAdvertisingManager1",
                                                        advertising_table, NULL};
