/* SPDX-License-Identifier: Apache-2.0 */
/* The chip's modem: DTLS on its UDP port, so that the program sees packets of sessions and no
 * datagram. It keeps nothing of a peer before a cookie proved its address, and of what follows no
 * more than there are places. */
#ifndef DEVICE_MODEM_H
#define DEVICE_MODEM_H

#include "udp.h"

/* Sessions at once: those that are open, and handshakes. One more ends the open session heard the
 * longest ago, or the oldest handshake of the host that has the most; none of these ends one of
 * those. A host that begins more than 20 a second is not answered. */
#define MODEM_OPEN       8
#define MODEM_HANDSHAKES 8

struct modem_config {
    const char *psk_file; /* lines IDENTITY:HEX; NULL = none */
    const char *cert_file, *key_file, *ca_file;
    /* A session has begun, with what is known of its peer, or ended. Returns false when there is no
     * room for it: it ends. */
    bool (*told)(void *context, uint32_t session, const struct ferry_vchip_peer *state);
    void (*received)(void *context, uint32_t session, struct ferry_bytes packet);
    /* What happened, in words; text without a line feed. */
    void (*say)(void *context, const char *text);
    void *context;
};

struct modem;

/* Read the keys. The files need not stay.
 *
 * udp     open; stays the caller's, who writes what is due
 * config  copied
 * why     room for cap characters: which file or value is wrong, never a key
 *
 * Returns FERRY_OK or an error. Free it with modem_close(), which ends all sessions in silence. */
FERRY_MUST_CHECK
int modem_open(struct modem **modem, struct udp *udp, const struct modem_config *config, char *why,
               size_t cap);
void modem_close(struct modem *modem); /* NULL is ignored */

/* Take sessions, or none: then all end, and nobody is told of it, here or there. */
void modem_listen(struct modem *modem, bool on);

/* Work on the datagrams that are due. */
void modem_receive(struct modem *modem, uint64_t now);

/* Send again what was lost of handshakes; end those that take too long. */
void modem_tick(struct modem *modem, uint64_t now);

/* When to call modem_tick(); UINT64_MAX = no need. */
uint64_t modem_next(const struct modem *modem, uint64_t now);

/* Send a packet; that of a session which has ended goes nowhere. */
void modem_send(struct modem *modem, uint64_t now, uint32_t session, struct ferry_bytes packet);

#endif
