/* SPDX-License-Identifier: Apache-2.0 */
/* Content keys wrapped by ECIES on X25519, HKDF and HMAC with SHA-256. [mcuboot-format.md §2.5] */
#include "core/image/x25519_open.h"

static int unwrap(const struct ferry_image_secret *secret, const uint8_t *wrapped, size_t len,
                  struct ferry_content_key *key)
{
    return ferry_x25519_unwrap(FERRY_MAC_SHA256, secret, wrapped, len, key);
}

const struct ferry_image_unwrapper ferry_unwrap_x25519 = {.name = "ecies-x25519",
                                                          .tlv = FERRY_TLV_ENC_X25519,
                                                          .fits = ferry_x25519_fits,
                                                          .unwrap = unwrap};
