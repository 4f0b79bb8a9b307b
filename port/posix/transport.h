/* SPDX-License-Identifier: Apache-2.0 */
/* A wire to a device, opened from a URI: a serial port, a TCP or Unix stream that leads to one
 * (ser2net, an emulator), UDP, UDP in DTLS, or Bluetooth LE. On serial ports and streams packets
 * are framed by the console's lines or bare; the others keep them apart. Packets in, packets out;
 * text that a console prints between frames goes to a sink. What each kind of wire does of its own
 * is in medium.h. */
#ifndef PORT_POSIX_TRANSPORT_H
#define PORT_POSIX_TRANSPORT_H

#include "ferry/bytes.h"
#include "ferry/console.h"
#include "ferry/error.h"
#include "ferry/pairing.h"
#include "ferry/raw.h"

/* Largest SMP packet received: a header and 64 KiB. */
#define FERRY_TRANSPORT_PACKET_MAX 65543

enum ferry_transport_medium {
    FERRY_TRANSPORT_SERIAL,
    FERRY_TRANSPORT_UDP,
    FERRY_TRANSPORT_TCP,
    FERRY_TRANSPORT_UNIX,
    FERRY_TRANSPORT_BLE,
    FERRY_TRANSPORT_DTLS
};

enum ferry_transport_framing {
    FERRY_FRAMING_CONSOLE, /* lines of base64 between text */
    FERRY_FRAMING_RAW,     /* bare packets, found by their length and by silence */
    FERRY_FRAMING_DATAGRAM /* the medium keeps packets apart */
};

/* What a link of Bluetooth LE must be. */
enum ferry_transport_security {
    FERRY_SECURITY_ANY, /* as the device asks for */
    FERRY_SECURITY_ENCRYPTED,
    FERRY_SECURITY_AUTHENTICATED /* paired by a passkey, or a comparison */
};

struct ferry_dtls_config;

/* Where to, as read from a URI. */
struct ferry_transport_address {
    enum ferry_transport_medium medium;
    enum ferry_transport_framing framing;
    char path[256];   /* serial: the device file; Unix: the socket; UDP, TCP, DTLS: the host; BLE:
                         the device's name or address */
    char port[8];     /* UDP, TCP, DTLS: a number */
    char adapter[16]; /* BLE: hci0 …; empty = the first one that can be used */
    uint32_t baud;    /* of the serial line, also of one behind a stream; 0 = not told, or none */

    char known[18]; /* not of the URI, BLE: the address that the device had when it was opened
                       before; it is found by that, too. Empty = not known */

    enum ferry_transport_security security; /* BLE */

    /* Not of the URI, BLE: who answers when the device pairs; NULL = nobody. proves: a device that
     * is paired without a question is refused, whatever security says. */
    bool proves;
    ferry_pairing_answer *pair;
    void *pair_context;

    /* DTLS, and in no URI: its keys (port/dtls-openssl/dtls.h), valid while the wire is opened. Of
     * its fields those of a client count; name NULL is the URI's host, "*" any. NULL = none. */
    const struct ferry_dtls_config *dtls;
};

/* Read a URI:
 *
 *   serial:/dev/ttyACM0?baud=115200, raw:…   or a bare path: serial
 *   udp:HOST[:PORT], dtls:HOST[:PORT]        PORT 1337 unless told; IPv6 hosts in brackets
 *   ble:NAME, ble:AA:BB:CC:DD:EE:FF          with ?adapter=hci1 for one of several radios, and
 *                                            ?security=any|encrypted|authenticated; joined by &
 *   tcp:HOST:PORT, unix:PATH                 with ?framing=raw for bare packets, and ?baud=N where
 *                                            a serial line of that speed is behind; joined by &
 *
 * why  room for cap characters; on an error it says what is wrong with the URI
 *
 * Returns FERRY_OK or FERRY_E_FORMAT. */
FERRY_MUST_CHECK
int ferry_transport_parse(const char *uri, struct ferry_transport_address *address, char *why,
                          size_t cap);

struct ferry_medium;

