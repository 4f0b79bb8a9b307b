/* SPDX-License-Identifier: Apache-2.0 */
/* AES in counter mode and AES key wrap on OpenSSL 3. */
#include "die.h"
#include "ferry/cipher.h"

#include <openssl/evp.h>
#include <string.h>

/* ---- Counter mode ----------------------------------------------------------------------- */

/* What struct ferry_aes_ctr holds: the key itself. OpenSSL's context is made anew for every call,
 * since nobody would free one that is copied or forgotten. */
struct state {
    uint8_t key[FERRY_CONTENT_KEY_MAX];
    uint8_t key_len;
};

_Static_assert(sizeof(struct state) <= sizeof(struct ferry_aes_ctr), "the opaque state holds it");

void ferry_crypto_aes_ctr_init(struct ferry_aes_ctr *aes, const uint8_t *key, size_t key_len)
{
    struct state state = {.key_len = (uint8_t)key_len};

    memcpy(state.key, key, key_len);
    memset(aes, 0, sizeof *aes);
    memcpy(aes->opaque, &state, sizeof state);
    ferry_wipe(&state, sizeof state);
}

/* One call takes an int. */
#define PART_MAX ((size_t)1 << 30)

void ferry_crypto_aes_ctr(const struct ferry_aes_ctr *aes, uint32_t block, uint8_t *data,
                          size_t len)
{
    struct state state;
    uint8_t counter[FERRY_AES_BLOCK_SIZE] = {0};

    memcpy(&state, aes->opaque, sizeof state);
    ferry_store_be16(counter + 12, (uint16_t)(block >> 16));
    ferry_store_be16(counter + 14, (uint16_t)block);

    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *cipher = state.key_len == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr();

    if (context == NULL || EVP_EncryptInit_ex(context, cipher, NULL, state.key, counter) != 1) {
        ferry_openssl_die("AES-CTR");
    }
    while (len > 0) {
        size_t part = len < PART_MAX ? len : PART_MAX;
        int done = 0;

        if (EVP_EncryptUpdate(context, data, &done, data, (int)part) != 1) {
            ferry_openssl_die("AES-CTR");
        }
        data += part;
        len -= part;
    }
    EVP_CIPHER_CTX_free(context);
    ferry_wipe(&state, sizeof state);
}

/* ---- Key wrap --------------------------------------------------------------------------- */

int ferry_crypto_aes_kw(const uint8_t *kek, size_t kek_len, const uint8_t *wrapped, size_t len,
                        uint8_t *out)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *cipher = kek_len == 16 ? EVP_aes_128_wrap() : EVP_aes_256_wrap();
    uint8_t plain[FERRY_CONTENT_KEY_MAX + 2 * FERRY_AES_KW_EXTRA]; /* it writes more than it says */
    int done = 0;

    if (context == NULL) {
        ferry_openssl_die("AES key wrap");
    }
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);

    int good = EVP_DecryptInit_ex(context, cipher, NULL, kek, NULL) == 1 &&
               EVP_DecryptUpdate(context, plain, &done, wrapped, (int)len) == 1 &&
               done == (int)(len - FERRY_AES_KW_EXTRA);

    EVP_CIPHER_CTX_free(context);
    memset(out, 0, len - FERRY_AES_KW_EXTRA);
    if (good) {
        memcpy(out, plain, len - FERRY_AES_KW_EXTRA);
    }
    ferry_wipe(plain, sizeof plain);
    return good ? FERRY_OK : FERRY_E_SECRET;
}
