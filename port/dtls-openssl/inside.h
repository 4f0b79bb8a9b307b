/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of this folder. */
#ifndef PORT_DTLS_OPENSSL_INSIDE_H
#define PORT_DTLS_OPENSSL_INSIDE_H

#include "dtls.h"

#include <openssl/ssl.h>

#define COOKIE_SECRET 32

struct psk {
    char identity[FERRY_DTLS_NAME];
    uint8_t key[FERRY_DTLS_PSK_MOST];
    size_t len;
};

struct ferry_dtls_context {
    SSL_CTX *ssl;
    BIO_METHOD *method;
    struct psk *psks;
    size_t psk_count;
    bool server;
    char *name; /* the server's certificate must have; NULL = any */
    uint16_t mtu;
    uint32_t retransmit_ms, handshake_ms;

    /* A server's. */
    struct ferry_dtls *listener; /* takes first hellos, until one of them is a session's */
    uint8_t secret[COOKIE_SECRET];
    bool (*admits)(void *context, struct ferry_bytes peer); /* NULL: each */
    void *admits_context;
    struct ferry_bytes peer; /* whose hello it is, during the call */
    uint64_t now;
};

struct ferry_dtls {
    struct ferry_dtls_context *context;
    SSL *ssl;
    struct ferry_dtls_out out;
    struct ferry_bytes in; /* a datagram that was not read yet; empty = none */
    enum ferry_dtls_state state;
    enum ferry_dtls_cause cause;
    bool by_peer;
    int alert;          /* the fatal one that the peer sent; -1 = none */
    bool asked;         /* the server wants a certificate, and there is none */
    size_t least;       /* bytes of a record under keys */
    bool got_secret;    /* a record of the handshake under keys came */
    uint64_t end;       /* of the handshake */
    uint64_t plain_seq; /* of the last record in the clear that was sent */
    char identity[FERRY_DTLS_IDENTITY];
    uint8_t packet[FERRY_DTLS_PACKET_MAX];
};

/* ---- datagrams.c */

/* A BIO that keeps datagrams apart: reads session->in, writes to session->out. */
BIO_METHOD *dtls_method_new(void);
BIO *dtls_bio_new(const BIO_METHOD *method, struct ferry_dtls *session);

/* ---- session.c */

/* A session whose handshake has not begun; NULL without memory. */
struct ferry_dtls *dtls_session_new(struct ferry_dtls_context *context);

/* Whether the two ends agreed on a suite with a PSK. */
bool dtls_has_psk(const struct ferry_dtls *session);

/* Go on with the handshake. */
void dtls_advance(struct ferry_dtls *session);

/* ---- listen.c */

int dtls_make_cookie(SSL *ssl, unsigned char *cookie, unsigned int *len);
int dtls_check_cookie(SSL *ssl, const unsigned char *cookie, unsigned int len);

/* ---- cause.c */

/* Why an SSL call failed: of what the peer said, of its certificate, of OpenSSL's errors. */
void dtls_take_cause(struct ferry_dtls *session);

#endif
