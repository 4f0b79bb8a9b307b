/* SPDX-License-Identifier: Apache-2.0 */
/* Byte streams over sockets, behind which a serial line stands: ser2net, an emulator's UART. */
#include "medium.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* A host that does not answer is given up after this. */
#define CONNECT_MS 5000

/* Returns 0, or -1 with errno. */
static int finish_connect(int fd)
{
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t len = sizeof error;
    int ready = poll(&wait, 1, CONNECT_MS);

    if (ready == 0) {
        errno = ETIMEDOUT;
        return -1;
    }
    if (ready < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
        return -1;
    }
    errno = error;
    return error == 0 ? 0 : -1;
}

/* Returns the connected socket, or -1 with errno. */
static int connect_to(int family, const struct sockaddr *address, socklen_t len)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    if (connect(fd, address, len) == 0 || (errno == EINPROGRESS && finish_connect(fd) == 0)) {
        return fd;
    }
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Lines are small, and each waits for an answer: nothing is held back to be sent together. */
static int connect_any(const struct addrinfo *list)
{
    const int yes = 1;

    for (; list != NULL; list = list->ai_next) {
        int fd = connect_to(list->ai_family, list->ai_addr, list->ai_addrlen);
        if (fd >= 0) {
            (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            return fd;
        }
    }
    return -1;
}

static int open_tcp(struct ferry_transport *transport,
                    const struct ferry_transport_address *address, char *why, size_t cap)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *list;
    int error = getaddrinfo(address->path, address->port, &hints, &list);

    if (error != 0) {
        snprintf(why, cap, "%s: %s", address->path, gai_strerror(error));
        return FERRY_E_NOT_FOUND;
    }
    transport->fd = connect_any(list);
    error = errno;
    freeaddrinfo(list);
    if (transport->fd < 0) {
        snprintf(why, cap, "%s port %s: %s", address->path, address->port, strerror(error));
        return error == ECONNREFUSED ? FERRY_E_NOT_FOUND : FERRY_E_IO;
    }
    return FERRY_OK;
}

static int open_unix(struct ferry_transport *transport,
                     const struct ferry_transport_address *address, char *why, size_t cap)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    /* The URI's reader saw to it that the path fits. */
    memcpy(name.sun_path, address->path, strnlen(address->path, sizeof name.sun_path - 1));
    transport->fd = connect_to(AF_UNIX, (const struct sockaddr *)&name, sizeof name);
    if (transport->fd < 0) {
        int error = errno;
        snprintf(why, cap, "%s: %s", address->path, strerror(error));
        return error == ENOENT || error == ECONNREFUSED ? FERRY_E_NOT_FOUND : FERRY_E_IO;
    }
    return FERRY_OK;
}

static int open_stream(struct ferry_transport *transport,
                       const struct ferry_transport_address *address, char *why, size_t cap)
{
    int error = address->medium == FERRY_TRANSPORT_TCP ? open_tcp(transport, address, why, cap)
                                                       : open_unix(transport, address, why, cap);

    if (error != FERRY_OK) {
        return error;
    }
    /* 8N1: ten bits a byte. */
    transport->bytes_per_second = address->baud / 10;
    if (transport->framing == FERRY_FRAMING_RAW) {
        return FERRY_OK;
    }
    /* The line feed ends whatever half line the device has seen. */
    if (send(transport->fd, "\n", 1, MSG_NOSIGNAL) != 1) {
        snprintf(why, cap, "%s closed the connection at once: %s", address->path, strerror(errno));
        return FERRY_E_IO;
    }
    return FERRY_OK;
}

/* A peer that closed a stream is an error, no signal. */
static ssize_t write_stream(const struct ferry_transport *transport, const uint8_t *data,
                            size_t len)
{
    return send(transport->fd, data, len, MSG_NOSIGNAL);
}

const struct ferry_medium ferry_medium_stream = {.open = open_stream, .write = write_stream};
