/* SPDX-License-Identifier: Apache-2.0 */
/* A conversation with a device from a program on a computer: the wire that a URI names, the window
 * of requests on it (ferry/client.h), and how the device speaks. Part of libferry-client, which
 * needs POSIX; the engines it drives do not.
 *
 * Blocking, as commands talk:
 *
 *   ferry_connection_open(&connection, &config, why, sizeof why);
 *   ferry_connection_hello(connection);
 *   struct ferry_client *client = ferry_connection_client(connection);
 *   error = ferry_connection_ask(connection, ferry_command_image_list(client, NULL), &answer);
 *
 * In an event loop, as many devices are served at once: poll ferry_connection_fd() for
 * ferry_connection_events(), at most until ferry_connection_deadline() or that of the flow, then
 * call ferry_connection_work() until it returns 0.
 *
 * Times are milliseconds of ferry_connection_now(). A connection is used by one thread at a time;
 * any number of them are independent. */
#ifndef FERRY_CONNECTION_H
#define FERRY_CONNECTION_H

#include "ferry/hello.h"
#include "ferry/pairing.h"

/* Chunks in flight at most, and a question beside them. */
#define FERRY_CONNECTION_WINDOW 8

/* The largest packet sent, unless the configuration says otherwise: from 64 to 65535 bytes. */
#define FERRY_CONNECTION_PACKET_MAX   16384
#define FERRY_CONNECTION_PACKET_LEAST 64

enum ferry_connection_way { FERRY_CONNECTION_SENT, FERRY_CONNECTION_RECEIVED };

/* What a connection with a URI of "dtls:" proves itself by, and what it trusts: a pre-shared key,
 * or certificates, or both. Read when the wire is opened, and when it is opened again; the files,
 * too. */
struct ferry_connection_dtls {
    const char *psk_identity; /* NULL = no pre-shared key; else 1 to 95 characters */
    struct ferry_bytes psk;   /* 16 to 64 bytes, random ones */
    const char *ca_file;   /* PEM: who may have signed the device's certificate, or itself; NULL =
                              no certificates */
    const char *cert_file; /* PEM: our own, for devices that demand one; NULL = none */
    const char *key_file;  /* PEM: its key */
    const char *name;      /* the DNS name or IP address that the device's certificate must be for;
                              NULL = the host of the URI; "*" = any: where ca_file signs nothing
                              but the devices meant */
};

struct ferry_connection_config {
    const char *uri; /* "serial:/dev/ttyACM0?baud=115200", "udp:HOST[:PORT]" … (docs/CLI.md) */
    uint32_t timeout_ms; /* of an ordinary command, beside what the line needs for its bytes;
                            0 = FERRY_CLIENT_TIMEOUT_MS, on a bare serial line a little above the
                            device's own FERRY_RAW_TIMEOUT_MS. Uploads compute theirs */
    uint8_t retries;     /* a request is sent again so often; 0 = FERRY_CLIENT_RETRIES */
    uint32_t packet_max; /* bytes of the largest packet sent, 64 .. 65535;
                            0 = FERRY_CONNECTION_PACKET_MAX */

    /* Keys for DTLS; NULL = none. It, and what it points to, must outlive the connection. */
    const struct ferry_connection_dtls *dtls;

    /* Stands before /sys and /dev where a USB device is looked for that comes back under another
     * name: for tests. NULL = nothing. It must outlive the connection. */
    const char *root;

    /* Told of what passes; each may be NULL. The bytes are valid during the call only. */
    void (*text)(void *context, struct ferry_bytes text); /* what a console prints between frames */
    void (*packet)(void *context, enum ferry_connection_way way, struct ferry_bytes packet);
    /* Bluetooth LE: asked when the device wants to be paired; NULL = only pairing without a
     * question. */
    ferry_pairing_answer *pair;
    bool pair_proves; /* pair knows the device's passkey: it is refused when it is paired without a
                         question, as somebody between could bring about */
    void *context;
};

struct ferry_connection;

/* Open the wire; nothing is asked. The text of uri is copied. It blocks while a host's name is
 * looked up, and with tcp up to 5 s for each of its addresses that does not answer. With dtls the
 * handshake begins; it goes on while the connection is used, and what is sent meanwhile waits.
 *
 * connection  filled on FERRY_OK; close it with ferry_connection_close()
 * why         room for cap characters; on an error it says what failed, and who holds the port when
 *             that can be found out
 *
 * Returns FERRY_OK; FERRY_E_FORMAT when the URI cannot be read, or has a baud rate that the system
 * does not know; FERRY_E_CONFIG for what another try does not mend: packet_max is none, the keys
 * for DTLS are missing or cannot be used, a device of Bluetooth LE does not let itself be paired
 * so; FERRY_E_BUSY when another program has the port; FERRY_E_NOT_FOUND when there is no such port
 * or host; FERRY_E_IO for the rest. */
FERRY_MUST_CHECK
int ferry_connection_open(struct ferry_connection **connection,
                          const struct ferry_connection_config *config, char *why, size_t cap);

