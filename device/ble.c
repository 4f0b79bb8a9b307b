/* SPDX-License-Identifier: Apache-2.0 */
/* The chip's radio: links, values both ways, and when it is to be heard. */
#include "ble_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GATT_MANAGER        "org.bluez.GattManager1"
#define ADVERTISING_MANAGER "org.bluez.LEAdvertisingManager1"

#define US_NS 1000U

/* ---- Values that wait -------------------------------------------------------------------------
 */

static void put(struct ble_queue *queue, uint32_t link, const void *data, size_t len)
{
    struct ble_value *value = queue->count < BLE_VALUES ? malloc(sizeof(*value) + len) : NULL;

    if (value == NULL) {
        return;
    }
    value->next = NULL;
    value->link = link;
    value->len = len;
    if (len > 0) {
        memcpy(value->bytes, data, len);
    }
    *queue->end = value;
    queue->end = &value->next;
    queue->count++;
}

static void drop_first(struct ble_queue *queue)
{
    struct ble_value *value = queue->first;

    if (value == NULL) {
        return;
    }
    queue->first = value->next;
    if (queue->first == NULL) {
        queue->end = &queue->first;
    }
    queue->count--;
    free(value);
}

/* Forget what is of a link that has gone. */
static void forget(struct ble_queue *queue, uint32_t link)
{
    struct ble_value **at = &queue->first;

    while (*at != NULL) {
        struct ble_value *value = *at;
        if (value->link == link) {
            *at = value->next;
            queue->count--;
            free(value);
        } else {
            at = &value->next;
        }
    }
    queue->end = at;
}

const struct ble_value *ble_first(const struct ble *ble)
{
    return ble->in.first;
}

void ble_drop(struct ble *ble)
{
    drop_first(&ble->in);
}

/* ---- Links -------------------------------------------------------------------------------------
 */

static struct ble_link *find(struct ble *ble, uint32_t number)
{
    for (size_t i = 0; i < BLE_LINKS; i++) {
        if (ble->links[i].number == number) {
            return &ble->links[i];
        }
    }
    return NULL;
}

static struct ble_link *find_device(struct ble *ble, const char *device)
{
    for (size_t i = 0; i < BLE_LINKS; i++) {
        if (ble->links[i].number != 0 && strcmp(ble->links[i].device, device) == 0) {
            return &ble->links[i];
        }
    }
    return NULL;
}

/* Whoever may write has the security that the characteristic asks for: BlueZ lets nobody else. */
static uint32_t security_of(enum ferry_gatt_permission permission)
{
    static const uint8_t levels[] = {[FERRY_GATT_AUTHENTICATED] = FERRY_PEER_AUTHENTICATED,
                                     [FERRY_GATT_ENCRYPTED] = FERRY_PEER_ENCRYPTED,
                                     [FERRY_GATT_OPEN] = FERRY_PEER_OPEN};

    return levels[permission];
}

/* "ble:" and the address, of a path that ends in "dev_AA_BB_CC_DD_EE_FF". */
static void identify(const char *device, char identity[FERRY_VCHIP_IDENTITY])
{
    const char *name = strstr(device, "/dev_");

    (void)snprintf(identity, FERRY_VCHIP_IDENTITY, "ble:%s", name != NULL ? name + 5 : device);
    for (char *at = identity; name != NULL && *at != '\0'; at++) {
        *at = *at == '_' ? ':' : *at;
    }
}

static void begin(struct ble *ble, struct ble_link *link, const char *device)
{
    link->number = ++ble->last_number;
    (void)snprintf(link->device, sizeof(link->device), "%s", device);
    link->state = (struct ferry_vchip_peer){.connected = 1,
                                            .security = security_of(ble->config.permission),
                                            .mtu = FERRY_BLE_MTU_LEAST,
                                            .queue = BLE_QUEUE};
    if (link->state.security != FERRY_PEER_OPEN) {
        identify(device, link->state.identity);
    }
    link->state.subscribed = ble->notifying;
}

