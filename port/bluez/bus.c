/* SPDX-License-Identifier: Apache-2.0 */
/* The system bus: calls that are waited for while everything else is served. */
#include "bluez.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "org.bluez"

int bluez_fail(struct bluez *bluez, int error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(bluez->why, bluez->cap, format, args);
    va_end(args);
    return error;
}

bool bluez_is_below(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    return strncmp(path, folder, len) == 0 && path[len] == '/';
}

/* ---- Signals --------------------------------------------------------------------------------- */

/* What has changed of our device or our characteristic. The message stands at the variant. */
static int take_property(struct bluez *bluez, sd_bus_message *m, const char *path,
                         const char *interface, const char *name)
{
    const void *bytes;
    size_t len;
    int flag;

    if (strcmp(path, bluez->device) == 0 && strcmp(interface, BLUEZ_DEVICE) == 0 &&
        strcmp(name, "Connected") == 0) {
        int r = sd_bus_message_read(m, "v", "b", &flag);
        bluez->gone = bluez->gone || (r >= 0 && !flag);
        return r;
    }
    if (strcmp(path, bluez->device) == 0 && strcmp(interface, BLUEZ_DEVICE) == 0 &&
        strcmp(name, "Paired") == 0) {
        int r = sd_bus_message_read(m, "v", "b", &flag);
        if (r >= 0 && flag) {
            bluez_check_proof(bluez);
        }
        return r;
    }
    if (strcmp(path, bluez->characteristic) == 0 && strcmp(interface, BLUEZ_CHARACTERISTIC) == 0 &&
        strcmp(name, "Value") == 0) {
        int r = sd_bus_message_enter_container(m, 'v', "ay");
        r = r < 0 ? r : sd_bus_message_read_array(m, 'y', &bytes, &len);
        if (r < 0) {
            return r;
        }
        bluez_take_value(bluez, (struct ferry_bytes){bytes, len});
        return sd_bus_message_exit_container(m);
    }
    return sd_bus_message_skip(m, "v");
}

static int on_properties(sd_bus_message *m, void *context, sd_bus_error *error)
{
    struct bluez *bluez = context;
    const char *interface;
    const char *name;

    (void)error;
    bluez->changed = true;
    int r = sd_bus_message_read(m, "s", &interface);
    r = r < 0 ? r : sd_bus_message_enter_container(m, 'a', "{sv}");
    while (r >= 0 && sd_bus_message_enter_container(m, 'e', "sv") > 0) {
        r = sd_bus_message_read(m, "s", &name);
        r = r < 0 ? r : take_property(bluez, m, sd_bus_message_get_path(m), interface, name);
        r = r < 0 ? r : sd_bus_message_exit_container(m);
    }
    return 0; /* what cannot be read is not BlueZ's */
}

static int on_added(sd_bus_message *m, void *context, sd_bus_error *error)
{
    struct bluez *bluez = context;

    (void)m;
    (void)error;
    bluez->changed = true;
    return 0;
}

static int on_removed(sd_bus_message *m, void *context, sd_bus_error *error)
{
    struct bluez *bluez = context;
    const char *path;

    (void)error;
    bluez->changed = true;
    /* The device, or its service alone: it has other ones now. */
    if (sd_bus_message_read(m, "o", &path) >= 0 &&
        (strcmp(path, bluez->device) == 0 || strcmp(path, bluez->characteristic) == 0)) {
        bluez->gone = true;
    }
    return 0;
}

static int on_owner(sd_bus_message *m, void *context, sd_bus_error *error)
{
    struct bluez *bluez = context;
    const char *name;
    const char *before;
    const char *now;

    (void)error;
    if (sd_bus_message_read(m, "sss", &name, &before, &now) >= 0 && strcmp(name, NAME) == 0) {
        bluez->changed = true;
        bluez->gone = true;
    }
    return 0;
}

static int listen_to(struct bluez *bluez)
{
    static const char objects[] = "org.freedesktop.DBus.ObjectManager";
    int r = sd_bus_match_signal(bluez->bus, NULL, NAME, NULL, "org.freedesktop.DBus.Properties",
                                "PropertiesChanged", on_properties, bluez);

    r = r < 0 ? r
              : sd_bus_match_signal(bluez->bus, NULL, NAME, NULL, objects, "InterfacesAdded",
                                    on_added, bluez);
    r = r < 0 ? r
              : sd_bus_match_signal(bluez->bus, NULL, NAME, NULL, objects, "InterfacesRemoved",
                                    on_removed, bluez);
    return r < 0 ? r
                 : sd_bus_match_signal(bluez->bus, NULL, "org.freedesktop.DBus", NULL,
                                       "org.freedesktop.DBus", "NameOwnerChanged", on_owner, bluez);
}

/* ---- Opening --------------------------------------------------------------------------------- */

/* Who BlueZ is, for what claims to come from it; this starts it where the bus can. */
static int find_owner(struct bluez *bluez)
{
    sd_bus_message *reply = NULL;
    const char *owner;
    int r = sd_bus_call_method(bluez->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                               "org.freedesktop.DBus", "GetNameOwner", NULL, &reply, "s", NAME);

    if (r >= 0 && sd_bus_message_read(reply, "s", &owner) >= 0) {
        snprintf(bluez->owner, sizeof bluez->owner, "%s", owner);
    }
    sd_bus_message_unref(reply);
    return r;
}

