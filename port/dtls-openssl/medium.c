/* SPDX-License-Identifier: Apache-2.0 */
/* DTLS over UDP as a wire: one connected socket, one session, one record a packet. The handshake
 * runs in the loop of whoever reads, so that of many devices none waits for another. */
#include "dtls.h"
#include "port/posix/medium.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* An end of the handshake that comes before whoever asks has given up. */
#define HANDSHAKE_MS  10000
#define RETRANSMIT_MS 500

/* Packets that wait for the handshake; more of them are lost, as the network loses them. */
#define WAITING_MAX 16

/* A device that was reset may have forgotten the session without a word: when something is sent,
 * and what was sent so long ago was not answered, another one is begun beside it. The first that
 * brings an answer is the one that counts. */
#define FORGOTTEN_MS 1000

/* A handshake of which nothing was heard for so long is begun anew by whatever is sent next: its
 * own tries get rarer, and the device may be there again. */
#define UNHEARD_MS 2000

#define RECORD_HANDSHAKE 22 /* its first byte */

#define ANY_NAME "*"

struct wire {
    struct ferry_dtls_context *context;
    char name[64]; /* that the certificate must be for, as far as it is told */
    struct ferry_dtls *session;
    struct ferry_dtls *next;                 /* takes its place once it is open; NULL = none */
    uint64_t begun_at;                       /* the handshake that runs */
    bool heard;                              /* … and the device has answered it */
    const struct ferry_transport *transport; /* whose socket it is, during a call */
    uint64_t asked_at;                       /* since when nothing came; 0 = nothing is awaited */
    uint8_t *waiting[WAITING_MAX];
    size_t lens[WAITING_MAX];
    size_t count;
};

static void send_datagram(void *context, struct ferry_bytes datagram)
{
    const struct wire *wire = context;

    /* Lost, where it fails: it is sent again. */
    ssize_t n = send(wire->transport->fd, datagram.data, datagram.len, 0);
    (void)n;
}

/* ---- Opening ------------------------------------------------------------------------- */

static int out_of_memory(char *why, size_t cap)
{
    snprintf(why, cap, "out of memory");
    return FERRY_E_IO;
}

/* The keys that were given, for the host of the URI unless they are for another one. */
static int make_context(struct wire *wire, const struct ferry_transport_address *address, char *why,
                        size_t cap)
{
    char host[sizeof address->path];

    if (address->dtls == NULL) {
        snprintf(why, cap, "no keys were given for DTLS");
        return FERRY_E_CONFIG;
    }
    struct ferry_dtls_config config = *address->dtls;
    snprintf(host, sizeof host, "%.*s", (int)strcspn(address->path, "%"), address->path);
    config.server = false;
    config.retransmit_ms = RETRANSMIT_MS;
    config.handshake_ms = HANDSHAKE_MS;
    if (config.name == NULL) {
        config.name = host;
    } else if (strcmp(config.name, ANY_NAME) == 0) {
        config.name = NULL;
    }
    snprintf(wire->name, sizeof wire->name, "%.63s", config.name != NULL ? config.name : "");
    int error = ferry_dtls_context_new(&wire->context, &config, why, cap);
    return error == FERRY_OK || error == FERRY_E_IO ? error : FERRY_E_CONFIG;
}

/* Begin a handshake, in place of what is there. Without memory there is none: returns NULL. */
static struct ferry_dtls *begin(struct wire *wire, struct ferry_dtls *instead_of)
{
    const struct ferry_dtls_out out = {send_datagram, wire};

    ferry_dtls_free(instead_of);
    wire->begun_at = ferry_posix_now_ms();
    wire->heard = false;
    return ferry_dtls_connect(wire->context, out, wire->begun_at);
}

static int open_dtls(struct ferry_transport *transport,
                     const struct ferry_transport_address *address, char *why, size_t cap)
{
    struct wire *wire = calloc(1, sizeof *wire);

    transport->state = wire;
    if (wire == NULL) {
        return out_of_memory(why, cap);
    }
    int error = make_context(wire, address, why, cap);
    if (error == FERRY_OK) {
        error = ferry_medium_udp.open(transport, address, why, cap);
    }
    if (error == FERRY_OK) {
        wire->transport = transport;
        wire->session = begin(wire, NULL);
        error = wire->session != NULL ? FERRY_OK : out_of_memory(why, cap);
    }
    return error;
}

