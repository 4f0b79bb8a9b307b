/* SPDX-License-Identifier: Apache-2.0 */
/* Content keys wrapped with a key that device and signer share. [mcuboot-format.md §2.2] */
#include "ferry/encrypted.h"

/* A key has no form: any 16 or 32 bytes are one. */
static bool fits(const struct ferry_image_secret *secret)
{
    return secret->len == 16 || secret->len == 32;
}

static int unwrap(const struct ferry_image_secret *secret, const uint8_t *wrapped, size_t len,
                  struct ferry_content_key *key)
{
    ferry_wipe(key, sizeof *key);
    if (!fits(secret) || (len != 16 + FERRY_AES_KW_EXTRA && len != 32 + FERRY_AES_KW_EXTRA)) {
        return FERRY_E_SECRET;
    }

    int rc = ferry_crypto_aes_kw(secret->bytes, secret->len, wrapped, len, key->bytes);

    if (rc != FERRY_OK) {
        ferry_wipe(key, sizeof *key);
        return FERRY_E_SECRET;
    }
    key->len = (uint8_t)(len - FERRY_AES_KW_EXTRA);
    return FERRY_OK;
}

const struct ferry_image_unwrapper ferry_unwrap_kw = {
    .name = "aes-kw", .tlv = FERRY_TLV_ENC_KW, .fits = fits, .unwrap = unwrap};
