/* SPDX-License-Identifier: Apache-2.0 */
/* The client's window of requests over one transport: packets in, packets out, the caller's
 * clock. It touches no device: whoever owns the wire asks poll() what to send and hands
 * receive() what came.
 *
 *   for (;;) {
 *       while (ferry_client_poll(&client, now, &packet, &deadline)) { send packet }
 *       wait for bytes until the deadline
 *       each packet:  if (ferry_client_receive(&client, packet, now, &answer) == FERRY_OK) …
 *       afterwards:   while (ferry_client_expire(&client, now, &answer)) …
 *   }
 *
 * All times are milliseconds of one monotonic clock, whose zero is the caller's. */
#ifndef FERRY_CLIENT_H
#define FERRY_CLIENT_H

#include "ferry/bytes.h"
#include "ferry/error.h"
#include "ferry/smp.h"

/* No deadline: nothing happens until something is received or submitted. */
#define FERRY_CLIENT_NEVER UINT64_MAX

/* Requests one client may hold at most; far below the 256 sequence numbers. */
#define FERRY_CLIENT_REQUESTS_MAX 32

/* Used where the configuration says 0. */
#define FERRY_CLIENT_TIMEOUT_MS 2500
#define FERRY_CLIENT_RETRIES    3

/* A request is never sent again sooner than this after its bytes could have left; while only few
 * round trips were seen, not sooner than the second. */
#define FERRY_CLIENT_TIMEOUT_MIN_MS 100
#define FERRY_CLIENT_TIMEOUT_FEW_MS 500

/* What round trips make of a timeout ends here. */
#define FERRY_CLIENT_TIMEOUT_MAX_MS 30000

/* ---- Set-up --------------------------------------------------------------------- */

/* Memory for one request in flight. Do not rely on the contents. */
struct ferry_client_request {
    uint8_t *packet; /* buffer_size bytes */
    size_t len;
    void *user;
    uint64_t first_at; /* when it was handed out first */
    uint64_t deadline;
    uint32_t timeout_ms;
    int32_t ticket;
    uint8_t state;
    uint8_t tries;
    uint8_t retries; /* left */
    bool ordinary;   /* its round trip tells of the line */
};

struct ferry_client_config {
    struct ferry_client_request *requests; /* request_count of them; the client's until its end */
    size_t request_count;                  /* 1 .. FERRY_CLIENT_REQUESTS_MAX: the largest window */
    uint8_t *buffers;                      /* request_count * buffer_size bytes, likewise */
    size_t buffer_size;                    /* bytes of the largest SMP packet sent: 64 .. 65535 */
    uint32_t timeout_ms;                   /* of an ordinary command; 0 = the default above */
    uint32_t timeout_min_ms;               /* of any command, for wires that must be silent before
                                              a packet is sent again (ferry/raw.h); 0 = none */
    uint8_t retries;                       /* sent again so often; 0 = the default above */
    uint8_t first_seq;                     /* random, so that no answer to an earlier client fits */
    uint32_t bytes_per_second;             /* of the line (115200 8N1: 11520); 0 = fast */
};

/* What was sent and seen, since the client was set up. */
struct ferry_client_stats {
    uint32_t sent;          /* first transmissions */
    uint32_t retransmitted; /* the same bytes and seq again */
    uint32_t answered;
    uint32_t stale;   /* answers to nothing in flight: late, doubled, foreign */
    uint32_t echoed;  /* packets with a request's op, as a console's echo sends them back */
    uint32_t damaged; /* shorter than their header says */
    uint32_t expired; /* requests given up */
    uint32_t late;    /* sent again though the first try was only late: both were answered */
};

/* Round trips seen. Do not rely on the contents. */
struct ferry_round_trip {
    uint32_t samples;
    uint32_t smoothed8;  /* eighths of ms */
    uint32_t deviation4; /* quarters of ms */
    uint32_t peak8;      /* the longest, fading; eighths of ms */
    uint32_t least;      /* the shortest of all, ms; of small packets, as a rule */
    uint32_t doubt;      /* ms: at most, of one that was sent twice; 0 = none since */
};

