/* SPDX-License-Identifier: Apache-2.0 */
/* An image read once more, for a signature of the image itself. [mcuboot-format.md §2.3] */
#include "core/image/second_reading.h"

static int next(void *context, const uint8_t **data, size_t *len)
{
    struct ferry_second_reading *reading = context;
    uint32_t left = reading->message.size - reading->offset;
    *len = left < reading->cap ? left : reading->cap;
    int rc = ferry_flash_read(reading->image, reading->offset, reading->buf, *len);
    if (rc != FERRY_OK) {
        reading->error = rc;
        return rc;
    }
    reading->kind->update(&reading->state, reading->buf, *len);
    reading->offset += (uint32_t)*len;
    *data = reading->buf;
    if (reading->feed != NULL) {
        reading->feed(reading->feed_context);
    }
    return FERRY_OK;
}

void ferry_second_reading_begin(struct ferry_second_reading *reading,
                                const struct ferry_image_header *header)
{
    /* The parse of the header proved that this sum fits. */
    reading->message = (struct ferry_crypto_message){
        .size = header->header_size + header->payload_size + header->protected_size,
        .next = next,
        .context = reading,
    };
    reading->offset = 0;
    reading->error = FERRY_OK;
    reading->kind->init(&reading->state);
}

int ferry_second_reading_end(struct ferry_second_reading *reading, uint8_t *digest)
{
    reading->kind->final(&reading->state, digest);
    if (reading->error != FERRY_OK) {
        return reading->error;
    }
    return reading->offset == reading->message.size ? FERRY_OK : FERRY_E_SIGNATURE;
}
