/* SPDX-License-Identifier: Apache-2.0 */
/* What OpenSSL, X.509 and the peer's alerts say, as one list of causes. */
#include "inside.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>

struct mapping {
    int from;
    enum ferry_dtls_cause to;
};

/* Alerts of the peer. RFC 5246 §7.2, RFC 4279 §2 */
static const struct mapping alerts[] = {
    {SSL_AD_CLOSE_NOTIFY, FERRY_DTLS_CLOSED},
    {SSL3_AD_NO_CERTIFICATE, FERRY_DTLS_NO_CERTIFICATE},
    {SSL_AD_BAD_CERTIFICATE, FERRY_DTLS_BAD_CERTIFICATE},
    {SSL_AD_UNSUPPORTED_CERTIFICATE, FERRY_DTLS_BAD_CERTIFICATE},
    {SSL_AD_CERTIFICATE_REVOKED, FERRY_DTLS_BAD_CERTIFICATE},
    {SSL_AD_CERTIFICATE_EXPIRED, FERRY_DTLS_EXPIRED},
    {SSL_AD_CERTIFICATE_UNKNOWN, FERRY_DTLS_BAD_CERTIFICATE},
    {SSL_AD_UNKNOWN_CA, FERRY_DTLS_UNKNOWN_CA},
    {SSL_AD_PROTOCOL_VERSION, FERRY_DTLS_VERSION},
    {SSL_AD_INSUFFICIENT_SECURITY, FERRY_DTLS_NO_CIPHER},
    {SSL_AD_UNKNOWN_PSK_IDENTITY, FERRY_DTLS_UNKNOWN_IDENTITY},
    {TLS13_AD_CERTIFICATE_REQUIRED, FERRY_DTLS_NO_CERTIFICATE},
};

static const struct mapping certificates[] = {
    {X509_V_ERR_CERT_HAS_EXPIRED, FERRY_DTLS_EXPIRED},
    {X509_V_ERR_CERT_NOT_YET_VALID, FERRY_DTLS_NOT_YET_VALID},
    {X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, FERRY_DTLS_SELF_SIGNED},
    {X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, FERRY_DTLS_UNKNOWN_CA},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, FERRY_DTLS_UNKNOWN_CA},
    {X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, FERRY_DTLS_UNKNOWN_CA},
    {X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, FERRY_DTLS_UNKNOWN_CA},
    {X509_V_ERR_HOSTNAME_MISMATCH, FERRY_DTLS_WRONG_NAME},
    {X509_V_ERR_IP_ADDRESS_MISMATCH, FERRY_DTLS_WRONG_NAME},
};

static const struct mapping reasons[] = {
    {SSL_R_NO_SHARED_CIPHER, FERRY_DTLS_NO_CIPHER},
    {SSL_R_NO_CIPHERS_AVAILABLE, FERRY_DTLS_NO_CIPHER},
    {SSL_R_NO_SHARED_GROUPS, FERRY_DTLS_NO_CIPHER},
    {SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, FERRY_DTLS_NO_CIPHER},
    {SSL_R_UNSUPPORTED_PROTOCOL, FERRY_DTLS_VERSION},
    {SSL_R_WRONG_SSL_VERSION, FERRY_DTLS_VERSION},
    {SSL_R_WRONG_VERSION_NUMBER, FERRY_DTLS_VERSION},
    {SSL_R_VERSION_TOO_LOW, FERRY_DTLS_VERSION},
    {SSL_R_VERSION_TOO_HIGH, FERRY_DTLS_VERSION},
    {SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE, FERRY_DTLS_NO_CERTIFICATE},
    {SSL_R_PSK_IDENTITY_NOT_FOUND, FERRY_DTLS_UNKNOWN_IDENTITY},
    {SSL_R_READ_TIMEOUT_EXPIRED, FERRY_DTLS_TIMEOUT},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static enum ferry_dtls_cause look_up(const struct mapping *list, size_t count, int from,
                                     enum ferry_dtls_cause otherwise)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].from == from) {
            return list[i].to;
        }
    }
    return otherwise;
}

/* Some alerts are of many meanings, which the point they come at tells apart. */
static enum ferry_dtls_cause of_alert(const struct ferry_dtls *session)
{
    int alert = session->alert;

    if (alert == SSL_AD_BAD_RECORD_MAC || alert == SSL_AD_DECRYPT_ERROR) {
        return dtls_has_psk(session) ? FERRY_DTLS_WRONG_PSK : FERRY_DTLS_REFUSED;
    }
    if (alert == SSL_AD_HANDSHAKE_FAILURE && SSL_get_pending_cipher(session->ssl) == NULL) {
        return FERRY_DTLS_NO_CIPHER;
    }
    if (alert == SSL_AD_HANDSHAKE_FAILURE && session->asked) {
        return FERRY_DTLS_NO_CERTIFICATE;
    }
    return look_up(alerts, COUNT(alerts), alert, FERRY_DTLS_REFUSED);
}

/* Of OpenSSL's errors the first that says something. */
static enum ferry_dtls_cause of_errors(void)
{
    enum ferry_dtls_cause cause = FERRY_DTLS_REFUSED;
    unsigned long error;

    while (cause == FERRY_DTLS_REFUSED && (error = ERR_get_error()) != 0) {
        if (ERR_GET_LIB(error) == ERR_LIB_SSL) {
            cause = look_up(reasons, COUNT(reasons), ERR_GET_REASON(error), cause);
        }
    }
    ERR_clear_error();
    return cause;
}

void dtls_take_cause(struct ferry_dtls *session)
{
    long verified = SSL_get_verify_result(session->ssl);

    session->by_peer = session->alert >= 0;
    if (session->by_peer) {
        session->cause = of_alert(session);
    } else if (verified != X509_V_OK) {
        session->cause =
            look_up(certificates, COUNT(certificates), (int)verified, FERRY_DTLS_BAD_CERTIFICATE);
    } else {
        session->cause = of_errors();
    }
    ERR_clear_error();
}

enum ferry_dtls_cause ferry_dtls_cause(const struct ferry_dtls *session, bool *by_peer)
{
    if (by_peer != NULL) {
        *by_peer = session->by_peer;
    }
    return session->cause;
}

static const char *const words[][4] = {
#define FERRY_DTLS_CAUSE_WORDS(name, here, there, next, their_next) {here, there, next, their_next},
    FERRY_DTLS_CAUSES(FERRY_DTLS_CAUSE_WORDS)
#undef FERRY_DTLS_CAUSE_WORDS
};

const char *ferry_dtls_cause_text(enum ferry_dtls_cause cause, bool by_peer)
{
    return words[cause][by_peer];
}

const char *ferry_dtls_cause_remedy(enum ferry_dtls_cause cause, bool by_peer)
{
    return words[cause][2 + by_peer];
}