struct ble_link *ble_link_of(struct ble *ble, const char *device, uint16_t mtu)
{
    struct ble_link *link = find_device(ble, device);
    bool fresh = link == NULL;

    if (fresh) {
        link = find(ble, 0);
    }
    if (link == NULL || strlen(device) >= sizeof(link->device)) {
        return NULL;
    }
    if (fresh) {
        begin(ble, link, device);
    }
    if (fresh || (mtu != 0 && link->state.mtu != mtu)) {
        link->state.mtu = mtu != 0 ? mtu : link->state.mtu;
        ble->config.told(ble->config.context, link->number, &link->state);
    }
    return link;
}

void ble_tell(struct ble *ble, struct ble_link *link, bool subscribed)
{
    if (link->state.subscribed != subscribed) {
        link->state.subscribed = subscribed;
        ble->config.told(ble->config.context, link->number, &link->state);
    }
}

void ble_close_write(struct ble *ble)
{
    if (ble->write_fd >= 0) {
        (void)close(ble->write_fd);
    }
    ble->write_fd = -1;
    ble->write_link = 0;
}

void ble_close_notify(struct ble *ble)
{
    if (ble->notify_fd >= 0) {
        (void)close(ble->notify_fd);
    }
    ble->notify_fd = -1;
    ble->notify_link = 0;
}

/* Nothing is left of a link, and the chip knows nothing of it yet. */
static void end(struct ble *ble, struct ble_link *link)
{
    if (ble->write_link == link->number) {
        ble_close_write(ble);
    }
    if (ble->notify_link == link->number) {
        ble_close_notify(ble);
    }
    forget(&ble->in, link->number);
    forget(&ble->out, link->number);
    link->number = 0;
    link->state.connected = 0;
}

void ble_lost(struct ble *ble, const char *device)
{
    struct ble_link *link = find_device(ble, device);

    if (link != NULL) {
        uint32_t number = link->number;
        end(ble, link);
        ble->config.told(ble->config.context, number, &link->state);
    }
}

void ble_written(struct ble *ble, const struct ble_link *link, const void *data, size_t len)
{
    put(&ble->in, link->number, data, len);
}

void ble_fail(struct ble *ble, const char *what, const char *error, const char *next)
{
    char why[512];

    (void)snprintf(why, sizeof(why), "--ble: %s (%s); %s", what, error, next);
    ble->config.failed(ble->config.context, why);
}

/* ---- Notifications ------------------------------------------------------------------------------
 */

void ble_send(struct ble *ble, uint32_t number, struct ferry_bytes value)
{
    const struct ble_link *link = number != 0 ? find(ble, number) : NULL;

    if (link == NULL) {
        return;
    }
    if (link->state.subscribed == 0 || value.len > ferry_ble_fragment_max(link->state.mtu)) {
        ble->config.left(ble->config.context, number, 1);
        return;
    }
    put(&ble->out, number, value.data, value.len);
}

/* By a signal. Returns false when the bus does not take it yet. */
static bool notify_plain(struct ble *ble, const struct ble_value *value)
{
    sd_bus_message *signal = NULL;
    uint64_t queued = 0;
    bool done = sd_bus_get_n_queued_write(ble->bus, &queued) >= 0 && queued == 0;

    if (!done) {
        return false;
    }
    if (sd_bus_message_new_signal(ble->bus, &signal, BLE_VALUE_PATH,
                                  "org.freedesktop.DBus.Properties", "PropertiesChanged") >= 0 &&
        sd_bus_message_append(signal, "s", BLE_CHARACTERISTIC_FACE) >= 0 &&
        sd_bus_message_open_container(signal, 'a', "{sv}") >= 0 &&
        sd_bus_message_open_container(signal, 'e', "sv") >= 0 &&
        sd_bus_message_append(signal, "s", "Value") >= 0 &&
        sd_bus_message_open_container(signal, 'v', "ay") >= 0 &&
        sd_bus_message_append_array(signal, 'y', value->bytes, value->len) >= 0 &&
        sd_bus_message_close_container(signal) >= 0 &&
        sd_bus_message_close_container(signal) >= 0 &&
        sd_bus_message_close_container(signal) >= 0 &&
        sd_bus_message_append(signal, "as", 0) >= 0) {
        (void)sd_bus_send(ble->bus, signal, NULL);
    }
    sd_bus_message_unref(signal);
    return true;
}

