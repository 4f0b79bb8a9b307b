/* SPDX-License-Identifier: Apache-2.0 */
/* The chip's UDP port on the loopback addresses. */
#include "udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Free ports tried until IPv6 has the one of IPv4 as well. */
#define PORT_TRIES 16

static socklen_t loopback(enum udp_family family, uint16_t port, union udp_address *address)
{
    memset(address, 0, sizeof(*address));
    if (family == UDP_V4) {
        address->v4.sin_family = AF_INET;
        address->v4.sin_port = htons(port);
        address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return sizeof(address->v4);
    }
    address->v6.sin6_family = AF_INET6;
    address->v6.sin6_port = htons(port);
    address->v6.sin6_addr = in6addr_loopback;
    return sizeof(address->v6);
}

static int bind_one(struct udp *udp, enum udp_family family, uint16_t port)
{
    union udp_address address;
    socklen_t len = loopback(family, port, &address);
    const int yes = 1;

    udp->fds[family] = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (udp->fds[family] < 0) {
        return FERRY_E_IO;
    }
    if (family == UDP_V6) {
        (void)setsockopt(udp->fds[family], IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
    }
    if (bind(udp->fds[family], &address.any, len) != 0 ||
        getsockname(udp->fds[family], &address.any, &len) != 0) {
        return FERRY_E_IO;
    }
    udp->port = ntohs(family == UDP_V4 ? address.v4.sin_port : address.v6.sin6_port);
    return FERRY_OK;
}

static void close_sockets(struct udp *udp)
{
    for (size_t i = 0; i < UDP_FAMILIES; i++) {
        if (udp->fds[i] >= 0) {
            (void)close(udp->fds[i]);
            udp->fds[i] = -1;
        }
    }
}

/* Bind both families to one port. errno says why not. */
static int bind_both(struct udp *udp, uint16_t port)
{
    if (bind_one(udp, UDP_V4, port) != FERRY_OK) {
        return FERRY_E_IO;
    }
    if (bind_one(udp, UDP_V6, udp->port) == FERRY_OK) {
        return FERRY_OK;
    }
    if (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL) {
        return FERRY_E_IO;
    }
    if (udp->fds[UDP_V6] >= 0) {
        (void)close(udp->fds[UDP_V6]);
        udp->fds[UDP_V6] = -1;
    }
    return FERRY_OK;
}

int udp_open(struct udp *udp, int port, char *why, size_t cap)
{
    int tries = port == 0 ? PORT_TRIES : 1;

    udp->fds[UDP_V4] = -1;
    udp->fds[UDP_V6] = -1;
    udp->rx.end = &udp->rx.first;
    udp->tx.end = &udp->tx.first;
    if (port < 0) {
        return FERRY_OK;
    }
    while (tries-- > 0) {
        if (bind_both(udp, (uint16_t)port) == FERRY_OK) {
            return FERRY_OK;
        }
        int error = errno;
        close_sockets(udp);
        errno = error;
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
    close_sockets(udp);
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

static bool same(const union udp_address *a, const union udp_address *b, enum udp_family family)
{
    if (family == UDP_V4) {
        return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr && a->v4.sin_port == b->v4.sin_port;
    }
    return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0 &&
           a->v6.sin6_port == b->v6.sin6_port && a->v6.sin6_scope_id == b->v6.sin6_scope_id;
}

static uint32_t remember(struct udp *udp, enum udp_family family, const union udp_address *address)
{
    for (size_t i = 0; i < UDP_PEERS; i++) {
        if (udp->peers[i].id != 0 && udp->peers[i].family == family &&
            same(&udp->peers[i].address, address, family)) {
            return udp->peers[i].id;
        }
    }
    udp->last_id++;
    struct udp_peer *peer = &udp->peers[udp->last_id % UDP_PEERS];
    peer->id = udp->last_id;
    peer->family = family;
    peer->address = *address;
    return peer->id;
}

void udp_read(struct udp *udp, enum udp_family family, uint64_t now)
{
    uint8_t bytes[FERRY_VCHIP_SEND_MAX];
    union udp_address from;
    socklen_t from_len = sizeof(from);

    memset(&from, 0, sizeof(from));
    ssize_t len = recvfrom(udp->fds[family], bytes, sizeof(bytes), MSG_TRUNC, &from.any, &from_len);
    if (len < 0 || (size_t)len > sizeof(bytes)) {
        return;
    }
    put(&udp->rx, now, remember(udp, family, &from), bytes, (size_t)len);
}

void udp_send(struct udp *udp, uint64_t now, uint32_t peer, const uint8_t *data, size_t len)
{
    if (udp->fds[UDP_V4] >= 0) {
        put(&udp->tx, now, peer, data, len);
    }
}

void udp_write(struct udp *udp, uint64_t now)
{
    struct udp_datagram *datagram;

    while ((datagram = udp_take(&udp->tx, now)) != NULL) {
        const struct udp_peer *peer = &udp->peers[datagram->peer % UDP_PEERS];
        if (peer->id == datagram->peer && peer->id != 0) {
            (void)sendto(
                udp->fds[peer->family], datagram->bytes, datagram->len, 0, &peer->address.any,
                peer->family == UDP_V4 ? sizeof(peer->address.v4) : sizeof(peer->address.v6));
        }
        free(datagram);
    }
}
