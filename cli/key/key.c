/* SPDX-License-Identifier: Apache-2.0 */
#include "key.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static const struct key_type key_types[] = {
    {"rsa-2048", "RSA", NULL, 2048, FERRY_TLV_RSA2048_PSS, {&ferry_digest_sha256}},
    {"rsa-3072", "RSA", NULL, 3072, FERRY_TLV_RSA3072_PSS, {&ferry_digest_sha256}},
    {"ecdsa-p256", "EC", "prime256v1", 0, FERRY_TLV_ECDSA_SIG, {&ferry_digest_sha256}},
    {"ecdsa-p384", "EC", "secp384r1", 0, FERRY_TLV_ECDSA_SIG, {&ferry_digest_sha384}},
    {"ed25519",
     "ED25519",
     NULL,
     0,
     FERRY_TLV_ED25519,
     {&ferry_digest_sha256, &ferry_digest_sha512}},
    {"x25519", "X25519", NULL, 0, 0, {NULL}},
};

const char key_type_names[] = "rsa-2048, rsa-3072, ecdsa-p256, ecdsa-p384, ed25519, x25519";

#define TYPES (sizeof key_types / sizeof key_types[0])

#define RSA_EXPONENT 65537 /* the one that is verified with */

const struct key_type *key_type_find(const char *name)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (strcmp(key_types[i].name, name) == 0) {
            return &key_types[i];
        }
    }
    return NULL;
}

bool key_type_takes(const struct key_type *type, const struct ferry_image_digest_kind *digest)
{
    return type->digests[0] == digest || type->digests[1] == digest;
}

static bool has_group(const EVP_PKEY *pkey, const char *wanted)
{
    char group[64] = "";
    return EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof group,
                                          NULL) == 1 &&
           strcmp(group, wanted) == 0;
}

static bool has_modulus(const EVP_PKEY *pkey, unsigned bits)
{
    BIGNUM *exponent = NULL;
    bool good = (unsigned)EVP_PKEY_get_bits(pkey) == bits &&
                EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
                BN_is_word(exponent, RSA_EXPONENT) == 1;
    BN_free(exponent);
    return good;
}

static const struct key_type *type_of(const EVP_PKEY *pkey)
{
    for (size_t i = 0; i < TYPES; i++) {
        const struct key_type *type = &key_types[i];
        if (EVP_PKEY_is_a(pkey, type->openssl) &&
            (type->group == NULL || has_group(pkey, type->group)) &&
            (type->bits == 0 || has_modulus(pkey, type->bits))) {
            return type;
        }
    }
    return NULL;
}

/* The public key as DER: RSA alone is without the wrapping of a SubjectPublicKeyInfo. */
static int encode(const struct key *key, unsigned char **out)
{
    return key->type->bits != 0 ? i2d_PublicKey(key->pkey, out) : i2d_PUBKEY(key->pkey, out);
}

/* Fill type and DER of key->pkey. */
static bool describe(struct key *key)
{
    unsigned char *p = key->der;
    key->type = type_of(key->pkey);
    int len = key->type != NULL ? encode(key, NULL) : -1;
    if (len <= 0 || len > KEY_DER_MAX) {
        return false;
    }
    key->der_len = (size_t)encode(key, &p);
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
    int code = key_load_any(cli, path, key);
    if (code == CLI_OK && key->type->tlv == 0) {
        key_free(key);
        return cli_fail(cli, CLI_FAILED, "encrypt with it (-E), and sign with one of another type",
                        "the key in %s is an %s key, which signs nothing", path, key->type->name);
    }
    return code;
}

int key_load_any(const struct cli *cli, const char *path, struct key *key)
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
        return cli_fail_why(cli, CLI_FAILED, "images are signed with keys of certain types only",
                            "use one of: rsa-2048, rsa-3072, ecdsa-p256, ecdsa-p384, ed25519",
                            "the key in %s is of a type Ferry does not sign with", path);
    }
    return CLI_OK;
}

static EVP_PKEY *generate(const struct key_type *type)
{
    if (type->bits != 0) {
        return EVP_PKEY_Q_keygen(NULL, NULL, type->openssl, (size_t)type->bits);
    }
    return type->group != NULL ? EVP_PKEY_Q_keygen(NULL, NULL, type->openssl, type->group)
                               : EVP_PKEY_Q_keygen(NULL, NULL, type->openssl);
}

int key_generate(const struct cli *cli, const struct key_type *type, struct key *key)
{
    *key = (struct key){.is_private = true};
    key->pkey = generate(type);
    if (key->pkey != NULL && describe(key)) {
        return CLI_OK;
    }
    key_free(key);
    return cli_fail(cli, CLI_FAILED, "check the OpenSSL installation", "cannot make a key: %s",
                    ERR_reason_error_string(ERR_peek_last_error()));
}

static bool sign_message(EVP_PKEY *pkey, const uint8_t *message, size_t len, uint8_t *signature,
                         size_t *size)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool good = ctx != NULL && EVP_DigestSignInit(ctx, NULL, NULL, NULL, pkey) == 1 &&
                EVP_DigestSign(ctx, signature, size, message, len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

/* Salt and MGF1 as MCUboot has them. */
static bool set_pss(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, FERRY_SHA256_SIZE) == 1;
}

static bool sign_digest(const struct key *key, const uint8_t *digest, size_t len,
                        uint8_t *signature, size_t *size)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key->pkey, NULL);
    bool good = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
                (key->type->bits == 0 || set_pss(ctx)) &&
                EVP_PKEY_sign(ctx, signature, size, digest, len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

size_t key_sign(const struct key *key, const uint8_t *data, size_t len, uint8_t *signature)
{
    size_t size = FERRY_IMAGE_SIGNATURE_MAX;
    bool good = key->type->tlv == FERRY_TLV_ED25519
                    ? sign_message(key->pkey, data, len, signature, &size)
                    : sign_digest(key, data, len, signature, &size);
    return good ? size : 0;
}

void key_hash(const struct key *key, const struct ferry_image_digest_kind *digest, uint8_t *hash)
{
    union ferry_image_digest_state state;
    digest->init(&state);
    digest->update(&state, key->der, key->der_len);
    digest->final(&state, hash);
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
