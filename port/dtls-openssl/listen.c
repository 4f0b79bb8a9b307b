/* SPDX-License-Identifier: Apache-2.0 */
/* A server's first hellos: nothing is kept of a peer before a cookie proved its address.
 * RFC 6347 §4.2.1 */
#include "inside.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

/* A cookie is good in the minute it was made in, and in the one after it. */
#define COOKIE_MS   60000
#define COOKIE_SIZE 32

/* An address and a port of any kind. */
#define PEER_MAX 128

#define RECORD_HANDSHAKE 22
#define RECORD_HEAD      13
#define EPOCH_AT         3
#define CLIENT_HELLO     1

static bool make(const struct ferry_dtls_context *context, uint64_t minute,
                 uint8_t cookie[COOKIE_SIZE])
{
    uint8_t text[sizeof minute + PEER_MAX];
    size_t len = 0;

    ferry_store_be32(text, (uint32_t)(minute >> 32));
    ferry_store_be32(text + 4, (uint32_t)minute);
    if (context->peer.len > 0) {
        memcpy(text + sizeof minute, context->peer.data, context->peer.len);
    }
    return EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, context->secret, sizeof context->secret,
                     text, sizeof minute + context->peer.len, cookie, COOKIE_SIZE, &len) != NULL &&
           len == COOKIE_SIZE;
}

int dtls_make_cookie(SSL *ssl, unsigned char *cookie, unsigned int *len)
{
    const struct ferry_dtls *session = SSL_get_app_data(ssl);

    *len = COOKIE_SIZE;
    return make(session->context, session->context->now / COOKIE_MS, cookie);
}

int dtls_check_cookie(SSL *ssl, const unsigned char *cookie, unsigned int len)
{
    const struct ferry_dtls *session = SSL_get_app_data(ssl);
    uint64_t minute = session->context->now / COOKIE_MS;
    uint8_t good[COOKIE_SIZE];

    if (session != session->context->listener) {
        return 1; /* OpenSSL asks again, of a peer that has proven its address */
    }
    for (uint64_t ago = 0; ago <= 1 && ago <= minute; ago++) {
        if (len == COOKIE_SIZE && make(session->context, minute - ago, good) &&
            CRYPTO_memcmp(good, cookie, COOKIE_SIZE) == 0) {
            return 1;
        }
    }
    return 0;
}

bool ferry_dtls_is_hello(struct ferry_bytes datagram)
{
    return datagram.len > RECORD_HEAD && datagram.data[0] == RECORD_HANDSHAKE &&
           ferry_load_be16(datagram.data + EPOCH_AT) == 0 &&
           datagram.data[RECORD_HEAD] == CLIENT_HELLO;
}

/* The one session that meets every first hello. NULL without memory. */
static struct ferry_dtls *listener_of(struct ferry_dtls_context *context)
{
    if (context->listener == NULL) {
        context->listener = dtls_session_new(context);
    }
    return context->listener;
}

/* Returns as DTLSv1_listen(): 1 when the hello has a good cookie, 0 when not, -1 when OpenSSL
 * fails. */
static int take_hello(struct ferry_dtls *session, struct ferry_bytes datagram)
{
    BIO_ADDR *unused = BIO_ADDR_new();
    int result = -1;

    if (unused != NULL) {
        session->in = datagram;
        ERR_clear_error();
        result = DTLSv1_listen(session->ssl, unused);
        session->in = (struct ferry_bytes){NULL, 0};
    }
    BIO_ADDR_free(unused);
    return result;
}

static bool admits(const struct ferry_dtls_context *context)
{
    return context->admits == NULL || context->admits(context->admits_context, context->peer);
}

struct ferry_dtls *ferry_dtls_listen(struct ferry_dtls_context *context, struct ferry_bytes peer,
                                     struct ferry_bytes datagram, struct ferry_dtls_out out,
                                     uint64_t now)
{
    bool usable = ferry_dtls_is_hello(datagram) && peer.len <= PEER_MAX;
    struct ferry_dtls *session = usable ? listener_of(context) : NULL;

    if (session == NULL) {
        return NULL;
    }
    session->out = out;
    context->peer = peer;
    context->now = now;
    int result = take_hello(session, datagram);
    if (result != 0) {
        context->listener = NULL; /* the next hello finds a new one */
    }
    if (result > 0 && admits(context)) {
        session->end = now + context->handshake_ms;
        dtls_advance(session);
    } else if (result != 0) {
        ferry_dtls_free(session);
        result = 0;
    }
    context->peer = (struct ferry_bytes){NULL, 0};
    return result > 0 ? session : NULL;
}
