/* SPDX-License-Identifier: Apache-2.0 */
/* What `ferry sign -E` does to an image. [mcuboot-format.md §2.2, §2.5] */
#include "encrypt.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

uint16_t encryption_tlv(const struct encryption *encryption)
{
    return encryption->sha512 ? FERRY_TLV_ENC_X25519_SHA512 : encryption->key->tlv;
}

uint32_t encryption_flag(const struct encryption *encryption)
{
    if (encryption->key == NULL) {
        return 0;
    }
    return encryption->key_len == 16 ? FERRY_IMAGE_ENCRYPTED_AES128 : FERRY_IMAGE_ENCRYPTED_AES256;
}

/* HKDF and HMAC of the two ECIES schemes. */
static enum ferry_mac mac_of(const struct encryption *encryption)
{
    return encryption->sha512 ? FERRY_MAC_SHA512 : FERRY_MAC_SHA256;
}

size_t encryption_tlv_len(const struct encryption *encryption)
{
    switch (encryption->key->tlv) {
    case FERRY_TLV_ENC_RSA2048:
        return FERRY_RSA2048_SIZE;
    case FERRY_TLV_ENC_KW:
        return encryption->key_len + FERRY_AES_KW_EXTRA;
    case FERRY_TLV_ENC_EC256:
        return FERRY_P256_POINT_SIZE + FERRY_SHA256_SIZE + encryption->key_len;
    default:
        return FERRY_X25519_SIZE + (size_t)mac_of(encryption) + encryption->key_len;
    }
}

/* ---- Wrapping ------------------------------------------------------------------------------- */

static bool wrap_rsa(const struct encryption *encryption, const uint8_t *key, uint8_t *wrapped)
{
    size_t len = FERRY_RSA2048_SIZE;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(encryption->key->pkey, NULL);
    bool good = context != NULL && EVP_PKEY_encrypt_init(context) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
                EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) == 1 &&
                EVP_PKEY_encrypt(context, wrapped, &len, key, encryption->key_len) == 1 &&
                len == FERRY_RSA2048_SIZE;
    EVP_PKEY_CTX_free(context);
    return good;
}

static bool wrap_aes(const struct encryption *encryption, const uint8_t *key, uint8_t *wrapped)
{
    const struct encrypt_key *kek = encryption->key;
    int len = 0;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context == NULL) {
        return false;
    }
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    bool good =
        EVP_EncryptInit_ex(context, kek->aes_len == 16 ? EVP_aes_128_wrap() : EVP_aes_256_wrap(),
                           NULL, kek->aes, NULL) == 1 &&
        EVP_EncryptUpdate(context, wrapped, &len, key, (int)encryption->key_len) == 1 &&
        len == (int)(encryption->key_len + FERRY_AES_KW_EXTRA);
    EVP_CIPHER_CTX_free(context);
    return good;
}

/* A new key of the device's kind, its public half, encoded, at point, and the secret that both
 * share. */
static bool agree(EVP_PKEY *device, uint8_t *point, size_t point_len, uint8_t shared[32])
{
    size_t len = 32;
    uint8_t *encoded = NULL;
    EVP_PKEY *mine = EVP_PKEY_is_a(device, "EC") ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                                                 : EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    EVP_PKEY_CTX *context = mine != NULL ? EVP_PKEY_CTX_new(mine, NULL) : NULL;
    bool good = context != NULL && EVP_PKEY_derive_init(context) == 1 &&
                EVP_PKEY_derive_set_peer(context, device) == 1 &&
                EVP_PKEY_derive(context, shared, &len) == 1 && len == 32 &&
                EVP_PKEY_get1_encoded_public_key(mine, &encoded) == point_len;
    if (good) {
        memcpy(point, encoded, point_len);
    }
    OPENSSL_free(encoded);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(mine);
    return good;
}

/* Point, MAC over the encrypted content key, encrypted content key. */
static bool wrap_ecies(const struct encryption *encryption, const uint8_t *key, uint8_t *wrapped)
{
    static const uint8_t info[] = "MCUBoot_ECIES_v1";
    enum ferry_mac hash = mac_of(encryption);
    size_t mac_len = (size_t)hash;
    size_t key_len = encryption->key_len;
    size_t point_len = encryption_tlv_len(encryption) - mac_len - key_len;
    uint8_t *sealed = wrapped + point_len + mac_len;
    uint8_t derived[FERRY_CONTENT_KEY_MAX + FERRY_SHA512_MAC_SIZE];
    uint8_t shared[32];
    struct ferry_aes_ctr aes;

    if (!agree(encryption->key->pkey, wrapped, point_len, shared)) {
        return false;
    }
    ferry_crypto_hkdf(hash, shared, sizeof shared, info, sizeof info - 1, derived,
                      key_len + mac_len);
    memcpy(sealed, key, key_len);
    ferry_crypto_aes_ctr_init(&aes, derived, key_len);
    ferry_crypto_aes_ctr(&aes, 0, sealed, key_len);
    ferry_crypto_hmac(hash, derived + key_len, mac_len, sealed, key_len, wrapped + point_len);
    ferry_wipe(&aes, sizeof aes);
    ferry_wipe(derived, sizeof derived);
    ferry_wipe(shared, sizeof shared);
    return true;
}

static bool wrap(const struct encryption *encryption, const uint8_t *key, uint8_t *wrapped)
{
    switch (encryption->key->tlv) {
    case FERRY_TLV_ENC_RSA2048:
        return wrap_rsa(encryption, key, wrapped);
    case FERRY_TLV_ENC_KW:
        return wrap_aes(encryption, key, wrapped);
    default:
        return wrap_ecies(encryption, key, wrapped);
    }
}

bool encryption_apply(const struct encryption *encryption, uint8_t *payload, size_t len,
                      uint8_t *wrapped)
{
    uint8_t key[FERRY_CONTENT_KEY_MAX];
    struct ferry_aes_ctr aes;

    if (RAND_priv_bytes(key, (int)encryption->key_len) != 1 || !wrap(encryption, key, wrapped)) {
        ferry_wipe(key, sizeof key);
        return false;
    }
    if (!encryption->clear) {
        ferry_crypto_aes_ctr_init(&aes, key, encryption->key_len);
        ferry_crypto_aes_ctr(&aes, 0, payload, len);
        ferry_wipe(&aes, sizeof aes);
    }
    ferry_wipe(key, sizeof key);
    return true;
}
