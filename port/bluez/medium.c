/* SPDX-License-Identifier: Apache-2.0 */
/* Bluetooth LE as a kind of wire. */
#include "bluez.h"
#include "port/posix/medium.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

static struct bluez *make(struct ferry_transport *transport)
{
    struct bluez *bluez = calloc(1, sizeof *bluez);

    transport->fd = epoll_create1(EPOLL_CLOEXEC);
    if (bluez == NULL || transport->fd < 0) {
        free(bluez);
        return NULL;
    }
    bluez->epoll = transport->fd;
    bluez->write_fd = bluez->notify_fd = -1;
    ferry_ble_assembler_init(&bluez->assembler, transport->packet, FERRY_TRANSPORT_PACKET_MAX);
    transport->state = bluez;
    return bluez;
}

static int open_bluez(struct ferry_transport *transport,
                      const struct ferry_transport_address *address, char *why, size_t cap)
{
    struct bluez *bluez = make(transport);

    if (bluez == NULL) {
        snprintf(why, cap, "out of memory");
        return FERRY_E_IO;
    }
    bluez->why = why;
    bluez->cap = cap;
    bluez->address = address;
    int error = bluez_open(bluez);
    error = error == FERRY_OK ? bluez_add_agent(bluez) : error;
    error = error == FERRY_OK ? bluez_connect(bluez) : error;
    error = error == FERRY_OK ? bluez_start(bluez) : error;
    if (error == FERRY_OK) {
        bluez_keep_address(bluez);
    }
    if (bluez->unproven) {
        error = bluez_fail_unproven(bluez);
    }
    bluez->why = NULL;
    bluez->cap = 0;
    transport->fragment = (uint32_t)bluez->fragment;
    memcpy(transport->address, bluez->device_address, sizeof transport->address);
    return error;
}

static void close_bluez(struct ferry_transport *transport)
{
    struct bluez *bluez = transport->state;

    if (bluez == NULL) {
        return;
    }
    if (bluez->write_fd >= 0) {
        close(bluez->write_fd);
    }
    if (bluez->notify_fd >= 0) {
        close(bluez->notify_fd);
    }
    if (bluez->bus != NULL) {
        bluez_disconnect(bluez);
        sd_bus_flush_close_unref(bluez->bus);
    }
    free(bluez->out);
    free(bluez);
    transport->state = NULL;
}

static int send_bluez(struct ferry_transport *transport, struct ferry_bytes packet)
{
    return bluez_send(transport->state, packet);
}

static int receive_bluez(struct ferry_transport *transport, struct ferry_bytes *packet)
{
    struct bluez *bluez = transport->state;
    int result = bluez_receive(bluez, packet);

    transport->frames_dropped = bluez->assembler.dropped;
    if (result == FERRY_E_IO && bluez->unproven) {
        snprintf(transport->broken, sizeof transport->broken,
                 "it was paired without a passkey, as somebody between might have it");
        transport->remedy = "see who answers in its name: ferry scan";
    }
    return result;
}

/* The bus counts how long its calls may take. */
static uint64_t wake_bluez(const struct ferry_transport *transport)
{
    const struct bluez *bluez = transport->state;
    uint64_t at;

    if (sd_bus_get_timeout(bluez->bus, &at) < 0 || at == UINT64_MAX) {
        return UINT64_MAX;
    }
    return at / 1000 + 1;
}

const struct ferry_medium ferry_medium_ble = {.open = open_bluez,
                                              .close = close_bluez,
                                              .send = send_bluez,
                                              .receive = receive_bluez,
                                              .wake_at = wake_bluez};
