/* SPDX-License-Identifier: Apache-2.0 */
/* What a TLV says, for people. */
#ifndef CLI_IMAGE_TLV_WORDS_H
#define CLI_IMAGE_TLV_WORDS_H

#include "cli/cli.h"
#include "ferry/image.h"

#define TLV_WORDS_MAX 128

/* "image 1 must be 1.2.3 or later"; "" for a TLV whose bytes say all there is, and for one that
 * cannot be read or has another length than its type. out has TLV_WORDS_MAX bytes and gets a NUL.
 * Printable, whatever the bytes are.
 *
 * data  the tlv->len bytes of it */
void tlv_words(const struct ferry_tlv *tlv, const uint8_t *data, char *out);

#endif
