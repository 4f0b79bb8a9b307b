/* SPDX-License-Identifier: Apache-2.0 */
/* The adapter, and the device on it. */
#include "bluez.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What changes in one go is looked at in one go. */
#define SETTLE_MS 50

/* ---- The adapter ----------------------------------------------------------------------------- */

/* "hci0" of "/org/bluez/hci0". */
static const char *short_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static int choose(struct bluez *bluez, const struct bluez_objects *objects, const char *name)
{
    const struct bluez_object *chosen = NULL;
    const struct bluez_object *other = NULL;

    for (size_t i = 0; i < objects->count; i++) {
        const struct bluez_object *object = &objects->list[i];
        if (object->kind != BLUEZ_IS_ADAPTER) {
            continue;
        }
        other = object;
        if (name[0] != '\0' ? strcmp(short_name(object->path), name) == 0
                            : chosen == NULL || (!chosen->powered && object->powered)) {
            chosen = object;
        }
    }
    if (other == NULL) {
        return bluez_fail(bluez, FERRY_E_NOT_FOUND,
                          "this computer has no Bluetooth adapter; plug one in, or look whether "
                          "one is blocked: rfkill list");
    }
    if (chosen == NULL) {
        return bluez_fail(
            bluez, FERRY_E_NOT_FOUND,
            "there is no adapter %s; give one that is there, as %s: bluetoothctl list names all",
            name, short_name(other->path));
    }
    if (!chosen->powered) {
        return bluez_fail(bluez, FERRY_E_IO, "the adapter %s is not powered; bluetoothctl power on",
                          short_name(chosen->path));
    }
    snprintf(bluez->adapter, sizeof bluez->adapter, "%s", chosen->path);
    return FERRY_OK;
}

int bluez_choose_adapter(struct bluez *bluez, const char *name)
{
    struct bluez_objects objects;
    int error = bluez_objects(bluez, &objects);

    if (error == FERRY_OK) {
        error = choose(bluez, &objects, name);
        bluez_objects_free(&objects);
    }
    return error;
}

/* ---- Discovery ------------------------------------------------------------------------------- */

static int set_filter(struct bluez *bluez, bool only_smp)
{
    sd_bus_message *call = bluez_begin(bluez, bluez->adapter, BLUEZ_ADAPTER, "SetDiscoveryFilter");
    int r = call == NULL ? -1 : sd_bus_message_open_container(call, 'a', "{sv}");

    r = r < 0 ? r : sd_bus_message_append(call, "{sv}", "Transport", "s", "le");
    if (r >= 0 && only_smp) {
        r = sd_bus_message_append(call, "{sv}", "UUIDs", "as", 1, FERRY_BLE_SERVICE);
    }
    r = r < 0 ? r : sd_bus_message_close_container(call);
    if (r < 0) {
        sd_bus_message_unref(call);
        return FERRY_E_IO;
    }
    return bluez_call(bluez, call, BLUEZ_CALL_MS, NULL);
}

int bluez_discover(struct bluez *bluez, bool only_smp)
{
    int error = set_filter(bluez, only_smp);

    if (error == FERRY_OK) {
        error = bluez_ask(bluez, bluez->adapter, BLUEZ_ADAPTER, "StartDiscovery", BLUEZ_CALL_MS);
    }
    if (error == FERRY_OK || bluez_refused(bluez, "InProgress")) {
        return FERRY_OK;
    }
    if (bluez_refused(bluez, "NotReady")) {
        return bluez_fail(bluez, FERRY_E_IO, "the adapter %s is not powered; bluetoothctl power on",
                          short_name(bluez->adapter));
    }
    return bluez_fail(bluez, FERRY_E_IO,
                      "devices cannot be looked for: %s; another program may hold the adapter, "
                      "systemctl restart bluetooth frees it",
                      bluez->refused);
}

void bluez_end_discovery(struct bluez *bluez)
{
    (void)bluez_ask(bluez, bluez->adapter, BLUEZ_ADAPTER, "StopDiscovery", BLUEZ_CALL_MS);
}

bool bluez_wait(struct bluez *bluez, uint64_t end)
{
    while (!bluez->changed && ferry_posix_now_ms() < end) {
        if (!bluez_turn(bluez, end)) {
            return false;
        }
    }
    uint64_t settled = ferry_posix_now_ms() + SETTLE_MS;
    while (ferry_posix_now_ms() < settled) {
        if (!bluez_turn(bluez, settled)) {
            return false;
        }
    }
    bluez->changed = false;
    return true;
}

/* ---- The device ------------------------------------------------------------------------------ */

