/* SPDX-License-Identifier: Apache-2.0 */
/* Encryption keys: files in, content keys of images out. */
#include "encrypt.h"

#include "ferry/base64.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

/* Every scheme, as a device that has them all. */
static const struct ferry_image_unwrapper *const unwrappers[] = {
    &ferry_unwrap_ec256, &ferry_unwrap_x25519, &ferry_unwrap_x25519_sha512, &ferry_unwrap_rsa2048,
    &ferry_unwrap_kw};

#define UNWRAPPERS (sizeof unwrappers / sizeof unwrappers[0])

const char *encryption_scheme(uint16_t tlv)
{
    for (size_t i = 0; i < UNWRAPPERS; i++) {
        if (unwrappers[i]->tlv == tlv) {
            return unwrappers[i]->name;
        }
    }
    return "an unknown scheme";
}

/* ---- Files ------------------------------------------------------------------------------ */

/* Keys with a password are refused with a plain message instead of a prompt from inside OpenSSL. */
static int no_password(char *buf, int size, int rwflag, void *used)
{
    (void)buf;
    (void)size;
    (void)rwflag;
    *(bool *)used = true;
    return -1;
}

static void parse_pem(const struct cli_buffer *file, struct encrypt_key *key, bool *password)
{
    BIO *bio = BIO_new_mem_buf(file->data, (int)file->len);
    if (bio == NULL) {
        return;
    }
    key->pkey = PEM_read_bio_PrivateKey(bio, NULL, no_password, password);
    key->is_private = key->pkey != NULL;
    if (key->pkey == NULL) {
        (void)BIO_reset(bio);
        key->pkey = PEM_read_bio_PUBKEY(bio, NULL, no_password, password);
    }
    BIO_free(bio);
    ERR_clear_error();
}

static bool is_group(const EVP_PKEY *pkey, const char *group)
{
    char name[64] = "";
    return EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof name,
                                          NULL) == 1 &&
           strcmp(name, group) == 0;
}

/* The ENC TLV of a key; 0 for a type nothing is encrypted for. */
static uint16_t tlv_of(const EVP_PKEY *pkey)
{
    if (EVP_PKEY_is_a(pkey, "EC") && is_group(pkey, "prime256v1")) {
        return FERRY_TLV_ENC_EC256;
    }
    if (EVP_PKEY_is_a(pkey, "X25519")) {
        return FERRY_TLV_ENC_X25519;
    }
    return EVP_PKEY_is_a(pkey, "RSA") && EVP_PKEY_get_bits(pkey) == 2048 ? FERRY_TLV_ENC_RSA2048
                                                                         : 0;
}

/* 16 or 32 bytes, as they are or as a line of base64. */
static bool parse_aes(const struct cli_buffer *file, struct encrypt_key *key)
{
    size_t len = file->len;
    uint8_t bytes[FERRY_CONTENT_KEY_MAX + 3];
    if (len == 16 || len == 32) {
        memcpy(key->aes, file->data, len);
        key->aes_len = len;
        return true;
    }
    while (len > 0 && (file->data[len - 1] == '\n' || file->data[len - 1] == '\r')) {
        len--;
    }
    int decoded = len > 0 && len <= 48
                      ? ferry_base64_decode((const char *)file->data, len, bytes, sizeof bytes)
                      : -1;
    if (decoded == 16 || decoded == 32) {
        memcpy(key->aes, bytes, (size_t)decoded);
        key->aes_len = (size_t)decoded;
    }
    ferry_wipe(bytes, sizeof bytes);
    return key->aes_len != 0;
}

static int finish_load(const struct cli *cli, const char *path, struct encrypt_key *key,
                       bool password)
{
    if (password) {
        return cli_fail(cli, CLI_FAILED, "decrypt it first: openssl pkey -in KEY -out PLAIN",
                        "the key in %s is encrypted", path);
    }
    if (key->aes_len != 0) {
        key->tlv = FERRY_TLV_ENC_KW;
        key->is_private = true;
        return CLI_OK;
    }
    if (key->pkey == NULL) {
        return cli_fail(cli, CLI_FAILED,
                        "give a PEM file made by `ferry keygen` or imgtool, or a file with the 16 "
                        "or 32 bytes of an AES key",
                        "there is no encryption key in %s", path);
    }
    key->tlv = tlv_of(key->pkey);
    if (key->tlv == 0) {
        encrypt_key_free(key);
        return cli_fail(cli, CLI_FAILED, "use a key of type ecdsa-p256, x25519 or rsa-2048",
                        "the key in %s is of a type images are not encrypted for", path);
    }
    return CLI_OK;
}

int encrypt_key_load(const struct cli *cli, const char *path, struct encrypt_key *key)
{
    struct cli_buffer file;
    bool password = false;

    *key = (struct encrypt_key){0};
    int code = cli_read_file(cli, path, &file);
    if (code != CLI_OK) {
        return code;
    }
    if (!parse_aes(&file, key)) {
        parse_pem(&file, key, &password);
    }
    OPENSSL_cleanse(file.data, file.len);
    cli_buffer_free(&file);
    return finish_load(cli, path, key, password);
}

void encrypt_key_free(struct encrypt_key *key)
{
    EVP_PKEY_free(key->pkey);
    ferry_wipe(key, sizeof *key);
}

/* ---- Decryption ----------------------------------------------------------------------------- */

int encrypt_key_open(const struct encrypt_key *key, const struct ferry_flash *image,
                     const struct ferry_image_header *header, struct ferry_content_key *content_key)
{
    uint8_t *der = NULL;
    struct ferry_image_secret secret = {key->aes, key->aes_len};
    struct ferry_image_secrets secrets = {.secrets = &secret,
                                          .secret_count = 1,
                                          .unwrappers = unwrappers,
                                          .unwrapper_count = UNWRAPPERS};
    if (key->pkey != NULL) {
        int len = i2d_PrivateKey(key->pkey, &der);
        secret = (struct ferry_image_secret){der, len > 0 ? (size_t)len : 0};
    }
    int error = ferry_image_content_key(image, header, &secrets, content_key);
    if (der != NULL) {
        OPENSSL_clear_free(der, secret.len);
    }
    return error;
}
