/* SPDX-License-Identifier: Apache-2.0 */
/* ECDSA by OpenSSL 3, for the host. */
#include "ferry/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

struct curve {
    const char *name; /* OpenSSL's */
    size_t point;     /* bytes of an uncompressed point */
    size_t digest;    /* bytes of a digest that is signed */
};

static const struct curve p256 = {"prime256v1", FERRY_P256_POINT_SIZE, FERRY_SHA256_SIZE};
static const struct curve p384 = {"secp384r1", FERRY_P384_POINT_SIZE, FERRY_SHA384_SIZE};

/* The key of an uncompressed point, or NULL; OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *make_key(const struct curve *curve, const uint8_t *point)
{
    char group[16];
    uint8_t bytes[FERRY_P384_POINT_SIZE];
    memcpy(group, curve->name, strlen(curve->name) + 1);
    memcpy(bytes, point, curve->point);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes, curve->point),
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

static int verify(const struct curve *curve, const uint8_t *point, const uint8_t *digest,
                  const uint8_t *signature, size_t len)
{
    EVP_PKEY *key = point[0] == 0x04 ? make_key(curve, point) : NULL;
    if (key == NULL) {
        return FERRY_E_SIGNATURE;
    }
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    int good = context != NULL && EVP_PKEY_verify_init(context) == 1 &&
               EVP_PKEY_verify(context, signature, len, digest, curve->digest) == 1;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(key);
    return good ? FERRY_OK : FERRY_E_SIGNATURE;
}

int ferry_crypto_p256_verify(const uint8_t point[FERRY_P256_POINT_SIZE],
                             const uint8_t digest[FERRY_SHA256_SIZE], const uint8_t *signature,
                             size_t len)
{
    return verify(&p256, point, digest, signature, len);
}

int ferry_crypto_p384_verify(const uint8_t point[FERRY_P384_POINT_SIZE],
                             const uint8_t digest[FERRY_SHA384_SIZE], const uint8_t *signature,
                             size_t len)
{
    return verify(&p384, point, digest, signature, len);
}
