/* SPDX-License-Identifier: Apache-2.0 */
/* One session: the handshake, packets, the end. */
#include "inside.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_HEAD 13

/* The shortest record under keys of any suite, while it is not known which. What the peer has
 * reason to send then, the end of the handshake or a packet, is no shorter. */
#define LEAST 24

/* ---- Beginning and end --------------------------------------------------------------- */

static unsigned int next_timer(SSL *ssl, unsigned int last_us)
{
    const struct ferry_dtls *session = SSL_get_app_data(ssl);
    uint32_t first = session->context->retransmit_ms * 1000;

    return last_us == 0 ? first : ferry_min32(2 * last_us, FERRY_DTLS_RETRANSMIT_MAX_MS * 1000);
}

static void see_alert(const SSL *ssl, int where, int what)
{
    struct ferry_dtls *session = SSL_get_app_data(ssl);

    if (where == SSL_CB_READ_ALERT && what >> 8 == SSL3_AL_FATAL) {
        session->alert = what & 0xff;
    }
}

/* A name of digits is an address. */
static bool expect_name(SSL *ssl, const char *name)
{
    X509_VERIFY_PARAM *rules = SSL_get0_param(ssl);

    /* "*.example.com" is for all below it; "pump*.example.com" is a habit of few CAs. */
    X509_VERIFY_PARAM_set_hostflags(rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return name == NULL || X509_VERIFY_PARAM_set1_ip_asc(rules, name) == 1 ||
           X509_VERIFY_PARAM_set1_host(rules, name, 0) == 1;
}

static bool set_up(struct ferry_dtls *session, struct ferry_dtls_context *context)
{
    session->context = context;
    session->alert = -1;
    session->least = LEAST;
    session->ssl = SSL_new(context->ssl);
    BIO *bio = dtls_bio_new(context->method, session);
    if (session->ssl == NULL || bio == NULL) {
        BIO_free(bio);
        return false;
    }
    SSL_set_bio(session->ssl, bio, bio);
    SSL_set_app_data(session->ssl, session);
    SSL_set_info_callback(session->ssl, see_alert);
    DTLS_set_timer_cb(session->ssl, next_timer);
    if (context->server) {
        SSL_set_accept_state(session->ssl);
    } else {
        SSL_set_connect_state(session->ssl);
    }
    return SSL_set_mtu(session->ssl, context->mtu) > 0 && expect_name(session->ssl, context->name);
}

struct ferry_dtls *dtls_session_new(struct ferry_dtls_context *context)
{
    struct ferry_dtls *session = calloc(1, sizeof *session);

    if (session != NULL && !set_up(session, context)) {
        ferry_dtls_free(session);
        return NULL;
    }
    return session;
}

struct ferry_dtls *ferry_dtls_connect(struct ferry_dtls_context *context, struct ferry_dtls_out out,
                                      uint64_t now)
{
    struct ferry_dtls *session = dtls_session_new(context);

    if (session != NULL) {
        session->out = out;
        session->end = now + context->handshake_ms;
        dtls_advance(session);
    }
    return session;
}

void ferry_dtls_free(struct ferry_dtls *session)
{
    if (session != NULL) {
        SSL_free(session->ssl);
        OPENSSL_cleanse(session->packet, sizeof session->packet);
        free(session);
    }
}

static void end_by(struct ferry_dtls *session, enum ferry_dtls_cause cause, bool by_peer)
{
    session->state = FERRY_DTLS_ENDED;
    session->cause = cause;
    session->by_peer = by_peer;
}

/* ---- Who the peer is ----------------------------------------------------------------- */

/* A name is taken only if nothing in it can be mistaken for another one. */
static void take_name(struct ferry_dtls *session, const char *kind, const uint8_t *name, size_t len)
{
    if (len == 0 || len >= FERRY_DTLS_NAME) {
        return;
    }
    for (size_t i = 0; i < len; i++) {
        if (name[i] < 0x20 || name[i] > 0x7e) {
            return;
        }
    }
    (void)snprintf(session->identity, sizeof session->identity, "%s:%.*s", kind, (int)len,
                   (const char *)name);
}

/* The common name of a certificate that has exactly one. */
static void take_common_name(struct ferry_dtls *session, const X509 *certificate)
{
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

    if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) {
        return;
    }
    const ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
    take_name(session, "cert", ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
}

static void take_identity(struct ferry_dtls *session)
{
    const X509 *certificate = SSL_get0_peer_certificate(session->ssl);
    const char *psk = SSL_get_psk_identity(session->ssl);

    if (certificate != NULL) {
        take_common_name(session, certificate);
    } else if (dtls_has_psk(session)) {
        psk = session->context->server ? psk : session->context->psks->identity;
        take_name(session, "psk", (const uint8_t *)psk, strlen(psk));
    }
}

/* ---- The handshake ------------------------------------------------------------------- */

bool dtls_has_psk(const struct ferry_dtls *session)
{
    const SSL_CIPHER *cipher = SSL_get_pending_cipher(session->ssl);

    cipher = cipher != NULL ? cipher : SSL_get_current_cipher(session->ssl);
    int kx = cipher != NULL ? SSL_CIPHER_get_kx_nid(cipher) : NID_undef;
    return kx == NID_kx_psk || kx == NID_kx_ecdhe_psk;
}

/* OpenSSL drops what does not decrypt, and with it the end of a handshake with another key: it
 * would wait for ever, and so would the peer. This tells it; the alert is in the clear, as keys are
 * not agreed on. RFC 5246 §7.2 */
static void refuse_psk(struct ferry_dtls *session)
{
    uint64_t seq = session->plain_seq + 1;
    uint8_t alert[RECORD_HEAD + 2] = {SSL3_RT_ALERT, DTLS1_2_VERSION >> 8, DTLS1_2_VERSION & 0xff};

    ferry_store_be16(alert + 5, (uint16_t)(seq >> 32));
    ferry_store_be32(alert + 7, (uint32_t)seq);
    ferry_store_be16(alert + 11, 2);
    alert[13] = SSL3_AL_FATAL;
    alert[14] = SSL3_AD_BAD_RECORD_MAC;
    session->out.send(session->out.context, (struct ferry_bytes){alert, sizeof alert});
    end_by(session, FERRY_DTLS_WRONG_PSK, false);
}

/* Whether the client's last message came, and did not decrypt. */
static bool is_last_lost(const struct ferry_dtls *session)
{
    return session->context->server && session->got_secret && dtls_has_psk(session) &&
           SSL_get_state(session->ssl) == TLS_ST_SR_CHANGE;
}

/* The shortest record under keys: nonce, where the suite sends one, and tag. */
static size_t least_of(const char *cipher)
{
    return strstr(cipher, "CCM8") != NULL || strstr(cipher, "CHACHA20") != NULL ? 16 : LEAST;
}

void dtls_advance(struct ferry_dtls *session)
{
    ERR_clear_error();
    int result = SSL_do_handshake(session->ssl);

    if (result == 1) {
        session->state = FERRY_DTLS_OPEN;
        session->least = least_of(ferry_dtls_cipher(session));
        take_identity(session);
    } else if (SSL_get_error(session->ssl, result) != SSL_ERROR_WANT_READ) {
        session->state = FERRY_DTLS_ENDED;
        dtls_take_cause(session);
    } else if (is_last_lost(session)) {
        refuse_psk(session);
    }
}

/* ---- Time ---------------------------------------------------------------------------- */

uint64_t ferry_dtls_deadline(const struct ferry_dtls *session, uint64_t now)
{
    struct timeval left;

    if (session->state != FERRY_DTLS_HANDSHAKE) {
        return FERRY_DTLS_NEVER;
    }
    if (DTLSv1_get_timeout(session->ssl, &left) != 1) {
        return session->end;
    }
    uint64_t at = now + (uint64_t)left.tv_sec * 1000 + ((uint64_t)left.tv_usec + 999) / 1000;
    return at < session->end ? at : session->end;
}

enum ferry_dtls_cause ferry_dtls_prospect(const struct ferry_dtls *session)
{
    bool all_said = SSL_get_state(session->ssl) == TLS_ST_CW_FINISHED;

    if (session->state != FERRY_DTLS_HANDSHAKE) {
        return session->cause;
    }
    return all_said && dtls_has_psk(session) ? FERRY_DTLS_WRONG_PSK : FERRY_DTLS_TIMEOUT;
}

void ferry_dtls_tick(struct ferry_dtls *session, uint64_t now)
{
    if (session->state != FERRY_DTLS_HANDSHAKE) {
        return;
    }
    if (now >= session->end) {
        end_by(session, ferry_dtls_prospect(session), false);
        return;
    }
    ERR_clear_error();
    if (DTLSv1_handle_timeout(session->ssl) < 0) {
        session->state = FERRY_DTLS_ENDED;
        dtls_take_cause(session);
    }
}

/* ---- Packets ------------------------------------------------------------------------- */

/* OpenSSL ends a session for a record shorter than that, which anybody can send. Returns whether
 * all records are well, and notes whether one of the handshake's is under keys. */
static bool inspect(struct ferry_dtls *session, struct ferry_bytes datagram)
{
    const uint8_t *at = datagram.data;
    size_t left = datagram.len;

    while (left >= RECORD_HEAD) {
        size_t len = ferry_load_be16(at + 11);
        bool secret = ferry_load_be16(at + 3) != 0;
        if (len > left - RECORD_HEAD || (secret && len < session->least)) {
            return false;
        }
        session->got_secret = session->got_secret || (secret && at[0] == SSL3_RT_HANDSHAKE);
        at += RECORD_HEAD + len;
        left -= RECORD_HEAD + len;
    }
    return left == 0;
}

void ferry_dtls_receive(struct ferry_dtls *session, struct ferry_bytes datagram, uint64_t now)
{
    session->in = inspect(session, datagram) ? datagram : (struct ferry_bytes){NULL, 0};
    if (session->state == FERRY_DTLS_HANDSHAKE) {
        dtls_advance(session);
    }
    if (session->state == FERRY_DTLS_HANDSHAKE) {
        ferry_dtls_tick(session, now);
    }
}

int ferry_dtls_read(struct ferry_dtls *session, struct ferry_bytes *packet)
{
    if (session->state != FERRY_DTLS_OPEN) {
        return 0;
    }
    ERR_clear_error();
    int len = SSL_read(session->ssl, session->packet, sizeof session->packet);
    if (len > 0) {
        *packet = (struct ferry_bytes){session->packet, (size_t)len};
        return 1;
    }
    switch (SSL_get_error(session->ssl, len)) {
    case SSL_ERROR_WANT_READ:
        break;
    case SSL_ERROR_ZERO_RETURN:
        (void)SSL_shutdown(session->ssl);
        end_by(session, FERRY_DTLS_CLOSED, true);
        break;
    default:
        session->state = FERRY_DTLS_ENDED;
        dtls_take_cause(session);
        break;
    }
    session->in = (struct ferry_bytes){NULL, 0};
    return 0;
}

int ferry_dtls_send(struct ferry_dtls *session, struct ferry_bytes packet)
{
    if (session->state != FERRY_DTLS_OPEN) {
        return FERRY_E_STATE;
    }
    if (packet.len > FERRY_DTLS_PACKET_MAX) {
        return FERRY_E_TOO_LARGE;
    }
    ERR_clear_error();
    return SSL_write(session->ssl, packet.data, (int)packet.len) == (int)packet.len ? FERRY_OK
                                                                                    : FERRY_E_IO;
}

void ferry_dtls_close(struct ferry_dtls *session)
{
    if (session->state == FERRY_DTLS_OPEN) {
        ERR_clear_error();
        (void)SSL_shutdown(session->ssl);
    }
    if (session->state != FERRY_DTLS_ENDED) {
        end_by(session, FERRY_DTLS_CLOSED, false);
    }
}

/* ---- Facts --------------------------------------------------------------------------- */

enum ferry_dtls_state ferry_dtls_state(const struct ferry_dtls *session)
{
    return session->state;
}

const char *ferry_dtls_identity(const struct ferry_dtls *session)
{
    return session->identity;
}

const char *ferry_dtls_cipher(const struct ferry_dtls *session)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(session->ssl);

    return cipher != NULL ? SSL_CIPHER_get_name(cipher) : "";
}
