/* SPDX-License-Identifier: Apache-2.0 */
/* As much DER as private keys need. Lengths must be in their shortest form; nothing may stand
 * behind the last element. [X.690 §10.1] */
#ifndef FERRY_IMAGE_DER_H
#define FERRY_IMAGE_DER_H

#include "ferry/bytes.h"

#define FERRY_DER_INTEGER      0x02
#define FERRY_DER_BIT_STRING   0x03
#define FERRY_DER_OCTET_STRING 0x04
#define FERRY_DER_SEQUENCE     0x30

/* Take the element with this tag off the front of *in. content may be in itself.
 * Returns false, both untouched, when the next element is another one or reaches too far. */
bool ferry_der_take(struct ferry_bytes *in, uint8_t tag, struct ferry_bytes *content);

/* The same, for one that may be missing: false only for one that reaches too far. */
bool ferry_der_skip(struct ferry_bytes *in, uint8_t tag);

/* Take a positive INTEGER without the zero in front of it. */
bool ferry_der_take_number(struct ferry_bytes *in, struct ferry_bytes *number);

/* Take the INTEGER that is `value`, 0 .. 127. */
bool ferry_der_take_small(struct ferry_bytes *in, uint8_t value);

/* The private key inside a PKCS#8 of version 0, whose AlgorithmIdentifier is byte for byte
 * `algorithm`. Returns whether it is one. [RFC 5958 §2] */
bool ferry_der_pkcs8(struct ferry_bytes der, struct ferry_bytes algorithm, struct ferry_bytes *key);

#endif
