/* SPDX-License-Identifier: Apache-2.0 */
/* Does the name lead to an address, and is there a way to it? */
#include "doctor.h"
#include "cli/device/remedy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void text_of(const struct sockaddr *address, char out[INET6_ADDRSTRLEN])
{
    const void *bytes = address->sa_family == AF_INET6
                            ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                            : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
    if (inet_ntop(address->sa_family, bytes, out, INET6_ADDRSTRLEN) == NULL) {
        out[0] = '\0';
    }
}

static int resolve(const struct doctor *doctor, struct addrinfo **list)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_ADDRCONFIG};
    return getaddrinfo(doctor->address.path, doctor->address.port, &hints, list);
}

void doctor_name(struct doctor *doctor, struct doctor_finding *finding)
{
    struct addrinfo *list;
    char text[200] = "";
    int error = resolve(doctor, &list);

    if (error != 0) {
        doctor_fail(finding, CLI_OPEN, gai_strerror(error),
                    "check the spelling, or give the address; a name ending in .local needs mDNS "
                    "(avahi) on this machine",
                    "the name %s leads to no address", doctor->address.path);
        return;
    }
    for (const struct addrinfo *entry = list; entry != NULL; entry = entry->ai_next) {
        char one[INET6_ADDRSTRLEN];
        size_t len = strlen(text);
        text_of(entry->ai_addr, one);
        snprintf(text + len, sizeof text - len, "%s%s", len > 0 ? ", " : "", one);
    }
    freeaddrinfo(list);
    doctor_ok(finding, "%s is %s", doctor->address.path, text);
    doctor->has |= DOCTOR_HAS_PORT;
}

static int path_mtu(int fd, int family)
{
    int mtu = 0;
    socklen_t size = sizeof mtu;
    int got = family == AF_INET6 ? getsockopt(fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &size)
                                 : getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &size);
    return got == 0 ? mtu : 0;
}

/* The first address that a way leads to, as the transport takes it. */
static int connect_first(const struct addrinfo *list, const struct addrinfo **found)
{
    for (; list != NULL; list = list->ai_next) {
        int fd = socket(list->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd >= 0 && connect(fd, list->ai_addr, list->ai_addrlen) == 0) {
            *found = list;
            return fd;
        }
        if (fd >= 0) {
            int error = errno;
            close(fd);
            errno = error;
        }
    }
    return -1;
}

void doctor_route(struct doctor *doctor, struct doctor_finding *finding)
{
    struct addrinfo *list;
    const struct addrinfo *found;
    char address[INET6_ADDRSTRLEN];

    if (resolve(doctor, &list) != 0) {
        doctor_fail(finding, CLI_OPEN, "it did a moment ago", "try again",
                    "the name leads to no address any more");
        return;
    }
    int fd = connect_first(list, &found);
    if (fd < 0) {
        doctor_fail(finding, CLI_OPEN, strerror(errno),
                    "check this machine's network, and that the device is in a network it knows",
                    "no way leads to %s", doctor->address.path);
    } else {
        text_of(found->ai_addr, address);
        doctor_ok(finding, "%s by IPv%d, port %s; packets of up to %d bytes (MTU)", address,
                  found->ai_family == AF_INET6 ? 6 : 4, doctor->address.port,
                  path_mtu(fd, found->ai_family));
        close(fd);
        doctor->has |= DOCTOR_HAS_WIRE;
    }
    freeaddrinfo(list);
}

/* ---- Streams
 * ------------------------------------------------------------------------------------- */

void doctor_connect(struct doctor *doctor, struct doctor_finding *finding)
{
    char why[320];
    int error = doctor_dial(doctor, why, sizeof why);

    if (error != FERRY_OK && doctor->wire == DOCTOR_RADIO) {
        const char *next = remedy_cut(why);

        doctor_fail(finding, CLI_OPEN, "", next, "cannot connect: %s", why);
        return;
    }
    if (error != FERRY_OK) {
        doctor_fail(finding, CLI_OPEN, "nobody listens there, or it is not reached",
                    "check host and port, and that ser2net or the emulator runs",
                    "cannot connect: %s", why);
        return;
    }
    doctor_hang_up(doctor);
    doctor_ok(finding, "connected");
    doctor->has |= DOCTOR_HAS_WIRE;
}
