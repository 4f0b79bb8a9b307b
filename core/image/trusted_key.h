/* SPDX-License-Identifier: Apache-2.0 */
/* The trusted key that a KEYHASH or PUBKEY TLV names. Internal to core/image. */
#ifndef FERRY_TRUSTED_KEY_H
#define FERRY_TRUSTED_KEY_H

#include "ferry/image.h"

/* Find it.
 *
 * tlv      KEYHASH or PUBKEY, of a walk over image
 * kind     the digest of the image: the key is hashed by it too
 * key      set to the key, or NULL when it is none of the trusted ones
 * refusal  set to FERRY_OK, or why the key does not count, trusted or not: FERRY_E_REVOKED,
 *          FERRY_E_DEVELOPMENT_KEY
 *
 * Returns FERRY_OK or a flash error (key is then NULL). [mcuboot-format.md §2.4] */
FERRY_MUST_CHECK
int ferry_trusted_key_find(const struct ferry_flash *image, const struct ferry_tlv *tlv,
                           const struct ferry_image_trust *trust,
                           const struct ferry_image_digest_kind *kind,
                           const struct ferry_image_key **key, int *refusal);

#endif
