/* SPDX-License-Identifier: Apache-2.0 */
/* Which devices are there. */
#include "bluez.h"
#include "port/posix/ble_scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a controller that does not measure it. */
#define RSSI_UNKNOWN 127

/* What is heard, and what is connected and so silent. */
static bool is_there(const struct bluez *bluez, const struct bluez_object *object, bool all)
{
    return object->kind == BLUEZ_IS_DEVICE && bluez_is_below(object->path, bluez->adapter) &&
           (object->heard || object->connected) && (object->serves || all);
}

static void fill(struct ferry_ble_found *found, const struct bluez_object *object)
{
    *found = (struct ferry_ble_found){.serves = object->serves,
                                      .connected = object->connected,
                                      .paired = object->paired,
                                      .heard = object->heard && object->rssi != RSSI_UNKNOWN,
                                      .rssi = object->rssi};
    snprintf(found->address, sizeof found->address, "%s", object->address);
    snprintf(found->name, sizeof found->name, "%s", object->name);
}

static int compare(const void *a, const void *b)
{
    const struct ferry_ble_found *one = a;
    const struct ferry_ble_found *other = b;

    if (one->heard != other->heard) {
        return other->heard - one->heard;
    }
    return one->rssi != other->rssi ? other->rssi - one->rssi
                                    : strcmp(one->address, other->address);
}

static int collect(struct bluez *bluez, bool all, struct ferry_ble_found **list, size_t *count)
{
    struct bluez_objects objects;
    int error = bluez_objects(bluez, &objects);

    if (error != FERRY_OK) {
        return error;
    }
    *count = 0;
    *list = calloc(objects.count + 1, sizeof **list);
    for (size_t i = 0; i < objects.count && *list != NULL; i++) {
        if (is_there(bluez, &objects.list[i], all)) {
            fill(&(*list)[(*count)++], &objects.list[i]);
        }
    }
    bluez_objects_free(&objects);
    if (*list == NULL) {
        return bluez_fail(bluez, FERRY_E_IO, "out of memory; close other programs");
    }
    qsort(*list, *count, sizeof **list, compare);
    return FERRY_OK;
}

static int scan(struct bluez *bluez, const char *adapter, uint32_t timeout_ms, bool all)
{
    uint64_t end = ferry_posix_now_ms() + timeout_ms;
    int error = bluez_open(bluez);

    error = error == FERRY_OK ? bluez_choose_adapter(bluez, adapter) : error;
    error = error == FERRY_OK ? bluez_discover(bluez, !all) : error;
    while (error == FERRY_OK && ferry_posix_now_ms() < end) {
        if (!bluez_turn(bluez, end)) {
            error = bluez_fail(bluez, FERRY_E_IO, "the system bus broke; try again");
        }
    }
    return error;
}

int ferry_ble_scan(const char *adapter, uint32_t timeout_ms, bool all,
                   struct ferry_ble_found **list, size_t *count, char *why, size_t cap)
{
    struct bluez bluez = {.why = why, .cap = cap, .write_fd = -1, .notify_fd = -1};
    int error = scan(&bluez, adapter, timeout_ms, all);

    *list = NULL;
    if (error == FERRY_OK) {
        error = collect(&bluez, all, list, count); /* what is heard is known while it is on */
        bluez_end_discovery(&bluez);
    }
    if (bluez.bus != NULL) {
        sd_bus_flush_close_unref(bluez.bus);
    }
    return error;
}
