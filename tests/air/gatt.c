/* SPDX-License-Identifier: Apache-2.0 */
/* GattService1 and GattCharacteristic1 of a device, for the central. */
#include "air.h"
#include "link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SERVICE        "org.bluez.GattService1"
#define CHARACTERISTIC "org.bluez.GattCharacteristic1"

/* What a value costs in a socket, about. */
#define SOCKET_VALUE 1024

static bool has_property(const struct air_characteristic *characteristic, const char *name)
{
    const size_t len = strlen(name);

    for (int i = 0; i < characteristic->flag_count; i++) {
        const char *flag = characteristic->flags[i];
        const size_t flag_len = strlen(flag);
        /* "encrypt-write" is "write" to the central */
        if (strcmp(flag, name) == 0 ||
            ((strncmp(flag, "encrypt-", 8) == 0 || strncmp(flag, "secure-", 7) == 0) &&
             flag_len > len && strcmp(flag + flag_len - len, name) == 0)) {
            return true;
        }
    }
    return false;
}

/* ---- Descriptors of the client's
 * ------------------------------------------------------------------ */

static void close_write(struct air_characteristic *characteristic)
{
    characteristic->write_source = sd_event_source_disable_unref(characteristic->write_source);
    if (characteristic->write_fd >= 0) {
        close(characteristic->write_fd);
        characteristic->write_fd = -1;
        air_object_changed(&characteristic->object, CHARACTERISTIC, "WriteAcquired");
    }
}

static void close_notify(struct air_characteristic *characteristic)
{
    characteristic->notify_gone = sd_event_source_disable_unref(characteristic->notify_gone);
    if (characteristic->notify_fd >= 0) {
        close(characteristic->notify_fd);
        characteristic->notify_fd = -1;
        air_object_changed(&characteristic->object, CHARACTERISTIC, "NotifyAcquired");
    }
}

/* As much as the air takes; then the client's socket fills. */
void air_gatt_refill(struct air_characteristic *characteristic)
{
    uint8_t value[AIR_VALUE_MAX];

    while (characteristic->write_fd >= 0 &&
           !air_link_full(characteristic->device, RADIO_TO_PERIPHERAL)) {
        ssize_t len = recv(characteristic->write_fd, value, sizeof value, MSG_DONTWAIT);
        if (len < 0 && errno == EAGAIN) {
            sd_event_source_set_enabled(characteristic->write_source, SD_EVENT_ON);
            return;
        }
        if (len <= 0) {
            close_write(characteristic);
            return;
        }
        if (!air_link_write(characteristic, value, (size_t)len)) {
            air_say("value dropped: larger than the MTU allows");
        }
    }
    if (characteristic->write_source != NULL) {
        sd_event_source_set_enabled(characteristic->write_source, SD_EVENT_OFF);
    }
}

static int write_ready(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source, (void)fd, (void)events;
    air_gatt_refill(userdata);
    return 0;
}

static int notify_gone(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct air_characteristic *characteristic = userdata;

    (void)source, (void)fd, (void)events;
    close_notify(characteristic);
    if (characteristic->device->link != NULL) {
        air_link_subscribe(characteristic, false, NULL);
    }
    return 0;
}

/* Two ends: ours stays, the other one goes to the client. Returns ours, or -1. */
static int give_socket(sd_bus_message *call, uint32_t mtu)
{
    int ends[2];
    const int size = (int)air.options.queue * SOCKET_VALUE / 2; /* the kernel doubles it */

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0) {
        air_error(call, "Failed", strerror(errno));
        return -1;
    }
    (void)setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    sd_bus_reply_method_return(call, "hq", ends[1], (uint16_t)mtu);
    close(ends[1]);
    return ends[0];
}

/* ---- From the air
 * ------------------------------------------------------------------------------------ */

static bool anyone_notified(const struct air_characteristic *characteristic)
{
    for (int i = 0; i < AIR_SENDERS; i++) {
        if (characteristic->senders[i][0] != '\0') {
            return true;
        }
    }
    return false;
}