static void forget_waiting(struct wire *wire)
{
    while (wire->count > 0) {
        free(wire->waiting[--wire->count]);
    }
}

static void close_dtls(struct ferry_transport *transport)
{
    struct wire *wire = transport->state;

    if (wire != NULL && wire->session != NULL) {
        wire->transport = transport;
        ferry_dtls_close(wire->session);
    }
    if (wire != NULL) {
        ferry_dtls_free(wire->session);
        ferry_dtls_free(wire->next);
        ferry_dtls_context_free(wire->context);
        forget_waiting(wire);
        free(wire);
    }
    transport->state = NULL;
}

/* ---- The end ------------------------------------------------------------------------- */

/* Tell why there is no session, or not yet. */
static void tell_cause(struct ferry_transport *transport)
{
    const struct wire *wire = transport->state;
    bool by_peer;
    (void)ferry_dtls_cause(wire->session, &by_peer);
    enum ferry_dtls_cause cause = ferry_dtls_prospect(wire->session);

    bool named = cause == FERRY_DTLS_WRONG_NAME && !by_peer;

    snprintf(transport->broken, sizeof transport->broken, "%s%s%s",
             ferry_dtls_cause_text(cause, by_peer), named ? " than " : "", named ? wire->name : "");
    transport->remedy = ferry_dtls_cause_remedy(cause, by_peer);
}

static int ended(struct ferry_transport *transport)
{
    tell_cause(transport);
    return FERRY_E_IO;
}

/* ---- Packets ------------------------------------------------------------------------- */

/* Wait for the handshake. A request that is sent again waits once. */
static void wait_for_keys(struct wire *wire, struct ferry_bytes packet)
{
    for (size_t i = 0; i < wire->count; i++) {
        if (wire->lens[i] == packet.len && memcmp(wire->waiting[i], packet.data, packet.len) == 0) {
            return;
        }
    }
    uint8_t *copy = wire->count < WAITING_MAX ? malloc(packet.len + 1) : NULL;
    if (copy != NULL) {
        memcpy(copy, packet.data, packet.len);
        wire->waiting[wire->count] = copy;
        wire->lens[wire->count++] = packet.len;
    }
}

static bool is_in(const struct ferry_dtls *session, enum ferry_dtls_state state)
{
    return session != NULL && ferry_dtls_state(session) == state;
}

/* Before something is sent: whether another handshake is due. */
static bool look_ahead(struct wire *wire, uint64_t now)
{
    bool unheard = !wire->heard && now >= wire->begun_at + UNHEARD_MS;
    bool forgotten = wire->asked_at != 0 && now >= wire->asked_at + FORGOTTEN_MS;

    if (is_in(wire->session, FERRY_DTLS_HANDSHAKE) && unheard) {
        wire->session = begin(wire, wire->session);
    } else if (is_in(wire->session, FERRY_DTLS_OPEN) &&
               (wire->next == NULL ? forgotten : unheard)) {
        wire->next = begin(wire, wire->next);
    }
    return wire->session != NULL;
}

static int send_dtls(struct ferry_transport *transport, struct ferry_bytes packet)
{
    struct wire *wire = transport->state;
    uint64_t now = ferry_posix_now_ms();

    wire->transport = transport;
    if (!look_ahead(wire, now)) {
        return FERRY_E_IO;
    }
    if (wire->next != NULL) {
        wait_for_keys(wire, packet);
    }
    switch (ferry_dtls_state(wire->session)) {
    case FERRY_DTLS_HANDSHAKE:
        tell_cause(transport);
        wait_for_keys(wire, packet);
        return FERRY_OK;
    case FERRY_DTLS_OPEN:
        wire->asked_at = wire->asked_at != 0 ? wire->asked_at : now;
        return ferry_dtls_send(wire->session, packet) == FERRY_OK ? FERRY_OK : ended(transport);
    case FERRY_DTLS_ENDED:
        break;
    }
    return ended(transport);
}