/* Close it and free all; NULL is ignored. */
void ferry_connection_close(struct ferry_connection *connection);

/* Close the wire, so that another program can use it, until ferry_connection_reopen(). */
void ferry_connection_let_go(struct ferry_connection *connection);

/* Close the wire and open it again, as after a reset; what was in flight is forgotten. May be tried
 * again after an error. Version, packets and window stay those that hello found: say hello again
 * when the firmware may be another one. Blocks and returns as ferry_connection_open(). A wire may
 * open and break at once, again and again, with ser2net say: a loop needs a pause and an end. */
FERRY_MUST_CHECK
int ferry_connection_reopen(struct ferry_connection *connection, char *why, size_t cap);

/* The same for a wire that broke in the middle of something, a cable that was pulled: what is in
 * flight stays, and is sent again when its time comes; over Bluetooth LE at once, since a new link
 * brings nothing of the old one. */
FERRY_MUST_CHECK
int ferry_connection_resume(struct ferry_connection *connection, char *why, size_t cap);

/* Ask the device for version and buffers. Blocks: until five tries were not answered, 12.5 s, or,
 * over UDP, two were refused, as nobody listens on the port. Answers to other requests are dropped.
 * Returns FERRY_OK; FERRY_E_TIMEOUT when nothing answers; FERRY_E_VERSION; FERRY_E_FRAGMENT as
 * ferry_hello_run(); FERRY_E_IO. */
FERRY_MUST_CHECK
int ferry_connection_hello(struct ferry_connection *connection);

/* ---- Asking ---------------------------------------------------------------------------------- */

/* The window to submit requests to, by ferry_command_…() or a flow. The connection's. */
struct ferry_client *ferry_connection_client(struct ferry_connection *connection);

/* Send what is due and wait for the next answer, at most until end.
 *
 * answer  its payload is valid until the next call with this connection
 *
 * Returns 1 with an answer (one that timed out is one, too), 0 when the time is up, FERRY_E_IO when
 * the wire broke. */
FERRY_MUST_CHECK
int ferry_connection_step(struct ferry_connection *connection, uint64_t end,
                          struct ferry_client_answer *answer);

/* Wait for the answer to a ticket; answers to others are dropped: ask for one at a time, and use
 * ferry_connection_step() for several. ticket may be an error of the call that made it, which is
 * returned.
 * Returns answer->error, FERRY_OK among them; FERRY_E_IO; FERRY_E_NOT_FOUND when nothing
 * with that ticket is in flight: it was answered already, or cancelled. */
FERRY_MUST_CHECK
int ferry_connection_ask(struct ferry_connection *connection, int32_t ticket,
                         struct ferry_client_answer *answer);

/* Hand out text of a console whose line is not finished, a prompt say, which otherwise waits for
 * its line feed: for who has seen the line silent for a moment. Returns whether there was any. */
bool ferry_connection_flush_text(struct ferry_connection *connection);

/* ---- In an event loop ------------------------------------------------------------------------ */

/* To poll; -1 while the wire is closed. It changes when the connection is opened again. */
int ferry_connection_fd(const struct ferry_connection *connection);

/* POLLIN, and POLLOUT while bytes wait to be written. */
short ferry_connection_events(const struct ferry_connection *connection);

/* When to call ferry_connection_work() though the descriptor is silent. */
uint64_t ferry_connection_deadline(const struct ferry_connection *connection);

/* Send what is due and take what came, without waiting. Returns as ferry_connection_step(). */
FERRY_MUST_CHECK
int ferry_connection_work(struct ferry_connection *connection, struct ferry_client_answer *answer);

/* ---- Facts ----------------------------------------------------------------------------------- */

/* After FERRY_E_IO: why the wire broke, in words; after a timeout: why nothing could be sent yet,
 * as when a handshake is not done. "" when it is not known. The connection's, until it is used
 * again.
 *
 * remedy  filled: what to do next; "" when it is not known */
const char *ferry_connection_broken(const struct ferry_connection *connection, const char **remedy);

/* Counts go on over ferry_connection_reopen(). */
struct ferry_connection_facts {
    enum ferry_client_link link;
    bool has_params;            /* the device answered os/6 */
    struct ferry_params params; /* zero where it did not say */
    uint32_t packet_max;        /* the largest packet it takes; 0 before it was asked */
    uint32_t fragment;          /* BLE: bytes of a packet that the link carries at once; else 0 */
    bool reassembles;           /* BLE: the device puts fragments together */
    uint32_t window;            /* requests in flight the device can take, 1 before it was asked */
    uint32_t bytes_per_second;  /* what the line carries at most, framing included; 0 = not known */
    size_t frames_dropped;      /* received frames that were damaged */
    size_t text_bytes;          /* console text between them */
    size_t refusals;            /* UDP: how often the host said that nobody listens there */
    size_t packets_received;
    size_t echoed; /* of them requests: what is sent comes back */
};

void ferry_connection_facts(const struct ferry_connection *connection,
                            struct ferry_connection_facts *facts);

/* Milliseconds of a clock that only goes forward. */
uint64_t ferry_connection_now(void);

#endif
