/* SPDX-License-Identifier: Apache-2.0 */
/* AES in counter mode on BearSSL: the implementation in constant time, whose tables are none. */
#include "burn.h"
#include "ferry/cipher.h"

#include <bearssl_block.h>
#include <string.h>

_Static_assert(sizeof(br_aes_ct_ctr_keys) <= sizeof(struct ferry_aes_ctr),
               "the opaque state holds BearSSL's");

void ferry_crypto_aes_ctr_init(struct ferry_aes_ctr *aes, const uint8_t *key, size_t key_len)
{
    br_aes_ct_ctr_keys keys;

    memset(&keys, 0, sizeof keys);
    br_aes_ct_ctr_init(&keys, key, key_len);
    memset(aes, 0, sizeof *aes);
    memcpy(aes->opaque, &keys, sizeof keys);
    ferry_wipe(&keys, sizeof keys);
    ferry_burn_shallow();
}

void ferry_crypto_aes_ctr(const struct ferry_aes_ctr *aes, uint32_t block, uint8_t *data,
                          size_t len)
{
    static const uint8_t zero[12] = {0};
    br_aes_ct_ctr_keys keys;

    memcpy(&keys, aes->opaque, sizeof keys);
    (void)br_aes_ct_ctr_run(&keys, zero, block, data, len);
    ferry_wipe(&keys, sizeof keys);
    ferry_burn_shallow();
}
