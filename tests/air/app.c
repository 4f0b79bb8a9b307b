/* SPDX-License-Identifier: Apache-2.0 */
/* The peripheral's end: what arrives from the air goes to its program, by descriptors where it
 * offers them, else by calls; what the program notifies goes into the air. */
#include "air.h"
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHARACTERISTIC "org.bluez.GattCharacteristic1"

/* ---- Security ----------------------------------------------------------------------------------
 */

/* What a flag like "encrypt-authenticated-write" asks for. */
static enum air_security asked(const char *flag, const char *what)
{
    const char *end = strstr(flag, what);

    if (end == NULL || end[strlen(what)] != '\0') {
        return AIR_OPEN;
    }
    if (strncmp(flag, "encrypt-authenticated-", 22) == 0 || strncmp(flag, "secure-", 7) == 0) {
        return AIR_AUTHENTICATED;
    }
    return strncmp(flag, "encrypt-", 8) == 0 ? AIR_ENCRYPTED : AIR_OPEN;
}

int air_app_refuses(const struct air_characteristic *characteristic, const char *what)
{
    enum air_security needed = AIR_OPEN;

    for (int i = 0; i < characteristic->flag_count; i++) {
        enum air_security level = asked(characteristic->flags[i], what);
        needed = level > needed ? level : needed;
    }
    if (characteristic->device->link->security >= needed) {
        return 0;
    }
    return needed == AIR_AUTHENTICATED ? ATT_AUTHENTICATION : ATT_ENCRYPTION;
}

/* ---- Descriptors of the program's
 * ---------------------------------------------------------------- */

static void close_write(struct air_characteristic *characteristic)
{
    characteristic->app_write_source =
        sd_event_source_disable_unref(characteristic->app_write_source);
    if (characteristic->app_write_fd >= 0) {
        close(characteristic->app_write_fd);
    }
    characteristic->app_write_fd = -1;
}

static void close_notify(struct air_characteristic *characteristic)
{
    characteristic->app_notify_source =
        sd_event_source_disable_unref(characteristic->app_notify_source);
    if (characteristic->app_notify_fd >= 0) {
        close(characteristic->app_notify_fd);
    }
    characteristic->app_notify_fd = -1;
}

/* A descriptor and an MTU, of the reply to AcquireWrite or AcquireNotify. Returns the descriptor,
 * ours; -1: refused. */
