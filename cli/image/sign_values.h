/* SPDX-License-Identifier: Apache-2.0 */
/* The values of `ferry sign`'s options that are more than a number. */
#ifndef CLI_IMAGE_SIGN_VALUES_H
#define CLI_IMAGE_SIGN_VALUES_H

#include "image_claims.h"

/* "1.2.3+4"; revision and build may be left out, as in imgtool. Returns whether it is one. */
bool sign_version(const char *text, struct ferry_version *version);

/* "(1,1.2.3+4),(2,1.0.0)": appended to the claims. Returns FERRY_OK, FERRY_E_FORMAT, or
 * FERRY_E_FULL. */
FERRY_MUST_CHECK
int sign_dependencies(const char *text, struct image_claims *claims);

/* A vendor's TLV: its type, and a value that is hex digits behind 0x, or else text. Returns
 * FERRY_OK; FERRY_E_RANGE for a type that is not a vendor's; FERRY_E_FORMAT for odd hex digits;
 * FERRY_E_STATE for a type given twice; FERRY_E_FULL. */
FERRY_MUST_CHECK
int sign_custom_tlv(const char *type, const char *value, struct image_claims *claims);

/* The same with a value that is taken over, whatever it is: freed when it is refused. */
FERRY_MUST_CHECK
int sign_custom_bytes(const char *type, struct cli_buffer *value, struct image_claims *claims);

#endif
