/* SPDX-License-Identifier: Apache-2.0 */
/* What BlueZ gets: SMP's service with its characteristic, and the advertisement. */
#include "ble_parts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ERROR "org.bluez.Error."

/* What a value costs in a socket, about. */
#define SOCKET_VALUE 1024

/* ---- Who calls
 * ------------------------------------------------------------------------------------ */

/* What comes with each call. */
struct call_options {
    const char *device;
    uint16_t mtu; /* 0: not said */
};

static int read_option(sd_bus_message *call, struct call_options *options)
{
    const char *key = NULL;
    int r = sd_bus_message_read(call, "s", &key);

    if (r < 0) {
        return r;
    }
    if (strcmp(key, "device") == 0) {
        return sd_bus_message_read(call, "v", "o", &options->device);
    }
    if (strcmp(key, "mtu") == 0) {
        return sd_bus_message_read(call, "v", "q", &options->mtu);
    }
    return sd_bus_message_skip(call, "v");
}

static int read_options(sd_bus_message *call, struct call_options *options)
{
    int r = sd_bus_message_enter_container(call, 'a', "{sv}");

    *options = (struct call_options){NULL, 0};
    while (r >= 0 && (r = sd_bus_message_enter_container(call, 'e', "sv")) > 0) {
        r = read_option(call, options);
        r = r < 0 ? r : sd_bus_message_exit_container(call);
    }
    return r < 0 ? r : sd_bus_message_exit_container(call);
}

static int refuse(sd_bus_message *call, const char *name, const char *text)
{
    return sd_bus_reply_method_errorf(call, name, "%s", text);
}

static bool is_bluez(const struct ble *ble, sd_bus_message *call)
{
    const char *sender = sd_bus_message_get_sender(call);

    return ble->on && sender != NULL && strcmp(sender, ble->owner) == 0;
}

static int refuse_others(sd_bus_message *call)
{
    return refuse(call, ERROR "NotAuthorized", "only BlueZ may, while the chip advertises");
}

/* The link that a call of BlueZ's is about. NULL: it was refused, and *result is to be returned. */
static struct ble_link *link_of(struct ble *ble, sd_bus_message *call, int *result)
{
    struct call_options options;
    struct ble_link *link;

    if (!is_bluez(ble, call)) {
        *result = refuse_others(call);
        return NULL;
    }
    if (read_options(call, &options) < 0 || options.device == NULL) {
        *result = refuse(call, ERROR "Failed", "no device in the options");
        return NULL;
    }
    link = ble_link_of(ble, options.device, options.mtu);
    if (link == NULL) {
        *result = refuse(call, ERROR "Failed", "too many links");
    }
    return link;
}

/* ---- Methods
 * -------------------------------------------------------------------------------------- */

static int write_value(sd_bus_message *call, void *context, sd_bus_error *ignored)
{
    const void *data = NULL;
    size_t len = 0;
    int result = 0;

    (void)ignored;
    if (sd_bus_message_read_array(call, 'y', &data, &len) < 0) {
        return refuse(call, ERROR "Failed", "no value");
    }
    const struct ble_link *link = link_of(context, call, &result);
    if (link == NULL) {
        return result;
    }
    ble_written(context, link, data, len);
    return sd_bus_reply_method_return(call, "");
}

/* Who it is for BlueZ does not say: all that are linked, and those that will be. */
static int set_notifying(struct ble *ble, sd_bus_message *call, bool on)
{
    if (!is_bluez(ble, call)) {
        return refuse_others(call);
    }
    ble->notifying = on;
    for (size_t i = 0; i < BLE_LINKS; i++) {
        if (ble->links[i].number != 0) {
            ble_tell(ble, &ble->links[i], on);
        }
    }
    return sd_bus_reply_method_return(call, "");
}

static int start_notify(sd_bus_message *call, void *context, sd_bus_error *ignored)
{
    (void)ignored;
    return set_notifying(context, call, true);
}

