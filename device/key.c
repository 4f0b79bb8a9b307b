/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a key file for the key area. */
#include "board.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define SECRET_FILE_MAX 4096

/* PEM or DER, public or private: OpenSSL finds out. A password is never asked for. */
static EVP_PKEY *load(FILE *file)
{
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *decoder =
        OSSL_DECODER_CTX_new_for_pkey(&key, NULL, NULL, NULL, 0, NULL, NULL);

    if (decoder != NULL) {
        (void)OSSL_DECODER_CTX_set_passphrase(decoder, (const unsigned char *)"", 0);
        (void)OSSL_DECODER_from_fp(decoder, file);
        OSSL_DECODER_CTX_free(decoder);
    }
    return key;
}

#define RSA_EXPONENT 65537 /* the one that signatures are verified with */

/* RSA keys whose signatures the bootloader verifies: 2048 and 3072 bits. */
static bool is_rsa(const EVP_PKEY *key)
{
    BIGNUM *exponent = NULL;
    int bits = EVP_PKEY_is_a(key, "RSA") ? EVP_PKEY_get_bits(key) : 0;
    bool good = (bits == 2048 || bits == 3072) &&
                EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent) == 1 &&
                BN_is_word(exponent, RSA_EXPONENT) == 1;
    BN_free(exponent);
    return good;
}

static bool is_elliptic(const EVP_PKEY *key)
{
    char group[32] = "";

    if (EVP_PKEY_is_a(key, "ED25519")) {
        return true;
    }
    if (!EVP_PKEY_is_a(key, "EC") ||
        EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1) {
        return false;
    }
    int curve = OBJ_sn2nid(group);
    return curve == NID_X9_62_prime256v1 || curve == NID_secp384r1;
}

/* As in struct ferry_image_key: RSA without the wrapping of a SubjectPublicKeyInfo. */
static int encode(EVP_PKEY *key, uint8_t *der)
{
    bool rsa = is_rsa(key);

    if (!rsa && !is_elliptic(key)) {
        return FERRY_E_UNSUPPORTED;
    }
    int len = rsa ? i2d_PublicKey(key, NULL) : i2d_PUBKEY(key, NULL);
    if (len <= 0 || len > FERRY_VCHIP_KEY_MAX) {
        return FERRY_E_UNSUPPORTED;
    }
    return rsa ? i2d_PublicKey(key, &der) : i2d_PUBKEY(key, &der);
}

static int encode_secret(EVP_PKEY *key, uint8_t *bytes)
{
    PKCS8_PRIV_KEY_INFO *info = NULL;
    char group[32] = "";
    bool curve = EVP_PKEY_is_a(key, "EC") &&
                 EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
                 OBJ_sn2nid(group) == NID_X9_62_prime256v1;

    bool rsa = EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) == 2048;

    if (!curve && !rsa && !EVP_PKEY_is_a(key, "X25519")) {
        return FERRY_E_UNSUPPORTED;
    }
    info = EVP_PKEY2PKCS8(key);
    int len = info != NULL ? i2d_PKCS8_PRIV_KEY_INFO(info, NULL) : 0;
    if (len > 0 && len <= FERRY_VCHIP_SECRET_MAX) {
        len = i2d_PKCS8_PRIV_KEY_INFO(info, &bytes);
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    return len > 0 && len <= FERRY_VCHIP_SECRET_MAX ? len : FERRY_E_FORMAT;
}

/* The bytes of a file of 16 or 32; else 0. */
static int read_raw(FILE *file, uint8_t *bytes)
{
    uint8_t all[SECRET_FILE_MAX];
    size_t len = fread(all, 1, sizeof(all), file);

    if (len == 16 || len == 32) {
        memcpy(bytes, all, len);
    }
    ferry_wipe(all, sizeof(all));
    rewind(file);
    return len == 16 || len == 32 ? (int)len : 0;
}

int secret_read(const char *path, uint8_t *bytes)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        return FERRY_E_IO;
    }
    int result = read_raw(file, bytes);
    EVP_PKEY *key = result == 0 ? load(file) : NULL;
    (void)fclose(file);
    if (key != NULL) {
        result = encode_secret(key, bytes);
        EVP_PKEY_free(key);
    }
    return result != 0 ? result : FERRY_E_FORMAT;
}

int key_read(const char *path, uint8_t *der)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        return FERRY_E_IO;
    }
    EVP_PKEY *key = load(file);
    (void)fclose(file);
    if (key == NULL) {
        return FERRY_E_FORMAT;
    }
    int result = encode(key, der);
    EVP_PKEY_free(key);
    return result;
}
