/* SPDX-License-Identifier: Apache-2.0 */
/* Packets through the characteristic: by descriptors where BlueZ gives them, else by its methods
 * and signals. */
#include "bluez.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Writes that BlueZ has not answered yet, at most. */
#define CALLS_MAX 8

/* Bytes that wait to be written. The client's window keeps it below; what is more is lost, as on a
 * bad wire. */
#define OUT_MAX (1u << 20)

/* A value at most: bluetoothd 5.66 as a server drops larger ones, though an attribute may have 512.
 */
#define VALUE_MAX 510

/* How long the end of a link may take to be told. */
#define LOST_MS 1000

/* Before each fragment that waits. */
#define LENGTH 2

/* ---- Getting ready --------------------------------------------------------------------------- */

/* AcquireWrite, AcquireNotify: a descriptor and the ATT_MTU. */
static int acquire(struct bluez *bluez, const char *member, int *fd)
{
    sd_bus_message *reply;
    uint16_t mtu;
    int passed;
    sd_bus_message *call = bluez_begin(bluez, bluez->characteristic, BLUEZ_CHARACTERISTIC, member);

    if (call == NULL || sd_bus_message_append(call, "a{sv}", 0) < 0) {
        sd_bus_message_unref(call);
        return FERRY_E_IO;
    }
    int error = bluez_call(bluez, call, BLUEZ_PAIR_MS, &reply);
    if (error != FERRY_OK) {
        return error;
    }
    if (sd_bus_message_read(reply, "hq", &passed, &mtu) >= 0) {
        *fd = fcntl(passed, F_DUPFD_CLOEXEC, 3);
        bluez->mtu = mtu;
    }
    sd_bus_message_unref(reply);
    return *fd >= 0 && fcntl(*fd, F_SETFL, O_NONBLOCK) == 0 ? FERRY_OK : FERRY_E_IO;
}

static int start_notify(struct bluez *bluez)
{
    return bluez_ask(bluez, bluez->characteristic, BLUEZ_CHARACTERISTIC, "StartNotify",
                     BLUEZ_PAIR_MS);
}

static int subscribe_once(struct bluez *bluez)
{
    if (bluez->offers_notify) {
        int error = acquire(bluez, "AcquireNotify", &bluez->notify_fd);
        if (error == FERRY_OK || !bluez_refused(bluez, "NotSupported")) {
            return error;
        }
    }
    return start_notify(bluez);
}

/* Whoever wants to be paired says so here. Without the descriptor: bluetoothd 5.66 never answers
 * AcquireNotify when pairing fails, and keeps the characteristic taken for it as long as it runs.
 */
static int subscribe_first(struct bluez *bluez)
{
    if (bluez->paired || !bluez->offers_notify) {
        return subscribe_once(bluez);
    }
    int error = start_notify(bluez);
    if (error != FERRY_OK) {
        return error;
    }
    (void)bluez_ask(bluez, bluez->characteristic, BLUEZ_CHARACTERISTIC, "StopNotify",
                    BLUEZ_CALL_MS);
    return subscribe_once(bluez);
}

static bool is_taken(const struct bluez *bluez)
{
    return bluez_refused(bluez, "NotPermitted") && strstr(bluez->refused, "acquired") != NULL;
}

static int fail_subscription(struct bluez *bluez)
{
    if (is_taken(bluez)) {
        return bluez_fail(bluez, FERRY_E_BUSY,
                          "another program talks to this device already; close it, or wait until "
                          "it is done");
    }
    return bluez_fail(bluez, FERRY_E_IO,
                      "the device refuses notifications, by which it answers: %s; look at the "
                      "permissions of its SMP characteristic",
                      bluez->refused);
}

static int pair_and_subscribe(struct bluez *bluez)
{
    bluez->connected = bluez->connected || bluez->gone; /* Pair() connects */
    bluez->gone = false;
    int error = bluez_pair(bluez);

    error = error == FERRY_OK ? bluez_resolve(bluez) : error;
    if (error != FERRY_OK || subscribe_once(bluez) == FERRY_OK) {
        return error;
    }
    return bluez_wants_pairing(bluez) ? bluez_fail_paired(bluez) : fail_subscription(bluez);
}

/* What a call is refused with then ("Unlikely Error") may come before the word that it is lost. */
static bool is_lost(struct bluez *bluez)
{
    uint64_t end = ferry_posix_now_ms() + LOST_MS;

    while (!bluez->gone && strstr(bluez->refused, "0x0e") != NULL && ferry_posix_now_ms() < end &&
           bluez_turn(bluez, end)) {
    }
    return bluez->gone;
}

/* BlueZ pairs by itself when the device asks for it here, and asks the default agent meanwhile.
 * That may be another program, which cannot enter passkeys, say: then the link is lost. Pair()
 * comes to our agent whoever is the default one. */