/* Into the descriptor. Returns false when it does not take it yet. */
static bool notify(struct ble *ble, const struct ble_value *value)
{
    if (value->link != ble->notify_link) {
        return ble->notifying ? notify_plain(ble, value) : true;
    }
    return send(ble->notify_fd, value->bytes, value->len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
           errno != EAGAIN;
}

static void send_waiting(struct ble *ble)
{
    while (ble->out.first != NULL && notify(ble, ble->out.first)) {
        uint32_t link = ble->out.first->link;
        drop_first(&ble->out);
        ble->config.left(ble->config.context, link, 1);
    }
}

/* ---- Descriptors -------------------------------------------------------------------------------
 */

/* What an empty value does not tell by itself. */
static bool is_hung_up(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLRDHUP};

    return poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR | POLLRDHUP)) != 0;
}

static void read_values(struct ble *ble)
{
    uint8_t value[FERRY_BLE_MTU_MOST];

    while (ble->write_fd >= 0) {
        ssize_t len = recv(ble->write_fd, value, sizeof(value), MSG_DONTWAIT);
        if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (len < 0 || (len == 0 && is_hung_up(ble->write_fd))) {
            ble_close_write(ble);
            return;
        }
        put(&ble->in, ble->write_link, value, (size_t)len);
    }
}

/* Nothing comes that way; its end says that nobody wants notifications any more. */
static void look_at_notify(struct ble *ble)
{
    uint8_t byte;

    if (ble->notify_fd < 0 ||
        (recv(ble->notify_fd, &byte, sizeof(byte), MSG_DONTWAIT) < 0 && errno == EAGAIN)) {
        return;
    }
    struct ble_link *link = find(ble, ble->notify_link);

    forget(&ble->out, ble->notify_link);
    ble_close_notify(ble);
    if (link != NULL) {
        ble_tell(ble, link, false);
    }
}

uint64_t ble_poll(struct ble *ble, struct pollfd polled[BLE_POLLED])
{
    uint64_t deadline = UINT64_MAX;
    int events = sd_bus_get_events(ble->bus);
    bool waits = ble->out.first != NULL;

    polled[0] = (struct pollfd){sd_bus_get_fd(ble->bus), (short)(events > 0 ? events : POLLIN), 0};
    polled[1] = (struct pollfd){ble->write_fd, POLLIN, 0};
    polled[2] = (struct pollfd){ble->notify_fd, (short)(waits ? POLLIN | POLLOUT : POLLIN), 0};
    if (sd_bus_get_timeout(ble->bus, &deadline) < 0 || deadline == UINT64_MAX) {
        return BLE_NEVER;
    }
    return deadline * US_NS;
}

void ble_work(struct ble *ble)
{
    int done;

    /* First the bus: whoever else is connected by now may have written these values. */
    do {
        done = sd_bus_process(ble->bus, NULL);
    } while (done > 0);
    if (done < 0) {
        ble_fail(ble, "the bus has gone", strerror(-done), "start the device again");
        return;
    }
    read_values(ble);
    look_at_notify(ble);
    send_waiting(ble);
}

/* ---- To be found, or silent ---------------------------------------------------------------------
 */

static int application_registered(sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)ignored;
    if (sd_bus_message_is_method_error(reply, NULL)) {
        ble_fail(context, "BlueZ does not take the service",
                 sd_bus_message_get_error(reply)->message, "see what bluetoothd logged");
    }
    return 1;
}

