/* SPDX-License-Identifier: Apache-2.0 */
/* An image read once more, for a signature of the image itself. [mcuboot-format.md §2.3] */
#include "core/image/second_reading.h"

#include <string.h>

static int next(void *context, const uint8_t **data, size_t *len)
{
    struct ferry_second_reading *reading = context;
    struct ferry_image_signed *what = reading->what;
    uint32_t left = reading->message.size - reading->offset;
    *len = left < what->cap ? left : what->cap;
    int rc = ferry_flash_read(what->image, reading->offset, what->buf, *len);
    if (rc != FERRY_OK) {
        what->error = rc;
        return rc;
    }
    what->kind->update(&reading->state, what->buf, *len);
    reading->offset += (uint32_t)*len;
    *data = what->buf;
    if (what->feed != NULL) {
        what->feed(what->feed_context);
    }
    return FERRY_OK;
}

void ferry_second_reading_begin(struct ferry_second_reading *reading,
                                struct ferry_image_signed *what)
{
    const struct ferry_image_header *header = what->header;
    /* The parse of the header proved that this sum fits. */
    reading->message = (struct ferry_crypto_message){
        .size = header->header_size + header->payload_size + header->protected_size,
        .next = next,
        .context = reading,
    };
    reading->what = what;
    reading->offset = 0;
    what->error = FERRY_OK;
    what->kind->init(&reading->state);
}

bool ferry_second_reading_end(struct ferry_second_reading *reading)
{
    struct ferry_image_signed *what = reading->what;
    uint8_t digest[FERRY_IMAGE_DIGEST_MAX];
    what->kind->final(&reading->state, digest);
    if (what->error != FERRY_OK || reading->offset != reading->message.size) {
        return false;
    }
    memcpy(what->digest, digest, what->kind->size);
    return true;
}
