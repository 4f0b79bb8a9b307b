/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of an image: header, payload and protected area. [mcuboot-format.md §2.3] */
#include "ferry/image.h"

int ferry_image_digest(const struct ferry_flash *image, const struct ferry_image_header *header,
                       const struct ferry_image_digest_kind *kind, uint8_t *buf, size_t cap,
                       void (*feed)(void *), void *feed_context, uint8_t *digest)
{
    /* The parse of the header proved that this sum fits. */
    uint32_t end = header->header_size + header->payload_size + header->protected_size;
    union ferry_image_digest_state state;
    kind->init(&state);
    int rc = FERRY_OK;
    uint32_t offset = 0;
    while (offset < end) {
        size_t len = end - offset < cap ? end - offset : cap;
        rc = ferry_flash_read(image, offset, buf, len);
        if (rc != FERRY_OK) {
            break;
        }
        kind->update(&state, buf, len);
        offset += (uint32_t)len;
        if (feed != NULL) {
            feed(feed_context);
        }
    }
    kind->final(&state, digest);
    return rc;
}
