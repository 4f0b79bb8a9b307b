/* SPDX-License-Identifier: Apache-2.0 */
/* The link to a device: connected, its services known. */
#include "bluez.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* When it ends; a device that is gone already is not waited for. */
#define DISCONNECT_MS 3000

/* ---- Objects of the device ------------------------------------------------------------------- */

static const struct bluez_object *find_path(const struct bluez_objects *objects, const char *path)
{
    for (size_t i = 0; i < objects->count; i++) {
        if (strcmp(objects->list[i].path, path) == 0) {
            return &objects->list[i];
        }
    }
    return NULL;
}

static const struct bluez_object *find_uuid(const struct bluez_objects *objects,
                                            enum bluez_kind kind, const char *folder,
                                            const char *uuid)
{
    for (size_t i = 0; i < objects->count; i++) {
        const struct bluez_object *object = &objects->list[i];
        if (object->kind == kind && bluez_is_below(object->path, folder) &&
            strcasecmp(object->uuid, uuid) == 0) {
            return object;
        }
    }
    return NULL;
}

/* ---- Connecting ------------------------------------------------------------------------------ */

/* Returns 1 when it is connected, 0 when not, or an error, with why. */
static int is_connected(struct bluez *bluez)
{
    struct bluez_objects objects;
    int error = bluez_objects(bluez, &objects);

    if (error != FERRY_OK) {
        return error;
    }
    const struct bluez_object *device = find_path(&objects, bluez->device);
    int connected = device != NULL && device->connected;
    bluez_objects_free(&objects);
    return connected;
}

static int connect_device(struct bluez *bluez)
{
    int connected = is_connected(bluez);

    bluez->gone = false;
    if (connected != 0) {
        return connected == 1 ? FERRY_OK : connected;
    }
    int error = bluez_ask(bluez, bluez->device, BLUEZ_DEVICE, "Connect", BLUEZ_CONNECT_MS);
    if (error == FERRY_OK || bluez_refused(bluez, "AlreadyConnected")) {
        bluez->connected = error == FERRY_OK;
        return FERRY_OK;
    }
    /* What still tries would hold up the next one. */
    (void)bluez_ask(bluez, bluez->device, BLUEZ_DEVICE, "Disconnect", DISCONNECT_MS);
    return FERRY_E_IO;
}

/* What BlueZ knows may be long gone, or have another address by now: then it is looked for. */
static int reach(struct bluez *bluez)
{
    char why[sizeof bluez->refused];
    int error = bluez_find_device(bluez, false);

    if (error != FERRY_OK || connect_device(bluez) == FERRY_OK) {
        return error;
    }
    snprintf(why, sizeof why, "%s", bluez->refused);
    error = bluez_find_device(bluez, true);
    if (error != FERRY_OK || connect_device(bluez) == FERRY_OK) {
        return error;
    }
    return bluez_fail(bluez, FERRY_E_IO,
                      "the device is there, but does not let itself be connected: %s; see that "
                      "nobody else is connected to it, and come nearer",
                      bluez->refused[0] != '\0' ? bluez->refused : why);
}

void bluez_keep_address(struct bluez *bluez)
{
    struct bluez_objects objects;

    if (bluez_objects(bluez, &objects) != FERRY_OK) {
        return;
    }
    const struct bluez_object *device = find_path(&objects, bluez->device);
    if (device != NULL) {
        snprintf(bluez->device_address, sizeof bluez->device_address, "%s", device->address);
    }
    bluez_objects_free(&objects);
}

const char *bluez_address(struct bluez *bluez)
{
    if (bluez->device_address[0] == '\0') {
        bluez_keep_address(bluez);
    }
    return bluez->device_address[0] != '\0' ? bluez->device_address : "its address";
}

/* The bond would be taken for a proof. That ends the connection, too. */
static void forget(struct bluez *bluez)
{
    sd_bus_message *call = bluez_begin(bluez, bluez->adapter, BLUEZ_ADAPTER, "RemoveDevice");

    if (call != NULL && sd_bus_message_append(call, "o", bluez->device) >= 0) {
        (void)bluez_call(bluez, call, BLUEZ_CALL_MS, NULL);
    } else {
        sd_bus_message_unref(call);
    }
}

void bluez_disconnect(struct bluez *bluez)
{
    if (bluez->unproven) {
        forget(bluez);
    } else if (bluez->connected && !bluez->gone) {
        (void)bluez_ask(bluez, bluez->device, BLUEZ_DEVICE, "Disconnect", DISCONNECT_MS);
    }
    bluez->connected = false;
}

/* ---- Its services ------------------------------------------------------------------------------
 */

static int find_characteristic(struct bluez *bluez, const struct bluez_objects *objects)
{
    const struct bluez_object *service =
        find_uuid(objects, BLUEZ_IS_SERVICE, bluez->device, FERRY_BLE_SERVICE);

    if (service == NULL) {
        return bluez_fail(bluez, FERRY_E_NOT_FOUND,
                          "the device has no SMP service; build SMP over Bluetooth into its "
                          "firmware, or, if it was built in later: bluetoothctl remove %s",
                          bluez_address(bluez));
    }
    const struct bluez_object *characteristic =
        find_uuid(objects, BLUEZ_IS_CHARACTERISTIC, service->path, FERRY_BLE_CHARACTERISTIC);
    if (characteristic == NULL) {
        return bluez_fail(bluez, FERRY_E_NOT_FOUND,
                          "the device's SMP service has no SMP characteristic; its firmware is "
                          "wrong there: it must have " FERRY_BLE_CHARACTERISTIC);
    }
    snprintf(bluez->characteristic, sizeof bluez->characteristic, "%s", characteristic->path);
    bluez->offers_write = characteristic->acquires_write;
    bluez->offers_notify = characteristic->acquires_notify;
    bluez->mtu = characteristic->mtu;
    return FERRY_OK;
}

/* Returns FERRY_E_BUSY while its services are looked at. */
static int look(struct bluez *bluez)
{
    struct bluez_objects objects;
    int error = bluez_objects(bluez, &objects);

    if (error != FERRY_OK) {
        return error;
    }
    const struct bluez_object *device = find_path(&objects, bluez->device);
    if (device == NULL || bluez->gone) {
        error = bluez_fail(bluez, FERRY_E_IO,
                           "the device ended the connection at once; see whether it serves "
                           "somebody else, and try again");
    } else {
        bluez->paired = device->paired;
        error = device->resolved ? find_characteristic(bluez, &objects) : FERRY_E_BUSY;
    }
    bluez_objects_free(&objects);
    return error;
}

int bluez_connect(struct bluez *bluez)
{
    int error = bluez_choose_adapter(bluez, bluez->address->adapter);

    error = error == FERRY_OK ? reach(bluez) : error;
    return error == FERRY_OK ? bluez_resolve(bluez) : error;
}

int bluez_resolve(struct bluez *bluez)
{
    uint64_t end = ferry_posix_now_ms() + BLUEZ_RESOLVE_MS;
    int error;

    bluez->changed = false;
    while ((error = look(bluez)) == FERRY_E_BUSY && ferry_posix_now_ms() < end &&
           bluez_wait(bluez, end)) {
    }
    return error != FERRY_E_BUSY
               ? error
               : bluez_fail(bluez, FERRY_E_IO,
                            "the device is connected, but does not tell its services within %d s; "
                            "reset it, then: bluetoothctl remove %s",
                            BLUEZ_RESOLVE_MS / 1000, bluez_address(bluez));
}
