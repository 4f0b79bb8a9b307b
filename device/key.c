/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a key file for the key area. */
#include "board.h"

#include <errno.h>
#include <openssl/decoder.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>

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

static bool is_supported(const EVP_PKEY *key)
{
    char group[32] = "";

    if (EVP_PKEY_is_a(key, "ED25519")) {
        return true;
    }
    return EVP_PKEY_is_a(key, "EC") &&
           EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
           OBJ_sn2nid(group) == NID_X9_62_prime256v1;
}

static int encode(EVP_PKEY *key, uint8_t *der)
{
    if (!is_supported(key)) {
        return FERRY_E_UNSUPPORTED;
    }
    int len = i2d_PUBKEY(key, NULL);
    if (len <= 0 || len > FERRY_VCHIP_KEY_MAX) {
        return FERRY_E_UNSUPPORTED;
    }
    return i2d_PUBKEY(key, &der);
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
