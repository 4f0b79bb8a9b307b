/* SPDX-License-Identifier: Apache-2.0 */
/* What a kind of wire does of its own; the rest is transport.c's. A medium is a const table, in
 * the file or folder that knows the system's side of it.
 *
 * Media of bytes (serial lines, streams) have write; transport.c reads their descriptor, frames and
 * paces. Media of packets (UDP, DTLS, Bluetooth LE) have send and receive. */
#ifndef PORT_POSIX_MEDIUM_H
#define PORT_POSIX_MEDIUM_H

#include "transport.h"

#include <sys/types.h>

struct ferry_medium {
    /* Set transport->fd, which is readable whenever receive() or a read has something to do, and
     * what else is to be known: bytes_per_second, fragment, ipv6. On an error close() follows.
     * Returns as ferry_transport_open(). */
    int (*open)(struct ferry_transport *transport, const struct ferry_transport_address *address,
                char *why, size_t cap);
    /* Before transport.c closes fd: end what open() began, and free transport->state. fd may be -1
     * and state NULL; afterwards state is NULL. NULL: nothing to do. */
    void (*close)(struct ferry_transport *transport);
    /* Bytes: as write(2), without waiting and without SIGPIPE. */
    ssize_t (*write)(const struct ferry_transport *transport, const uint8_t *data, size_t len);
    /* Packets: send one, which is copied. What cannot leave at once waits in the medium; what is
     * lost on the way is no error. Returns FERRY_OK or FERRY_E_IO. */
    int (*send)(struct ferry_transport *transport, struct ferry_bytes packet);
    /* Packets: do what is due, without waiting. Returns 1 with a packet, valid until the next call;
     * 0 when there is none; FERRY_E_IO. Called until 0, before fd is polled and when it is due. */
    int (*receive)(struct ferry_transport *transport, struct ferry_bytes *packet);
    /* Packets: when receive() has something to do though fd is silent, in ms of
     * ferry_posix_now_ms(); UINT64_MAX = never. After receive() it lies ahead. NULL: never. */
    uint64_t (*wake_at)(const struct ferry_transport *transport);
};

extern const struct ferry_medium ferry_medium_serial;
extern const struct ferry_medium ferry_medium_stream;
extern const struct ferry_medium ferry_medium_udp;
extern const struct ferry_medium ferry_medium_ble;  /* port/bluez */
extern const struct ferry_medium ferry_medium_dtls; /* port/dtls-openssl */

#endif
