/* SPDX-License-Identifier: Apache-2.0 */
/* Encryption keys: files in, content keys of images out. */
#include "encrypt.h"

#include "cli/key/key.h"
#include "cli/key/key_read.h"
#include "ferry/base64.h"

#include <openssl/crypto.h>
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

/* The ENC TLV of a type of key; 0 for a type nothing is encrypted for. */
static uint16_t tlv_of(const char *type)
{
    static const struct {
        const char *type;
        uint16_t tlv;
    } schemes[] = {{"ecdsa-p256", FERRY_TLV_ENC_EC256},
                   {"x25519", FERRY_TLV_ENC_X25519},
                   {"rsa-2048", FERRY_TLV_ENC_RSA2048}};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strcmp(schemes[i].type, type) == 0) {
            return schemes[i].tlv;
        }
    }
    return 0;
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

/* Take an asymmetric key, if it is of a type images are encrypted for. */
static int take_pkey(const struct cli *cli, const char *path, const struct key_file *file,
                     struct encrypt_key *key)
{
    char words[96];
    if (file->pkey == NULL) {
        return key_missing(cli, path, file, "encryption key",
                           "give one made by `ferry keygen`, imgtool or openssl, or a file with "
                           "the 16 or 32 bytes of an AES key");
    }
    key->pkey = file->pkey;
    key->is_private = file->is_private;
    key->tlv = tlv_of(key_words(key->pkey, words, sizeof words));
    if (key->tlv != 0) {
        return CLI_OK;
    }
    encrypt_key_free(key);
    return cli_fail(cli, CLI_FAILED, "use a key of type ecdsa-p256, x25519 or rsa-2048",
                    "images are not encrypted for a key as the one in %s: %s", path, words);
}

int encrypt_key_load(const struct cli *cli, const char *path, struct encrypt_key *key)
{
    struct cli_buffer file;
    struct key_file found = {0};

    *key = (struct encrypt_key){0};
    cli_keep_file(path);
    int code = cli_read_file(cli, path, &file);
    if (code != CLI_OK) {
        return code;
    }
    if (parse_aes(&file, key)) {
        key->tlv = FERRY_TLV_ENC_KW;
        key->is_private = true;
    } else {
        code = key_decode(cli, path, &file, &found);
    }
    OPENSSL_cleanse(file.data, file.len);
    cli_buffer_free(&file);
    return code != CLI_OK || key->aes_len != 0 ? code : take_pkey(cli, path, &found, key);
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
