/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC and HKDF on OpenSSL 3. */
#include "die.h"
#include "ferry/cipher.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

static const EVP_MD *digest_of(enum ferry_mac hash)
{
    return hash == FERRY_MAC_SHA512 ? EVP_sha512() : EVP_sha256();
}

void ferry_crypto_hmac(enum ferry_mac hash, const uint8_t *key, size_t key_len, const uint8_t *data,
                       size_t len, uint8_t *mac)
{
    if (HMAC(digest_of(hash), key, (int)key_len, data, len, mac, NULL) == NULL) {
        ferry_openssl_die("HMAC");
    }
}

/* OpenSSL asks for pointers to bytes that may change, and changes none. */
static OSSL_PARAM octets(const char *name, const uint8_t *data, size_t len)
{
    union {
        const uint8_t *given;
        void *asked;
    } pointer = {.given = data};

    return OSSL_PARAM_construct_octet_string(name, pointer.asked, len);
}

void ferry_crypto_hkdf(enum ferry_mac hash, const uint8_t *secret, size_t secret_len,
                       const uint8_t *info, size_t info_len, uint8_t *out, size_t out_len)
{
    static const uint8_t salt[FERRY_SHA512_MAC_SIZE] = {0};
    char digest[] = "SHA2-256";
    char digest512[] = "SHA2-512";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                         hash == FERRY_MAC_SHA512 ? digest512 : digest, 0),
        octets(OSSL_KDF_PARAM_KEY, secret, secret_len),
        octets(OSSL_KDF_PARAM_SALT, salt, (size_t)hash),
        octets(OSSL_KDF_PARAM_INFO, info, info_len), OSSL_PARAM_construct_end()};
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;

    if (context == NULL || EVP_KDF_derive(context, out, out_len, params) != 1) {
        ferry_openssl_die("HKDF");
    }
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}
