/* SPDX-License-Identifier: Apache-2.0 */
/* An image read once more, for a signature of the image itself. Flash could answer otherwise than
 * it did when the digest was taken, so what is handed out is hashed again on the way: the digest
 * is then of the very bytes that the signature was checked over. Internal to core/image. */
#ifndef FERRY_SECOND_READING_H
#define FERRY_SECOND_READING_H

#include "ferry/image.h"

/* Do not rely on the contents, but for the message. It may not be moved once begun. */
struct ferry_second_reading {
    struct ferry_crypto_message message; /* header, payload and protected area */
    struct ferry_image_signed *what;
    union ferry_image_digest_state state;
    uint32_t offset;
};

/* Begin to read what was signed; what outlives the reading. */
void ferry_second_reading_begin(struct ferry_second_reading *reading,
                                struct ferry_image_signed *what);

/* End it; match every begin with one. When all was read, its digest takes the place of
 * what->digest. Returns whether it was; what->error then says why not, or FERRY_OK when nobody
 * asked for the rest.
 */
FERRY_MUST_CHECK
bool ferry_second_reading_end(struct ferry_second_reading *reading);

#endif
