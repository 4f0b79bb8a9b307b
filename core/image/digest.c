/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of an image: header, payload and protected area. [mcuboot-format.md §2.3] */
#include "ferry/image.h"

int ferry_image_digest(const struct ferry_flash *image, const struct ferry_image_header *header,
                       uint8_t *buf, size_t cap, void (*feed)(void *), void *feed_context,
                       uint8_t digest[FERRY_SHA256_SIZE])
{
    /* The parse of the header proved that this sum fits. */
    uint32_t end = header->header_size + header->payload_size + header->protected_size;
    struct ferry_sha256 sha;
    ferry_crypto_sha256_init(&sha);
    int rc = FERRY_OK;
    uint32_t offset = 0;
    while (offset < end) {
        size_t len = end - offset < cap ? end - offset : cap;
        rc = ferry_flash_read(image, offset, buf, len);
        if (rc != FERRY_OK) {
            break;
        }
        ferry_crypto_sha256_update(&sha, buf, len);
        offset += (uint32_t)len;
        if (feed != NULL) {
            feed(feed_context);
        }
    }
    ferry_crypto_sha256_final(&sha, digest);
    return rc;
}
