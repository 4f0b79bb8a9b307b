/* SPDX-License-Identifier: Apache-2.0 */
/* The steps in which an image is made, for those who make one of another. In this order: compress,
 * compose, prove, close, fit. [mcuboot-format.md §2.1–2.5] */
#ifndef CLI_IMAGE_IMAGE_STEPS_H
#define CLI_IMAGE_IMAGE_STEPS_H

#include "image_build.h"

/* What stands behind the header. All is borrowed. */
struct image_content {
    struct cli_buffer payload;
    uint32_t flags;         /* beside those of the options: how the payload is compressed */
    struct cli_buffer tlvs; /* whole TLVs for the protected area, between DEPENDENCY and UUID_VID */
    bool inner; /* another image is made of this one: its payload is not filled to AES blocks */
};

/* The payload that a firmware's bytes hold: behind the place of the header, unless a header is put
 * in front. Refuses what has no such place. content is set, and borrows from firmware. After a
 * message returns an enum cli_exit. */
FERRY_MUST_CHECK
int image_content_of(const struct cli *cli, const struct image_build *build,
                     const struct cli_buffer *firmware, struct image_content *content);

/* What compressed content is made of; free it with image_packed_free(). */
struct image_packed {
    struct cli_buffer payload;
    struct cli_buffer tlvs;
};

/* Where the build asks for it, turn content into that of the compressed image: the uncompressed one
 * is made and signed on the way, and must fit the slot too. With a warning content stays as it is
 * when it does not get smaller. content borrows from packed then. After a message returns an enum
 * cli_exit; free packed in any case. */
FERRY_MUST_CHECK
int image_compress(const struct cli *cli, const struct image_build *build,
                   struct image_content *content, struct image_packed *packed);

void image_packed_free(struct image_packed *packed);

/* Header, payload and protected area: what is hashed. out is on the heap; free it. After a message
 * returns an enum cli_exit. */
FERRY_MUST_CHECK
int image_compose(const struct cli *cli, const struct image_build *build,
                  const struct image_content *content, struct cli_buffer *out);

/* The digest of what was composed, and each key's signature, or the one from outside, which is
 * refused unless it is the key's. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int image_prove(const struct cli *cli, const struct image_build *build,
                const struct cli_buffer *composed, struct image_proof *proof);

/* Encrypt the payload, where that is asked for, and add the unprotected area with the proof. image
 * was composed of content, and grows. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int image_close(const struct cli *cli, const struct image_build *build,
                const struct image_content *content, const struct image_proof *proof,
                struct cli_buffer *image);

/* Refuse an image that does not fit the slot; fill the slot where that is asked for. image was
 * closed, and may grow. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int image_fit(const struct cli *cli, const struct image_build *build, struct cli_buffer *image);

#endif
