/* SPDX-License-Identifier: Apache-2.0 */
/* What `ferry inspect` says of an image, one file a subject. */
#ifndef CLI_IMAGE_INSPECT_H
#define CLI_IMAGE_INSPECT_H

#include "image_file.h"

#include "ferry/slots.h"

/* What a dump is of: how its strategy uses the slot. */
struct inspect_options {
    const struct ferry_strategy_traits *strategy; /* NULL = not told */
    uint32_t sector;                              /* 0 = not told */
    const char *secret_path;                      /* -E; NULL = none */
};

/* The parts of an inspection: each adds its keys to the object.
 *
 * header      the fields of the header, flags by name
 * place       where in the slot the image is and what that makes it; nothing where it is clear
 * encryption  how it is encrypted, and whether it is still so in this file
 * trailer     a file that was padded to its slot, or the dump of one, ends in it */
void inspect_header(cJSON *object, const struct ferry_image_info *info);
void inspect_place(cJSON *object, const struct image_file *file,
                   const struct ferry_strategy_traits *strategy);
void inspect_encryption(cJSON *object, const struct image_file *file);
void inspect_trailer(cJSON *object, const struct image_file *file,
                     const struct ferry_strategy_traits *strategy);

/* Its TLVs, with names, areas and meaning. Returns FERRY_OK or what is wrong with them; those
 * before the wrong one are there. */
FERRY_MUST_CHECK
int inspect_tlvs(cJSON *object, const struct image_file *file);

/* What a verification without a key found, in words. */
const char *inspect_digest_text(int state);

/* The whole inspection as text on standard output. */
void inspect_print(const cJSON *object);

#endif
