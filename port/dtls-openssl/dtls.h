/* SPDX-License-Identifier: Apache-2.0 */
/* DTLS 1.2 over datagrams that somebody else carries, by OpenSSL: either end of one session. It
 * knows no socket: datagrams in, datagrams out, packets out, and the caller's clock.
 *
 *   a client                                 a server
 *   ferry_dtls_connect()                     each datagram of a peer without a session:
 *                                                ferry_dtls_listen() → a session, sometimes
 *   each datagram:  ferry_dtls_receive(); while (ferry_dtls_read() == 1) { a packet }
 *   at the deadline: ferry_dtls_tick()
 *   a packet to send: ferry_dtls_send(), once the state is FERRY_DTLS_OPEN
 *
 * A context holds keys and rules and serves any number of sessions; it and its sessions are used by
 * one thread at a time. Only DTLS 1.2, only authenticated encryption, no renegotiation, no
 * resumption; records that were seen before, or that do not decrypt, are dropped without a word.
 *
 * Times are milliseconds of any clock that goes forward as real time does. OpenSSL counts the time
 * to the next retransmission by the system's own clock (it can be given none), so that a virtual
 * clock must move both; the limit of the handshake is counted by the caller's. */
#ifndef PORT_DTLS_OPENSSL_DTLS_H
#define PORT_DTLS_OPENSSL_DTLS_H

#include "ferry/bytes.h"
#include "ferry/error.h"

#define FERRY_DTLS_PACKET_MAX 16384 /* bytes of one packet: what a record holds */
#define FERRY_DTLS_NAME       96  /* characters of a PSK's identity, or a common name, and a NUL */
#define FERRY_DTLS_IDENTITY   104 /* … with its kind in front */
#define FERRY_DTLS_MTU_LEAST  512 /* OpenSSL does not cut handshakes smaller */
#define FERRY_DTLS_NEVER      UINT64_MAX

/* Bytes of a pre-shared key. Most suites that small devices have know no forward secrecy: whoever
 * records a handshake may guess the key at leisure, so that a shorter one is none. */
#define FERRY_DTLS_PSK_LEAST 16
#define FERRY_DTLS_PSK_MOST  64

/* Used where the configuration says 0. */
#define FERRY_DTLS_MTU           1200 /* fits every path of IPv6 */
#define FERRY_DTLS_RETRANSMIT_MS 1000 /* RFC 6347 §4.2.4.1 */
#define FERRY_DTLS_HANDSHAKE_MS  15000

/* Largest time between two tries: twice the one before, up to here. */
#define FERRY_DTLS_RETRANSMIT_MAX_MS 8000

/* ---- What keys there are ------------------------------------------------------------- */

struct ferry_dtls_psk {
    const char *identity; /* 1 .. FERRY_DTLS_NAME - 1 characters */
    struct ferry_bytes key;
};

/* A pre-shared key, or certificates, or both: then the server's choice among what both ends have.
 * Everything is copied or read; nothing need outlive ferry_dtls_context_new(). */
struct ferry_dtls_config {
    bool server;
    const struct ferry_dtls_psk *psks; /* a server's: one for each identity; a client's: one */
    size_t psk_count;

    /* PEM files; NULL = none. A server with certificates has the first two; a client the third, and
     * the others when the server asks for them. A server with ca_file demands a certificate. */
    const char *cert_file; /* our certificate, and those between it and the peer's CA */
    const char *key_file;  /* its key, not encrypted */
    const char *ca_file;   /* who may have signed the peer's */

    /* A client's: the DNS name or IP address that the server's certificate must be for. NULL: any
     * certificate of ca_file will do, for CAs that sign nothing but the products meant. */
    const char *name;

    uint16_t mtu;           /* bytes of the largest datagram of a handshake, UDP and IP headers not
                               counted; at least FERRY_DTLS_MTU_LEAST; 0 = FERRY_DTLS_MTU */
    uint32_t retransmit_ms; /* to the first retransmission; 0 = FERRY_DTLS_RETRANSMIT_MS */
    uint32_t handshake_ms;  /* a session must be open within; 0 = FERRY_DTLS_HANDSHAKE_MS */

    /* A server's: whether a peer whose address a cookie has just proven gets a session, which costs
     * memory and a key exchange; peer as given to ferry_dtls_listen(). NULL: each does. */
    bool (*admits)(void *context, struct ferry_bytes peer);
    void *admits_context;
};

struct ferry_dtls_context;

/* Read the keys.
 *
 * context  filled on FERRY_OK; free it with ferry_dtls_context_free()
 * why      room for cap characters; on an error it says which file or value is wrong, never a key
 *
 * Returns FERRY_OK; FERRY_E_CONFIG for a configuration that cannot be; FERRY_E_NOT_FOUND when a
 * file cannot be opened; FERRY_E_FORMAT when one holds something else; FERRY_E_MISMATCH when key
 * and certificate are not of each other; FERRY_E_IO when OpenSSL fails. */
