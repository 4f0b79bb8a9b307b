/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed payloads: two bytes of properties and a raw LZMA2 stream, which liblzma makes and
 * reads. [mcuboot-format.md §2.5] */
#ifndef CLI_IMAGE_COMPRESS_H
#define CLI_IMAGE_COMPRESS_H

#include "cli/cli.h"

/* What a payload may unpack to, bytes: as much as a file may have. */
#define COMPRESS_MAX (64U * 1024 * 1024)

/* Bytes in front of the stream: size of the dictionary, and lc, lp, pb. */
#define COMPRESS_PROPERTIES 2

enum compression {
    COMPRESSION_NONE,
    COMPRESSION_LZMA2,
    COMPRESSION_LZMA2_ARM_THUMB /* branches of Thumb code made absolute first: they repeat more */
};

/* The header's flags for it; 0 for none. */
uint32_t compression_flags(enum compression compression);

/* What a header's flags say, for people: "LZMA2 (ARM Thumb filter)"; "none". */
const char *compression_words(uint32_t flags);

/* Pack a payload as imgtool does: preset 9, a dictionary of 128 KiB, lc 3, lp 1, pb 2. out is on
 * the heap; free it. Returns FERRY_OK, or FERRY_E_SPACE without memory. */
FERRY_MUST_CHECK
int compress_pack(enum compression compression, const struct cli_buffer *payload,
                  struct cli_buffer *out);

/* Unpack a payload. No more memory is taken than what comes out and a dictionary that is no larger.
 *
 * flags   of the header
 * packed  properties and stream, and nothing behind it
 * size    what must come out, at most COMPRESS_MAX
 * out     room for size + 1 bytes: one that is too many is noticed
 *
 * Returns FERRY_OK; FERRY_E_UNSUPPORTED for other flags than LZMA2 and its filter; FERRY_E_RANGE
 * for properties that are none; FERRY_E_FORMAT for a damaged stream, or one that ends early;
 * FERRY_E_TOO_LARGE or FERRY_E_SHORT when more or less comes out; FERRY_E_BOUNDS for bytes behind
 * it; FERRY_E_SPACE without memory. */
FERRY_MUST_CHECK
int compress_unpack(uint32_t flags, const struct cli_buffer *packed, size_t size, uint8_t *out);

#endif