static int stop_notify(sd_bus_message *call, void *context, sd_bus_error *ignored)
{
    (void)ignored;
    return set_notifying(context, call, false);
}

/* Two ends: BlueZ gets one. Returns ours, or -1. */
static int give_socket(sd_bus_message *call, uint32_t mtu, int *result)
{
    const int size = BLE_QUEUE * SOCKET_VALUE / 2; /* the kernel doubles it */
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) {
        *result = refuse(call, ERROR "Failed", "no socket");
        return -1;
    }
    /* Ours fills up soon, so that the chip waits; BlueZ's takes what comes while the chip stands.
     */
    (void)setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    *result = sd_bus_reply_method_return(call, "hq", ends[1], (uint16_t)mtu);
    (void)close(ends[1]);
    return ends[0];
}

/* A name that BlueZ does not know has it write by calls instead. */
static int acquire_write(sd_bus_message *call, void *context, sd_bus_error *ignored)
{
    struct ble *ble = context;
    int result = 0;
    const struct ble_link *link = link_of(ble, call, &result);

    (void)ignored;
    if (link == NULL) {
        return result;
    }
    if (ble_others(ble, link->device)) {
        return refuse(call, "org.ferry.Error.Shared", "another central is connected as well");
    }
    ble_close_write(ble);
    ble->write_fd = give_socket(call, link->state.mtu, &result);
    ble->write_link = ble->write_fd >= 0 ? link->number : 0;
    return result;
}

static int acquire_notify(sd_bus_message *call, void *context, sd_bus_error *ignored)
{
    struct ble *ble = context;
    int result = 0;
    struct ble_link *link = link_of(ble, call, &result);

    (void)ignored;
    if (link == NULL) {
        return result;
    }
    ble_close_notify(ble);
    ble->notify_fd = give_socket(call, link->state.mtu, &result);
    if (ble->notify_fd >= 0) {
        ble->notify_link = link->number;
        ble_tell(ble, link, true);
    }
    return result;
}

/* ---- Properties
 * ----------------------------------------------------------------------------------- */

static int get_flags(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    static const char *const names[][2] = {
        [FERRY_GATT_AUTHENTICATED] = {"encrypt-authenticated-write",
                                      "encrypt-authenticated-notify"},
        [FERRY_GATT_ENCRYPTED] = {"encrypt-write", "encrypt-notify"},
        [FERRY_GATT_OPEN] = {NULL, NULL}};
    const struct ble *ble = context;
    const char *const *more = names[ble->config.permission];

    (void)bus, (void)path, (void)interface, (void)property, (void)ignored;
    return sd_bus_message_append(reply, "as", more[0] != NULL ? 4 : 2, "write-without-response",
                                 "notify", more[0], more[1]);
}

static int get_uuid(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)bus, (void)interface, (void)property, (void)context, (void)ignored;
    return sd_bus_message_append(reply, "s",
                                 strcmp(path, BLE_VALUE_PATH) == 0 ? FERRY_BLE_CHARACTERISTIC
                                                                   : FERRY_BLE_SERVICE);
}

static int get_service(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)bus, (void)path, (void)interface, (void)property, (void)context, (void)ignored;
    return sd_bus_message_append(reply, "o", BLE_SERVICE_PATH);
}

static int get_true(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)bus, (void)path, (void)interface, (void)property, (void)context, (void)ignored;
    return sd_bus_message_append(reply, "b", true);
}

static int get_acquired(sd_bus *bus, const char *path, const char *interface, const char *property,
                        sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    const struct ble *ble = context;
    int fd = strcmp(property, "WriteAcquired") == 0 ? ble->write_fd : ble->notify_fd;

    (void)bus, (void)path, (void)interface, (void)ignored;
    return sd_bus_message_append(reply, "b", fd >= 0);
}

