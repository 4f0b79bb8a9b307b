/* SPDX-License-Identifier: Apache-2.0 */
/* RSA keys, for the schemes that use them. Internal to core/image. */
#ifndef FERRY_RSA_KEY_H
#define FERRY_RSA_KEY_H

#include "ferry/image.h"

/* Whether a key is a PKCS #1 RSAPublicKey whose modulus has len bytes (FERRY_RSA2048_SIZE or
 * FERRY_RSA3072_SIZE), its highest bit set, with the exponent 65537. [RFC 8017 A.1.1] */
bool ferry_rsa_fits(const struct ferry_image_key *key, size_t len);

/* Verify by a key that fits. Returns FERRY_OK or FERRY_E_SIGNATURE. */
FERRY_MUST_CHECK
int ferry_rsa_verify(const struct ferry_image_key *key, size_t len,
                     const struct ferry_image_signed *what, const uint8_t *signature,
                     size_t signature_len);

#endif
