/* SPDX-License-Identifier: Apache-2.0 */
/* What the two schemes on X25519 have in common. */
#ifndef FERRY_IMAGE_X25519_OPEN_H
#define FERRY_IMAGE_X25519_OPEN_H

#include "ferry/encrypted.h"

bool ferry_x25519_fits(const struct ferry_image_secret *secret);

FERRY_MUST_CHECK
int ferry_x25519_unwrap(enum ferry_mac hash, const struct ferry_image_secret *secret,
                        const uint8_t *wrapped, size_t len, struct ferry_content_key *key);

#endif
