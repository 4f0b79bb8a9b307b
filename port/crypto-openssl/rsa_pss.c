/* SPDX-License-Identifier: Apache-2.0 */
/* RSA-PSS by OpenSSL 3, for the host. */
#include "ferry/crypto.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#define EXPONENT 65537

static EVP_PKEY *key_of(OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (context != NULL && EVP_PKEY_fromdata_init(context) == 1 &&
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return key;
}

static EVP_PKEY *make_key(const uint8_t *modulus, size_t len)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = NULL;
    BIGNUM *n = BN_bin2bn(modulus, (int)len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (n != NULL && builder != NULL &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
        OSSL_PARAM_BLD_push_ulong(builder, OSSL_PKEY_PARAM_RSA_E, EXPONENT) == 1) {
        params = OSSL_PARAM_BLD_to_param(builder);
    }
    if (params != NULL) {
        key = key_of(params);
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    BN_free(n);
    return key;
}

static int is_good(EVP_PKEY *key, const uint8_t *digest, const uint8_t *signature, size_t len)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    int good = context != NULL && EVP_PKEY_verify_init(context) == 1 &&
               EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
               EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(context, FERRY_SHA256_SIZE) == 1 &&
               EVP_PKEY_verify(context, signature, len, digest, FERRY_SHA256_SIZE) == 1;
    EVP_PKEY_CTX_free(context);
    return good;
}

int ferry_crypto_rsa_pss_verify(const uint8_t *modulus, size_t len,
                                const uint8_t digest[FERRY_SHA256_SIZE], const uint8_t *signature)
{
    if ((len != FERRY_RSA2048_SIZE && len != FERRY_RSA3072_SIZE) || (modulus[0] & 0x80) == 0) {
        return FERRY_E_SIGNATURE;
    }
    EVP_PKEY *key = make_key(modulus, len);
    int good = key != NULL && is_good(key, digest, signature, len);
    EVP_PKEY_free(key);
    return good ? FERRY_OK : FERRY_E_SIGNATURE;
}
