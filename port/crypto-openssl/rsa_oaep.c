/* SPDX-License-Identifier: Apache-2.0 */
/* RSA-2048 with OAEP on OpenSSL 3. */
#include "ferry/cipher.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

/* The numbers an RSA key is made of here, and OpenSSL's names of them. The primes are left out:
 * with them OpenSSL asks for the CRT's numbers too. */
#define NUMBERS 3

static const char *const names[NUMBERS] = {OSSL_PKEY_PARAM_RSA_N, OSSL_PKEY_PARAM_RSA_E,
                                           OSSL_PKEY_PARAM_RSA_D};

static EVP_PKEY *key_of(OSSL_PARAM_BLD *build)
{
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;

    if (params == NULL || context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_KEYPAIR, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    OSSL_PARAM_free(params);
    return key;
}

static EVP_PKEY *private_key(const struct ferry_rsa_private *key)
{
    const struct ferry_bytes given[NUMBERS] = {key->n, key->e, key->d};
    BIGNUM *numbers[NUMBERS] = {NULL};
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    int good = build != NULL;

    for (int i = 0; good && i < NUMBERS; i++) {
        numbers[i] = BN_secure_new();
        good = numbers[i] != NULL &&
               BN_bin2bn(given[i].data, (int)given[i].len, numbers[i]) != NULL &&
               OSSL_PARAM_BLD_push_BN(build, names[i], numbers[i]) == 1;
    }

    EVP_PKEY *pkey = good ? key_of(build) : NULL;

    for (int i = 0; i < NUMBERS; i++) {
        BN_clear_free(numbers[i]);
    }
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

static int decrypt(EVP_PKEY *pkey, const uint8_t *wrapped, uint8_t *message, size_t *len)
{
    EVP_PKEY_CTX *context = pkey != NULL ? EVP_PKEY_CTX_new(pkey, NULL) : NULL;
    int good = context != NULL && EVP_PKEY_decrypt_init(context) == 1 &&
               EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
               EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1 &&
               EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
               EVP_PKEY_decrypt(context, message, len, wrapped, FERRY_RSA2048_SIZE) == 1;

    EVP_PKEY_CTX_free(context);
    ERR_clear_error();
    return good;
}

int ferry_crypto_rsa2048_oaep(const struct ferry_rsa_private *key,
                              const uint8_t wrapped[FERRY_RSA2048_SIZE], uint8_t *out, size_t cap,
                              size_t *out_len)
{
    uint8_t message[FERRY_RSA2048_SIZE];
    size_t len = sizeof message;
    EVP_PKEY *pkey = private_key(key);
    int good = decrypt(pkey, wrapped, message, &len) && len <= cap;

    EVP_PKEY_free(pkey);
    memset(out, 0, cap);
    *out_len = 0;
    if (good) {
        memcpy(out, message, len);
        *out_len = len;
    }
    ferry_wipe(message, sizeof message);
    return good ? FERRY_OK : FERRY_E_SECRET;
}