static int get_text(sd_bus *bus, const char *path, const char *interface, const char *property,
                    sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    const struct ble *ble = context;

    (void)bus, (void)path, (void)interface, (void)ignored;
    return sd_bus_message_append(reply, "s",
                                 strcmp(property, "Type") == 0 ? "peripheral" : ble->config.name);
}

static int get_uuids(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)bus, (void)path, (void)interface, (void)property, (void)context, (void)ignored;
    return sd_bus_message_append(reply, "as", 1, FERRY_BLE_SERVICE);
}

static int release(sd_bus_message *call, void *context, sd_bus_error *ignored)
{
    (void)context;
    (void)ignored;
    return sd_bus_reply_method_return(call, "");
}

/* ---- Objects
 * -------------------------------------------------------------------------------------- */

#define FLAGS SD_BUS_VTABLE_UNPRIVILEGED

static const sd_bus_vtable service_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("UUID", "s", get_uuid, 0, 0),
    SD_BUS_PROPERTY("Primary", "b", get_true, 0, 0),
    SD_BUS_VTABLE_END,
};

#define CHARACTERISTIC_ROWS                                                                        \
    SD_BUS_METHOD("WriteValue", "aya{sv}", "", write_value, FLAGS),                                \
        SD_BUS_METHOD("StartNotify", "", "", start_notify, FLAGS),                                 \
        SD_BUS_METHOD("StopNotify", "", "", stop_notify, FLAGS),                                   \
        SD_BUS_PROPERTY("UUID", "s", get_uuid, 0, 0),                                              \
        SD_BUS_PROPERTY("Service", "o", get_service, 0, 0),                                        \
        SD_BUS_PROPERTY("Flags", "as", get_flags, 0, 0)

static const sd_bus_vtable plain_table[] = {
    SD_BUS_VTABLE_START(0),
    CHARACTERISTIC_ROWS,
    SD_BUS_VTABLE_END,
};

static const sd_bus_vtable characteristic_table[] = {
    SD_BUS_VTABLE_START(0),
    CHARACTERISTIC_ROWS,
    SD_BUS_METHOD("AcquireWrite", "a{sv}", "hq", acquire_write, FLAGS),
    SD_BUS_METHOD("AcquireNotify", "a{sv}", "hq", acquire_notify, FLAGS),
    SD_BUS_PROPERTY("WriteAcquired", "b", get_acquired, 0, 0),
    SD_BUS_PROPERTY("NotifyAcquired", "b", get_acquired, 0, 0),
    SD_BUS_VTABLE_END,
};

static const sd_bus_vtable advertisement_table[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Release", "", "", release, FLAGS),
    SD_BUS_PROPERTY("Type", "s", get_text, 0, 0),
    SD_BUS_PROPERTY("LocalName", "s", get_text, 0, 0),
    SD_BUS_PROPERTY("ServiceUUIDs", "as", get_uuids, 0, 0),
    /* Without it, an ordinary search passes over the chip. */
    SD_BUS_PROPERTY("Discoverable", "b", get_true, 0, 0),
    SD_BUS_VTABLE_END,
};

int ble_export(struct ble *ble)
{
    const struct {
        const char *path, *interface;
        const sd_bus_vtable *table;
    } objects[] = {
        {BLE_SERVICE_PATH, "org.bluez.GattService1", service_table},
        {BLE_VALUE_PATH, BLE_CHARACTERISTIC_FACE,
         ble->config.plain ? plain_table : characteristic_table},
        {BLE_ADVERTISEMENT, "org.bluez.LEAdvertisement1", advertisement_table},
    };
    int r = sd_bus_add_object_manager(ble->bus, NULL, BLE_APPLICATION);

    for (size_t i = 0; r >= 0 && i < sizeof(objects) / sizeof(objects[0]); i++) {
        r = sd_bus_add_object_vtable(ble->bus, NULL, objects[i].path, objects[i].interface,
                                     objects[i].table, ble);
    }
    return r;
}