static int read_descriptor(sd_bus_message *reply)
{
    int fd = -1;
    uint16_t mtu;

    if (sd_bus_message_is_method_error(reply, NULL) ||
        sd_bus_message_read(reply, "hq", &fd, &mtu) < 0) {
        return -1;
    }
    return fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

/* The options that bluetoothd gives with each call. */
static void append_options(sd_bus_message *call, const struct air_characteristic *characteristic,
                           const char *type)
{
    const struct air_device *device = characteristic->device;

    sd_bus_message_open_container(call, 'a', "{sv}");
    sd_bus_message_append(call, "{sv}{sv}{sv}", "device", "o", device->central.path, "link", "s",
                          "LE", "mtu", "q", (uint16_t)device->link->mtu);
    if (type != NULL) {
        sd_bus_message_append(call, "{sv}{sv}", "type", "s", type, "offset", "q", 0);
    }
    sd_bus_message_close_container(call);
}

static sd_bus_message *call_of(const struct air_characteristic *characteristic, const char *method)
{
    sd_bus_message *call = NULL;

    sd_bus_message_new_method_call(air.bus, &call, characteristic->device->sender,
                                   characteristic->their_path, CHARACTERISTIC, method);
    return call;
}

static void send_call(sd_bus_message *call, sd_bus_message_handler_t answered, void *userdata)
{
    sd_bus_call_async(air.bus, NULL, call, answered, userdata, 0);
    sd_bus_message_unref(call);
}

/* ---- Values for the program
 * ------------------------------------------------------------------------ */

static void call_write(struct air_characteristic *characteristic, const struct pdu *pdu,
                       const char *type, sd_bus_message_handler_t answered, void *userdata)
{
    sd_bus_message *call = call_of(characteristic, "WriteValue");

    sd_bus_message_append_array(call, 'y', pdu->data, pdu->len);
    append_options(call, characteristic, type);
    send_call(call, answered, userdata);
}

/* To the program. Returns false when its socket is full. */
static bool hand_over(struct air_characteristic *characteristic, const struct pdu *pdu)
{
    if (characteristic->app_write_fd < 0) {
        call_write(characteristic, pdu, "command", NULL, NULL);
        return true;
    }
    if (air.options.empty) {
        (void)send(characteristic->app_write_fd, "", 0, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    return send(characteristic->app_write_fd, pdu->data, pdu->len, MSG_NOSIGNAL | MSG_DONTWAIT) >=
               0 ||
           errno != EAGAIN;
}

/* What waits, as far as its socket takes it. bluetoothd would lose what finds it full; but no radio
 * is as fast as tests have it. */
static void hand_over_held(struct air_characteristic *characteristic)
{
    while (characteristic->held != NULL && hand_over(characteristic, characteristic->held)) {
        free(air_pdu_take(&characteristic->held));
    }
    if (characteristic->held == NULL) {
        characteristic->held_end = &characteristic->held;
    }
    if (characteristic->app_write_source != NULL) {
        sd_event_source_set_io_events(characteristic->app_write_source,
                                      characteristic->held != NULL ? EPOLLOUT : 0);
    }
}

static int write_ready(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    struct air_characteristic *characteristic = userdata;

    (void)source, (void)fd;
    if ((events & (EPOLLHUP | EPOLLERR)) != 0) {
        close_write(characteristic);
    }
    hand_over_held(characteristic);
    return 0;
}

static int write_acquired(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    struct air_characteristic *characteristic = userdata;

    (void)error;
    characteristic->acquiring_write = false;
    if (characteristic->device->link != NULL) {
        characteristic->app_write_fd = read_descriptor(reply);
    }
    if (characteristic->app_write_fd >= 0) {
        air_say("%s takes values by a descriptor", characteristic->device->name);
        sd_event_add_io(air.event, &characteristic->app_write_source, characteristic->app_write_fd,
                        0, write_ready, characteristic);
    } else {
        characteristic->offers_write_fd = false;
    }
    if (characteristic->device->link != NULL) {
        hand_over_held(characteristic);
    }
    return 1;
}

static void acquire_write(struct air_characteristic *characteristic)
{
    sd_bus_message *call = call_of(characteristic, "AcquireWrite");

    characteristic->acquiring_write = true;
    air_say("%s is asked for a descriptor", characteristic->device->name);
    append_options(call, characteristic, NULL);
    send_call(call, write_acquired, characteristic);
}

void air_app_written(struct air_characteristic *characteristic, struct pdu *pdu)
{
    if (air_app_refuses(characteristic, "write") != 0) {
        air_say("value refused: the link is not as secure as it must be");
        free(pdu);
        return;
    }
    air_pdu_hold(&characteristic->held_end, pdu);
    if (!characteristic->offers_write_fd || characteristic->app_write_fd >= 0) {
        hand_over_held(characteristic);
    } else if (!characteristic->acquiring_write) {
        acquire_write(characteristic);
    }
}

void air_app_requested(struct air_characteristic *characteristic, const struct pdu *pdu,
                       sd_bus_message_handler_t answered, void *userdata)
{
    call_write(characteristic, pdu, "request", answered, userdata);
}

/* ---- Notifications
 * ----------------------------------------------------------------------------------- */

/* As much as the air takes. */
void air_app_refill(struct air_characteristic *characteristic)
{
    uint8_t value[AIR_VALUE_MAX];

    while (characteristic->app_notify_fd >= 0 &&
           !air_link_full(characteristic->device, RADIO_TO_CENTRAL)) {
        ssize_t len = recv(characteristic->app_notify_fd, value, sizeof value, MSG_DONTWAIT);
        if (len < 0 && errno == EAGAIN) {
            return;
        }
        if (len <= 0) {
            close_notify(characteristic);
            return;
        }
        air_link_notify(characteristic, value, (size_t)len);
    }
    if (characteristic->app_notify_source != NULL) {
        sd_event_source_set_enabled(characteristic->app_notify_source, SD_EVENT_OFF);
    }
}

static int notify_ready(sd_event_source *source, int fd, uint32_t events, void *userdata)
{
    (void)source, (void)fd, (void)events;
    air_app_refill(userdata);
    return 0;
}

static int notify_acquired(sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
    struct air_characteristic *characteristic = userdata;
    int fd = read_descriptor(reply);

    (void)error;
    if (fd >= 0 && (characteristic->device->link == NULL || !characteristic->subscribed)) {
        close(fd);
        return 1;
    }
    if (fd < 0) {
        send_call(call_of(characteristic, "StartNotify"), NULL, NULL);
        return 1;
    }
    close_notify(characteristic); /* of a subscription before, ended and made again meanwhile */
    characteristic->app_notify_fd = fd;
    sd_event_add_io(air.event, &characteristic->app_notify_source, fd, EPOLLIN, notify_ready,
                    characteristic);
    return 1;
}

void air_app_subscribe(struct air_characteristic *characteristic, bool on)
{
    bool was = characteristic->subscribed;

    characteristic->subscribed = on;
    if (was == on || characteristic->device->gone) {
        return;
    }
    if (on && characteristic->offers_notify_fd) {
        sd_bus_message *call = call_of(characteristic, "AcquireNotify");
        append_options(call, characteristic, NULL);
        send_call(call, notify_acquired, characteristic);
    } else if (!on && characteristic->app_notify_fd >= 0) {
        close_notify(characteristic);
    } else {
        send_call(call_of(characteristic, on ? "StartNotify" : "StopNotify"), NULL, NULL);
    }
}

void air_app_disconnected(struct air_characteristic *characteristic)
{
    air_app_subscribe(characteristic, false);
    close_notify(characteristic);
    close_write(characteristic);
    for (struct pdu *pdu = air_pdu_take(&characteristic->held); pdu != NULL;
         pdu = air_pdu_take(&characteristic->held)) {
        free(pdu);
    }
    characteristic->held_end = &characteristic->held;
}

/* "PropertiesChanged" of a program: a value is a notification. */
static int changed(sd_bus_message *signal, void *userdata, sd_bus_error *error)
{
    const char *interface = "", *key = "", *path = sd_bus_message_get_path(signal);
    struct air_device *device = air_device_of(sd_bus_message_get_sender(signal));
    const void *value = NULL;
    size_t len = 0;

    (void)userdata, (void)error;
    sd_bus_message_read(signal, "s", &interface);
    if (device == NULL || strcmp(interface, CHARACTERISTIC) != 0 ||
        sd_bus_message_enter_container(signal, 'a', "{sv}") < 0) {
        return 0;
    }
    while (sd_bus_message_enter_container(signal, 'e', "sv") > 0) {
        sd_bus_message_read(signal, "s", &key);
        if (strcmp(key, "Value") == 0 && sd_bus_message_enter_container(signal, 'v', "ay") >= 0) {
            sd_bus_message_read_array(signal, 'y', &value, &len);
            sd_bus_message_exit_container(signal);
        } else {
            sd_bus_message_skip(signal, "v");
        }
        sd_bus_message_exit_container(signal);
    }
    for (int i = 0; value != NULL && i < device->characteristic_count; i++) {
        struct air_characteristic *characteristic = &device->characteristics[i];
        if (strcmp(characteristic->their_path, path) == 0 && characteristic->subscribed &&
            characteristic->app_notify_fd < 0) {
            air_link_notify(characteristic, value, len);
        }
    }
    return 0;
}

int air_app_begin(void)
{
    return sd_bus_add_match(air.bus, NULL,
                            "type='signal',interface='org.freedesktop.DBus.Properties',"
                            "member='PropertiesChanged',arg0='" CHARACTERISTIC "'",
                            changed, NULL);
}
