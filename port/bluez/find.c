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
    bool discovering;
    bool fresh;                               /* who is not here does not count */
    bool late;                                /* nobody is waited for any more */
    size_t heard, serving;                    /* of all devices */
    bool bond_silent;                         /* one of the name is bonded, and not here so far */
    const struct bluez_object *best, *second; /* of the same rank; NULL = none */
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

static bool is_known(const struct bluez *bluez, const struct bluez_object *object)
{
    return strcasecmp(object->address, bluez->address->known) == 0;
}

/* A device's names may change: what it advertises, and what it tells once it is connected. */
static bool is_named(const struct bluez *bluez, const struct bluez_object *object)
{
    const char *wanted = bluez->address->path;

    return strcasecmp(object->address, wanted) == 0 || is_known(bluez, object) ||
           (!is_address(wanted) &&
            (strcmp(object->name, wanted) == 0 || strcmp(object->told, wanted) == 0));
}

static bool is_here(const struct bluez_object *object)
{
    return object->connected || object->heard;
}

/* Of several with the same name. A device without a bond may come back from a reset under another
 * address, and BlueZ still know the old one: then who is here goes first. */
static int rank(const struct bluez *bluez, const struct bluez_object *object, bool fresh)
{
    return (fresh && is_here(object)) * 32 + is_known(bluez, object) * 16 + object->bonded * 8 +
           object->connected * 4 + object->heard * 2 + object->serves;
}

/* Whether the device was opened before, and is bonded: who it is can be proven. */
static bool is_sure(const struct bluez *bluez, const struct bluez_objects *objects)
{
    for (size_t i = 0; i < objects->count; i++) {
        const struct bluez_object *object = &objects->list[i];
        if (object->kind == BLUEZ_IS_DEVICE && object->bonded && is_known(bluez, object) &&
            bluez_is_below(object->path, bluez->adapter)) {
            return true;
        }
    }
    return false;
}

static void compare(const struct bluez *bluez, const struct bluez_object *object,
                    struct search *search)
{
    int better = search->best == NULL ? 1
                                      : rank(bluez, object, search->fresh) -
                                            rank(bluez, search->best, search->fresh);

    if (better > 0) {
        search->best = object;
        search->second = NULL;
    } else if (better == 0) {
        search->second = object;
    }
}

static void search_all(const struct bluez *bluez, const struct bluez_objects *objects,
                       struct search *search)
{
    bool sure = is_sure(bluez, objects);

    search->best = search->second = NULL;
    search->heard = search->serving = 0;
    search->bond_silent = false;
    for (size_t i = 0; i < objects->count; i++) {
        const struct bluez_object *object = &objects->list[i];
        if (object->kind != BLUEZ_IS_DEVICE || !bluez_is_below(object->path, bluez->adapter)) {
            continue;
        }
        search->heard += object->heard;
        search->serving += object->heard && object->serves;
        if (!(sure ? is_known(bluez, object) : is_named(bluez, object))) {
            continue;
        }
        search->bond_silent = search->bond_silent || (object->bonded && !is_here(object));
        compare(bluez, object, search);
    }
}

/* Returns 1 when the device is found; 0 when it is not, or not sure; an error, with why. */
static int look(struct bluez *bluez, struct search *search)
{
    struct bluez_objects objects;
    int error = bluez_objects(bluez, &objects);

    if (error != FERRY_OK) {
        return error;
    }
    search_all(bluez, &objects, search);
    const struct bluez_object *best = search->best;
    int result = best != NULL && (!search->fresh || is_here(best));
    if (result == 1 && search->fresh && !best->bonded && !is_known(bluez, best)) {
        result = search->late || !search->bond_silent;
    }
    if (result == 1 && search->second != NULL) {
        result = 0;
        if (search->discovering) {
            result = bluez_fail(bluez, FERRY_E_NOT_FOUND,
                                "several devices are called %s: %s and %s; give the address: "
                                "ble:%s",
                                bluez->address->path, best->address, search->second->address,
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

static int not_there(struct bluez *bluez, const struct search *search)
{
    if (search->heard == 0) {
        return bluez_fail(bluez, FERRY_E_NOT_FOUND,
                          "no device at all was heard in %d s; see that it is on, near, and "
                          "connected to nobody else",
                          BLUEZ_FIND_MS / 1000);
    }
    return bluez_fail(bluez, FERRY_E_NOT_FOUND,
                      "no such device was heard in %d s; of others %zu were, %zu of them with SMP; "
                      "ferry scan lists these",
                      BLUEZ_FIND_MS / 1000, search->heard, search->serving);
}

static int discover(struct bluez *bluez, struct search *search)
{
    uint64_t end = ferry_posix_now_ms() + BLUEZ_FIND_MS;
    int found;

    search->discovering = true;
    bluez->changed = false;
    while ((found = look(bluez, search)) == 0 && ferry_posix_now_ms() < end &&
           bluez_wait(bluez, end)) {
    }
    search->late = true;
    return found == 0 ? look(bluez, search) : found;
}

int bluez_find_device(struct bluez *bluez, bool fresh)
{
    struct search search = {.fresh = fresh};
    int found = fresh ? 0 : look(bluez, &search);

    if (found != 0) {
        return found == 1 ? FERRY_OK : found;
    }
    int error = bluez_discover(bluez, false);
    if (error != FERRY_OK) {
        return error;
    }
    found = discover(bluez, &search);
    bluez_end_discovery(bluez);
    if (found == 0) {
        return not_there(bluez, &search);
    }
    return found == 1 ? FERRY_OK : found;
}
