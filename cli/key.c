/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static const struct key_type key_types[] = {
    {"ecdsa-p256", "EC", FERRY_TLV_ECDSA_SIG},
    {"ed25519", "ED25519", FERRY_TLV_ED25519},
};

const char key_type_names[] = "ecdsa-p256, ed25519";

#define TYPES (sizeof key_types / sizeof key_types[0])

const struct key_type *key_type_find(const char *name)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (strcmp(key_types[i].name, name) == 0) {
            return &key_types[i];
        }
    }
    return NULL;
}

static bool is_p256(const EVP_PKEY *pkey)
{
    char group[64] = "";
    return EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                          NULL) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

static const struct key_type *type_of(const EVP_PKEY *pkey)
{
    if (EVP_PKEY_is_a(pkey, "EC")) {
        return is_p256(pkey) ? &key_types[0] : NULL;
    }
    return EVP_PKEY_is_a(pkey, "ED25519") ? &key_types[1] : NULL;
}

/* Fill type and DER of key->pkey. */
static bool describe(struct key *key)
{
    unsigned char *p = key->der;
    key->type = type_of(key->pkey);
    int len = key->type != NULL ? i2d_PUBKEY(key->pkey, NULL) : -1;
    if (len <= 0 || len > KEY_DER_MAX) {
        return false;
    }
    key->der_len = (size_t)i2d_PUBKEY(key->pkey, &p);
    return true;
}

/* Encrypted keys are refused with a plain message instead of a prompt from inside OpenSSL. */
static int no_password(char *buf, int size, int rwflag, void *used)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    *(bool *)used = true;
    return -1;
}

static bool parse_pem(const struct cli_buffer *file, struct key *key, bool *encrypted)
{
    BIO *bio = BIO_new_mem_buf(file->data, (int)file->len);
    if (bio == NULL) {
        return false;
    }
    key->pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, encrypted);
    key->is_private = key->pkey != NULL;
    if (key->pkey == NULL) {
        (void)BIO_reset(bio);
        key->pkey = PEM_read_bio_PUBKEY(bio, NULL, no_password, encrypted);
    }
    BIO_free(bio);
    ERR_clear_error();
    return key->pkey != NULL;
}

int key_load(const struct cli *cli, const char *path, struct key *key)
{
    struct cli_buffer file;
    bool encrypted = false;

    *key = (struct key){0};
    int code = cli_read_file(cli, path, &file);
    if (code != CLI_OK) {
        return code;
    }
    bool parsed = parse_pem(&file, key, &encrypted);
    OPENSSL_cleanse(file.data, file.len);
    cli_buffer_free(&file);
    if (encrypted) {
        return cli_fail(cli, CLI_FAILED, "decrypt it first: openssl pkey -in KEY -out PLAIN",
                        "the key in %s is encrypted", path);
    }
    if (!parsed) {
        return cli_fail(cli, CLI_FAILED, "give a PEM file made by `ferry keygen` or imgtool",
                        "there is no key in %s", path);
    }
    if (!describe(key)) {
        key_free(key);
        return cli_fail(cli, CLI_FAILED, "use a key of type ecdsa-p256 or ed25519",
                        "the key in %s is of a type Ferry does not sign with", path);
    }
    return CLI_OK;
}

int key_generate(const struct cli *cli, const struct key_type *type, struct key *key)
{
    *key = (struct key){.is_private = true};
    key->pkey = strcmp(type->openssl, "EC") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                                                 : EVP_PKEY_Q_keygen(NULL, NULL, type->openssl);
    if (key->pkey != NULL && describe(key)) {
        return CLI_OK;
    }
    key_free(key);
    return cli_fail(cli, CLI_FAILED, "check the OpenSSL installation", "cannot make a key: %s",
                    ERR_reason_error_string(ERR_peek_last_error()));
}

/* ECDSA signs the digest itself; Ed25519 signs it as a message of 32 bytes. */
size_t key_sign_digest(const struct key *key, const uint8_t digest[FERRY_SHA256_SIZE],
                       uint8_t *signature)
{
    size_t len = FERRY_IMAGE_SIGNATURE_MAX;
    int good = 0;
    if (key->type->tlv == FERRY_TLV_ED25519) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        good = ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
               EVP_DigestSign(ctx, signature, &len, digest, FERRY_SHA256_SIZE) == 1;
        EVP_MD_CTX_free(ctx);
    } else {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
        good = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
               EVP_PKEY_sign(ctx, signature, &len, digest, FERRY_SHA256_SIZE) == 1;
        EVP_PKEY_CTX_free(ctx);
    }
    return good ? len : 0;
}

int key_to_pem(const struct cli *cli, const struct key *key, bool private_key,
               struct cli_buffer *buffer)
{
    *buffer = (struct cli_buffer){0};
    BIO *bio = BIO_new(BIO_s_mem());
    int good = bio != NULL && (private_key ? PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL,
                                                                           NULL, 0, NULL, NULL)
                                           : PEM_write_bio_PUBKEY(bio, key->pkey));
    char *text = NULL;
    long len = good == 1 ? BIO_get_mem_data(bio, &text) : 0;
    if (len > 0) {
        buffer->data = malloc((size_t)len);
    }
    if (buffer->data != NULL) {
        memcpy(buffer->data, text, (size_t)len);
        buffer->len = (size_t)len;
    }
    BIO_free(bio);
    return buffer->data != NULL ? CLI_OK
                                : cli_fail(cli, CLI_FAILED, "check the OpenSSL installation",
                                           "cannot write the key as PEM");
}

void key_free(struct key *key)
{
    EVP_PKEY_free(key->pkey);
    key->pkey = NULL;
}
