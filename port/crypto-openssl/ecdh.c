/* SPDX-License-Identifier: Apache-2.0 */
/* ECDH on P-256 and X25519 on OpenSSL 3. */
#include "ferry/cipher.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <string.h>

/* The shared secret of both keys, size bytes; either may be NULL. */
static int derive(EVP_PKEY *mine, EVP_PKEY *theirs, uint8_t *shared, size_t size)
{
    size_t len = size;
    EVP_PKEY_CTX *context = mine != NULL && theirs != NULL ? EVP_PKEY_CTX_new(mine, NULL) : NULL;
    int good = context != NULL && EVP_PKEY_derive_init(context) == 1 &&
               EVP_PKEY_derive_set_peer(context, theirs) == 1 &&
               EVP_PKEY_derive(context, shared, &len) == 1 && len == size;

    EVP_PKEY_CTX_free(context);
    ERR_clear_error(); /* why it was refused interests nobody; it would wait for others */
    if (!good) {
        ferry_wipe(shared, size);
    }
    return good ? FERRY_OK : FERRY_E_SECRET;
}

/* ---- P-256 ------------------------------------------------------------------------------ */

static EVP_PKEY *ec_key(OSSL_PARAM *params, int selection)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

    if (context == NULL || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, selection, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(context);
    return key;
}

/* OpenSSL refuses a point that is not on the curve. */
static EVP_PKEY *public_key(const uint8_t point[FERRY_P256_POINT_SIZE])
{
    char group[] = "prime256v1";
    uint8_t bytes[FERRY_P256_POINT_SIZE];

    if (point[0] != 0x04) {
        return NULL;
    }
    memcpy(bytes, point, sizeof bytes);

    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof bytes),
        OSSL_PARAM_construct_end()};

    return ec_key(params, EVP_PKEY_PUBLIC_KEY);
}

/* Whether 0 < scalar < order. */
static int in_range(const BIGNUM *scalar)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    int good =
        group != NULL && !BN_is_zero(scalar) && BN_cmp(scalar, EC_GROUP_get0_order(group)) < 0;

    EC_GROUP_free(group);
    return good;
}

static EVP_PKEY *private_key(const uint8_t scalar[FERRY_P256_SCALAR_SIZE])
{
    BIGNUM *number = BN_secure_new();
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    if (number != NULL && build != NULL &&
        BN_bin2bn(scalar, FERRY_P256_SCALAR_SIZE, number) != NULL && in_range(number) &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1) {
        params = OSSL_PARAM_BLD_to_param(build);
    }
    if (params != NULL) {
        key = ec_key(params, EVP_PKEY_KEYPAIR);
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_clear_free(number);
    return key;
}

int ferry_crypto_p256_ecdh(const uint8_t scalar[FERRY_P256_SCALAR_SIZE],
                           const uint8_t point[FERRY_P256_POINT_SIZE],
                           uint8_t shared[FERRY_P256_SCALAR_SIZE])
{
    EVP_PKEY *mine = private_key(scalar);
    EVP_PKEY *theirs = public_key(point);
    int rc = derive(mine, theirs, shared, FERRY_P256_SCALAR_SIZE);

    EVP_PKEY_free(theirs);
    EVP_PKEY_free(mine);
    return rc;
}

/* ---- X25519 ----------------------------------------------------------------------------- */

int ferry_crypto_x25519(const uint8_t scalar[FERRY_X25519_SIZE],
                        const uint8_t point[FERRY_X25519_SIZE], uint8_t shared[FERRY_X25519_SIZE])
{
    EVP_PKEY *mine = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, scalar, FERRY_X25519_SIZE);
    EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, point, FERRY_X25519_SIZE);
    int rc = derive(mine, theirs, shared, FERRY_X25519_SIZE); /* refuses a zero result */

    EVP_PKEY_free(theirs);
    EVP_PKEY_free(mine);
    return rc;
}
