/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 keys, for both schemes that use them. Internal to core/image. */
#ifndef FERRY_ED25519_KEY_H
#define FERRY_ED25519_KEY_H

#include "ferry/image.h"

/* Whether a key is one: SubjectPublicKeyInfo of 44 bytes. [RFC 8410 §4] */
bool ferry_ed25519_fits(const struct ferry_image_key *key);

/* The FERRY_ED25519_KEY_SIZE bytes of a key that is one. */
const uint8_t *ferry_ed25519_key(const struct ferry_image_key *key);

#endif
