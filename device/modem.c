/* SPDX-License-Identifier: Apache-2.0 */
/* The chip's modem. All times are of chip_now(), ns; DTLS counts in ms. */
#include "modem.h"

#include "psk_file.h"

#include "ferry/peers.h"
#include "ferry/server.h"
#include "port/dtls-openssl/dtls.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_NS 1000000U

_Static_assert(FERRY_VCHIP_IDENTITY >= FERRY_DTLS_IDENTITY, "none is cut short");

/* Hosts whose handshakes are counted, and how many each may begin: a cookie costs little, and what
 * follows it a key exchange. */
#define HOSTS 32

static const struct ferry_peers_limits limits = {.each = {.rate = 20, .burst = 40}};

/* One more than there can be sessions: where the next one begins. */
#define PLACES (MODEM_OPEN + MODEM_HANDSHAKES + 1)

struct place {
    struct modem *modem;
    struct ferry_dtls *session; /* NULL: it is free */
    uint32_t number;            /* 0: the chip does not know it */
    uint32_t address;           /* FERRY_VCHIP_UDP's number for it */
    uint64_t begun;             /* counts sessions */
    uint64_t heard;             /* counts datagrams */
};

struct modem {
    struct udp *udp;
    struct modem_config config;
    struct ferry_dtls_context *context;
    bool on;
    uint32_t last_number;
    uint64_t begun, heard;
    uint64_t now;
    struct ferry_peers peers; /* hosts */
    struct ferry_peers_entry entries[HOSTS];
    struct place places[PLACES];
};

__attribute__((format(printf, 2, 3))) static void say(const struct modem *modem, const char *format,
                                                      ...)
{
    char text[320];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    modem->config.say(modem->config.context, text);
}

/* ---- Places ---------------------------------------------------------------------------------- */

static bool is_open(const struct place *place)
{
    return place->session != NULL && ferry_dtls_state(place->session) == FERRY_DTLS_OPEN;
}

static struct place *place_of(struct modem *modem, uint32_t address)
{
    for (size_t i = 0; i < PLACES; i++) {
        if (modem->places[i].session != NULL && modem->places[i].address == address) {
            return &modem->places[i];
        }
    }
    return NULL;
}

/* There is one: see make_room(). */
static struct place *free_place(struct modem *modem)
{
    size_t i = 0;

    while (i + 1 < PLACES && modem->places[i].session != NULL) {
        i++;
    }
    return &modem->places[i];
}

static void forget(struct place *place)
{
    ferry_dtls_free(place->session);
    place->session = NULL;
    place->number = 0;
}

/* End a session here; the chip is told, if it knew of it. */
static void end(struct place *place)
{
    const struct ferry_vchip_peer gone = {.connected = 0};
    struct modem *modem = place->modem;

    if (place->number != 0) {
        (void)modem->config.told(modem->config.context, place->number, &gone);
    }
    forget(place);
}

static uint32_t host_of(const struct place *place)
{
    return place->address >> FERRY_VCHIP_HOST;
}

/* That are not done, of the same host. */
static size_t handshakes_like(const struct place *place)
{
    size_t count = 0;

    for (size_t i = 0; i < PLACES; i++) {
        const struct place *other = &place->modem->places[i];

        count += other->session != NULL && !is_open(other) && host_of(other) == host_of(place);
    }
    return count;
}

/* Which of two ends first: of sessions the one heard the longest ago; of handshakes one of the host
 * that has the most, so that none pushes out those of others, and of these the oldest. */
static bool ends_before(const struct place *a, const struct place *b, bool open)
{
    if (open) {
        return a->heard < b->heard;
    }

    size_t like_a = handshakes_like(a);
    size_t like_b = handshakes_like(b);

    return like_a != like_b ? like_a > like_b : a->begun < b->begun;
}

/* Of those that are open, or not, no more than there is room for. */
static void make_room(struct modem *modem, bool open, size_t most)
{
    struct place *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < PLACES; i++) {
        struct place *place = &modem->places[i];

        if (place->session == NULL || is_open(place) != open) {
            continue;
        }
        count++;
        if (first == NULL || ends_before(place, first, open)) {
            first = place;
        }
    }
    if (count > most) {
        say(modem, open ? "DTLS: the session heard the longest ago ends, for another"
                        : "DTLS: the oldest handshake of a host ends, for another");
        if (open) {
            ferry_dtls_close(first->session);
        }
        end(first);
    }
}

