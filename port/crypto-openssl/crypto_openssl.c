/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto primitives on OpenSSL 3, for the host. */
#include "ferry/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- SHA-256 ---------------------------------------------------------------------------- */

_Static_assert(sizeof(EVP_MD_CTX *) <= sizeof(struct ferry_sha256),
               "the opaque state holds a pointer to OpenSSL's");

/* A digest has no way to say that it failed, and OpenSSL's fails only without memory or without
 * its own library: to go on would mean to compare against nothing. */
static void die(void)
{
    fputs("ferry: SHA-256 does not work: OpenSSL is out of memory or has no SHA-256 provider. "
          "Free memory, or repair the OpenSSL installation and its openssl.cnf.\n",
          stderr);
    abort();
}

static EVP_MD_CTX *load_context(const struct ferry_sha256 *sha)
{
    EVP_MD_CTX *context;
    memcpy(&context, sha->opaque, sizeof context);
    return context;
}

void ferry_crypto_sha256_init(struct ferry_sha256 *sha)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1) {
        die();
    }
    memset(sha, 0, sizeof *sha);
    memcpy(sha->opaque, &context, sizeof context);
}

void ferry_crypto_sha256_update(struct ferry_sha256 *sha, const void *data, size_t len)
{
    if (EVP_DigestUpdate(load_context(sha), data, len) != 1) {
        die();
    }
}

void ferry_crypto_sha256_final(struct ferry_sha256 *sha, uint8_t digest[FERRY_SHA256_SIZE])
{
    EVP_MD_CTX *context = load_context(sha);
    if (EVP_DigestFinal_ex(context, digest, NULL) != 1) {
        die();
    }
    EVP_MD_CTX_free(context);
    memset(sha, 0, sizeof *sha);
}

/* ---- ECDSA ------------------------------------------------------------------------------ */

/* The key of an uncompressed point, or NULL; OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *p256_key(const uint8_t point[FERRY_P256_POINT_SIZE])
{
    char group[] = "prime256v1";
    uint8_t bytes[FERRY_P256_POINT_SIZE];
    memcpy(bytes, point, sizeof bytes);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof bytes),
        OSSL_PARAM_construct_end()};
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return key;
}

int ferry_crypto_p256_verify(const uint8_t point[FERRY_P256_POINT_SIZE],
                             const uint8_t digest[FERRY_SHA256_SIZE], const uint8_t *signature,
                             size_t len)
{
    EVP_PKEY *key = point[0] == 0x04 ? p256_key(point) : NULL;
    if (key == NULL) {
        return FERRY_E_SIGNATURE;
    }
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    int good = context != NULL && EVP_PKEY_verify_init(context) == 1 &&
               EVP_PKEY_verify(context, signature, len, digest, FERRY_SHA256_SIZE) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return good ? FERRY_OK : FERRY_E_SIGNATURE;
}

/* ---- Ed25519 ---------------------------------------------------------------------------- */

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
