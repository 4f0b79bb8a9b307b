/* SPDX-License-Identifier: Apache-2.0 */
/* An image read once more, for a signature of the image itself. Flash could answer otherwise than
 * it did when the digest was taken, so what is handed out is hashed again on the way: the digest
 * is then of the very bytes that the signature was checked over. Internal to core/image. */
#ifndef FERRY_SECOND_READING_H
#define FERRY_SECOND_READING_H

#include "ferry/image.h"

/* Set the fields above the line, then begin. It may not be moved afterwards. */
struct ferry_second_reading {
    const struct ferry_flash *image;
    const struct ferry_image_digest_kind *kind;
    uint8_t *buf; /* cap bytes, above 0; what is handed out stands here */
    size_t cap;
    void (*feed)(void *); /* called between pieces, may be NULL */
    void *feed_context;
    /* ---- */
    struct ferry_crypto_message message;
    union ferry_image_digest_state state;
    uint32_t offset;
    int error;
};

/* header comes from ferry_image_read_header() of the same image. */
void ferry_second_reading_begin(struct ferry_second_reading *reading,
                                const struct ferry_image_header *header);

/* End it; digest gets kind->size bytes. Match every begin with one.
 * Returns FERRY_OK; FERRY_E_SIGNATURE when not all was read; or the flash error that ended it. */
FERRY_MUST_CHECK
int ferry_second_reading_end(struct ferry_second_reading *reading, uint8_t *digest);

#endif