/* ---- Sessions -------------------------------------------------------------------------------- */

static void send_datagram(void *context, struct ferry_bytes datagram)
{
    const struct place *place = context;

    udp_send(place->modem->udp, place->modem->now, place->address, datagram.data, datagram.len);
}

/* Its handshake is done: the chip is told before it gets anything. */
static void introduce(struct place *place)
{
    struct modem *modem = place->modem;
    const char *identity = ferry_dtls_identity(place->session);
    struct ferry_vchip_peer state = {.connected = 1,
                                     .security = identity[0] != '\0' ? FERRY_PEER_AUTHENTICATED
                                                                     : FERRY_PEER_ENCRYPTED};

    (void)snprintf(state.identity, sizeof(state.identity), "%s", identity);
    place->number = ++modem->last_number;
    if (!modem->config.told(modem->config.context, place->number, &state)) {
        say(modem, "DTLS: there is no room for one more session");
        ferry_dtls_close(place->session);
        forget(place);
        return;
    }
    say(modem, "DTLS: session %u is open: %s%s%s, %s", place->number,
        identity[0] != '\0' ? "\"" : "",
        identity[0] != '\0' ? identity : "the peer has no identity",
        identity[0] != '\0' ? "\"" : "", ferry_dtls_cipher(place->session));
    make_room(modem, true, MODEM_OPEN);
}

static void bury(struct place *place)
{
    bool by_peer;
    enum ferry_dtls_cause cause = ferry_dtls_cause(place->session, &by_peer);

    if (place->number != 0) {
        say(place->modem, "DTLS: session %u ended: %s", place->number,
            ferry_dtls_cause_text(cause, by_peer));
    } else {
        say(place->modem, "DTLS: a handshake failed: %s", ferry_dtls_cause_text(cause, by_peer));
    }
    end(place);
}

/* After anything that may have changed it. */
static void look_at(struct place *place)
{
    struct ferry_bytes packet;

    if (is_open(place) && place->number == 0) {
        introduce(place);
    }
    while (place->session != NULL && ferry_dtls_read(place->session, &packet) == 1) {
        place->modem->config.received(place->modem->config.context, place->number, packet);
    }
    if (place->session != NULL && ferry_dtls_state(place->session) == FERRY_DTLS_ENDED) {
        bury(place);
    }
}

/* By host, as ports are for the taking. */
static bool admits(void *context, struct ferry_bytes peer)
{
    struct modem *modem = context;
    uint32_t host;

    memcpy(&host, peer.data, sizeof(host));
    host >>= FERRY_VCHIP_HOST;
    return ferry_peers_admit(&modem->peers,
                             (struct ferry_bytes){(const uint8_t *)&host, sizeof(host)},
                             modem->now / MS_NS);
}

/* A peer of which nothing is known, or which has begun anew. */
static void meet(struct modem *modem, uint32_t address, struct ferry_bytes datagram)
{
    struct place *place = free_place(modem);
    struct place *before = place_of(modem, address);
    const struct ferry_bytes peer = {(const uint8_t *)&address, sizeof(address)};

    place->modem = modem;
    place->address = address;
    place->number = 0;
    place->session = ferry_dtls_listen(
        modem->context, peer, datagram,
        (struct ferry_dtls_out){.send = send_datagram, .context = place}, modem->now / MS_NS);
    if (place->session == NULL) {
        return;
    }
    if (before != NULL) {
        say(modem, "DTLS: the peer of session %u has begun anew", before->number);
        end(before);
    }
    place->begun = ++modem->begun;
    place->heard = ++modem->heard;
    make_room(modem, false, MODEM_HANDSHAKES);
    look_at(place);
}

static void take(struct modem *modem, uint32_t address, struct ferry_bytes datagram)
{
    struct place *place = place_of(modem, address);

    if (place == NULL || (is_open(place) && ferry_dtls_is_hello(datagram))) {
        meet(modem, address, datagram);
        return;
    }
    place->heard = ++modem->heard;
    ferry_dtls_receive(place->session, datagram, modem->now / MS_NS);
    look_at(place);
}

