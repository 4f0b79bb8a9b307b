/* SPDX-License-Identifier: Apache-2.0 */
/* A wire and the client's window on it: send what is due, wait, take what came. */
#include "ferry/connection.h"
#include "port/dtls-openssl/dtls.h"
#include "port/posix/serial_find.h"
#include "port/posix/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define REQUESTS (FERRY_CONNECTION_WINDOW + 1)

/* On a raw line, how much longer than the device this side is silent. */
#define RAW_MARGIN_MS 300

/* What a question may take, when nothing limits it: the client gives up long before. */
#define ASK_MS 3600000

/* The wait is looked at again so often, for whoever waits for ever. */
#define NAP_MS 1000

/* A port that nobody listens on is given up after so many refused tries: the first may have met a
 * device that starts. So often it is looked whether it was refused. */
#define REFUSED_TRIES 2
#define REFUSED_MS    50

/* So many packets that answer nothing are taken in one go: who sends more does not hold up others.
 */
#define SURPLUS_MAX 64

/* In a packet. */
#define SEQ_AT 6

/* Whether the device takes packets of many lines at once. */
struct connection_burst {
    bool proven;
    bool at_once[256]; /* by seq: the last packet of many lines was sent so */
    uint64_t since;    /* when the first one was sent; 0 = none yet */
    uint32_t paced, next_try;
};

struct ferry_connection {
    struct ferry_connection_config config;
    struct ferry_transport_address address;
    struct ferry_transport wire;
    struct ferry_serial_id port; /* what was opened first, where it is USB's */
    struct ferry_client client;
    struct ferry_client_request requests[REQUESTS];
    uint8_t *buffers;
    struct ferry_connection_facts facts;
    struct connection_burst burst;
    uint64_t deadline; /* of the client */
};

uint64_t ferry_connection_now(void)
{
    return ferry_posix_now_ms();
}

/* ---- Opening --------------------------------------------------------------------------------- */

static void take_text(void *context, struct ferry_bytes text)
{
    struct ferry_connection *connection = context;

    connection->facts.text_bytes += text.len;
    if (connection->config.text != NULL) {
        connection->config.text(connection->config.context, text);
    }
}

static enum ferry_client_link link_of(const struct ferry_connection *connection)
{
    switch (connection->address.framing) {
    case FERRY_FRAMING_CONSOLE:
        return FERRY_LINK_CONSOLE;
    case FERRY_FRAMING_RAW:
        return FERRY_LINK_RAW;
    case FERRY_FRAMING_DATAGRAM:
        break;
    }
    if (connection->address.medium == FERRY_TRANSPORT_BLE) {
        return FERRY_LINK_BLE;
    }
    if (connection->address.medium == FERRY_TRANSPORT_DTLS) {
        return connection->wire.ipv6 ? FERRY_LINK_DTLS6 : FERRY_LINK_DTLS4;
    }
    return connection->wire.ipv6 ? FERRY_LINK_UDP6 : FERRY_LINK_UDP4;
}

static const char *root_of(const struct ferry_connection *connection)
{
    return connection->config.root != NULL ? connection->config.root : "";
}

/* A USB device may come back under another name, and another one have its old one. Returns whether
 * the address may be opened. */
static bool follow(const struct ferry_connection *connection,
                   struct ferry_transport_address *address)
{
    struct ferry_serial_id now;
    bool known = connection->port.vendor[0] != '\0';
    bool there = known && ferry_serial_identify(root_of(connection), address->path, &now);

    return !known || (there && ferry_serial_is_same(&connection->port, &now)) ||
           ferry_serial_find(root_of(connection), &connection->port, address->path,
                             sizeof address->path) ||
           !there;
}

/* Every error has words, its own or the library's. Returns error. */
static int with_words(int error, char *why, size_t cap)
{
    if (error != FERRY_OK && cap > 0 && why[0] == '\0') {
        snprintf(why, cap, "%s", ferry_error_text(error));
    }
    return error;
}

/* A link of fragments has no rate that is known: so many a second are few. It is what waits are
 * reckoned with, so that a large packet over a small ATT_MTU is not sent again on its way. */
#define FRAGMENTS_PER_SECOND 20

/* The link that came back may carry smaller fragments than the one that hello knew. */
static void fit_fragments(struct ferry_connection *connection)
{
    struct ferry_client *client = &connection->client;
    uint32_t fragment = connection->wire.fragment;

    connection->facts.fragment = fragment;
    if (fragment == 0) {
        return;
    }
    ferry_client_set_fragment(client, fragment);
    client->config.bytes_per_second = fragment * FRAGMENTS_PER_SECOND;
    if (!connection->facts.reassembles && client->packet_max > fragment) {
        ferry_client_set_packet_max(client, fragment);
    }
}