static int subscribe(struct bluez *bluez)
{
    bluez->asked = bluez->unanswered = false;
    if (subscribe_first(bluez) == FERRY_OK) {
        return FERRY_OK;
    }
    if (bluez_nobody_answered(bluez)) {
        return FERRY_E_CONFIG;
    }
    bool lost = is_lost(bluez);
    if (lost && bluez->asked) {
        return bluez_fail_pairing(bluez, bluez->refused);
    }
    return lost || bluez_wants_pairing(bluez) ? pair_and_subscribe(bluez)
                                              : fail_subscription(bluez);
}

/* Without a descriptor each fragment is a call, which works as well. */
static void take_write(struct bluez *bluez)
{
    if (bluez->offers_write && acquire(bluez, "AcquireWrite", &bluez->write_fd) != FERRY_OK) {
        bluez->write_fd = -1;
    }
}

static bool watch(const struct bluez *bluez, int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};

    return fd < 0 || epoll_ctl(bluez->epoll, operation, fd, &event) == 0;
}

/* More than the device asks for. */
static int pair_first(struct bluez *bluez)
{
    bool wanted = bluez->address->security != FERRY_SECURITY_ANY && !bluez->paired;
    int error = wanted ? bluez_pair(bluez) : FERRY_OK;

    return wanted && error == FERRY_OK ? bluez_resolve(bluez) : error;
}

int bluez_start(struct bluez *bluez)
{
    int error = pair_first(bluez);

    error = error == FERRY_OK ? subscribe(bluez) : error;
    if (error != FERRY_OK) {
        return error;
    }
    take_write(bluez);
    bluez->fragment = ferry_ble_fragment_max(bluez->mtu);
    bluez->fragment = bluez->fragment < VALUE_MAX ? bluez->fragment : VALUE_MAX;
    bluez->bus_events = EPOLLIN;
    if (!watch(bluez, EPOLL_CTL_ADD, sd_bus_get_fd(bluez->bus), EPOLLIN) ||
        !watch(bluez, EPOLL_CTL_ADD, bluez->notify_fd, EPOLLIN) ||
        !watch(bluez, EPOLL_CTL_ADD, bluez->write_fd, 0)) {
        return bluez_fail(bluez, FERRY_E_IO, "the system gives no descriptors: %s; close programs",
                          strerror(errno));
    }
    return FERRY_OK;
}

/* ---- Sending --------------------------------------------------------------------------------- */

static int on_written(sd_bus_message *m, void *context, sd_bus_error *error)
{
    struct bluez *bluez = context;
    const sd_bus_error *refusal = sd_bus_message_get_error(m);

    (void)error;
    bluez->calls--;
    if (refusal != NULL) {
        bluez_keep_refusal(bluez, refusal->name, refusal->message);
        bluez->must_pair = bluez->must_pair || bluez_wants_pairing(bluez);
    }
    return 0;
}

static bool call_write(struct bluez *bluez, const uint8_t *data, size_t len)
{
    sd_bus_message *call =
        bluez_begin(bluez, bluez->characteristic, BLUEZ_CHARACTERISTIC, "WriteValue");
    int r = call == NULL ? -ENOMEM : sd_bus_message_append_array(call, 'y', data, len);

    r = r < 0 ? r : sd_bus_message_append(call, "a{sv}", 1, "type", "s", "command");
    r = r < 0 ? r : sd_bus_call_async(bluez->bus, NULL, call, on_written, bluez, 0);
    sd_bus_message_unref(call);
    bluez->calls += r >= 0;
    return r >= 0;
}

/* Returns 1 when it was taken, 0 when it has to wait, -1 when the link is lost. */
static int write_fragment(struct bluez *bluez, const uint8_t *data, size_t len)
{
    if (bluez->write_fd < 0) {
        if (bluez->calls >= CALLS_MAX) {
            return 0;
        }
        return call_write(bluez, data, len) ? 1 : -1;
    }
    ssize_t n = send(bluez->write_fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
        return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -1;
    }
    return 1;
}

static void flush(struct bluez *bluez)
{
    size_t done = 0;
    int taken = 1;

    while (done < bluez->out_len && taken > 0) {
        size_t len = ferry_load_be16(bluez->out + done);
        taken = write_fragment(bluez, bluez->out + done + LENGTH, len);
        done += taken > 0 ? LENGTH + len : 0;
    }
    bluez->gone = bluez->gone || taken < 0;
    if (done > 0) {
        bluez->out_len -= done;
        memmove(bluez->out, bluez->out + done, bluez->out_len);
    }
}

