/* SPDX-License-Identifier: Apache-2.0 */
/* ECIES as MCUboot has it: HKDF gives an AES key and a MAC key. [mcuboot-format.md §2.5] */
#include "core/image/ecies.h"

#include <string.h>

static const uint8_t info[] = {'M', 'C', 'U', 'B', 'o', 'o', 't', '_',
                               'E', 'C', 'I', 'E', 'S', '_', 'v', '1'};

/* Keys derived from the shared secret: the AES key, as long as the content key, then the MAC's. */
#define DERIVED_MAX (FERRY_CONTENT_KEY_MAX + FERRY_SHA512_MAC_SIZE)

static bool mac_is_good(enum ferry_mac hash, const uint8_t *mac_key, const uint8_t *sealed,
                        size_t key_len)
{
    size_t mac_len = (size_t)hash;
    uint8_t mac[FERRY_SHA512_MAC_SIZE];

    ferry_crypto_hmac(hash, mac_key, mac_len, sealed + mac_len, key_len, mac);

    bool good = ferry_same(mac, sealed, mac_len);

    ferry_wipe(mac, sizeof mac);
    return good;
}

static void decrypt_key(const uint8_t *aes_key, struct ferry_content_key *key)
{
    struct ferry_aes_ctr aes;

    ferry_crypto_aes_ctr_init(&aes, aes_key, key->len);
    ferry_crypto_aes_ctr(&aes, 0, key->bytes, key->len);
    ferry_wipe(&aes, sizeof aes);
}

int ferry_ecies_open(enum ferry_mac hash, const uint8_t shared[32], const uint8_t *sealed,
                     size_t len, struct ferry_content_key *key)
{
    size_t mac_len = (size_t)hash;

    ferry_wipe(key, sizeof *key);
    if (len != mac_len + 16 && len != mac_len + 32) {
        return FERRY_E_SECRET;
    }

    uint8_t derived[DERIVED_MAX];
    size_t key_len = len - mac_len;
    int rc = FERRY_E_SECRET;

    ferry_crypto_hkdf(hash, shared, 32, info, sizeof info, derived, key_len + mac_len);
    if (mac_is_good(hash, derived + key_len, sealed, key_len)) {
        memcpy(key->bytes, sealed + mac_len, key_len);
        key->len = (uint8_t)key_len;
        decrypt_key(derived, key);
        rc = FERRY_OK;
    }
    ferry_wipe(derived, sizeof derived);
    return rc;
}