static struct ferry_dtls_config keys_of(const struct ferry_connection_dtls *keys,
                                        struct ferry_dtls_psk *psk)
{
    *psk = (struct ferry_dtls_psk){keys->psk_identity, keys->psk};
    return (struct ferry_dtls_config){.psks = psk,
                                      .psk_count = keys->psk_identity != NULL,
                                      .cert_file = keys->cert_file,
                                      .key_file = keys->key_file,
                                      .ca_file = keys->ca_file,
                                      .name = keys->name};
}

static int open_wire(struct ferry_connection *connection, char *why, size_t cap)
{
    struct ferry_transport_address address = connection->address;
    struct ferry_dtls_psk psk;
    struct ferry_dtls_config dtls;

    if (connection->config.dtls != NULL) {
        dtls = keys_of(connection->config.dtls, &psk);
        address.dtls = &dtls;
    }
    if (!follow(connection, &address)) {
        snprintf(why, cap, "%s is another device's now", address.path);
        return FERRY_E_NOT_FOUND;
    }
    connection->facts.frames_dropped += connection->wire.frames_dropped;
    connection->facts.refusals += connection->wire.refusals;
    connection->burst = (struct connection_burst){0}; /* it may be another firmware */
    int error = ferry_transport_open(&connection->wire, &address, why, cap);

    if (error == FERRY_OK && connection->port.vendor[0] == '\0' &&
        address.medium == FERRY_TRANSPORT_SERIAL) {
        (void)ferry_serial_identify(root_of(connection), address.path, &connection->port);
    }

    connection->wire.text = take_text;
    connection->wire.text_context = connection;
    connection->facts.link = link_of(connection);
    connection->facts.bytes_per_second = connection->wire.bytes_per_second;
    if (error == FERRY_OK) {
        memcpy(connection->address.known, connection->wire.address, sizeof address.known);
    }
    fit_fragments(connection);
    return error;
}

/* A raw line finds its packets again by silence alone: wait longer than the device does. */
static uint32_t least_timeout(const struct ferry_connection *connection)
{
    bool raw = connection->address.framing == FERRY_FRAMING_RAW;

    return raw && connection->config.timeout_ms == 0 ? FERRY_RAW_TIMEOUT_MS + RAW_MARGIN_MS : 0;
}

static int set_up_client(struct ferry_connection *connection)
{
    struct ferry_client_config config = {
        .requests = connection->requests,
        .request_count = REQUESTS,
        .buffers = connection->buffers,
        .buffer_size = connection->config.packet_max,
        .timeout_ms = connection->config.timeout_ms,
        .retries = connection->config.retries,
        .timeout_min_ms = least_timeout(connection),
        .bytes_per_second = connection->wire.bytes_per_second,
    };

    if (getrandom(&config.first_seq, 1, 0) != 1) {
        config.first_seq = (uint8_t)ferry_posix_now_ms();
    }
    int error = ferry_client_init(&connection->client, &config);

    fit_fragments(connection);
    return error;
}

static int out_of_memory(char *why, size_t cap)
{
    snprintf(why, cap, "out of memory");
    return FERRY_E_IO;
}

static int check_packet_max(uint32_t packet_max, char *why, size_t cap)
{
    if (packet_max >= FERRY_CONNECTION_PACKET_LEAST && packet_max <= UINT16_MAX) {
        return FERRY_OK;
    }
    snprintf(why, cap, "packets of at most %u bytes: %u to %u are possible", (unsigned)packet_max,
             (unsigned)FERRY_CONNECTION_PACKET_LEAST, (unsigned)UINT16_MAX);
    return FERRY_E_CONFIG;
}

static int set_up(struct ferry_connection *connection, const struct ferry_connection_config *config,
                  char *why, size_t cap)
{
    int error = ferry_transport_parse(config->uri, &connection->address, why, cap);

    connection->config = *config;
    connection->config.uri = NULL;
    connection->address.pair = config->pair;
    connection->address.proves = config->pair_proves;
    connection->address.pair_context = config->context;
    if (config->packet_max == 0) {
        connection->config.packet_max = FERRY_CONNECTION_PACKET_MAX;
    }
    connection->facts.window = 1;
    connection->wire.fd = -1;
    if (error == FERRY_OK) {
        error = check_packet_max(connection->config.packet_max, why, cap);
    }
    if (error == FERRY_OK) {
        error = open_wire(connection, why, cap);
    }
    if (error != FERRY_OK) {
        return error;
    }
    connection->buffers = malloc((size_t)REQUESTS * connection->config.packet_max);
    return connection->buffers != NULL ? set_up_client(connection) : out_of_memory(why, cap);
}

