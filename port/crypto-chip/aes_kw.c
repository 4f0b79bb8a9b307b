/* SPDX-License-Identifier: Apache-2.0 */
/* AES key wrap by Mbed TLS, for chips. No heap: the expanded key is in the arena. */
#include "arena.h"
#include "burn.h"
#include "ferry/cipher.h"

#include <mbedtls/nist_kw.h>

int ferry_crypto_aes_kw(const uint8_t *kek, size_t kek_len, const uint8_t *wrapped, size_t len,
                        uint8_t *out)
{
    mbedtls_nist_kw_context context;
    size_t size = len - FERRY_AES_KW_EXTRA;
    size_t done = 0;

    arena_open();
    mbedtls_nist_kw_init(&context);

    int rc =
        mbedtls_nist_kw_setkey(&context, MBEDTLS_CIPHER_ID_AES, kek, (unsigned)(8 * kek_len), 0);

    if (rc == 0) {
        rc = mbedtls_nist_kw_unwrap(&context, MBEDTLS_KW_MODE_KW, wrapped, len, out, &done, size);
    }
    mbedtls_nist_kw_free(&context);
    arena_close();
    ferry_burn_deep();
    if (rc != 0 || done != size) {
        ferry_wipe(out, size);
        return FERRY_E_SECRET;
    }
    return FERRY_OK;
}
