/* SPDX-License-Identifier: Apache-2.0 */
/* Adapter1: power, and discovery. The adapter of the devices finds nothing. */
#include "air.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ADAPTER "org.bluez.Adapter1"

/* Who discovers, and what. */
struct session {
    struct session *next;
    char sender[AIR_PATH];
    bool discovering;
    char uuids[AIR_UUIDS][AIR_UUID]; /* none: all */
    int uuid_count;
    int16_t rssi; /* at least */
};

static struct session *sessions;
static sd_event_source *advertising_timer;

static bool is_central(const char *path)
{
    return strcmp(path, AIR_ADAPTER) == 0;
}

static bool discovering(void)
{
    for (const struct session *session = sessions; session != NULL; session = session->next) {
        if (session->discovering) {
            return true;
        }
    }
    return false;
}

static struct session *session_of(const char *sender)
{
    for (struct session *session = sessions; session != NULL; session = session->next) {
        if (strcmp(session->sender, sender) == 0) {
            return session;
        }
    }
    struct session *session = calloc(1, sizeof *session);
    (void)snprintf(session->sender, sizeof session->sender, "%s", sender);
    session->rssi = INT16_MIN;
    session->next = sessions;
    sessions = session;
    return session;
}

static bool wants_uuid(const struct session *session, const struct air_device *device)
{
    for (int i = 0; i < session->uuid_count; i++) {
        for (int k = 0; k < device->uuid_count; k++) {
            if (strcasecmp(session->uuids[i], device->uuids[k]) == 0) {
                return true;
            }
        }
    }
    return session->uuid_count == 0;
}

static bool wanted(const struct air_device *device)
{
    for (const struct session *session = sessions; session != NULL; session = session->next) {
        if (session->discovering && device->rssi >= session->rssi && wants_uuid(session, device)) {
            return true;
        }
    }
    return false;
}

/* Nobody asks for them any more: bluetoothd keeps what it found for a while. */
static void forget_old(struct air_device *device)
{
    bool kept = device->link != NULL || device->paired || device->connecting != NULL;

    if (!kept && air_object_exported(&device->object) &&
        air_now_us() - device->heard_us > air.options.forget_ms * 1000ULL) {
        air_device_forget(device);
    }
}

static int advertise(sd_event_source *timer, uint64_t now, void *userdata)
{
    (void)timer, (void)now, (void)userdata;
    for (struct air_device *device = air.devices; device != NULL; device = device->next) {
        bool heard = discovering() && device->advertises && device->link == NULL && wanted(device);
        if (heard && device->hidden > 0) {
            device->hidden--;
        } else if (heard) {
            air_device_heard(device);
        }
        forget_old(device);
    }
    air_after(&advertising_timer, air.options.adv_ms * 1000ULL, advertise, NULL);
    return 0;
}

static void end_discovery(void)
{
    air_object_changed(&air.adapter, ADAPTER, "Discovering");
    for (struct air_device *device = air.devices; device != NULL; device = device->next) {
        air_device_silent(device);
    }
}

void air_adapter_left(const char *sender)
{
    bool was = discovering();

    for (struct session **at = &sessions; *at != NULL;) {
        struct session *session = *at;
        if (strcmp(session->sender, sender) != 0) {
            at = &session->next;
            continue;
        }
        *at = session->next;
        free(session);
    }
    if (was && !discovering()) {
        end_discovery();
    }
}

void air_adapter_power(bool on)
{
    bool was = discovering();

    if (air.powered == on) {
        return;
    }
    air.powered = on;
    air_object_changed(&air.adapter, ADAPTER, "Powered");
    air_object_changed(&air.devices_adapter, ADAPTER, "Powered");
    air_say("power: %s", on ? "on" : "off");
    if (on) {
        return;
    }
    for (struct session *session = sessions; session != NULL; session = session->next) {
        session->discovering = false;
    }
    if (was) {
        end_discovery();
    }
    for (struct air_device *device = air.devices; device != NULL; device = device->next) {
        air_device_stop_connecting(device, "le-connection-abort-by-local");
        air_link_end(device, "power");
    }
}

/* ---- Methods ------------------------------------------------------------------------------- */

static int start_discovery(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    (void)userdata, (void)error;
    if (!is_central(sd_bus_message_get_path(call))) {
        return air_error(call, "NotSupported", "Operation is not supported");
    }
    if (!air.powered) {
        return air_error(call, "NotReady", "Resource Not Ready");
    }
    struct session *session = session_of(sd_bus_message_get_sender(call));
    if (session->discovering) {
        return air_error(call, "InProgress", "Operation already in progress");
    }
    bool was = discovering();
    session->discovering = true;
    if (!was) {
        air_object_changed(&air.adapter, ADAPTER, "Discovering");
    }
    return sd_bus_reply_method_return(call, "");
}

static int stop_discovery(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    (void)userdata, (void)error;
    struct session *session = session_of(sd_bus_message_get_sender(call));
    if (!air.powered) {
        return air_error(call, "NotReady", "Resource Not Ready");
    }
    if (!session->discovering) {
        return air_error(call, "Failed", "No discovery started");
    }
    session->discovering = false;
    if (!discovering()) {
        end_discovery();
    }
    return sd_bus_reply_method_return(call, "");
}

