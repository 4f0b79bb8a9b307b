/* SPDX-License-Identifier: Apache-2.0 */
/* What BlueZ has: who it is, its adapter, and which centrals are connected. */
#include "ble_parts.h"

#include <stdio.h>
#include <string.h>

#define BUS     "org.freedesktop.DBus"
#define MANAGER "org.freedesktop.DBus.ObjectManager"

/* How long BlueZ may take to answer at the start, us. */
#define ANSWER_US 5000000U

/* ---- Centrals -----------------------------------------------------------------------------------
 */

static char *place_of(struct ble *ble, const char *device)
{
    for (size_t i = 0; i < BLE_CENTRALS; i++) {
        if (strcmp(ble->centrals[i], device) == 0) {
            return ble->centrals[i];
        }
    }
    return NULL;
}

/* Those of other adapters are none of ours. While the adapter is not known, all may be. */
static bool is_ours(const struct ble *ble, const char *device)
{
    size_t len = strlen(ble->adapter);

    return strncmp(device, ble->adapter, len) == 0 && device[len] == '/';
}

bool ble_others(const struct ble *ble, const char *device)
{
    for (size_t i = 0; i < BLE_CENTRALS; i++) {
        if (is_ours(ble, ble->centrals[i]) && strcmp(ble->centrals[i], device) != 0) {
            return true;
        }
    }
    return ble->crowded;
}

/* Whether the descriptor is this central's. */
static bool writes(const struct ble *ble, const char *device)
{
    for (size_t i = 0; i < BLE_LINKS; i++) {
        if (ble->links[i].number != 0 && ble->links[i].number == ble->write_link) {
            return strcmp(ble->links[i].device, device) == 0;
        }
    }
    return false;
}

static void note_connected(struct ble *ble, const char *device)
{
    char *place = place_of(ble, device);

    if (place != NULL || !is_ours(ble, device)) {
        return;
    }
    place = place_of(ble, "");
    if (place == NULL || strlen(device) >= BLE_PATH) {
        ble->crowded = true; /* for good: who of them goes is not known */
    } else {
        (void)snprintf(place, BLE_PATH, "%s", device);
    }
    if (!writes(ble, device)) {
        ble_close_write(ble); /* its values would come the same way as those of another one */
    }
}

static void note_gone(struct ble *ble, const char *device)
{
    char *place = place_of(ble, device);

    if (place != NULL) {
        place[0] = '\0';
    }
    ble_lost(ble, device);
}

/* ---- Objects
 * ------------------------------------------------------------------------------------- */

/* What of an object matters here. */
struct seen {
    bool serves, advertises; /* an adapter: it does that */
    bool powered;
    bool device;
    int connected; /* of a device: 1 or 0; -1: not said */
};

/* One boolean of an interface's properties, a{sv}; -1: it is not among them. */
static int read_boolean(sd_bus_message *message, const char *name, int *value)
{
    int r = sd_bus_message_enter_container(message, 'a', "{sv}");
    const char *key = NULL;

    *value = -1;
    while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sv")) > 0) {
        r = sd_bus_message_read(message, "s", &key);
        if (r >= 0) {
            r = strcmp(key, name) == 0 ? sd_bus_message_read(message, "v", "b", value)
                                       : sd_bus_message_skip(message, "v");
        }
        r = r < 0 ? r : sd_bus_message_exit_container(message);
    }
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_interface(sd_bus_message *message, struct seen *seen)
{
    const char *name = NULL;
    int powered = -1;
    int r = sd_bus_message_read(message, "s", &name);

    if (r < 0) {
        return r;
    }
    if (strcmp(name, BLE_DEVICE) == 0) {
        seen->device = true;
        return read_boolean(message, "Connected", &seen->connected);
    }
    if (strcmp(name, "org.bluez.Adapter1") == 0) {
        r = read_boolean(message, "Powered", &powered);
        seen->powered = powered == 1;
        return r;
    }
    seen->serves = seen->serves || strcmp(name, "org.bluez.GattManager1") == 0;
    seen->advertises = seen->advertises || strcmp(name, "org.bluez.LEAdvertisingManager1") == 0;
    return sd_bus_message_skip(message, "a{sv}");
}

/* An object and its interfaces, oa{sa{sv}}. */
static int read_object(sd_bus_message *message, const char **path, struct seen *seen)
{
    int r = sd_bus_message_read(message, "o", path);

    *seen = (struct seen){.connected = -1};
    if (r >= 0) {
        r = sd_bus_message_enter_container(message, 'a', "{sa{sv}}");
    }
    while (r >= 0 && (r = sd_bus_message_enter_container(message, 'e', "sa{sv}")) > 0) {
        r = read_interface(message, seen);
        r = r < 0 ? r : sd_bus_message_exit_container(message);
    }
    return r < 0 ? r : sd_bus_message_exit_container(message);
}

static void take_object(struct ble *ble, const char *path, const struct seen *seen)
{
    if (seen->device && seen->connected == 1) {
        note_connected(ble, path);
    }
}

/* ---- Signals
 * ------------------------------------------------------------------------------------- */

static int added(sd_bus_message *signal, void *context, sd_bus_error *ignored)
{
    const char *path = NULL;
    struct seen seen;

    (void)ignored;
    if (read_object(signal, &path, &seen) >= 0) {
        take_object(context, path, &seen);
    }
    return 0;
}

static int removed(sd_bus_message *signal, void *context, sd_bus_error *ignored)
{
    const char *path = NULL;
    const char *name = NULL;

    (void)ignored;
    if (sd_bus_message_read(signal, "o", &path) < 0 ||
        sd_bus_message_enter_container(signal, 'a', "s") < 0) {
        return 0;
    }
    while (sd_bus_message_read(signal, "s", &name) > 0) {
        if (strcmp(name, BLE_DEVICE) == 0) {
            note_gone(context, path);
        }
    }
    return 0;
}

