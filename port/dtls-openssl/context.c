/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and rules, for any number of sessions. */
#include "inside.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Strength that OpenSSL asks of keys and signatures: 112 bits. Its releases from 3.2 on count the
 * short tags of CCM_8 as 64 bits, and leave these suites out. */
#define SECURITY_LEVEL 2

/* Authenticated encryption only; forward secrecy first. CCM_8 is what small devices have. */
#define PSK_SUITES                                                                                 \
    "ECDHE-PSK-CHACHA20-POLY1305:PSK-AES256-GCM-SHA384:PSK-AES128-GCM-SHA256:"                     \
    "PSK-CHACHA20-POLY1305:PSK-AES256-CCM:PSK-AES128-CCM:PSK-AES256-CCM8:PSK-AES128-CCM8"
#define CERT_SUITES                                                                                \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"   \
    "ECDHE-ECDSA-AES256-CCM:ECDHE-ECDSA-AES128-CCM:"                                               \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:"         \
    "ECDHE-ECDSA-AES256-CCM8:ECDHE-ECDSA-AES128-CCM8"
#define GROUPS "X25519:P-256:P-384"

/* ---- What OpenSSL asks --------------------------------------------------------------- */

static unsigned int client_psk(SSL *ssl, const char *hint, char *identity,
                               unsigned int identity_cap, unsigned char *key, unsigned int key_cap)
{
    const struct ferry_dtls *session = SSL_get_app_data(ssl);
    const struct psk *psk = session->context->psks;
    size_t len = strlen(psk->identity) + 1;

    (void)hint;
    if (len > identity_cap || psk->len > key_cap) {
        return 0;
    }
    memcpy(identity, psk->identity, len);
    memcpy(key, psk->key, psk->len);
    return (unsigned int)psk->len;
}

static unsigned int server_psk(SSL *ssl, const char *identity, unsigned char *key,
                               unsigned int key_cap)
{
    const struct ferry_dtls *session = SSL_get_app_data(ssl);
    const struct ferry_dtls_context *context = session->context;

    for (size_t i = 0; i < context->psk_count; i++) {
        const struct psk *psk = &context->psks[i];
        if (strcmp(psk->identity, identity) == 0 && psk->len <= key_cap) {
            memcpy(key, psk->key, psk->len);
            return (unsigned int)psk->len;
        }
    }
    return 0;
}

/* The server wants a certificate, and there is none. */
static int no_certificate(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
    struct ferry_dtls *session = SSL_get_app_data(ssl);

    (void)certificate;
    (void)key;
    session->asked = true;
    return 0;
}

/* OpenSSL would ask at the terminal. */
static int no_password(char *out, int cap, int writing, void *context)
{
    (void)out;
    (void)cap;
    (void)writing;
    (void)context;
    return -1;
}

/* ---- Files --------------------------------------------------------------------------- */

static int openssl_failed(char *why, size_t cap)
{
    snprintf(why, cap, "OpenSSL cannot speak DTLS: out of memory, or its openssl.cnf is wrong");
    return FERRY_E_IO;
}

static int check_there(const char *path, char *why, size_t cap)
{
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        snprintf(why, cap, "%s: %s", path, strerror(errno));
        return FERRY_E_NOT_FOUND;
    }
    fclose(file);
    return FERRY_OK;
}

static int load_key(SSL_CTX *ssl, const char *path, char *why, size_t cap)
{
    int error = check_there(path, why, cap);

    if (error != FERRY_OK) {
        return error;
    }
    ERR_clear_error();
    if (SSL_CTX_use_PrivateKey_file(ssl, path, SSL_FILETYPE_PEM) == 1) {
        return FERRY_OK;
    }
    unsigned long reason = ERR_peek_last_error();
    if (ERR_GET_LIB(reason) == ERR_LIB_X509 &&
        ERR_GET_REASON(reason) == X509_R_KEY_VALUES_MISMATCH) {
        snprintf(why, cap, "%s is not the key of the certificate", path);
        return FERRY_E_MISMATCH;
    }
    snprintf(why, cap, "%s holds no private key in PEM, or one with a password", path);
    return FERRY_E_FORMAT;
}

