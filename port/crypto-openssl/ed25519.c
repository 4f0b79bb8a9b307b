/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 by OpenSSL 3, for the host. */
#include "ferry/crypto.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

int ferry_crypto_ed25519_verify(const uint8_t key[FERRY_ED25519_KEY_SIZE], const uint8_t *message,
                                size_t len, const uint8_t signature[FERRY_ED25519_SIGNATURE_SIZE])
{
    EVP_PKEY *pkey =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, FERRY_ED25519_KEY_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    int good =
        pkey != NULL && context != NULL &&
        EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
        EVP_DigestVerify(context, signature, FERRY_ED25519_SIGNATURE_SIZE, message, len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(pkey);
    return good ? FERRY_OK : FERRY_E_SIGNATURE;
}

/* Collect the message: OpenSSL verifies Ed25519 only over one that stands in memory whole. */
static int collect(const struct ferry_crypto_message *message, uint8_t *bytes)
{
    size_t done = 0;
    while (done < message->size) {
        const uint8_t *data;
        size_t len = 0;
        int rc = message->next(message->context, &data, &len);
        if (rc != FERRY_OK) {
            return rc;
        }
        if (len == 0 || len > message->size - done) {
            return FERRY_E_RANGE;
        }
        memcpy(bytes + done, data, len);
        done += len;
    }
    return FERRY_OK;
}

int ferry_crypto_ed25519_verify_message(const uint8_t key[FERRY_ED25519_KEY_SIZE],
                                        const struct ferry_crypto_message *message,
                                        const uint8_t signature[FERRY_ED25519_SIGNATURE_SIZE])
{
    uint8_t *bytes = malloc(message->size > 0 ? message->size : 1);
    int rc = FERRY_E_SIGNATURE;
    if (bytes != NULL && collect(message, bytes) == FERRY_OK) {
        rc = ferry_crypto_ed25519_verify(key, bytes, message->size, signature);
    }
    free(bytes);
    return rc;
}