static int changed(sd_bus_message *signal, void *context, sd_bus_error *ignored)
{
    const char *path = sd_bus_message_get_path(signal);
    int connected = -1;

    (void)ignored;
    if (sd_bus_message_skip(signal, "s") < 0 || read_boolean(signal, "Connected", &connected) < 0) {
        return 0;
    }
    if (connected == 1) {
        note_connected(context, path);
    } else if (connected == 0) {
        note_gone(context, path);
    }
    return 0;
}

static int owner_changed(sd_bus_message *signal, void *context, sd_bus_error *ignored)
{
    struct ble *ble = context;
    const char *owner = NULL;

    (void)ignored;
    if (sd_bus_message_read(signal, "sss", NULL, NULL, &owner) >= 0 &&
        strcmp(owner, ble->owner) != 0) {
        ble_fail(ble, "BlueZ has gone", "org.bluez has left the bus",
                 "start bluetoothd, then the device again");
    }
    return 0;
}

#define BUS_SIGNALS(of) "type='signal',sender='" of "',interface='"

static int watch(struct ble *ble)
{
    static const struct {
        const char *match;
        sd_bus_message_handler_t handler;
    } signals[] = {
        {BUS_SIGNALS(BUS) BUS "',member='NameOwnerChanged',arg0='" BLE_BLUEZ "'", owner_changed},
        {BUS_SIGNALS(BLE_BLUEZ) MANAGER "',member='InterfacesAdded'", added},
        {BUS_SIGNALS(BLE_BLUEZ) MANAGER "',member='InterfacesRemoved'", removed},
        {BUS_SIGNALS(BLE_BLUEZ) "org.freedesktop.DBus.Properties',member='PropertiesChanged',"
                                "arg0='" BLE_DEVICE "'",
         changed},
    };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < sizeof(signals) / sizeof(signals[0]); i++) {
        r = sd_bus_add_match(ble->bus, NULL, signals[i].match, signals[i].handler, ble);
    }
    return r;
}

/* ---- The adapter
 * ---------------------------------------------------------------------------------- */

static int call(struct ble *ble, const char *to, const char *path, const char *interface,
                const char *method, const char *argument, sd_bus_message **reply, char *why,
                size_t cap)
{
    sd_bus_error error = SD_BUS_ERROR_NULL;
    sd_bus_message *message = NULL;
    int r = sd_bus_message_new_method_call(ble->bus, &message, to, path, interface, method);

    if (r >= 0 && argument != NULL) {
        r = sd_bus_message_append(message, "s", argument);
    }
    if (r >= 0) {
        r = sd_bus_call(ble->bus, message, ANSWER_US, &error, reply);
    }
    if (r < 0) {
        (void)snprintf(why, cap, "--ble: BlueZ is not on the bus (%s); start bluetoothd",
                       error.message != NULL ? error.message : strerror(-r));
    }
    sd_bus_error_free(&error);
    sd_bus_message_unref(message);
    return r;
}

/* BlueZ is asked first, which starts it where the bus can; then who it is. */
static int take_objects(struct ble *ble, char *off, size_t off_cap, char *why, size_t cap)
{
    sd_bus_message *reply = NULL;
    const char *path = NULL;
    struct seen seen;
    int r = call(ble, BLE_BLUEZ, "/", MANAGER, "GetManagedObjects", NULL, &reply, why, cap);

    if (r >= 0) {
        r = sd_bus_message_enter_container(reply, 'a', "{oa{sa{sv}}}");
    }
    while (r >= 0 && (r = sd_bus_message_enter_container(reply, 'e', "oa{sa{sv}}")) > 0) {
        r = read_object(reply, &path, &seen);
        if (r >= 0 && seen.serves && seen.advertises && strlen(path) < sizeof(ble->adapter)) {
            bool first =
                seen.powered && (ble->adapter[0] == '\0' || strcmp(path, ble->adapter) < 0);
            (void)snprintf(first ? ble->adapter : off, first ? sizeof(ble->adapter) : off_cap, "%s",
                           path);
        }
        if (r >= 0) {
            take_object(ble, path, &seen);
            r = sd_bus_message_exit_container(reply);
        }
    }
    sd_bus_message_unref(reply);
    return r;
}

static int take_owner(struct ble *ble, char *why, size_t cap)
{
    sd_bus_message *reply = NULL;
    const char *owner = NULL;
    int r =
        call(ble, BUS, "/org/freedesktop/DBus", BUS, "GetNameOwner", BLE_BLUEZ, &reply, why, cap);

    if (r >= 0) {
        r = sd_bus_message_read(reply, "s", &owner);
    }
    if (r >= 0) {
        (void)snprintf(ble->owner, sizeof(ble->owner), "%s", owner);
    }
    sd_bus_message_unref(reply);
    return r;
}

int ble_find(struct ble *ble, char *why, size_t cap)
{
    char off[BLE_PATH] = "";

    (void)snprintf(why, cap, "--ble: BlueZ says what cannot be understood; is it newer than this?");
    if (watch(ble) < 0 || take_objects(ble, off, sizeof(off), why, cap) < 0 ||
        take_owner(ble, why, cap) < 0) {
        return FERRY_E_IO;
    }
    if (ble->adapter[0] != '\0') {
        return FERRY_OK;
    }
    if (off[0] != '\0') {
        (void)snprintf(why, cap,
                       "--ble: the adapter %s is off; switch it on: bluetoothctl power on", off);
    } else {
        (void)snprintf(why, cap,
                       "--ble: BlueZ has no adapter that serves and advertises; plug one in "
                       "(bluetoothctl list shows them)");
    }
    return FERRY_E_IO;
}
