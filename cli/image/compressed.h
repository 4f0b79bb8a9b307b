/* SPDX-License-Identifier: Apache-2.0 */
/* The image inside a compressed one: what the device that unpacks it will have in its primary.
 * [mcuboot-format.md §2.2, §2.5] */
#ifndef CLI_IMAGE_COMPRESSED_H
#define CLI_IMAGE_COMPRESSED_H

#include "compress.h"
#include "image_file.h"

/* Why it is not good, in words. */
#define COMPRESSED_WRONG_MAX 80

/* All zero: the image is not compressed. */
struct compressed {
    const char *scheme;      /* "LZMA2 (ARM Thumb filter)" */
    uint32_t packed;         /* bytes of properties and stream */
    uint32_t size;           /* and of the payload that they unpack to */
    struct cli_buffer image; /* the uncompressed image, with its TLVs, once it was unpacked */
    int error;               /* FERRY_OK, or why it is not good */
    char wrong[COMPRESSED_WRONG_MAX];
};

bool compressed_is(const struct image_file *file);

/* Unpack an image that is compressed and verify what comes out: its size is DECOMP_SIZE, its digest
 * DECOMP_SHA and, with a key, DECOMP_SIGNATURE a signature of it by that key. The header that is
 * hashed has the flags of compression cleared and the sizes of the unpacked image, its protected
 * area is without the four TLVs of compression; the rest is as in file, which must have been
 * verified, and decrypted where it is encrypted (image_file_verify()).
 *
 * key    NULL: the signature is not checked
 * found  free it with compressed_free() in any case
 *
 * Returns FERRY_OK, also when it is not compressed; FERRY_E_SPACE without memory; or another error,
 * as found has it. */
int compressed_verify(const struct image_file *file, const struct key *key,
                      struct compressed *found);

/* Say that it is not good, and why. Returns an enum cli_exit. */
int compressed_fail(const struct cli *cli, const char *path, const struct compressed *found);

/* Verify, with a message when it is not good. Returns an enum cli_exit. */
FERRY_MUST_CHECK
int compressed_check(const struct cli *cli, const char *path, const struct image_file *file,
                     const struct key *key, struct compressed *found);

/* Say that it is good, in a line: "compressed with LZMA2: 30000 → 12882 bytes; the uncompressed
 * image is good". Or what it is, as the keys "compression", "compressed_size" and
 * "uncompressed_size". Nothing when it is not compressed. */
void compressed_print(FILE *text, const struct compressed *found);
void compressed_add(cJSON *object, const struct compressed *found);

/* Before an upload: warn that a device may not take it. Nothing when it is not compressed. */
void compressed_warn(const char *path, const struct image_file *file);

void compressed_free(struct compressed *found);

#endif
