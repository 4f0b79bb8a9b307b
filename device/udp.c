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

int udp_open(struct udp *udp, const char *option, int port, char *why, size_t cap)
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
                   "%s %d: cannot have this port (%s); end the program that has it, or give "
                   "another port or 0",
                   option, port, strerror(errno));
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

#define HOSTS (1U << FERRY_VCHIP_HOST)

/* The number of an address (ferry/vchip.h): nothing needs to be remembered of who it was. Returns
 * whether it has one. */
static bool number_of(const union udp_address *address, enum udp_family family, uint32_t *peer)
{
    uint32_t host = ntohl(address->v4.sin_addr.s_addr) - (INADDR_LOOPBACK - 1);

    if (family == UDP_V6) {
        *peer = ntohs(address->v6.sin6_port);
        return memcmp(&address->v6.sin6_addr, &in6addr_loopback, sizeof(in6addr_loopback)) == 0;
    }
    *peer = host << FERRY_VCHIP_HOST | ntohs(address->v4.sin_port);
    return host > 0 && host < HOSTS;
}

static enum udp_family address_of(uint32_t peer, union udp_address *address, socklen_t *len)
{
    uint32_t host = peer >> FERRY_VCHIP_HOST;
    enum udp_family family = host == 0 ? UDP_V6 : UDP_V4;

    *len = loopback(family, (uint16_t)(peer % HOSTS), address);
    if (host > 0) {
        address->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
    }
    return family;
}

void udp_read(struct udp *udp, enum udp_family family, uint64_t now)
{
    uint8_t bytes[FERRY_VCHIP_SEND_MAX];
    union udp_address from;
    socklen_t from_len = sizeof(from);
    uint32_t peer;

    memset(&from, 0, sizeof(from));
    ssize_t len = recvfrom(udp->fds[family], bytes, sizeof(bytes), MSG_TRUNC, &from.any, &from_len);
    if (len >= 0 && (size_t)len <= sizeof(bytes) && number_of(&from, family, &peer)) {
        put(&udp->rx, now, peer, bytes, (size_t)len);
    }
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
    union udp_address address;
    socklen_t len;

    while ((datagram = udp_take(&udp->tx, now)) != NULL) {
        enum udp_family family = address_of(datagram->peer, &address, &len);

        (void)sendto(udp->fds[family], datagram->bytes, datagram->len, 0, &address.any, len);
        free(datagram);
    }
}