void modem_receive(struct modem *modem, uint64_t now)
{
    struct udp_datagram *datagram;

    modem->now = now;
    while ((datagram = udp_take(&modem->udp->rx, now)) != NULL) {
        if (modem->on) {
            take(modem, datagram->peer, (struct ferry_bytes){datagram->bytes, datagram->len});
        }
        free(datagram);
    }
}

/* ---- Time ------------------------------------------------------------------------------------ */

void modem_tick(struct modem *modem, uint64_t now)
{
    modem->now = now;
    for (size_t i = 0; i < PLACES; i++) {
        struct place *place = &modem->places[i];

        if (place->session != NULL && !is_open(place)) {
            ferry_dtls_tick(place->session, now / MS_NS);
            look_at(place);
        }
    }
}

uint64_t modem_next(const struct modem *modem, uint64_t now)
{
    uint64_t first = FERRY_DTLS_NEVER;

    for (size_t i = 0; i < PLACES; i++) {
        const struct place *place = &modem->places[i];

        if (place->session != NULL) {
            uint64_t deadline = ferry_dtls_deadline(place->session, now / MS_NS);

            first = deadline < first ? deadline : first;
        }
    }
    return first < UINT64_MAX / MS_NS ? (first + 1) * MS_NS : UINT64_MAX;
}

/* ---- Packets --------------------------------------------------------------------------------- */

void modem_send(struct modem *modem, uint64_t now, uint32_t session, struct ferry_bytes packet)
{
    modem->now = now;
    for (size_t i = 0; i < PLACES; i++) {
        struct place *place = &modem->places[i];

        if (is_open(place) && place->number == session && session != 0 &&
            ferry_dtls_send(place->session, packet) != FERRY_OK) {
            say(modem, "DTLS: a packet of %zu bytes could not be sent", packet.len);
        }
    }
}

/* ---- On and off ------------------------------------------------------------------------------ */

void modem_listen(struct modem *modem, bool on)
{
    modem->on = on;
    for (size_t i = 0; !on && i < PLACES; i++) {
        forget(&modem->places[i]);
    }
}

/* Its peers tell it, too, but late. */
static void warn_expired(struct modem *modem)
{
    char date[FERRY_DTLS_DATE];

    if (ferry_dtls_has_expired(modem->context, date)) {
        say(modem, "DTLS: the certificate %.200s has expired on %s; renew it: its peers refuse it",
            modem->config.cert_file, date);
    }
}

static int read_keys(struct modem *modem, char *why, size_t cap)
{
    const struct modem_config *config = &modem->config;
    struct psk_file psks = {0};
    int result =
        config->psk_file != NULL ? psk_file_read(&psks, config->psk_file, why, cap) : FERRY_OK;

    if (result == FERRY_OK) {
        const struct ferry_dtls_config keys = {.server = true,
                                               .psks = psks.list,
                                               .psk_count = psks.count,
                                               .cert_file = config->cert_file,
                                               .key_file = config->key_file,
                                               .ca_file = config->ca_file,
                                               .admits = admits,
                                               .admits_context = modem};

        result = ferry_dtls_context_new(&modem->context, &keys, why, cap);
    }
    if (result == FERRY_OK) {
        warn_expired(modem);
    }
    psk_file_wipe(&psks);
    return result;
}

int modem_open(struct modem **modem, struct udp *udp, const struct modem_config *config, char *why,
               size_t cap)
{
    int result;

    *modem = calloc(1, sizeof(**modem));
    if (*modem == NULL) {
        (void)snprintf(why, cap, "out of memory; end other programs");
        return FERRY_E_IO;
    }
    (*modem)->udp = udp;
    (*modem)->config = *config;
    result = ferry_peers_init(&(*modem)->peers, &limits, (*modem)->entries, HOSTS);
    if (result == FERRY_OK) {
        result = read_keys(*modem, why, cap);
    }
    if (result != FERRY_OK) {
        modem_close(*modem);
        *modem = NULL;
    }
    return result;
}

void modem_close(struct modem *modem)
{
    if (modem != NULL) {
        modem_listen(modem, false);
        ferry_dtls_context_free(modem->context);
        free(modem);
    }
}
