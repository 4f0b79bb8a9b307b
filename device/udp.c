/* SPDX-License-Identifier: Apache-2.0 */
/* The chip's UDP port on the loopback address. */
#include "udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int bind_loopback(struct udp *udp, int port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t len = sizeof(address);

    udp->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (udp->fd < 0 || bind(udp->fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        getsockname(udp->fd, (struct sockaddr *)&address, &len) != 0) {
        return FERRY_E_IO;
    }
    udp->port = ntohs(address.sin_port);
    return FERRY_OK;
}

int udp_open(struct udp *udp, int port, char *why, size_t cap)
{
    udp->fd = -1;
    udp->rx.end = &udp->rx.first;
    udp->tx.end = &udp->tx.first;
    if (port < 0 || bind_loopback(udp, port) == FERRY_OK) {
        return FERRY_OK;
    }
    (void)snprintf(why, cap,
                   "--udp %d: cannot have this port (%s); end the program that has it, or give "
                   "another port or 0",
                   port, strerror(errno));
    udp_close(udp);
    return FERRY_E_IO;
}

static void clear(struct udp_way *way)
{
    struct udp_datagram *datagram;

    while ((datagram = udp_take(way, UINT64_MAX)) != NULL) {
        free(datagram);
    }
}

void udp_close(struct udp *udp)
{
    clear(&udp->rx);
    clear(&udp->tx);
    if (udp->fd >= 0) {
        (void)close(udp->fd);
        udp->fd = -1;
    }
}

/* ---- Ways ---------------------------------------------------------------------------------- */

static void put(struct udp_way *way, uint64_t now, uint32_t peer, const uint8_t *data, size_t len)
{
    uint64_t due = ferry_pace_send(&way->pace, now, len);

    /* A changed datagram fails its checksum: it is lost as well. */
    if (ferry_noise_judge(&way->noise) != FERRY_NOISE_KEPT || way->count == UDP_QUEUE) {
        return;
    }
    struct udp_datagram *datagram = malloc(sizeof(*datagram) + len);
    if (datagram == NULL) {
        return;
    }
    datagram->next = NULL;
    datagram->due = due;
    datagram->peer = peer;
    datagram->len = len;
    memcpy(datagram->bytes, data, len);
    *way->end = datagram;
    way->end = &datagram->next;
    way->count++;
}

uint64_t udp_next(const struct udp_way *way)
{
    return way->first != NULL ? way->first->due : UINT64_MAX;
}

struct udp_datagram *udp_take(struct udp_way *way, uint64_t now)
{
    struct udp_datagram *datagram = way->first;

    if (datagram == NULL || datagram->due > now) {
        return NULL;
    }
    way->first = datagram->next;
    if (way->first == NULL) {
        way->end = &way->first;
    }
    way->count--;
    return datagram;
}

/* ---- Peers ----------------------------------------------------------------------------------- */

static bool same(const struct sockaddr_in *a, const struct sockaddr_in *b)
{
    return a->sin_addr.s_addr == b->sin_addr.s_addr && a->sin_port == b->sin_port;
}

static uint32_t remember(struct udp *udp, const struct sockaddr_in *address)
{
    for (size_t i = 0; i < UDP_PEERS; i++) {
        if (udp->peers[i].id != 0 && same(&udp->peers[i].address, address)) {
            return udp->peers[i].id;
        }
    }
    udp->last_id++;
    struct udp_peer *peer = &udp->peers[udp->last_id % UDP_PEERS];
    peer->id = udp->last_id;
    peer->address = *address;
    return peer->id;
}

void udp_read(struct udp *udp, uint64_t now)
{
    uint8_t bytes[FERRY_VCHIP_SEND_MAX];
    struct sockaddr_in from;
    socklen_t from_len = sizeof(from);

    ssize_t len =
        recvfrom(udp->fd, bytes, sizeof(bytes), MSG_TRUNC, (struct sockaddr *)&from, &from_len);
    if (len < 0 || (size_t)len > sizeof(bytes)) {
        return;
    }
    put(&udp->rx, now, remember(udp, &from), bytes, (size_t)len);
}

void udp_send(struct udp *udp, uint64_t now, uint32_t peer, const uint8_t *data, size_t len)
{
    if (udp->fd >= 0) {
        put(&udp->tx, now, peer, data, len);
    }
}

void udp_write(struct udp *udp, uint64_t now)
{
    struct udp_datagram *datagram;

    while ((datagram = udp_take(&udp->tx, now)) != NULL) {
        const struct udp_peer *peer = &udp->peers[datagram->peer % UDP_PEERS];
        if (peer->id == datagram->peer && peer->id != 0) {
            (void)sendto(udp->fd, datagram->bytes, datagram->len, 0,
                         (const struct sockaddr *)&peer->address, sizeof(peer->address));
        }
        free(datagram);
    }
}