static int load_own(SSL_CTX *ssl, const struct ferry_dtls_config *config, char *why, size_t cap)
{
    int error = check_there(config->cert_file, why, cap);

    if (error != FERRY_OK) {
        return error;
    }
    if (SSL_CTX_use_certificate_chain_file(ssl, config->cert_file) != 1) {
        snprintf(why, cap, "%s holds no certificate in PEM that is strong enough",
                 config->cert_file);
        return FERRY_E_FORMAT;
    }
    return load_key(ssl, config->key_file, why, cap);
}

static int load_ca(SSL_CTX *ssl, const struct ferry_dtls_config *config, char *why, size_t cap)
{
    int error = check_there(config->ca_file, why, cap);

    if (error != FERRY_OK) {
        return error;
    }
    if (SSL_CTX_load_verify_file(ssl, config->ca_file) != 1) {
        snprintf(why, cap, "%s holds no certificate in PEM", config->ca_file);
        return FERRY_E_FORMAT;
    }
    /* A certificate in the file is trusted, whether it is a CA's or the peer's own. */
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ssl), X509_V_FLAG_PARTIAL_CHAIN);
    if (config->server) {
        SSL_CTX_set_client_CA_list(ssl, SSL_load_client_CA_file(config->ca_file));
        SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    return FERRY_OK;
}

/* ---- Rules --------------------------------------------------------------------------- */

