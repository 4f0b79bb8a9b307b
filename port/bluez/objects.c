/* SPDX-License-Identifier: Apache-2.0 */
/* What BlueZ knows, out of one GetManagedObjects: a{oa{sa{sv}}}. */
#include "bluez.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- Properties ------------------------------------------------------------------------------ */

/* The message stands at a variant: read it when it has this type, and pass over it otherwise. */
static int read_variant(sd_bus_message *m, char type, void *value)
{
    const char contents[2] = {type, '\0'};
    const char *found;
    char kind;
    int r = sd_bus_message_peek_type(m, &kind, &found);

    if (r < 0 || strcmp(found, contents) != 0) {
        return r < 0 ? r : sd_bus_message_skip(m, "v");
    }
    return sd_bus_message_read(m, "v", contents, value);
}

static int read_text(sd_bus_message *m, char *out, size_t cap)
{
    const char *text = NULL;
    int r = read_variant(m, 's', &text);

    if (r >= 0 && text != NULL) {
        snprintf(out, cap, "%s", text);
    }
    return r;
}

static int read_flag(sd_bus_message *m, bool *out)
{
    int flag = *out;
    int r = read_variant(m, 'b', &flag);

    *out = flag;
    return r;
}

static int read_rssi(sd_bus_message *m, struct bluez_object *object)
{
    int16_t none = INT16_MIN;
    int16_t rssi = none;
    int r = read_variant(m, 'n', &rssi);

    object->heard = rssi != none;
    object->rssi = rssi;
    return r;
}

static int read_uuids(sd_bus_message *m, struct bluez_object *object)
{
    const char *uuid;
    int r = sd_bus_message_enter_container(m, 'v', "as");

    r = r < 0 ? r : sd_bus_message_enter_container(m, 'a', "s");
    while (r >= 0 && (r = sd_bus_message_read(m, "s", &uuid)) > 0) {
        object->serves = object->serves || strcasecmp(uuid, FERRY_BLE_SERVICE) == 0;
    }
    r = r < 0 ? r : sd_bus_message_exit_container(m);
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int read_property(sd_bus_message *m, struct bluez_object *object, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {
        {"Powered", &object->powered},
        {"Connected", &object->connected},
        {"Paired", &object->paired},
        {"Bonded", &object->bonded},
        {"ServicesResolved", &object->resolved},
        {"NotifyAcquired", &object->notify_taken},
    };

    object->tells_bond = object->tells_bond || strcmp(name, "Bonded") == 0;
    object->acquires_write = object->acquires_write || strcmp(name, "WriteAcquired") == 0;
    object->acquires_notify = object->acquires_notify || strcmp(name, "NotifyAcquired") == 0;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strcmp(name, flags[i].name) == 0) {
            return read_flag(m, flags[i].flag);
        }
    }
    if (strcmp(name, "Alias") == 0) {
        return read_text(m, object->name, sizeof object->name);
    }
    if (strcmp(name, "Name") == 0) {
        return read_text(m, object->told, sizeof object->told);
    }
    if (strcmp(name, "Address") == 0) {
        return read_text(m, object->address, sizeof object->address);
    }
    if (strcmp(name, "UUID") == 0) {
        return read_text(m, object->uuid, sizeof object->uuid);
    }
    if (strcmp(name, "RSSI") == 0) {
        return read_rssi(m, object);
    }
    if (strcmp(name, "MTU") == 0) {
        return read_variant(m, 'q', &object->mtu);
    }
    return strcmp(name, "UUIDs") == 0 ? read_uuids(m, object) : sd_bus_message_skip(m, "v");
}

static int read_properties(sd_bus_message *m, struct bluez_object *object)
{
    const char *name;
    int r = sd_bus_message_enter_container(m, 'a', "{sv}");

    while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
        r = sd_bus_message_read(m, "s", &name);
        r = r < 0 ? r : read_property(m, object, name);
        r = r < 0 ? r : sd_bus_message_exit_container(m);
    }
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

