/* SPDX-License-Identifier: Apache-2.0 */
/* UDP: one connected socket, one datagram a packet. */
#include "transport.h"

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

int ferry_udp_open(struct ferry_transport *transport, const struct ferry_transport_address *address,
                   char *why, size_t cap)
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
