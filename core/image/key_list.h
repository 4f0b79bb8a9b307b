/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a key is refused, though it is trusted. Internal to core/image. */
#ifndef FERRY_CORE_IMAGE_KEY_LIST_H
#define FERRY_CORE_IMAGE_KEY_LIST_H

#include "ferry/image.h"

/* FERRY_OK, FERRY_E_REVOKED or FERRY_E_DEVELOPMENT_KEY; of a key, or of the SHA-256 of one. */
FERRY_MUST_CHECK
int ferry_key_refusal(const struct ferry_image_trust *trust, const struct ferry_image_key *key);
FERRY_MUST_CHECK
int ferry_key_refusal_of_hash(const struct ferry_image_trust *trust,
                              const uint8_t hash[FERRY_SHA256_SIZE]);

#endif