FERRY_MUST_CHECK
int ferry_dtls_context_new(struct ferry_dtls_context **context,
                           const struct ferry_dtls_config *config, char *why, size_t cap);

#define FERRY_DTLS_DATE 11 /* "2026-11-26" and a NUL */

/* Whether our own certificate has expired, by the system's clock, and when, in UTC; it is used
 * nevertheless. False without one. */
bool ferry_dtls_has_expired(const struct ferry_dtls_context *context, char date[FERRY_DTLS_DATE]);

/* Wipe the keys and free it; NULL is ignored. Its sessions are freed before. */
void ferry_dtls_context_free(struct ferry_dtls_context *context);

/* ---- Sessions ------------------------------------------------------------------------ */

struct ferry_dtls;

/* Where datagrams go. Called inside the functions that say they send; it may not call any function
 * of the session. What is lost is sent again. */
struct ferry_dtls_out {
    void (*send)(void *context, struct ferry_bytes datagram);
    void *context;
};

/* A client's session; sends the first datagram. Returns NULL when there is no memory. */
struct ferry_dtls *ferry_dtls_connect(struct ferry_dtls_context *context, struct ferry_dtls_out out,
                                      uint64_t now);

/* A server's: a datagram of a peer that has no session. The first hello is answered with a cookie
 * and forgotten; the same peer's second hello with that cookie makes a session, which answers it at
 * once. Until then nothing is kept, and at most one datagram is sent, no longer than the hello.
 * Everything else is dropped, and so is the second hello of who is not admitted.
 *
 * peer  bytes that tell its address and port from any other's; not kept
 * out   the new session's, and the cookie's
 *
 * Returns the session, or NULL; free it with ferry_dtls_free(). */
struct ferry_dtls *ferry_dtls_listen(struct ferry_dtls_context *context, struct ferry_bytes peer,
                                     struct ferry_bytes datagram, struct ferry_dtls_out out,
                                     uint64_t now);

/* Whether a datagram begins a handshake. One of a peer that has an open session comes from a peer
 * that has lost it: give it to ferry_dtls_listen(), and end the old session if that makes a new
 * one, not sooner: anybody can send such a datagram. */
bool ferry_dtls_is_hello(struct ferry_bytes datagram);

/* Wipe and free it; NULL is ignored. Sends nothing. */
void ferry_dtls_free(struct ferry_dtls *session);

enum ferry_dtls_state {
    FERRY_DTLS_HANDSHAKE,
    FERRY_DTLS_OPEN,
    FERRY_DTLS_ENDED /* see ferry_dtls_cause() */
};

enum ferry_dtls_state ferry_dtls_state(const struct ferry_dtls *session);

/* Take a datagram; sends. Then ferry_dtls_read() until it says 0, before the next one. */
void ferry_dtls_receive(struct ferry_dtls *session, struct ferry_bytes datagram, uint64_t now);

/* The next packet of the datagram. packet is valid until the next call with this session.
 * Returns 1 with a packet, else 0. */
FERRY_MUST_CHECK
int ferry_dtls_read(struct ferry_dtls *session, struct ferry_bytes *packet);

/* Send a packet as one datagram. Returns FERRY_OK; FERRY_E_STATE when the session is not open;
 * FERRY_E_TOO_LARGE above FERRY_DTLS_PACKET_MAX; FERRY_E_IO when OpenSSL fails. */
FERRY_MUST_CHECK
int ferry_dtls_send(struct ferry_dtls *session, struct ferry_bytes packet);

/* When to call ferry_dtls_tick(), or FERRY_DTLS_NEVER. */
uint64_t ferry_dtls_deadline(const struct ferry_dtls *session, uint64_t now);

/* Send again what is due; end a handshake that takes too long. */
void ferry_dtls_tick(struct ferry_dtls *session, uint64_t now);

/* Tell the peer that this is the end; sends, once. The cause becomes FERRY_DTLS_CLOSED. */
void ferry_dtls_close(struct ferry_dtls *session);

/* Who the peer has proven to be: "psk:" and its PSK's identity, or "cert:" and the common name of
 * its certificate, as whoever signs certificates shall not make one who has a key. "" when it has
 * proven nothing (a server that demands no certificate), when it has no such name of printable
 * ASCII, or while the session has not been open. The session's. */
const char *ferry_dtls_identity(const struct ferry_dtls *session);

/* The cipher suite that was agreed on, by OpenSSL's name; "" before. */
const char *ferry_dtls_cipher(const struct ferry_dtls *session);

/* ---- Why it ended -------------------------------------------------------------------- */

/* X(name, what this end found, what the peer said of it, and what a client does about each, in the
 * settings of `ferry`) */