/* An open wire. Only the fields of the first part may be read. */
struct ferry_transport {
    enum ferry_transport_medium medium;
    enum ferry_transport_framing framing;
    int fd;                    /* to poll for reading */
    uint32_t bytes_per_second; /* what the line carries at most; 0 = not limited */
    uint32_t fragment;         /* BLE: bytes of a packet that one value carries; 0 elsewhere */
    char address[18];          /* BLE: the device's */
    bool ipv6;                 /* of a UDP or DTLS wire: which IP carries it */
    size_t frames_dropped;     /* received frames that were damaged */
    size_t refusals;           /* UDP: how often the host said that nobody listens there */
    char broken[120];          /* after FERRY_E_IO: why, in words; also why it is not ready yet; ""
                                  = not known */
    const char *remedy;        /* and what to do next; NULL = not known */
    void (*text)(void *context, struct ferry_bytes text); /* text sink; may be NULL */
    void *text_context;

    const struct ferry_medium *kind;
    void *state;  /* the medium's own */
    uint8_t *out; /* bytes for a line or stream that are not written yet */
    size_t out_len, out_cap;
    bool paced;       /* lines are written no faster than the serial line carries them */
    uint64_t line_ns; /* until when it carries the last one */
    uint8_t in[4096]; /* bytes read and not fed yet */
    size_t in_pos, in_len;
    uint8_t *packet; /* the received one: room for FERRY_TRANSPORT_PACKET_MAX bytes */
    struct ferry_console_decoder decoder; /* of a framed line */
    struct ferry_raw_decoder raw;         /* of a raw one */
};

/* Open a wire. Serial ports are taken for this process alone and set to raw 8N1; what they had
 * received before is dropped.
 *
 * why  as above: what failed, and who holds the port when that can be found out
 *
 * Returns FERRY_OK; FERRY_E_BUSY when another program has the port; FERRY_E_NOT_FOUND when there
 * is no such port or host; FERRY_E_FORMAT for a baud rate that the system does not know;
 * FERRY_E_CONFIG for what another try does not mend: a kind of wire that this program was built
 * without, keys that cannot be used, a passkey that is wrong; FERRY_E_IO for the rest. */
FERRY_MUST_CHECK
int ferry_transport_open(struct ferry_transport *transport,
                         const struct ferry_transport_address *address, char *why, size_t cap);

/* Close it; harmless on a closed one. */
void ferry_transport_close(struct ferry_transport *transport);

/* Send one SMP packet; it is copied. Returns FERRY_OK or FERRY_E_IO (the device is gone). */
FERRY_MUST_CHECK
int ferry_transport_send(struct ferry_transport *transport, struct ferry_bytes packet);

/* Wait until a packet is there, at most timeout_ms; what is left to send goes out meanwhile.
 *
 * packet  valid until the next call with this transport
 *
 * Returns 1 with a packet, 0 when the time is up, FERRY_E_IO when the device is gone. */
FERRY_MUST_CHECK
int ferry_transport_receive(struct ferry_transport *transport, uint32_t timeout_ms,
                            struct ferry_bytes *packet);

/* Bytes accepted by send that are not written yet. */
size_t ferry_transport_unsent(const struct ferry_transport *transport);

/* Write the lines of frames no faster than the serial line carries them, from now on, or at once
 * again; for devices whose driver has room for few lines (C34). */
void ferry_transport_pace(struct ferry_transport *transport, bool paced);

/* What to poll fd for: POLLIN, and POLLOUT when there is something that may be written now. */
short ferry_transport_events(const struct ferry_transport *transport);

/* When ferry_transport_receive() has something to do though fd is silent, in ms of the clock below;
 * UINT64_MAX = never. */
uint64_t ferry_transport_wake_at(const struct ferry_transport *transport);

/* Milliseconds of a clock that only goes forward. */
uint64_t ferry_posix_now_ms(void);

/* The other programs that have a port open: "PID 123 (minicom), PID 124 (ModemManager)", or "". Of
 * other users' programs only root sees that. */
void ferry_serial_holders(const char *path, char *out, size_t cap);

#endif