static int set_rules(SSL_CTX *ssl, const struct ferry_dtls_config *config, char *why, size_t cap)
{
    bool certificates = config->server ? config->cert_file != NULL : config->ca_file != NULL;
    char suites[600];

    snprintf(suites, sizeof suites, "%s%s%s", certificates ? CERT_SUITES : "",
             certificates && config->psk_count > 0 ? ":" : "",
             config->psk_count > 0 ? PSK_SUITES : "");
    SSL_CTX_set_security_level(ssl, SECURITY_LEVEL);
    SSL_CTX_set_options(ssl, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(ssl, no_password);
    if (SSL_CTX_set_min_proto_version(ssl, DTLS1_2_VERSION) != 1 ||
        SSL_CTX_set_max_proto_version(ssl, DTLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(ssl, suites) != 1 || SSL_CTX_set1_groups_list(ssl, GROUPS) != 1) {
        return openssl_failed(why, cap);
    }
    if (config->server) {
        SSL_CTX_set_cookie_generate_cb(ssl, dtls_make_cookie);
        SSL_CTX_set_cookie_verify_cb(ssl, dtls_check_cookie);
        SSL_CTX_set_psk_server_callback(ssl, config->psk_count > 0 ? server_psk : NULL);
    } else {
        SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_client_cert_cb(ssl, no_certificate);
        SSL_CTX_set_psk_client_callback(ssl, config->psk_count > 0 ? client_psk : NULL);
    }
    return FERRY_OK;
}

static int set_up_ssl(struct ferry_dtls_context *context, const struct ferry_dtls_config *config,
                      char *why, size_t cap)
{
    context->ssl = SSL_CTX_new(config->server ? DTLS_server_method() : DTLS_client_method());
    context->method = dtls_method_new();
    if (context->ssl == NULL || context->method == NULL ||
        RAND_bytes(context->secret, sizeof context->secret) != 1) {
        return openssl_failed(why, cap);
    }
    int error = set_rules(context->ssl, config, why, cap);
    if (error == FERRY_OK && config->cert_file != NULL) {
        error = load_own(context->ssl, config, why, cap);
    }
    if (error == FERRY_OK && config->ca_file != NULL) {
        error = load_ca(context->ssl, config, why, cap);
    }
    return error;
}

/* ---- What is asked for --------------------------------------------------------------- */

static const char *wrong_psk(const struct ferry_dtls_psk *psk)
{
    if (psk->identity == NULL || psk->identity[0] == '\0' ||
        strlen(psk->identity) >= FERRY_DTLS_NAME) {
        return "a PSK identity has 1 to 95 characters";
    }
    if (psk->key.len < FERRY_DTLS_PSK_LEAST || psk->key.len > FERRY_DTLS_PSK_MOST) {
        return "a PSK has 16 to 64 bytes, random ones: openssl rand -hex 16";
    }
    return NULL;
}

/* What cannot be; NULL when all is well. */
static const char *wrong_with(const struct ferry_dtls_config *config)
{
    if ((config->cert_file != NULL) != (config->key_file != NULL)) {
        return "a certificate needs its key, and a key its certificate";
    }
    if (config->psk_count == 0 && config->server && config->cert_file == NULL) {
        return "a server needs a PSK, or a certificate and its key";
    }
    if (config->psk_count == 0 && !config->server && config->ca_file == NULL) {
        return "a client needs a PSK, or the CA of the server's certificate";
    }
    if (config->psk_count > 1 && !config->server) {
        return "a client has one PSK";
    }
    if (config->name != NULL && config->name[0] == '\0') { /* to OpenSSL that is any */
        return "the name of a certificate is empty";
    }
    if (config->mtu != 0 && config->mtu < FERRY_DTLS_MTU_LEAST) {
        return "the MTU is at least 512 bytes";
    }
    for (size_t i = 0; i < config->psk_count; i++) {
        const char *wrong = wrong_psk(&config->psks[i]);
        if (wrong != NULL) {
            return wrong;
        }
    }
    return NULL;
}

static bool copy_psks(struct ferry_dtls_context *context, const struct ferry_dtls_config *config)
{
    context->psks = calloc(config->psk_count + 1, sizeof *context->psks);
    if (context->psks == NULL) {
        return false;
    }
    context->psk_count = config->psk_count;
    for (size_t i = 0; i < config->psk_count; i++) {
        struct psk *psk = &context->psks[i];
        memcpy(psk->identity, config->psks[i].identity, strlen(config->psks[i].identity) + 1);
        memcpy(psk->key, config->psks[i].key.data, config->psks[i].key.len);
        psk->len = config->psks[i].key.len;
    }
    return true;
}

static uint32_t or_else(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

/* A program that has left them out to start sooner, as `ferry` does, would find every certificate
 * too weak. */
static void name_digests(void)
{
    EVP_add_digest(EVP_sha256());
    EVP_add_digest(EVP_sha384());
    EVP_add_digest(EVP_sha512());
}

static int set_up(struct ferry_dtls_context *context, const struct ferry_dtls_config *config,
                  char *why, size_t cap)
{
    name_digests();
    context->server = config->server;
    context->admits = config->admits;
    context->admits_context = config->admits_context;
    context->mtu = (uint16_t)or_else(config->mtu, FERRY_DTLS_MTU);
    context->retransmit_ms = or_else(config->retransmit_ms, FERRY_DTLS_RETRANSMIT_MS);
    context->handshake_ms = or_else(config->handshake_ms, FERRY_DTLS_HANDSHAKE_MS);
    context->name = config->name != NULL ? strdup(config->name) : NULL;
    if (!copy_psks(context, config) || (config->name != NULL && context->name == NULL)) {
        return openssl_failed(why, cap);
    }
    return set_up_ssl(context, config, why, cap);
}

int ferry_dtls_context_new(struct ferry_dtls_context **context,
                           const struct ferry_dtls_config *config, char *why, size_t cap)
{
    const char *wrong = wrong_with(config);
    struct ferry_dtls_context *made = calloc(1, sizeof *made);

    *context = NULL;
    if (wrong != NULL) {
        snprintf(why, cap, "%s", wrong);
        free(made);
        return FERRY_E_CONFIG;
    }
    int error = made != NULL ? set_up(made, config, why, cap) : openssl_failed(why, cap);
    ERR_clear_error();
    if (error != FERRY_OK) {
        ferry_dtls_context_free(made);
        return error;
    }
    *context = made;
    return FERRY_OK;
}

bool ferry_dtls_has_expired(const struct ferry_dtls_context *context, char date[FERRY_DTLS_DATE])
{
    const X509 *own = SSL_CTX_get0_certificate(context->ssl);
    const ASN1_TIME *end = own != NULL ? X509_get0_notAfter(own) : NULL;
    struct tm day;

    return end != NULL && X509_cmp_current_time(end) < 0 && ASN1_TIME_to_tm(end, &day) == 1 &&
           strftime(date, FERRY_DTLS_DATE, "%Y-%m-%d", &day) > 0;
}

void ferry_dtls_context_free(struct ferry_dtls_context *context)
{
    if (context == NULL) {
        return;
    }
    ferry_dtls_free(context->listener);
    SSL_CTX_free(context->ssl);
    BIO_meth_free(context->method);
    OPENSSL_cleanse(context->secret, sizeof context->secret);
    if (context->psks != NULL) {
        OPENSSL_cleanse(context->psks, context->psk_count * sizeof *context->psks);
    }
    free(context->psks);
    free(context->name);
    free(context);
}
