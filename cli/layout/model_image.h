/* SPDX-License-Identifier: Apache-2.0 */
/* Image files for a model of a device: not signed, with a digest, different throughout. */
#ifndef CLI_LAYOUT_MODEL_IMAGE_H
#define CLI_LAYOUT_MODEL_IMAGE_H

#include "model_first.h"

#include "ferry/image.h"

struct model_image {
    uint8_t *bytes; /* on the heap */
    uint32_t size;
    uint8_t digest[FERRY_SHA256_SIZE];
};

struct model_image_spec {
    uint32_t size;   /* of the file, at least MODEL_IMAGE_MIN */
    uint32_t number; /* its version is newer than those of smaller numbers */
    uint32_t seed;   /* no two sectors of two seeds are alike */
    uint32_t flags;  /* of the header: FERRY_IMAGE_RAM_LOAD, or 0 */
    uint32_t load_address;
    bool counter;                    /* it has a security counter: the number */
    const struct model_first *first; /* it is a bootloader for the slot that does not run; or NULL
                                      */
};

/* Smallest image file; for a first stage MODEL_FIRST_MIN more. */
#define MODEL_IMAGE_MIN 128U

/* Make an image file; free it. Returns FERRY_OK, FERRY_E_SPACE without memory, or
 * FERRY_E_IMAGE_SIZE for a size that is too small. */
FERRY_MUST_CHECK
int model_image_make(const struct model_image_spec *spec, struct model_image *image);
void model_image_free(struct model_image *image);

/* A copy of an image file, to be freed too, whose byte at offset is another one; with its own
 * digest, which stands in the last sector. The offset is in its payload. Returns FERRY_OK,
 * FERRY_E_SPACE without memory, or FERRY_E_RANGE. */
FERRY_MUST_CHECK
int model_image_change(const struct model_image *image, uint32_t offset,
                       struct model_image *changed);

#endif