int ferry_connection_open(struct ferry_connection **connection,
                          const struct ferry_connection_config *config, char *why, size_t cap)
{
    struct ferry_connection *made = calloc(1, sizeof *made);

    if (cap > 0) {
        why[0] = '\0';
    }
    int error = made != NULL ? set_up(made, config, why, cap) : out_of_memory(why, cap);

    *connection = error == FERRY_OK ? made : NULL;
    if (error != FERRY_OK) {
        ferry_connection_close(made);
    }
    return with_words(error, why, cap);
}

void ferry_connection_close(struct ferry_connection *connection)
{
    if (connection != NULL) {
        ferry_transport_close(&connection->wire);
        free(connection->buffers);
        free(connection);
    }
}

void ferry_connection_let_go(struct ferry_connection *connection)
{
    ferry_transport_close(&connection->wire);
}

int ferry_connection_resume(struct ferry_connection *connection, char *why, size_t cap)
{
    if (cap > 0) {
        why[0] = '\0';
    }
    ferry_transport_close(&connection->wire);
    int error = open_wire(connection, why, cap);
    if (error == FERRY_OK && connection->facts.link == FERRY_LINK_BLE) {
        ferry_client_relinked(&connection->client); /* nothing of the old link comes any more */
    }
    return with_words(error, why, cap);
}

int ferry_connection_reopen(struct ferry_connection *connection, char *why, size_t cap)
{
    ferry_client_cancel_all(&connection->client);
    return ferry_connection_resume(connection, why, cap);
}

/* Whether the host said often enough since then that nobody listens on this port. */
static bool is_refused(const struct ferry_connection *connection, size_t before)
{
    return connection->wire.refusals - before >= REFUSED_TRIES;
}

int ferry_connection_hello(struct ferry_connection *connection)
{
    struct ferry_hello hello;
    struct ferry_client_answer answer;
    size_t refusals = connection->wire.refusals;

    ferry_hello_start(&hello, &connection->client, connection->facts.link);
    int error;
    while ((error = ferry_hello_run(&hello)) == FERRY_E_BUSY) {
        int got = ferry_connection_step(connection, ferry_posix_now_ms() + REFUSED_MS, &answer);
        if (got < 0) {
            return got;
        }
        if (is_refused(connection, refusals)) {
            ferry_client_cancel_all(&connection->client);
            return FERRY_E_TIMEOUT;
        }
        if (got == 1) {
            (void)ferry_hello_answer(&hello, &answer);
        }
    }
    connection->facts.packet_max = (uint32_t)hello.packet_max;
    connection->facts.reassembles = hello.reassembles;
    connection->facts.has_params = hello.has_params;
    connection->facts.params = hello.params;
    connection->facts.window = ferry_max32(1, ferry_min32(hello.window, FERRY_CONNECTION_WINDOW));
    return error;
}

/* ---- Asking ---------------------------------------------------------------------------------- */

struct ferry_client *ferry_connection_client(struct ferry_connection *connection)
{
    return &connection->client;
}

static void tell_packet(const struct ferry_connection *connection, enum ferry_connection_way way,
                        struct ferry_bytes packet)
{
    if (connection->config.packet != NULL) {
        connection->config.packet(connection->config.context, way, packet);
    }
}

/* Some devices' drivers have room for two lines, and lose the third of a packet that comes faster
 * than a serial line carries it, as over USB (C34). So when packets of more lines stay unanswered,
 * they are sent at the line's pace, until one is answered that was not: a late answer, or that to
 * one of the few that are tried in between. */
#define BURST_LINES   2
#define BURST_WAIT_MS 400
#define FIRST_TRY     8 /* packets at the line's pace, then four times as many */

static void look_at_burst(struct ferry_connection *connection, struct ferry_bytes packet)
{
    struct connection_burst *burst = &connection->burst;
    uint64_t now = ferry_posix_now_ms();
    uint8_t seq = packet.data[SEQ_AT];

    burst->at_once[seq] = false;
    if (connection->wire.framing != FERRY_FRAMING_CONSOLE || burst->proven ||
        ferry_console_wire_size(packet.len) <= BURST_LINES * FERRY_CONSOLE_LINE_MAX) {
        return;
    }
    if (burst->since == 0) {
        burst->since = now;
        burst->next_try = FIRST_TRY;
    }
    bool again = burst->paced >= burst->next_try && ferry_transport_unsent(&connection->wire) == 0;
    if (again) {
        burst->paced = 0;
        burst->next_try *= 4;
    }
    ferry_transport_pace(&connection->wire, now - burst->since >= BURST_WAIT_MS && !again);
    burst->paced += connection->wire.paced;
    burst->at_once[seq] = !connection->wire.paced;
}

