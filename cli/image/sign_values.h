/* SPDX-License-Identifier: Apache-2.0 */
/* The values of `ferry sign`'s options that are more than a number. */
#ifndef CLI_IMAGE_SIGN_VALUES_H
#define CLI_IMAGE_SIGN_VALUES_H

#include "image_claims.h"

/* A number as imgtool takes it, up to max: decimal, or behind 0b, 0o or 0x; underscores may stand
 * between digits, blanks around it. A decimal with zeros in front is none, for it might be meant as
 * octal. Returns FERRY_OK or FERRY_E_RANGE. */
FERRY_MUST_CHECK
int sign_number(const char *text, uint32_t max, uint32_t *value);

/* "1.2.3+4"; what is behind the major number may be left out, as in imgtool. No part has zeros in
 * front. Returns whether it is one. */
bool sign_version(const char *text, struct ferry_version *version);

/* "(1,1.2.3+4),(2,1.0.0)", with blanks, commas or nothing between: appended to the claims. Returns
 * FERRY_OK, FERRY_E_FORMAT, or FERRY_E_FULL. */
FERRY_MUST_CHECK
int sign_dependencies(const char *text, struct image_claims *claims);

/* A vendor's TLV: its type, and a value that is hex digits behind 0x, or else text. Returns
 * FERRY_OK; FERRY_E_RANGE for a type that is not a vendor's; FERRY_E_FORMAT for odd hex digits;
 * FERRY_E_STATE for a type given twice; FERRY_E_FULL. */
FERRY_MUST_CHECK
int sign_custom_tlv(const char *type, const char *value, struct image_claims *claims);

/* The same with a file's bytes, which are taken over: freed when they are refused. */
FERRY_MUST_CHECK
int sign_custom_bytes(const char *type, struct cli_buffer *value, struct image_claims *claims);

#endif
