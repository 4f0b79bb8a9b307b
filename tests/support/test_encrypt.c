/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypts images for tests, with OpenSSL alone. [mcuboot-format.md §2.2, §2.5] */
#include "test_encrypt.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "test_encrypt: %s failed in OpenSSL\n", what);
        abort();
    }
}

static void ctr(const uint8_t *key, size_t key_len, uint8_t *data, size_t len)
{
    const uint8_t zero[16] = {0};
    int done = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    check(EVP_EncryptInit_ex(context, key_len == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr(), NULL,
                             key, zero) == 1 &&
              EVP_EncryptUpdate(context, data, &done, data, (int)len) == 1 && done == (int)len,
          "AES-CTR");
    EVP_CIPHER_CTX_free(context);
}

void test_encrypt_payload(const uint8_t *key, size_t key_len, uint8_t *payload, size_t len)
{
    ctr(key, key_len, payload, len);
}

/* The public key that belongs to the device's secret, with its private half. */
static EVP_PKEY *device_key(enum test_wrap wrap)
{
    const uint8_t *der = test_wraps[wrap].secret.bytes;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &der, (long)test_wraps[wrap].secret.len);
    check(key != NULL, "reading a test key");
    return key;
}

static size_t wrap_rsa(const uint8_t *key, size_t key_len, uint8_t *out)
{
    size_t len = FERRY_IMAGE_WRAPPED_MAX;
    EVP_PKEY *device = device_key(TEST_WRAP_RSA2048);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(device, NULL);
    check(EVP_PKEY_encrypt_init(context) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
              EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1 &&
              EVP_PKEY_encrypt(context, out, &len, key, key_len) == 1,
          "RSA-OAEP");
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(device);
    return len;
}

static size_t wrap_kw(const uint8_t *key, size_t key_len, uint8_t *out)
{
    const struct ferry_image_secret *kek = &test_wraps[TEST_WRAP_KW].secret;
    int done = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    check(EVP_EncryptInit_ex(context, kek->len == 16 ? EVP_aes_128_wrap() : EVP_aes_256_wrap(),
                             NULL, kek->bytes, NULL) == 1 &&
              EVP_EncryptUpdate(context, out, &done, key, (int)key_len) == 1,
          "AES key wrap");
    EVP_CIPHER_CTX_free(context);
    return (size_t)done;
}

/* The shared secret of a new ephemeral key with the device's; the ephemeral public key at pub. */
static size_t agree(enum test_wrap wrap, uint8_t *pub, uint8_t shared[32])
{
    size_t pub_len = 0;
    size_t shared_len = 32;
    EVP_PKEY *device = device_key(wrap);
    EVP_PKEY *ephemeral = wrap == TEST_WRAP_EC256 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                                                  : EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(ephemeral, NULL);
    uint8_t *encoded = NULL;
    pub_len = EVP_PKEY_get1_encoded_public_key(ephemeral, &encoded);
    check(pub_len > 0 && EVP_PKEY_derive_init(context) == 1 &&
              EVP_PKEY_derive_set_peer(context, device) == 1 &&
              EVP_PKEY_derive(context, shared, &shared_len) == 1,
          "key agreement");
    memcpy(pub, encoded, pub_len);
    OPENSSL_free(encoded);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(ephemeral);
    EVP_PKEY_free(device);
    return pub_len;
}

static void derive(const char *hash, const uint8_t shared[32], uint8_t *out, size_t len)
{
    char digest[16];
    uint8_t secret[32];
    char info[] = "MCUBoot_ECIES_v1";
    snprintf(digest, sizeof digest, "%s", hash);
    memcpy(secret, shared, sizeof secret);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret, sizeof secret),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, strlen(info)),
        OSSL_PARAM_construct_end()};
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    check(EVP_KDF_derive(context, out, len, params) == 1, "HKDF");
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

/* Ephemeral public key, MAC over the encrypted content key, encrypted content key. */
static size_t wrap_ecies(enum test_wrap wrap, const uint8_t *key, size_t key_len, uint8_t *out)
{
    bool sha512 = wrap == TEST_WRAP_X25519_SHA512;
    size_t mac_len = sha512 ? 64 : 32;
    uint8_t shared[32];
    uint8_t derived[32 + 64];
    size_t pub_len = agree(wrap, out, shared);
    uint8_t *mac = out + pub_len;
    uint8_t *cipher_key = mac + mac_len;
    derive(sha512 ? "SHA512" : "SHA256", shared, derived, key_len + mac_len);
    memcpy(cipher_key, key, key_len);
    ctr(derived, key_len, cipher_key, key_len);
    check(HMAC(sha512 ? EVP_sha512() : EVP_sha256(), derived + key_len, (int)mac_len, cipher_key,
               key_len, mac, NULL) != NULL,
          "HMAC");
    return pub_len + mac_len + key_len;
}

size_t test_wrap_key(enum test_wrap wrap, const uint8_t *key, size_t key_len, uint8_t *out)
{
    switch (wrap) {
    case TEST_WRAP_RSA2048:
        return wrap_rsa(key, key_len, out);
    case TEST_WRAP_KW:
        return wrap_kw(key, key_len, out);
    default:
        return wrap_ecies(wrap, key, key_len, out);
    }
}