/* Do not rely on the contents; the caller reads through the functions. */
struct ferry_client {
    struct ferry_client_config config;
    struct ferry_client_stats stats;
    size_t packet_max;
    size_t fragment; /* 0 = the link carries whole packets */
    struct ferry_round_trip trip;
    uint64_t late_ms; /* how long the last request sent twice took; 0 = none */
    int32_t last_ticket;
    uint16_t pad;
    uint8_t version;
    uint8_t next_seq;
    uint8_t late_seq;
};

/* Set up a client: SMP version 2, nothing in flight, packets of up to buffer_size bytes.
 * config is copied; the memory it points to stays the client's.
 * Returns FERRY_OK or FERRY_E_CONFIG. */
FERRY_MUST_CHECK
int ferry_client_init(struct ferry_client *client, const struct ferry_client_config *config);

/* The version of the requests submitted from now on: FERRY_SMP_VERSION_1 or _2. */
void ferry_client_set_version(struct ferry_client *client, uint8_t version);

/* The largest packet submitted from now on, header included; brought between
 * FERRY_CLIENT_PACKET_LEAST and buffer_size. */
void ferry_client_set_packet_max(struct ferry_client *client, size_t packet_max);

/* Header, map and the 32 bytes that the first chunk of an upload must hold. It is what fits the
 * ATT_MTU of 65 that many devices of Bluetooth LE have. */
#define FERRY_CLIENT_PACKET_LEAST 62

/* The largest fragment of a link that cuts packets, Bluetooth LE: ATT_MTU - 3. 0, as at first: it
 * carries whole packets. Set it before the first words (ferry/hello.h), which find out whether the
 * device puts larger packets together. */
void ferry_client_set_fragment(struct ferry_client *client, size_t fragment);

/* Make requests submitted from now on at least so large, as a server asks for that does not answer
 * more than three times as much to who may be anybody (ferry/peers.h): by a byte string of zeros
 * named "pad" in their map, which no server looks at. 0: none. More than the largest packet has
 * room for is not added, nor is it to a payload that is no map. */
void ferry_client_set_pad(struct ferry_client *client, uint32_t bytes);

/* What carries the packets; it decides how large they may be. */
enum ferry_client_link {
    FERRY_LINK_CONSOLE, /* lines of base64: length word and CRC share the server's buffer */
    FERRY_LINK_RAW,     /* bare packets on a serial line */
    FERRY_LINK_UDP4,
    FERRY_LINK_UDP6,
    FERRY_LINK_STREAM, /* anything else that carries whole packets of any size */
    FERRY_LINK_BLE,   /* fragments of ATT_MTU - 3; whole packets where the device puts them together
                       */
    FERRY_LINK_DTLS4, /* UDP, and the DTLS record around each packet */
    FERRY_LINK_DTLS6
};

/* The largest SMP packet a server with buffers of buf_size bytes takes over a link.
 * buf_size 0 = it did not say. Returns bytes, at least 64. [smp.md §5.1] */
size_t ferry_client_packet_max(enum ferry_client_link link, uint32_t buf_size);

/* ---- Requests ------------------------------------------------------------------- */

struct ferry_client_command {
    uint8_t op; /* FERRY_SMP_READ or FERRY_SMP_WRITE */
    uint16_t group;
    uint8_t id;
    struct ferry_bytes payload; /* one CBOR map; copied. May lie in ferry_client_room(). */
    uint32_t timeout_ms;        /* after the last byte may have left; 0 = an ordinary command's */
    uint8_t retries; /* how often it is sent again; FERRY_CLIENT_ONCE = never; 0 = default */
    void *user;      /* handed back with the answer */
};

#define FERRY_CLIENT_ONCE 255

/* Where the payload of the next request can be built without a copy.
 * Returns NULL when all requests are in flight; else a buffer of *cap bytes, valid until the
 * next ferry_client_submit(). */
uint8_t *ferry_client_room(struct ferry_client *client, size_t *cap);

/* How much of that room a chunk of a long transfer takes best: over a link of fragments whole ones,
 * where a last small one would carry less than it costs.
 *
 * cap  of the room
 *
 * Returns bytes, at most cap; cap over all other links. */
size_t ferry_client_chunk_cap(const struct ferry_client *client, size_t cap);

