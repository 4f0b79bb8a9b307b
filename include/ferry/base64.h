/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648 §4: standard alphabet, padded with '='. */
#ifndef FERRY_BASE64_H
#define FERRY_BASE64_H

#include "ferry/error.h"

#include <stddef.h>
#include <stdint.h>

/* Characters that len bytes become, padding included, no terminator. */
#define FERRY_BASE64_LEN(len) (((len) + 2) / 3 * 4)

/* Encode len bytes. out has room for FERRY_BASE64_LEN(len); no terminator is written.
 * Returns the number of characters. */
size_t ferry_base64_encode(const uint8_t *data, size_t len, char *out);

/* Decode len characters. Padding may stand at the end only; blanks are errors.
 *
 * out  room for cap bytes; may be the same memory as text (it never overtakes the reading)
 *
 * Returns the number of bytes; FERRY_E_FORMAT for a foreign character, a padding in
 * the middle or a length that is no multiple of 4; FERRY_E_SPACE when cap is too small. */
FERRY_MUST_CHECK
int ferry_base64_decode(const char *text, size_t len, uint8_t *out, size_t cap);

#endif