static bool make_room(struct bluez *bluez, size_t len)
{
    if (len <= bluez->out_cap - bluez->out_len) {
        return true;
    }
    size_t cap = (bluez->out_len + len) * 2;
    uint8_t *larger = realloc(bluez->out, cap);
    if (larger != NULL) {
        bluez->out = larger;
        bluez->out_cap = cap;
    }
    return larger != NULL;
}

/* Room for what is written, and what the bus has to send. */
static void rearm(struct bluez *bluez)
{
    bool waits = bluez->write_fd >= 0 && bluez->out_len > 0;
    int bus = sd_bus_get_events(bluez->bus);
    uint32_t events =
        bus < 0 ? EPOLLIN
                : ((bus & POLLIN) != 0 ? EPOLLIN : 0U) | ((bus & POLLOUT) != 0 ? EPOLLOUT : 0U);

    if (events != bluez->bus_events &&
        watch(bluez, EPOLL_CTL_MOD, sd_bus_get_fd(bluez->bus), events)) {
        bluez->bus_events = events;
    }
    if (waits != bluez->write_waits &&
        watch(bluez, EPOLL_CTL_MOD, bluez->write_fd, waits ? EPOLLOUT : 0)) {
        bluez->write_waits = waits;
    }
}

int bluez_send(struct bluez *bluez, struct ferry_bytes packet)
{
    size_t fragments = packet.len / bluez->fragment + 1;

    if (bluez->gone) {
        return FERRY_E_IO;
    }
    if (bluez->out_len + packet.len > OUT_MAX) {
        return FERRY_OK;
    }
    if (!make_room(bluez, packet.len + fragments * LENGTH)) {
        return FERRY_E_IO;
    }
    while (packet.len > 0) {
        struct ferry_bytes fragment = ferry_ble_cut(&packet, bluez->fragment);
        ferry_store_be16(bluez->out + bluez->out_len, (uint16_t)fragment.len);
        memcpy(bluez->out + bluez->out_len + LENGTH, fragment.data, fragment.len);
        bluez->out_len += LENGTH + fragment.len;
    }
    flush(bluez);
    rearm(bluez);
    return bluez->gone ? FERRY_E_IO : FERRY_OK;
}

/* ---- Receiving ------------------------------------------------------------------------------- */

void bluez_take_value(struct bluez *bluez, struct ferry_bytes value)
{
    struct ferry_bytes packet;

    /* What was dropped for its form is counted by the assembler. */
    if (bluez->notify_fd < 0 && ferry_ble_assemble(&bluez->assembler, value, &packet) == 1) {
        bluez->packet = packet;
    }
}

static bool is_hung_up(int fd)
{
    struct pollfd look = {.fd = fd, .events = POLLRDHUP};

    return fd >= 0 && poll(&look, 1, 0) > 0 &&
           (look.revents & (POLLHUP | POLLERR | POLLRDHUP)) != 0;
}

/* Returns whether there is a packet. */
static bool read_values(struct bluez *bluez, struct ferry_bytes *packet)
{
    uint8_t value[FERRY_BLE_MTU_MOST];
    ssize_t n = -1;

    /* An empty value reads as the end does, which alone has hung up. */
    while (bluez->notify_fd >= 0 &&
           ((n = recv(bluez->notify_fd, value, sizeof value, MSG_DONTWAIT)) > 0 ||
            (n == 0 && !is_hung_up(bluez->notify_fd)))) {
        struct ferry_bytes fragment = {value, (size_t)n};
        if (n > 0 && ferry_ble_assemble(&bluez->assembler, fragment, packet) == 1) {
            return true;
        }
    }
    if (bluez->notify_fd >= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR))) {
        bluez->gone = true;
    }
    return false;
}

/* Refused in the middle: whoever is asked for the passkey is waited for. What was refused is lost,
 * and the client sends it again. */
static void pair_now(struct bluez *bluez)
{
    char why[320];

    bluez->must_pair = false;
    bluez->why = why;
    bluez->cap = sizeof why;
    bluez->gone = bluez->gone || bluez_pair(bluez) != FERRY_OK;
    bluez->why = NULL;
    bluez->cap = 0;
}

int bluez_receive(struct bluez *bluez, struct ferry_bytes *packet)
{
    int r;

    do {
        if (read_values(bluez, packet)) {
            return 1;
        }
        bluez->packet.len = 0;
        r = sd_bus_process(bluez->bus, NULL);
        if (bluez->packet.len > 0) {
            *packet = bluez->packet;
            return 1;
        }
    } while (r > 0);
    bluez->gone = bluez->gone || r < 0 || bluez->unproven || is_hung_up(bluez->write_fd);
    if (bluez->must_pair && !bluez->gone) {
        pair_now(bluez);
    }
    if (!bluez->gone) {
        flush(bluez);
    }
    rearm(bluez);
    return bluez->gone ? FERRY_E_IO : 0;
}