int bluez_open(struct bluez *bluez)
{
    char cause[160];

    if (!sdbus_load(cause, sizeof cause)) {
        return bluez_fail(bluez, FERRY_E_CONFIG,
                          "the library that speaks to BlueZ cannot be loaded: %s; apt install "
                          "libsystemd0",
                          cause);
    }
    int r = sd_bus_open_system(&bluez->bus);

    if (r < 0) {
        const char *given = getenv("DBUS_SYSTEM_BUS_ADDRESS");
        const char *bus_address =
            given != NULL && given[0] != '\0' ? given : "/run/dbus/system_bus_socket";
        return bluez_fail(bluez, FERRY_E_IO,
                          "there is no system bus, by which BlueZ is asked: %s; start dbus, and "
                          "see that this program may use %s",
                          strerror(-r), bus_address);
    }
    (void)sd_bus_set_method_call_timeout(bluez->bus, (uint64_t)BLUEZ_CALL_MS * 1000);
    struct bluez_objects objects;
    int error = bluez_objects(bluez, &objects); /* starts BlueZ, where the bus can */
    if (error != FERRY_OK) {
        return error;
    }
    bluez_objects_free(&objects);
    r = find_owner(bluez);
    r = r < 0 ? r : listen_to(bluez);
    return r < 0 ? bluez_fail(bluez, FERRY_E_IO,
                              "the system bus refuses: %s; see its log: journalctl -u dbus",
                              strerror(-r))
                 : FERRY_OK;
}

bool bluez_turn(struct bluez *bluez, uint64_t until_ms)
{
    int r = sd_bus_process(bluez->bus, NULL);
    uint64_t now = ferry_posix_now_ms();

    if (r == 0 && now < until_ms) {
        r = sd_bus_wait(bluez->bus, (until_ms - now) * 1000);
    }
    return r >= 0 || r == -EINTR;
}

/* ---- Calls ------------------------------------------------------------------------------------
 */

struct call {
    bool done;
    sd_bus_message *reply;
};

static int on_reply(sd_bus_message *m, void *context, sd_bus_error *error)
{
    struct call *call = context;

    (void)error;
    call->done = true;
    call->reply = sd_bus_message_ref(m);
    return 1;
}

sd_bus_message *bluez_begin(struct bluez *bluez, const char *path, const char *interface,
                            const char *member)
{
    sd_bus_message *call = NULL;

    return sd_bus_message_new_method_call(bluez->bus, &call, NAME, path, interface, member) < 0
               ? NULL
               : call;
}

void bluez_keep_refusal(struct bluez *bluez, const char *name, const char *text)
{
    snprintf(bluez->refusal, sizeof bluez->refusal, "%s", name != NULL ? name : "");
    snprintf(bluez->refused, sizeof bluez->refused, "%s",
             text != NULL && text[0] != '\0' ? text : bluez->refusal);
}

int bluez_call(struct bluez *bluez, sd_bus_message *message, uint32_t timeout_ms,
               sd_bus_message **reply)
{
    struct call call = {0};
    sd_bus_slot *slot = NULL;
    uint64_t end = ferry_posix_now_ms() + timeout_ms + 1000; /* the bus itself tells before */

    bool goes = message != NULL && sd_bus_call_async(bluez->bus, &slot, message, on_reply, &call,
                                                     (uint64_t)timeout_ms * 1000) >= 0;
    sd_bus_message_unref(message);
    bluez_keep_refusal(bluez, "", "the bus broke");
    while (goes && !call.done && ferry_posix_now_ms() < end) {
        goes = bluez_turn(bluez, end) || call.done;
    }
    sd_bus_slot_unref(slot);
    if (call.reply == NULL) {
        return FERRY_E_IO;
    }
    const sd_bus_error *error = sd_bus_message_get_error(call.reply);
    if (error != NULL) {
        bluez_keep_refusal(bluez, error->name, error->message);
    }
    if (error == NULL && reply != NULL) {
        *reply = call.reply;
        return FERRY_OK;
    }
    int result = error == NULL ? FERRY_OK : FERRY_E_IO;
    sd_bus_message_unref(call.reply);
    return result;
}

int bluez_ask(struct bluez *bluez, const char *path, const char *interface, const char *member,
              uint32_t timeout_ms)
{
    return bluez_call(bluez, bluez_begin(bluez, path, interface, member), timeout_ms, NULL);
}

bool bluez_refused(const struct bluez *bluez, const char *name)
{
    static const char prefix[] = "org.bluez.Error.";

    return strncmp(bluez->refusal, prefix, sizeof prefix - 1) == 0 &&
           strcmp(bluez->refusal + sizeof prefix - 1, name) == 0;
}

/* BlueZ has three ways to say it, by version and by the ATT error: insufficient authentication
 * (0x05), authorization (0x08), key size (0x0c), encryption (0x0f). */
bool bluez_wants_pairing(const struct bluez *bluez)
{
    static const char *const codes[] = {"0x05", "0x08", "0x0c", "0x0f"};

    if (bluez_refused(bluez, "NotAuthorized")) {
        return true;
    }
    if (bluez_refused(bluez, "NotPermitted")) {
        return strstr(bluez->refused, "paired") != NULL;
    }
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        if (bluez_refused(bluez, "Failed") && strstr(bluez->refused, codes[i]) != NULL) {
            return true;
        }
    }
    return false;
}
