/* SPDX-License-Identifier: Apache-2.0 */
/* The chip's UDP port on the loopback addresses, IPv4 and IPv6: paced and lossy. */
#ifndef DEVICE_UDP_H
#define DEVICE_UDP_H

#include "port/posix/pace.h"

#include "ferry/error.h"
#include "ferry/vchip.h"

#include <netinet/in.h>

/* Datagrams on their way in one direction; more are lost. */
#define UDP_QUEUE 64

struct udp_datagram {
    struct udp_datagram *next;
    uint64_t due;
    uint32_t peer;
    size_t len;
    uint8_t bytes[];
};

/* One direction. */
struct udp_way {
    struct ferry_pace pace;
    struct ferry_noise noise;
    struct udp_datagram *first;
    struct udp_datagram **end;
    uint32_t count;
};

enum udp_family { UDP_V4, UDP_V6, UDP_FAMILIES };

union udp_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct udp {
    int fds[UDP_FAMILIES]; /* -1 when there is no port; that of IPv6, when the machine has none */
    uint16_t port;
    struct udp_way rx; /* towards the chip */
    struct udp_way tx;
};

/* option is what asks for it. Bind 127.0.0.1:port and [::1]:port; port 0 takes one that is free on
 * both, below 0 opens nothing. Without IPv6 on this machine it is IPv4 alone. The ways' pace and
 * noise are the caller's to set up. Returns FERRY_OK or FERRY_E_IO. */
FERRY_MUST_CHECK
int udp_open(struct udp *udp, const char *option, int port, char *why, size_t cap);
void udp_close(struct udp *udp);

/* Take a datagram that came into the rx way. One from elsewhere than 127.0.0.0/16 and ::1 is lost.
 */
void udp_read(struct udp *udp, enum udp_family family, uint64_t now);

/* Put a datagram to a peer (ferry/vchip.h) on its way. */
void udp_send(struct udp *udp, uint64_t now, uint32_t peer, const uint8_t *data, size_t len);

/* Send what is due. */
void udp_write(struct udp *udp, uint64_t now);

/* When the first datagram of a way is due; UINT64_MAX when there is none. */
uint64_t udp_next(const struct udp_way *way);

/* Take a datagram that is due, the caller's to free; NULL when there is none. */
struct udp_datagram *udp_take(struct udp_way *way, uint64_t now);

#endif