/* Put a request into the window. It leaves with the next ferry_client_poll().
 * Returns its ticket (above 0, unique among those in flight); FERRY_E_BUSY when all requests are
 * in flight; FERRY_E_SPACE when the packet would be above the largest. */
FERRY_MUST_CHECK
int32_t ferry_client_submit(struct ferry_client *client,
                            const struct ferry_client_command *command);

/* The next packet to send: first transmissions and, when an answer is overdue, the same bytes
 * with the same seq again. Oldest first.
 *
 * packet    filled when true; valid until the next call with this client
 * deadline  filled when false: when to call poll and expire again, or FERRY_CLIENT_NEVER
 *
 * The time of a request begins when it is handed out here, plus what the line needs for all bytes
 * that are in flight. Returns whether there is a packet. */
bool ferry_client_poll(struct ferry_client *client, uint64_t now, struct ferry_bytes *packet,
                       uint64_t *deadline);

struct ferry_client_answer {
    int error; /* FERRY_OK; FERRY_E_REFUSED: see status; FERRY_E_TIMEOUT: none came; else the
                  payload could not be read (an error of ferry_cbor_read_map) */
    int32_t ticket;
    void *user;
    uint8_t tries;                  /* how often the request was sent */
    struct ferry_smp_header header; /* the answer's; on a timeout the request's */
    struct ferry_bytes payload;     /* in the packet received; empty on a timeout */
    struct ferry_smp_status status; /* zero unless FERRY_OK or FERRY_E_REFUSED */
};

/* Take one packet from the wire (one datagram, one frame).
 *
 * packet  not kept, but answer->payload points into it
 * answer  filled on FERRY_OK, its own error tells the rest
 *
 * It answers the request whose op + 1, group, id and seq it has [smp.md §1.3]; that one leaves the
 * window. Everything else is counted and dropped.
 * Returns FERRY_OK; FERRY_E_NOT_FOUND when nothing in flight fits; FERRY_E_SHORT. */
FERRY_MUST_CHECK
int ferry_client_receive(struct ferry_client *client, struct ferry_bytes packet, uint64_t now,
                         struct ferry_client_answer *answer);

/* Take one request out of the window whose last try went unanswered.
 * Returns whether there was one; answer is then a FERRY_E_TIMEOUT. Call until false. */
bool ferry_client_expire(struct ferry_client *client, uint64_t now,
                         struct ferry_client_answer *answer);

/* Whether a request is in the window: its answer, or its end, is still to come. */
bool ferry_client_has(struct ferry_client *client, int32_t ticket);

/* Forget a request: its place is free, an answer to it is stale. Unknown tickets are ignored. */
void ferry_client_cancel(struct ferry_client *client, int32_t ticket);

/* Forget all requests. Use it when the connection was opened anew. */
void ferry_client_cancel_all(struct ferry_client *client);

/* The link was lost, and there is another one: what was sent over the old one and may be sent again
 * leaves with the next ferry_client_poll(), without waiting for its time. */
void ferry_client_relinked(struct ferry_client *client);

/* Do not send this one again; wait for its answer or its end. Unknown tickets are ignored. */
void ferry_client_last_try(struct ferry_client *client, int32_t ticket);

/* ---- Times ---------------------------------------------------------------------- */

/* Smoothed time from handing a request out to its answer; 0 = not measured yet. Requests that
 * were sent twice do not count. */
uint32_t ferry_client_rtt_ms(const struct ferry_client *client);

/* A timeout from the round trips seen: smoothed + 4 deviations (RFC 6298), and above the longest of
 * late; between FERRY_CLIENT_TIMEOUT_MIN_MS and _MAX_MS. The configured one before the first. For
 * requests that may be repeated without harm: a busy device may get them twice. */
uint32_t ferry_client_adaptive_timeout_ms(const struct ferry_client *client);

/* How long a server may be silent while it erases size bytes of flash; 0 = unknown size. Generous:
 * the field's clients wait 40 s, slots above 10 MB were seen to take two minutes. */
uint32_t ferry_client_erase_ms(uint32_t size);

/* How long a device may stay away while it swaps slots of size bytes; 0 = unknown. */
uint32_t ferry_client_swap_ms(uint32_t size);

#endif