static void send_waiting(struct ferry_transport *transport)
{
    struct wire *wire = transport->state;

    transport->broken[0] = '\0';
    for (size_t i = 0; i < wire->count; i++) {
        const struct ferry_bytes packet = {wire->waiting[i], wire->lens[i]};
        if (ferry_dtls_send(wire->session, packet) != FERRY_OK) {
            break; /* the session says so */
        }
        wire->asked_at = ferry_posix_now_ms();
    }
    forget_waiting(wire);
}

static void drop_next(struct wire *wire)
{
    ferry_dtls_free(wire->next);
    wire->next = NULL;
}

/* A handshake that is done, or has failed. */
static void look_at_handshakes(struct ferry_transport *transport)
{
    struct wire *wire = transport->state;
    bool open = is_in(wire->session, FERRY_DTLS_OPEN);

    if (is_in(wire->next, FERRY_DTLS_OPEN) || (wire->next != NULL && !open)) {
        ferry_dtls_free(wire->session);
        wire->session = wire->next;
        wire->next = NULL;
        wire->asked_at = 0;
    } else if (is_in(wire->next, FERRY_DTLS_ENDED)) {
        drop_next(wire);
        forget_waiting(wire);
    }
    if (wire->next == NULL && wire->count > 0 && is_in(wire->session, FERRY_DTLS_OPEN)) {
        send_waiting(transport);
    }
}

/* Both may be meant; each drops what is the other's. */
static void take_datagram(struct wire *wire, struct ferry_bytes datagram, uint64_t now)
{
    wire->heard = wire->heard || (datagram.len > 0 && datagram.data[0] == RECORD_HANDSHAKE);
    ferry_dtls_receive(wire->session, datagram, now);
    if (wire->next != NULL) {
        ferry_dtls_receive(wire->next, datagram, now);
    }
}

static void tick(const struct wire *wire, uint64_t now)
{
    ferry_dtls_tick(wire->session, now);
    if (wire->next != NULL) {
        ferry_dtls_tick(wire->next, now);
    }
}

/* Take a datagram, or time. Returns whether there was a datagram. */
static bool work(struct ferry_transport *transport)
{
    struct wire *wire = transport->state;
    ssize_t n = recv(transport->fd, transport->packet, FERRY_TRANSPORT_PACKET_MAX, 0);
    bool refused = n < 0 && errno == ECONNREFUSED;
    uint64_t now = ferry_posix_now_ms();

    if (n >= 0) {
        take_datagram(wire, (struct ferry_bytes){transport->packet, (size_t)n}, now);
    } else {
        transport->refusals += refused;
        tick(wire, now);
    }
    return n >= 0 || refused;
}

/* An answer: the session lives, and one that was begun beside it is not needed, unless the device
 * has heard of it and may have ended this one for it. */
static void note_answer(struct wire *wire)
{
    wire->asked_at = 0;
    if (wire->next != NULL && !wire->heard) {
        drop_next(wire);
        forget_waiting(wire);
    }
}

static int receive_dtls(struct ferry_transport *transport, struct ferry_bytes *packet)
{
    struct wire *wire = transport->state;

    wire->transport = transport;
    for (bool more = true;; more = work(transport)) {
        if (ferry_dtls_read(wire->session, packet) == 1) {
            note_answer(wire);
            return 1;
        }
        look_at_handshakes(transport);
        if (is_in(wire->session, FERRY_DTLS_ENDED)) {
            return ended(transport);
        }
        if (!more) {
            return 0;
        }
    }
}

static uint64_t wake_at_dtls(const struct ferry_transport *transport)
{
    const struct wire *wire = transport->state;
    uint64_t now = ferry_posix_now_ms();
    uint64_t at = ferry_dtls_deadline(wire->session, now);
    uint64_t next = wire->next != NULL ? ferry_dtls_deadline(wire->next, now) : UINT64_MAX;

    return next < at ? next : at;
}

const struct ferry_medium ferry_medium_dtls = {
    .open = open_dtls,
    .close = close_dtls,
    .send = send_dtls,
    .receive = receive_dtls,
    .wake_at = wake_at_dtls,
};