static void prove_burst(struct ferry_connection *connection, uint8_t seq)
{
    if (connection->burst.at_once[seq]) {
        connection->burst.proven = true;
        ferry_transport_pace(&connection->wire, false);
    }
}

static int send_due(struct ferry_connection *connection)
{
    struct ferry_bytes packet;

    while (ferry_client_poll(&connection->client, ferry_posix_now_ms(), &packet,
                             &connection->deadline)) {
        tell_packet(connection, FERRY_CONNECTION_SENT, packet);
        look_at_burst(connection, packet);
        int error = ferry_transport_send(&connection->wire, packet);
        if (error != FERRY_OK) {
            return error;
        }
    }
    return FERRY_OK;
}

/* Wait for one packet at most wait ms. Returns 1 with an answer, 0 without, FERRY_E_IO; *passed
 * tells whether there was a packet at all. */
static int take_packet(struct ferry_connection *connection, uint32_t wait,
                       struct ferry_client_answer *answer, bool *passed)
{
    struct ferry_bytes packet;
    int got = ferry_transport_receive(&connection->wire, wait, &packet);

    *passed = got == 1;
    if (got != 1) {
        return got;
    }
    connection->facts.packets_received++;
    tell_packet(connection, FERRY_CONNECTION_RECEIVED, packet);
    if (ferry_client_receive(&connection->client, packet, ferry_posix_now_ms(), answer) !=
        FERRY_OK) {
        return 0;
    }
    prove_burst(connection, answer->header.seq);
    return 1;
}

int ferry_connection_step(struct ferry_connection *connection, uint64_t end,
                          struct ferry_client_answer *answer)
{
    for (uint32_t surplus = 0;;) {
        bool passed;
        int error = send_due(connection);
        if (error != FERRY_OK) {
            return error;
        }
        uint64_t now = ferry_posix_now_ms();
        if (ferry_client_expire(&connection->client, now, answer)) {
            return 1;
        }
        uint64_t until = connection->deadline < end ? connection->deadline : end;
        uint64_t wait = until > now ? until - now : 0;
        int got =
            take_packet(connection, (uint32_t)(wait < NAP_MS ? wait : NAP_MS), answer, &passed);
        if (got != 0) {
            return got;
        }
        surplus += passed;
        if (ferry_posix_now_ms() >= end && (!passed || surplus >= SURPLUS_MAX)) {
            /* More may be there: a loop of events comes back at once. */
            connection->deadline = passed ? 0 : connection->deadline;
            return 0;
        }
    }
}

int ferry_connection_ask(struct ferry_connection *connection, int32_t ticket,
                         struct ferry_client_answer *answer)
{
    if (ticket < 0) {
        return ticket;
    }
    while (ferry_client_has(&connection->client, ticket)) {
        int got = ferry_connection_step(connection, ferry_posix_now_ms() + ASK_MS, answer);
        if (got < 0) {
            return got;
        }
        if (got == 1 && answer->ticket == ticket) {
            return answer->error;
        }
    }
    *answer = (struct ferry_client_answer){.error = FERRY_E_NOT_FOUND, .ticket = ticket};
    return FERRY_E_NOT_FOUND;
}

bool ferry_connection_flush_text(struct ferry_connection *connection)
{
    struct ferry_console_event event;

    if (connection->facts.link != FERRY_LINK_CONSOLE || connection->wire.fd < 0 ||
        !ferry_console_flush(&connection->wire.decoder, &event)) {
        return false;
    }
    take_text(connection, event.bytes);
    return true;
}

/* ---- In an event loop ------------------------------------------------------------------------ */

int ferry_connection_fd(const struct ferry_connection *connection)
{
    return connection->wire.fd;
}

short ferry_connection_events(const struct ferry_connection *connection)
{
    return ferry_transport_events(&connection->wire);
}

uint64_t ferry_connection_deadline(const struct ferry_connection *connection)
{
    uint64_t wake_at = ferry_transport_wake_at(&connection->wire);

    return wake_at < connection->deadline ? wake_at : connection->deadline;
}

int ferry_connection_work(struct ferry_connection *connection, struct ferry_client_answer *answer)
{
    return ferry_connection_step(connection, 0, answer);
}

/* ---- Facts ----------------------------------------------------------------------------------- */

const char *ferry_connection_broken(const struct ferry_connection *connection, const char **remedy)
{
    *remedy = connection->wire.remedy != NULL ? connection->wire.remedy : "";
    return connection->wire.broken;
}

void ferry_connection_facts(const struct ferry_connection *connection,
                            struct ferry_connection_facts *facts)
{
    *facts = connection->facts;
    facts->frames_dropped += connection->wire.frames_dropped;
    facts->refusals += connection->wire.refusals;
    facts->echoed = connection->client.stats.echoed;
}
