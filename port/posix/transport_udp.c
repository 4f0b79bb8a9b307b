/* SPDX-License-Identifier: Apache-2.0 */
/* UDP: one connected socket, one datagram a packet. */
#include "medium.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_any(const struct addrinfo *list, bool *ipv6)
{
    for (; list != NULL; list = list->ai_next) {
        int fd = socket(list->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) == 0) {
            *ipv6 = list->ai_family == AF_INET6;
            return fd;
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    return -1;
}

static int open_udp(struct ferry_transport *transport,
                    const struct ferry_transport_address *address, char *why, size_t cap)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list;

    int error = getaddrinfo(address->path, address->port, &hints, &list);
    if (error != 0) {
        snprintf(why, cap, "%s: %s", address->path, gai_strerror(error));
        return FERRY_E_NOT_FOUND;
    }
    transport->fd = connect_any(list, &transport->ipv6);
    freeaddrinfo(list);
    if (transport->fd < 0) {
        snprintf(why, cap, "%s: %s", address->path, strerror(errno));
        return FERRY_E_IO;
    }
    return FERRY_OK;
}

/* A refused datagram (nobody listens yet, after a reset) is a lost one, no broken wire. */
static int send_udp(struct ferry_transport *transport, struct ferry_bytes packet)
{
    ssize_t n = send(transport->fd, packet.data, packet.len, 0);

    transport->refusals += n < 0 && errno == ECONNREFUSED;
    return n >= 0 || errno == ECONNREFUSED || errno == EAGAIN || errno == ENOBUFS ? FERRY_OK
                                                                                  : FERRY_E_IO;
}

static int receive_udp(struct ferry_transport *transport, struct ferry_bytes *packet)
{
    ssize_t n = recv(transport->fd, transport->packet, FERRY_TRANSPORT_PACKET_MAX, 0);

    if (n < 0) {
        transport->refusals += errno == ECONNREFUSED;
        return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : FERRY_E_IO;
    }
    *packet = (struct ferry_bytes){transport->packet, (size_t)n};
    return 1;
}

const struct ferry_medium ferry_medium_udp = {
    .open = open_udp, .send = send_udp, .receive = receive_udp};