struct search {
    const struct bluez_object *best, *second; /* of the same rank; NULL = none */
    size_t heard, serving;                    /* of all devices */
};

/* Anybody may be called as somebody's address is: who gives one wants that device. */
static bool is_address(const char *text)
{
    static const char form[] = "xx:xx:xx:xx:xx:xx";
    size_t i = 0;

    while (form[i] != '\0' &&
           (form[i] == ':' ? text[i] == ':' : isxdigit((unsigned char)text[i]) != 0)) {
        i++;
    }
    return form[i] == '\0' && text[i] == '\0';
}

/* A device's names may change: what it advertises, and what it tells once it is connected. */
static bool is_named(const struct bluez *bluez, const struct bluez_object *object)
{
    const char *wanted = bluez->address->path;

    return strcasecmp(object->address, wanted) == 0 ||
           strcasecmp(object->address, bluez->address->known) == 0 ||
           (!is_address(wanted) &&
            (strcmp(object->name, wanted) == 0 || strcmp(object->told, wanted) == 0));
}

/* Of several with the same name: the one that is here. A device may come back from a reset under
 * another address, and BlueZ still know the old one. */
static int rank(const struct bluez_object *object)
{
    return object->connected * 8 + object->heard * 4 + object->serves * 2 + object->paired;
}

static void search(const struct bluez *bluez, const struct bluez_objects *objects,
                   struct search *search)
{
    *search = (struct search){0};
    for (size_t i = 0; i < objects->count; i++) {
        const struct bluez_object *object = &objects->list[i];
        if (object->kind != BLUEZ_IS_DEVICE || !bluez_is_below(object->path, bluez->adapter)) {
            continue;
        }
        search->heard += object->heard;
        search->serving += object->heard && object->serves;
        if (!is_named(bluez, object)) {
            continue;
        }
        if (search->best == NULL || rank(object) > rank(search->best)) {
            search->best = object;
            search->second = NULL;
        } else if (rank(object) == rank(search->best)) {
            search->second = object;
        }
    }
}

/* Returns 1 when the device is found; 0 when it is not, or not sure; an error, with why. */
static int look(struct bluez *bluez, bool discovering, bool fresh, size_t *heard, size_t *serving)
{
    struct bluez_objects objects;
    struct search found;
    int error = bluez_objects(bluez, &objects);

    if (error != FERRY_OK) {
        return error;
    }
    search(bluez, &objects, &found);
    *heard = found.heard;
    *serving = found.serving;
    const struct bluez_object *best = found.best;
    int result = best != NULL && (!fresh || best->heard || best->connected);
    if (result == 1 && found.second != NULL) {
        result = 0;
        if (discovering) {
            result = bluez_fail(bluez, FERRY_E_NOT_FOUND,
                                "several devices are called %s: %s and %s; give the address: "
                                "ble:%s",
                                bluez->address->path, best->address, found.second->address,
                                best->address);
        }
    }
    if (result == 1) {
        snprintf(bluez->device, sizeof bluez->device, "%s", best->path);
        snprintf(bluez->device_address, sizeof bluez->device_address, "%s", best->address);
    }
    bluez_objects_free(&objects);
    return result;
}

static int not_there(struct bluez *bluez, size_t heard, size_t serving)
{
    if (heard == 0) {
        return bluez_fail(bluez, FERRY_E_NOT_FOUND,
                          "no device at all was heard in %d s; see that it is on, near, and "
                          "connected to nobody else",
                          BLUEZ_FIND_MS / 1000);
    }
    return bluez_fail(bluez, FERRY_E_NOT_FOUND,
                      "no such device was heard in %d s; of others %zu were, %zu of them with SMP; "
                      "ferry scan lists these",
                      BLUEZ_FIND_MS / 1000, heard, serving);
}

int bluez_find_device(struct bluez *bluez, bool fresh)
{
    size_t heard;
    size_t serving;
    int found = fresh ? 0 : look(bluez, false, false, &heard, &serving);

    if (found != 0) {
        return found == 1 ? FERRY_OK : found;
    }
    int error = bluez_discover(bluez, false);
    if (error != FERRY_OK) {
        return error;
    }
    uint64_t end = ferry_posix_now_ms() + BLUEZ_FIND_MS;
    bluez->changed = false;
    while ((found = look(bluez, true, fresh, &heard, &serving)) == 0 &&
           ferry_posix_now_ms() < end && bluez_wait(bluez, end)) {
    }
    bluez_end_discovery(bluez);
    if (found == 0) {
        return not_there(bluez, heard, serving);
    }
    return found == 1 ? FERRY_OK : found;
}