#define FERRY_DTLS_CAUSES(X)                                                                       \
    X(NONE, "the session has not ended", "the session has not ended", "", "")                      \
    X(CLOSED, "this end closed the session", "the peer closed the session", "open it again",       \
      "try again: the device may have been reset")                                                 \
    X(TIMEOUT, "the peer does not answer the handshake", "the peer does not answer the handshake", \
      "check host and port, that the device serves DTLS there, and firewalls between",             \
      "check host and port, that the device serves DTLS there, and firewalls between")             \
    X(WRONG_PSK, "the two ends have different keys for this PSK identity",                         \
      "the peer has another key for this PSK identity",                                            \
      "give the key that the device has for this identity: FERRY_DTLS_PSK_FILE, or profile add "   \
      "--psk-file",                                                                                \
      "give the key that the device has for this identity: FERRY_DTLS_PSK_FILE, or profile add "   \
      "--psk-file")                                                                                \
    X(UNKNOWN_IDENTITY, "the peer's PSK identity is not known here",                               \
      "the peer does not know this PSK identity",                                                  \
      "give an identity that the device knows, and its key",                                       \
      "give an identity that the device knows, and its key")                                       \
    X(EXPIRED, "the peer's certificate has expired",                                               \
      "the peer says that our certificate has expired",                                            \
      "renew the device's certificate; see this machine's clock, too",                             \
      "renew our certificate; see the device's clock, too")                                        \
    X(NOT_YET_VALID, "the peer's certificate is not valid yet",                                    \
      "the peer says that our certificate is not valid yet",                                       \
      "see this machine's clock, or renew the device's certificate",                               \
      "see the device's clock, or renew our certificate")                                          \
    X(SELF_SIGNED, "the peer's certificate is self-signed, and none of the trusted ones",          \
      "the peer says that our certificate is self-signed",                                         \
      "give that certificate as the CA, if it is the device's for certain",                        \
      "give a certificate that the device accepts, and its key: FERRY_DTLS_CERT and "              \
      "FERRY_DTLS_KEY, or profile add --cert --key")                                               \
    X(UNKNOWN_CA, "the peer's certificate is not signed by a trusted CA",                          \
      "the peer does not trust who signed our certificate",                                        \
      "give the CA that signed the device's certificate: FERRY_DTLS_CA, or profile add --ca",      \
      "give a certificate that the device accepts, and its key: FERRY_DTLS_CERT and "              \
      "FERRY_DTLS_KEY, or profile add --cert --key")                                               \
    X(WRONG_NAME, "the peer's certificate is for another name",                                    \
      "the peer says that our certificate is for another name",                                    \
      "give the name that the device's certificate is for, or * for any: FERRY_DTLS_NAME, or "     \
      "profile add --name",                                                                        \
      "give a certificate that the device accepts, and its key: FERRY_DTLS_CERT and "              \
      "FERRY_DTLS_KEY, or profile add --cert --key")                                               \
    X(BAD_CERTIFICATE, "the peer's certificate cannot be used",                                    \
      "the peer cannot use our certificate", "make the device's certificate anew, for a server",   \
      "give a certificate that the device accepts, and its key: FERRY_DTLS_CERT and "              \
      "FERRY_DTLS_KEY, or profile add --cert --key")                                               \
    X(NO_CERTIFICATE, "the peer showed no certificate", "the peer demands a certificate",          \
      "give the device a certificate",                                                             \
      "give a certificate that the device accepts, and its key: FERRY_DTLS_CERT and "              \
      "FERRY_DTLS_KEY, or profile add --cert --key")                                               \
    X(NO_CIPHER, "the two ends have no cipher suite in common",                                    \
      "the peer has no cipher suite in common with us",                                            \
      "give a PSK where the device has one, and certificates where it has those",                  \
      "give a PSK where the device has one, and certificates where it has those")                  \
    X(VERSION, "the peer does not speak DTLS 1.2", "the peer does not speak DTLS 1.2",             \
      "give the device firmware that speaks DTLS 1.2",                                             \
      "give the device firmware that speaks DTLS 1.2")                                             \
    X(REFUSED, "the peer broke the protocol", "the peer refused the handshake",                    \
      "see the device's log for its reason", "see the device's log for its reason")

enum ferry_dtls_cause {
#define FERRY_DTLS_CAUSE_ENUM(name, here, there, next, their_next) FERRY_DTLS_##name,
    FERRY_DTLS_CAUSES(FERRY_DTLS_CAUSE_ENUM)
#undef FERRY_DTLS_CAUSE_ENUM
};

/* Why a session ended; FERRY_DTLS_NONE before. With DTLS a wrong key shows only by what does not
 * come: a client that has sent its part of a PSK's handshake and hears no more says WRONG_PSK.
 *
 * by_peer  filled: whether the peer said so; may be NULL */
enum ferry_dtls_cause ferry_dtls_cause(const struct ferry_dtls *session, bool *by_peer);

/* What a handshake that is not done would end with if nothing more came: FERRY_DTLS_TIMEOUT, or
 * FERRY_DTLS_WRONG_PSK; else as above, with this end's words. */
enum ferry_dtls_cause ferry_dtls_prospect(const struct ferry_dtls *session);

/* Words for it, as above, and what a client does about it; never NULL. */
const char *ferry_dtls_cause_text(enum ferry_dtls_cause cause, bool by_peer);
const char *ferry_dtls_cause_remedy(enum ferry_dtls_cause cause, bool by_peer);

#endif