/* ---- Objects --------------------------------------------------------------------------------- */

static enum bluez_kind kind_of(const char *interface)
{
    static const struct {
        const char *interface;
        enum bluez_kind kind;
    } kinds[] = {{BLUEZ_ADAPTER, BLUEZ_IS_ADAPTER},
                 {BLUEZ_DEVICE, BLUEZ_IS_DEVICE},
                 {BLUEZ_SERVICE, BLUEZ_IS_SERVICE},
                 {BLUEZ_CHARACTERISTIC, BLUEZ_IS_CHARACTERISTIC}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(interface, kinds[i].interface) == 0) {
            return kinds[i].kind;
        }
    }
    return BLUEZ_IS_OTHER;
}

static int read_object(sd_bus_message *m, struct bluez_object *object)
{
    const char *path;
    const char *interface;
    int r = sd_bus_message_read(m, "o", &path);

    *object = (struct bluez_object){0};
    r = r < 0 ? r : sd_bus_message_enter_container(m, 'a', "{sa{sv}}");
    if (r >= 0) {
        snprintf(object->path, sizeof object->path, "%s", path);
    }
    while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "sa{sv}")) > 0) {
        r = sd_bus_message_read(m, "s", &interface);
        enum bluez_kind kind = r < 0 ? BLUEZ_IS_OTHER : kind_of(interface);
        if (kind != BLUEZ_IS_OTHER) {
            object->kind = kind;
            r = read_properties(m, object);
        } else {
            r = r < 0 ? r : sd_bus_message_skip(m, "a{sv}");
        }
        r = r < 0 ? r : sd_bus_message_exit_container(m);
    }
    object->bonded = object->tells_bond ? object->bonded : object->paired; /* BlueZ before 5.66 */
    return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int add_object(struct bluez_objects *objects, size_t *cap, const struct bluez_object *object)
{
    if (objects->count == *cap) {
        size_t larger = *cap * 2 + 16;
        struct bluez_object *list = realloc(objects->list, larger * sizeof *list);
        if (list == NULL) {
            return -1;
        }
        objects->list = list;
        *cap = larger;
    }
    objects->list[objects->count++] = *object;
    return 0;
}

static int read_objects(sd_bus_message *m, struct bluez_objects *objects)
{
    struct bluez_object object;
    size_t cap = 0;
    int r = sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");

    while (r >= 0 && (r = sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}")) > 0) {
        r = read_object(m, &object);
        if (r >= 0 && object.kind != BLUEZ_IS_OTHER) {
            r = add_object(objects, &cap, &object);
        }
        r = r < 0 ? r : sd_bus_message_exit_container(m);
    }
    return r;
}

int bluez_objects(struct bluez *bluez, struct bluez_objects *objects)
{
    sd_bus_message *reply;
    int error = bluez_call(
        bluez, bluez_begin(bluez, "/", "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"),
        BLUEZ_CALL_MS, &reply);

    *objects = (struct bluez_objects){0};
    if (error != FERRY_OK && strstr(bluez->refusal, "AccessDenied") != NULL) {
        return bluez_fail(bluez, FERRY_E_CONFIG,
                          "this user may not use BlueZ; run it as a user of the group bluetooth, "
                          "or at the computer itself");
    }
    if (error != FERRY_OK) {
        return bluez_fail(bluez, FERRY_E_NOT_FOUND,
                          "BlueZ, the system's Bluetooth, does not run (%s); start it: systemctl "
                          "start bluetooth",
                          bluez->refused);
    }
    int r = read_objects(reply, objects);
    sd_bus_message_unref(reply);
    if (r < 0) {
        bluez_objects_free(objects);
        return bluez_fail(bluez, FERRY_E_IO,
                          "what BlueZ tells of its objects cannot be read; tell us its version: "
                          "bluetoothctl --version");
    }
    return FERRY_OK;
}

void bluez_objects_free(struct bluez_objects *objects)
{
    free(objects->list);
    *objects = (struct bluez_objects){0};
}
