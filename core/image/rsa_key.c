/* SPDX-License-Identifier: Apache-2.0 */
/* The form of RSA keys. [mcuboot-format.md §2.4] */
#include "core/image/rsa_key.h"

#include <string.h>

/* SEQUENCE {INTEGER n, INTEGER 65537}: both lengths of the first two need two bytes, and the 0 in
 * front says that n is positive though its highest bit is set. */
#define MODULUS_AT 9

static const uint8_t exponent[] = {0x02, 0x03, 0x01, 0x00, 0x01};

static bool is_tag(const uint8_t *der, uint8_t tag, size_t len)
{
    return der[0] == tag && der[1] == 0x82 && ferry_load_be16(der + 2) == len;
}

bool ferry_rsa_fits(const struct ferry_image_key *key, size_t len)
{
    const uint8_t *der = key->der;
    return key->len == MODULUS_AT + len + sizeof exponent && is_tag(der, 0x30, key->len - 4) &&
           is_tag(der + 4, 0x02, len + 1) && der[MODULUS_AT - 1] == 0 &&
           (der[MODULUS_AT] & 0x80) != 0 &&
           memcmp(der + MODULUS_AT + len, exponent, sizeof exponent) == 0;
}

int ferry_rsa_verify(const struct ferry_image_key *key, size_t len,
                     const struct ferry_image_signed *what, const uint8_t *signature,
                     size_t signature_len)
{
    if (signature_len != len) {
        return FERRY_E_SIGNATURE;
    }
    return ferry_crypto_rsa_pss_verify(key->der + MODULUS_AT, len, what->digest, signature);
}