static int advertisement_registered(sd_bus_message *reply, void *context, sd_bus_error *ignored)
{
    (void)ignored;
    if (sd_bus_message_is_method_error(reply, NULL)) {
        ble_fail(context, "BlueZ does not advertise", sd_bus_message_get_error(reply)->message,
                 "give a shorter name, or end others that advertise");
    }
    return 1;
}

static void ask(struct ble *ble, const char *interface, const char *method, const char *path,
                sd_bus_message_handler_t answered)
{
    (void)sd_bus_call_method_async(ble->bus, NULL, BLE_BLUEZ, ble->adapter, interface, method,
                                   answered, ble, "oa{sv}", path, 0);
}

static void tell(struct ble *ble, const char *object, const char *interface, const char *method,
                 const char *path)
{
    (void)sd_bus_call_method_async(ble->bus, NULL, BLE_BLUEZ, object, interface, method, NULL, NULL,
                                   path != NULL ? "o" : "", path);
}

static void be_silent(struct ble *ble)
{
    tell(ble, ble->adapter, ADVERTISING_MANAGER, "UnregisterAdvertisement", BLE_ADVERTISEMENT);
    for (size_t i = 0; i < BLE_LINKS; i++) {
        if (ble->links[i].number != 0) {
            tell(ble, ble->links[i].device, BLE_DEVICE, "Disconnect", NULL);
            end(ble, &ble->links[i]);
        }
    }
    tell(ble, ble->adapter, GATT_MANAGER, "UnregisterApplication", BLE_APPLICATION);
    ble->notifying = false;
}

void ble_advertise(struct ble *ble, bool on)
{
    if (ble->on == on) {
        return;
    }
    ble->on = on;
    if (on) {
        ask(ble, GATT_MANAGER, "RegisterApplication", BLE_APPLICATION, application_registered);
        ask(ble, ADVERTISING_MANAGER, "RegisterAdvertisement", BLE_ADVERTISEMENT,
            advertisement_registered);
    } else {
        be_silent(ble);
    }
}

/* ---- Begin and end ------------------------------------------------------------------------------
 */

static int start(struct ble *ble, char *why, size_t cap)
{
    int error = sd_bus_open_system(&ble->bus);

    if (error < 0) {
        (void)snprintf(why, cap,
                       "--ble: there is no system bus (%s); start dbus and bluetoothd, or name "
                       "another bus in DBUS_SYSTEM_BUS_ADDRESS",
                       strerror(-error));
        return FERRY_E_IO;
    }
    error = ble_export(ble);
    if (error < 0) {
        (void)snprintf(why, cap,
                       "--ble: cannot make the service's objects (%s); end other programs",
                       strerror(-error));
        return FERRY_E_IO;
    }
    return ble_find(ble, why, cap);
}

int ble_open(struct ble **ble, const struct ble_config *config, char *why, size_t cap)
{
    struct ble *made = calloc(1, sizeof(*made));

    *ble = NULL;
    if (made == NULL) {
        (void)snprintf(why, cap, "--ble: out of memory; end other programs");
        return FERRY_E_IO;
    }
    made->config = *config;
    made->write_fd = -1;
    made->notify_fd = -1;
    made->in.end = &made->in.first;
    made->out.end = &made->out.first;
    int result = start(made, why, cap);
    if (result != FERRY_OK) {
        ble_close(made);
        return result;
    }
    *ble = made;
    return FERRY_OK;
}

void ble_close(struct ble *ble)
{
    if (ble == NULL) {
        return;
    }
    ble_advertise(ble, false);
    sd_bus_flush_close_unref(ble->bus);
    ble_close_write(ble);
    ble_close_notify(ble);
    while (ble->in.first != NULL) {
        drop_first(&ble->in);
    }
    while (ble->out.first != NULL) {
        drop_first(&ble->out);
    }
    free(ble);
}