/* The filters that play a part here; the rest is passed over. */
static int read_filter(sd_bus_message *call, struct session *session)
{
    const char *key, *uuid;
    int r = sd_bus_message_enter_container(call, 'a', "{sv}");

    while (r >= 0 && (r = sd_bus_message_enter_container(call, 'e', "sv")) > 0) {
        sd_bus_message_read(call, "s", &key);
        if (strcmp(key, "UUIDs") == 0) {
            r = sd_bus_message_enter_container(call, 'v', "as");
            r = r < 0 ? r : sd_bus_message_enter_container(call, 'a', "s");
            while (r >= 0 && sd_bus_message_read(call, "s", &uuid) > 0) {
                if (session->uuid_count < AIR_UUIDS) {
                    (void)snprintf(session->uuids[session->uuid_count++], AIR_UUID, "%s", uuid);
                }
            }
            if (r >= 0) {
                sd_bus_message_exit_container(call);
                sd_bus_message_exit_container(call);
            }
        } else if (strcmp(key, "RSSI") == 0) {
            r = sd_bus_message_read(call, "v", "n", &session->rssi);
        } else {
            r = sd_bus_message_skip(call, "v");
        }
        if (r >= 0) {
            r = sd_bus_message_exit_container(call);
        }
    }
    return r;
}

static int set_discovery_filter(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    (void)userdata, (void)error;
    struct session *session = session_of(sd_bus_message_get_sender(call));
    session->uuid_count = 0;
    session->rssi = INT16_MIN;
    if (read_filter(call, session) < 0) {
        return air_error(call, "InvalidArguments", "Invalid arguments in method call");
    }
    return sd_bus_reply_method_return(call, "");
}

static int get_discovery_filters(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    (void)userdata, (void)error;
    return sd_bus_reply_method_return(call, "as", 6, "UUIDs", "RSSI", "Pathloss", "Transport",
                                      "DuplicateData", "Discoverable");
}

static int remove_device(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    (void)userdata, (void)error;
    const char *path = "";

    sd_bus_message_read(call, "o", &path);
    for (struct air_device *device = air.devices; device != NULL; device = device->next) {
        if (air_object_exported(&device->object) && strcmp(device->object.path, path) == 0) {
            device->paired = false;
            device->bond = AIR_OPEN;
            air_link_end(device, "removed");
            air_device_forget(device);
            return sd_bus_reply_method_return(call, "");
        }
    }
    return air_error(call, "DoesNotExist", "Does Not Exist");
}

/* ---- Properties ------------------------------------------------------------------------------ */

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    (void)bus, (void)interface, (void)userdata, (void)error;
    const char *const texts[][2] = {
        {"Address", is_central(path) ? AIR_ADDRESS : AIR_DEVICES_ADDRESS},
        {"AddressType", "public"},
        {"Name", "air"},
        {"Alias", "air"},
        {"Modalias", "usb:v1D6Bp0246d0542"}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(texts[i][0], property) == 0) {
            return sd_bus_message_append(reply, "s", texts[i][1]);
        }
    }
    return -EINVAL;
}

static int get_flag(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    (void)bus, (void)interface, (void)userdata, (void)error;
    bool central = is_central(path);
    return sd_bus_message_append(
        reply, "b", strcmp(property, "Powered") == 0 ? air.powered : central && discovering());
}

static int set_powered(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *value, void *userdata, sd_bus_error *error)
{
    (void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
    int on = 0;
    int r = sd_bus_message_read(value, "b", &on);
    if (r >= 0) {
        air_adapter_power(on);
    }
    return r < 0 ? r : 1;
}

static int get_uuids(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    (void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
    return sd_bus_message_append(reply, "as", 0);
}

static const sd_bus_vtable adapter_table[] = {
    SD_BUS_VTABLE_START(SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("StartDiscovery", "", "", start_discovery, 0),
    SD_BUS_METHOD("SetDiscoveryFilter", "a{sv}", "", set_discovery_filter, 0),
    SD_BUS_METHOD("StopDiscovery", "", "", stop_discovery, 0),
    SD_BUS_METHOD("RemoveDevice", "o", "", remove_device, 0),
    SD_BUS_METHOD("GetDiscoveryFilters", "", "as", get_discovery_filters, 0),
    SD_BUS_PROPERTY("Address", "s", get_text, 0, 0),
    SD_BUS_PROPERTY("AddressType", "s", get_text, 0, 0),
    SD_BUS_PROPERTY("Name", "s", get_text, 0, 0),
    SD_BUS_PROPERTY("Alias", "s", get_text, 0, 0),
    SD_BUS_PROPERTY("Modalias", "s", get_text, 0, 0),
    SD_BUS_WRITABLE_PROPERTY("Powered", "b", get_flag, set_powered, 0,
                             SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("Discovering", "b", get_flag, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
    SD_BUS_PROPERTY("UUIDs", "as", get_uuids, 0, 0),
    SD_BUS_VTABLE_END,
};

static const struct air_interface adapter_interface = {ADAPTER, adapter_table, NULL};

int air_adapter_begin(void)
{
    const struct air_interface *adapter[] = {&adapter_interface, NULL};
    const struct air_interface *devices[] = {&adapter_interface, &air_gatt_manager_interface,
                                             &air_advertising_interface, NULL};
    const struct air_interface *manager[] = {&air_agent_interface, NULL};

    air_object_export(&air.manager, "/org/bluez", &air, manager);
    air_object_export(&air.adapter, AIR_ADAPTER, &air, adapter);
    air_object_export(&air.devices_adapter, AIR_DEVICES, &air, devices);
    air_after(&advertising_timer, air.options.adv_ms * 1000ULL, advertise, NULL);
    return 0;
}
