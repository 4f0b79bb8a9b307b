/* SPDX-License-Identifier: Apache-2.0 */
#include "key_write.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD_ROUNDS 600000 /* of PBKDF2 with SHA-256: OWASP's least, half a second at most */
#define SALT_SIZE       16

/* A good result is what is in bio. */
static int finish(const struct cli *cli, BIO *bio, bool good, struct cli_buffer *buffer)
{
    char *bytes = NULL;
    long len = good ? BIO_get_mem_data(bio, &bytes) : 0;

    *buffer = (struct cli_buffer){.data = len > 0 ? malloc((size_t)len) : NULL};
    if (buffer->data != NULL) {
        memcpy(buffer->data, bytes, (size_t)len);
        buffer->len = (size_t)len;
    }
    BIO_free(bio); /* wipes it */
    ERR_clear_error();
    return buffer->data != NULL ? CLI_OK
                                : cli_fail(cli, CLI_FAILED, "check the OpenSSL installation",
                                           "cannot write the key");
}

/* ---- Key files -------------------------------------------------------------------------- */

static X509_SIG *encrypt(PKCS8_PRIV_KEY_INFO *plain, const struct password *password)
{
    X509_ALGOR *how = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), PASSWORD_ROUNDS, NULL, SALT_SIZE, NULL,
                                        NID_hmacWithSHA256);
    X509_SIG *sealed =
        how != NULL ? PKCS8_set0_pbe(password->text, (int)password->len, plain, how) : NULL;
    if (sealed == NULL) {
        X509_ALGOR_free(how);
    }
    return sealed;
}

static bool put_sealed(BIO *bio, PKCS8_PRIV_KEY_INFO *plain, const struct password *password,
                       bool pem)
{
    X509_SIG *sealed = encrypt(plain, password);
    bool good = sealed != NULL &&
                (pem ? PEM_write_bio_PKCS8(bio, sealed) : i2d_PKCS8_bio(bio, sealed)) == 1;
    X509_SIG_free(sealed);
    return good;
}

int key_write_private(const struct cli *cli, const struct key *key, const struct password *password,
                      bool pem, struct cli_buffer *buffer)
{
    BIO *bio = BIO_new(BIO_s_mem());
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(key->pkey);
    bool good = bio != NULL && plain != NULL;
    if (good && password != NULL) {
        good = put_sealed(bio, plain, password, pem);
    } else if (good) {
        good = (pem ? PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, plain)
                    : i2d_PKCS8_PRIV_KEY_INFO_bio(bio, plain)) == 1;
    }
    PKCS8_PRIV_KEY_INFO_free(plain);
    return finish(cli, bio, good, buffer);
}

int key_write_public(const struct cli *cli, const struct key *key, bool pem,
                     struct cli_buffer *buffer)
{
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio != NULL &&
                (pem ? PEM_write_bio_PUBKEY(bio, key->pkey) : i2d_PUBKEY_bio(bio, key->pkey)) == 1;
    return finish(cli, bio, good, buffer);
}

/* ---- Forms for bootloaders -------------------------------------------------------------- */

/* One number of an RSA key as a DER INTEGER. */
static bool put_number(BIO *bio, const EVP_PKEY *pkey, const char *name)
{
    BIGNUM *number = NULL;
    ASN1_INTEGER *integer =
        EVP_PKEY_get_bn_param(pkey, name, &number) == 1 ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    unsigned char *der = NULL;
    int len = integer != NULL ? i2d_ASN1_INTEGER(integer, &der) : 0;
    bool good = len > 0 && BIO_write(bio, der, len) == len;
    OPENSSL_clear_free(der, len > 0 ? (size_t)len : 0);
    ASN1_STRING_clear_free(integer);
    BN_clear_free(number);
    return good;
}

/* RSAPrivateKey cut off behind its primes, as MCUboot's loader reads it. */
static bool put_minimal_rsa(BIO *out, const EVP_PKEY *pkey)
{
    static const unsigned char version[] = {V_ASN1_INTEGER, 1, 0};
    static const char *const names[] = {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E,
                                        OSSL_PKEY_PARAM_RSA_D, OSSL_PKEY_PARAM_RSA_FACTOR1,
                                        OSSL_PKEY_PARAM_RSA_FACTOR2};
    unsigned char head[8];
    unsigned char *end = head;
    char *body;
    BIO *numbers = BIO_new(BIO_s_mem());
    bool good = numbers != NULL && BIO_write(numbers, version, sizeof version) > 0;

    for (size_t i = 0; good && i < sizeof names / sizeof names[0]; i++) {
        good = put_number(numbers, pkey, names[i]);
    }
    if (good) {
        int len = (int)BIO_get_mem_data(numbers, &body);
        ASN1_put_object(&end, 1, len, V_ASN1_SEQUENCE, V_ASN1_UNIVERSAL);
        good = BIO_write(out, head, (int)(end - head)) > 0 && BIO_write(out, body, len) == len;
    }
    BIO_free(numbers);
    return good;
}

static bool put_pkcs8(BIO *bio, const EVP_PKEY *pkey)
{
    PKCS8_PRIV_KEY_INFO *plain = EVP_PKEY2PKCS8(pkey);
    bool good = plain != NULL && i2d_PKCS8_PRIV_KEY_INFO_bio(bio, plain) == 1;
    PKCS8_PRIV_KEY_INFO_free(plain);
    return good;
}

static bool put_ec(BIO *bio, EVP_PKEY *pkey, bool pkcs8, bool minimal)
{
    bool good =
        EVP_PKEY_set_int_param(pkey, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, minimal ? 0 : 1) == 1 &&
        (pkcs8 ? put_pkcs8(bio, pkey) : i2d_PrivateKey_bio(bio, pkey) == 1);
    return EVP_PKEY_set_int_param(pkey, OSSL_PKEY_PARAM_EC_INCLUDE_PUBLIC, 1) == 1 && good;
}

/* Whether the type has the form. Returns CLI_OK, or CLI_USAGE after a message. */
static int check_form(const struct cli *cli, const struct key *key, bool pkcs8, bool minimal)
{
    bool rsa = key->type->bits != 0;
    if (!pkcs8 && !rsa && key->type->group == NULL) {
        return cli_fail(cli, CLI_USAGE, "use -f pkcs8", "%s keys have no form of OpenSSL's own",
                        key->type->name);
    }
    if (pkcs8 && rsa && minimal) {
        return cli_fail(cli, CLI_USAGE, "use -f openssl, or leave --minimal out",
                        "a minimal RSA key is not PKCS#8 any more");
    }
    return CLI_OK;
}

int key_write_bare(const struct cli *cli, const struct key *key, enum key_bare form, bool minimal,
                   struct cli_buffer *buffer)
{
    bool rsa = key->type->bits != 0;
    bool pkcs8 = form == KEY_BARE_PKCS8 || (form == KEY_BARE_DEFAULT && !rsa);
    int code = check_form(cli, key, pkcs8, minimal);
    if (code != CLI_OK) {
        return code;
    }
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = bio != NULL;
    if (good && rsa && minimal) {
        good = put_minimal_rsa(bio, key->pkey);
    } else if (good && key->type->group != NULL) {
        good = put_ec(bio, key->pkey, pkcs8, minimal);
    } else if (good) {
        good = pkcs8 ? put_pkcs8(bio, key->pkey) : i2d_PrivateKey_bio(bio, key->pkey) == 1;
    }
    return finish(cli, bio, good, buffer);
}
