/* SPDX-License-Identifier: Apache-2.0 */
/* What both ECIES schemes have in common: opening a content key with the shared secret. */
#ifndef FERRY_IMAGE_ECIES_H
#define FERRY_IMAGE_ECIES_H

#include "ferry/encrypted.h"

/* Open what stands behind the ephemeral public key in an ENC TLV: MAC and encrypted content key.
 *
 * hash    of HKDF and HMAC
 * shared  32 bytes, the shared secret; the caller wipes it
 * sealed  MAC, and 16 or 32 bytes of key behind it: len bytes in all
 *
 * The MAC is checked before anything is decrypted. Returns FERRY_OK, or FERRY_E_SECRET and a key
 * of zeroes. */
FERRY_MUST_CHECK
int ferry_ecies_open(enum ferry_mac hash, const uint8_t shared[32], const uint8_t *sealed,
                     size_t len, struct ferry_content_key *key);

#endif