void air_gatt_notified(struct air_characteristic *characteristic, const uint8_t *data, size_t len)
{
    memcpy(characteristic->value, data, len);
    characteristic->value_len = len;
    if (characteristic->notify_fd >= 0) {
        if (air.options.empty) {
            (void)send(characteristic->notify_fd, "", 0, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        if (send(characteristic->notify_fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
            air_say("notification lost: %s", strerror(errno));
        }
    } else if (anyone_notified(characteristic)) {
        air_object_changed(&characteristic->object, CHARACTERISTIC, "Value");
    }
}

static void set_notifying(struct air_characteristic *characteristic, bool on)
{
    if (characteristic->notifying != on) {
        characteristic->notifying = on;
        air_object_changed(&characteristic->object, CHARACTERISTIC, "Notifying");
    }
}

static bool wants_pairing(int status)
{
    return status == ATT_AUTHENTICATION || status == ATT_ENCRYPTION;
}

static void answer_error(sd_bus_message *call, int status)
{
    char text[64];

    if (status == ATT_NO_LINK) {
        air_error(call, "Failed", "Not connected");
    } else if (wants_pairing(status)) {
        air_error(call, "NotPermitted", "Not paired");
    } else {
        (void)snprintf(text, sizeof text, "Operation failed with ATT error: 0x%02x",
                       (unsigned)status);
        air_error(call, "Failed", text);
    }
}

static void give_notify(struct air_characteristic *characteristic, sd_bus_message *call)
{
    characteristic->notify_fd = give_socket(call, characteristic->device->link->mtu);
    if (characteristic->notify_fd >= 0) {
        sd_event_add_io(air.event, &characteristic->notify_gone, characteristic->notify_fd,
                        EPOLLHUP, notify_gone, characteristic);
        air_object_changed(&characteristic->object, CHARACTERISTIC, "NotifyAcquired");
    }
}

static void drop_sender(struct air_characteristic *characteristic, const char *sender)
{
    for (int i = 0; i < AIR_SENDERS; i++) {
        if (strcmp(characteristic->senders[i], sender) == 0) {
            characteristic->senders[i][0] = '\0';
        }
    }
}

static bool acquires(const struct exchange *exchange)
{
    return exchange->call != NULL &&
           strcmp(sd_bus_message_get_member(exchange->call), "AcquireNotify") == 0;
}

/* BlueZ has tried to pair by itself, with a default agent that answers nothing: the link is lost.
 * As bluetoothd 5.66 has it, AcquireNotify gets no answer then, ever. */
static void paired_in_vain(struct air_characteristic *characteristic,
                           const struct exchange *exchange)
{
    drop_sender(characteristic, sd_bus_message_get_sender(exchange->call));
    if (acquires(exchange)) {
        characteristic->taken = true;
    } else {
        answer_error(exchange->call, ATT_UNLIKELY);
    }
    characteristic->device->link->radio.lost = true;
}

void air_gatt_answered(const struct exchange *exchange)
{
    struct air_characteristic *characteristic = exchange->characteristic;
    bool subscribe = exchange->kind == PDU_SUBSCRIBE && exchange->on;

    if (subscribe && exchange->status == 0 && anyone_notified(characteristic)) {
        set_notifying(characteristic, true);
    } else if (subscribe && exchange->status == 0 && !acquires(exchange)) {
        air_link_subscribe(characteristic, false, NULL); /* who asked has ended meanwhile */
    }
    if (exchange->call == NULL) {
        return;
    }
    if (subscribe && wants_pairing(exchange->status) && air.options.deaf_agent) {
        paired_in_vain(characteristic, exchange);
    } else if (exchange->status != 0) {
        if (subscribe) {
            drop_sender(characteristic, sd_bus_message_get_sender(exchange->call));
        }
        answer_error(exchange->call, exchange->status);
    } else if (acquires(exchange)) {
        give_notify(characteristic, exchange->call);
    } else {
        sd_bus_reply_method_return(exchange->call, "");
    }
}

/* Who asked for notifications before gets them again. */
void air_gatt_resolved(struct air_device *device)
{
    for (int i = 0; i < device->characteristic_count; i++) {
        if (anyone_notified(&device->characteristics[i])) {
            air_link_subscribe(&device->characteristics[i], true, NULL);
        }
    }
}

void air_gatt_disconnected(struct air_characteristic *characteristic)
{
    close_write(characteristic);
    close_notify(characteristic);
    set_notifying(characteristic, false);
}

void air_gatt_left(struct air_characteristic *characteristic, const char *sender)
{
    bool was = anyone_notified(characteristic);

    drop_sender(characteristic, sender);
    if (was && !anyone_notified(characteristic) && characteristic->notifying) {
        set_notifying(characteristic, false);
        air_link_subscribe(characteristic, false, NULL);
    }
}

/* ---- Methods
 * -------------------------------------------------------------------------------------------- */

static bool wants_request(const struct air_characteristic *characteristic, const char *type)
{
    if (type[0] != '\0') {
        return strcmp(type, "command") != 0;
    }
    return has_property(characteristic, "write");
}

static int read_type(sd_bus_message *call, char *type, size_t cap)
{
    const char *key = "", *value = "";
    int r = sd_bus_message_enter_container(call, 'a', "{sv}");

    while (r >= 0 && (r = sd_bus_message_enter_container(call, 'e', "sv")) > 0) {
        sd_bus_message_read(call, "s", &key);
        if (strcmp(key, "type") == 0) {
            r = sd_bus_message_read(call, "v", "s", &value);
            (void)snprintf(type, cap, "%s", value);
        } else {
            r = sd_bus_message_skip(call, "v");
        }
        r = r < 0 ? r : sd_bus_message_exit_container(call);
    }
    return r;
}

static int write_value(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    struct air_characteristic *characteristic = userdata;
    const void *data = NULL;
    size_t len = 0;
    char type[16] = "";

    (void)error;
    if (characteristic->device->link == NULL) {
        return air_error(call, "Failed", "Not connected");
    }
    if (sd_bus_message_read_array(call, 'y', &data, &len) < 0 ||
        read_type(call, type, sizeof type) < 0) {
        return air_error(call, "InvalidArguments", "Invalid arguments in method call");
    }
    if (characteristic->write_fd >= 0) {
        return air_error(call, "NotPermitted", "Write acquired");
    }
    if (wants_request(characteristic, type)) {
        if (!has_property(characteristic, "write")) {
            return air_error(call, "NotSupported", "Operation is not supported");
        }
        return air_link_request(characteristic, data, len, call)
                   ? 1
                   : air_error(call, "Failed", "Failed to initiate write");
    }
    if (!has_property(characteristic, "write-without-response")) {
        return air_error(call, "NotSupported", "Operation is not supported");
    }
    if (!air_link_write(characteristic, data, len)) {
        return air_error(call, "Failed", "Failed to initiate write");
    }
    return sd_bus_reply_method_return(call, "");
}

static int read_value(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    (void)userdata, (void)error;
    return air_error(call, "NotPermitted", "Read not permitted");
}

static int acquire_write(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    struct air_characteristic *characteristic = userdata;

    (void)error;
    if (characteristic->device->link == NULL) {
        return air_error(call, "Failed", "Not connected");
    }
    if (!has_property(characteristic, "write-without-response")) {
        return air_error(call, "NotSupported", "Operation is not supported");
    }
    if (characteristic->write_fd >= 0) {
        return air_error(call, "NotPermitted", "Write acquired");
    }
    characteristic->write_fd = give_socket(call, characteristic->device->link->mtu);
    if (characteristic->write_fd >= 0) {
        sd_event_add_io(air.event, &characteristic->write_source, characteristic->write_fd, EPOLLIN,
                        write_ready, characteristic);
        air_object_changed(&characteristic->object, CHARACTERISTIC, "WriteAcquired");
    }
    return 1;
}

static int acquire_notify(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    struct air_characteristic *characteristic = userdata;

    (void)error;
    if (characteristic->device->link == NULL) {
        return air_error(call, "Failed", "Not connected");
    }
    if (!has_property(characteristic, "notify")) {
        return air_error(call, "NotSupported", "Operation is not supported");
    }
    if (characteristic->notify_fd >= 0 || characteristic->taken) {
        return air_error(call, "NotPermitted", "Notify acquired");
    }
    if (anyone_notified(characteristic)) {
        return air_error(call, "InProgress", "In Progress");
    }
    air_link_subscribe(characteristic, true, call);
    return 1;
}

static char *place_of(struct air_characteristic *characteristic, const char *sender)
{
    for (int i = 0; i < AIR_SENDERS; i++) {
        if (strcmp(characteristic->senders[i], sender) == 0) {
            return characteristic->senders[i];
        }
    }
    return NULL;
}

static int start_notify(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    struct air_characteristic *characteristic = userdata;
    const char *sender = sd_bus_message_get_sender(call);

    (void)error;
    if (!has_property(characteristic, "notify")) {
        return air_error(call, "NotSupported", "Operation is not supported");
    }
    if (characteristic->notify_fd >= 0 || characteristic->taken) {
        return air_error(call, "NotPermitted", "Notify acquired");
    }
    if (place_of(characteristic, sender) != NULL) {
        return characteristic->notifying ? sd_bus_reply_method_return(call, "")
                                         : air_error(call, "InProgress", "In Progress");
    }
    char *place = place_of(characteristic, "");
    if (place == NULL) {
        return air_error(call, "Failed", "Failed allocate notify session");
    }
    (void)snprintf(place, AIR_PATH, "%s", sender);
    if (characteristic->device->link == NULL || characteristic->notifying) {
        return sd_bus_reply_method_return(call, "");
    }
    air_link_subscribe(characteristic, true, call);
    return 1;
}

static int stop_notify(sd_bus_message *call, void *userdata, sd_bus_error *error)
{
    struct air_characteristic *characteristic = userdata;
    const char *sender = sd_bus_message_get_sender(call);

    (void)error;
    if (place_of(characteristic, sender) == NULL) {
        return air_error(call, "Failed", "No notify session started");
    }
    air_gatt_left(characteristic, sender);
    return sd_bus_reply_method_return(call, "");
}

/* ---- Properties
 * ------------------------------------------------------------------------------------------ */

static bool characteristic_has(const void *userdata, const char *property)
{
    const struct air_characteristic *characteristic = userdata;
    bool notify = has_property(characteristic, "notify");
    const struct {
        const char *name;
        bool there;
    } some[] = {{"Notifying", notify},
                {"NotifyAcquired", notify},
                {"WriteAcquired", has_property(characteristic, "write-without-response")},
                {"Value", characteristic->value_len > 0},
                {"MTU", characteristic->device->link != NULL}};

    for (size_t i = 0; i < sizeof some / sizeof *some; i++) {
        if (strcmp(some[i].name, property) == 0) {
            return some[i].there;
        }
    }
    return true;
}

static int get_characteristic(sd_bus *bus, const char *path, const char *interface,
                              const char *property, sd_bus_message *reply, void *userdata,
                              sd_bus_error *error)
{
    const struct air_characteristic *characteristic = userdata;

    (void)bus, (void)path, (void)interface, (void)error;
    if (strcmp(property, "UUID") == 0) {
        return sd_bus_message_append(reply, "s", characteristic->uuid);
    }
    if (strcmp(property, "Service") == 0) {
        return sd_bus_message_append(reply, "o", characteristic->device->service.path);
    }
    if (strcmp(property, "Value") == 0) {
        return sd_bus_message_append_array(reply, 'y', characteristic->value,
                                           characteristic->value_len);
    }
    if (strcmp(property, "MTU") == 0) {
        const struct air_link *link = characteristic->device->link;
        return sd_bus_message_append(reply, "q", link == NULL ? 0 : (uint16_t)link->mtu);
    }
    if (strcmp(property, "Notifying") == 0) {
        return sd_bus_message_append(reply, "b", characteristic->notifying);
    }
    return sd_bus_message_append(reply, "b",
                                 (strcmp(property, "WriteAcquired") == 0
                                      ? characteristic->write_fd
                                      : characteristic->notify_fd) >= 0);
}

static int get_flags(sd_bus *bus, const char *path, const char *interface, const char *property,
                     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    static const char *const names[] = {"read", "write-without-response", "write", "notify",
                                        "indicate"};

    (void)bus, (void)path, (void)interface, (void)property, (void)error;
    sd_bus_message_open_container(reply, 'a', "s");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (has_property(userdata, names[i])) {
            sd_bus_message_append(reply, "s", names[i]);
        }
    }
    return sd_bus_message_close_container(reply);
}

static int get_service(sd_bus *bus, const char *path, const char *interface, const char *property,
                       sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    const struct air_device *device = userdata;

    (void)bus, (void)path, (void)interface, (void)error;
    if (strcmp(property, "Primary") == 0) {
        return sd_bus_message_append(reply, "b", true);
    }
    if (strcmp(property, "Device") == 0) {
        return sd_bus_message_append(reply, "o", device->object.path);
    }
    return sd_bus_message_append(reply, "s", device->service_uuid);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define CHARACTERISTIC_ROWS                                                                        \
    SD_BUS_METHOD("ReadValue", "a{sv}", "ay", read_value, 0),                                      \
        SD_BUS_METHOD("WriteValue", "aya{sv}", "", write_value, 0),                                \
        SD_BUS_METHOD("StartNotify", "", "", start_notify, 0),                                     \
        SD_BUS_METHOD("StopNotify", "", "", stop_notify, 0),                                       \
        SD_BUS_PROPERTY("UUID", "s", get_characteristic, 0, 0),                                    \
        SD_BUS_PROPERTY("Service", "o", get_characteristic, 0, 0),                                 \
        SD_BUS_PROPERTY("Value", "ay", get_characteristic, 0, CHANGES),                            \
        SD_BUS_PROPERTY("Notifying", "b", get_characteristic, 0, CHANGES),                         \
        SD_BUS_PROPERTY("Flags", "as", get_flags, 0, CHANGES)

static const sd_bus_vtable characteristic_table[] = {
    SD_BUS_VTABLE_START(SD_BUS_VTABLE_UNPRIVILEGED),
    CHARACTERISTIC_ROWS,
    SD_BUS_METHOD("AcquireWrite", "a{sv}", "hq", acquire_write, 0),
    SD_BUS_METHOD("AcquireNotify", "a{sv}", "hq", acquire_notify, 0),
    SD_BUS_PROPERTY("WriteAcquired", "b", get_characteristic, 0, CHANGES),
    SD_BUS_PROPERTY("NotifyAcquired", "b", get_characteristic, 0, CHANGES),
    SD_BUS_PROPERTY("MTU", "q", get_characteristic, 0, CHANGES),
    SD_BUS_VTABLE_END,
};

/* As bluetoothd was before it gave descriptors, and the MTU. */
static const sd_bus_vtable plain_table[] = {
    SD_BUS_VTABLE_START(SD_BUS_VTABLE_UNPRIVILEGED),
    CHARACTERISTIC_ROWS,
    SD_BUS_VTABLE_END,
};

static const sd_bus_vtable service_table[] = {
    SD_BUS_VTABLE_START(SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_PROPERTY("UUID", "s", get_service, 0, 0),
    SD_BUS_PROPERTY("Device", "o", get_service, 0, 0),
    SD_BUS_PROPERTY("Primary", "b", get_service, 0, 0),
    SD_BUS_VTABLE_END,
};

static const struct air_interface characteristic_interface = {CHARACTERISTIC, characteristic_table,
                                                              characteristic_has};
static const struct air_interface plain_interface = {CHARACTERISTIC, plain_table,
                                                     characteristic_has};
static const struct air_interface service_interface = {SERVICE, service_table, NULL};

void air_gatt_export(struct air_device *device)
{
    const struct air_interface *services[] = {&service_interface, NULL};
    const struct air_interface *characteristics[] = {
        air.options.no_acquire ? &plain_interface : &characteristic_interface, NULL};
    char path[AIR_PATH];

    if (!device->has_app || air.options.no_service || air_object_exported(&device->service)) {
        return;
    }
    (void)snprintf(path, sizeof path, "%.60s/service000a", device->object.path);
    air_object_export(&device->service, path, device, services);
    for (int i = 0; i < device->characteristic_count; i++) {
        (void)snprintf(path, sizeof path, "%.80s/char%04x", device->service.path,
                       (unsigned)(0xb + 3 * i));
        air_object_export(&device->characteristics[i].object, path, &device->characteristics[i],
                          characteristics);
    }
}

void air_gatt_withdraw(struct air_device *device)
{
    for (int i = 0; i < device->characteristic_count; i++) {
        air_object_withdraw(&device->characteristics[i].object);
    }
    air_object_withdraw(&device->service);
}
