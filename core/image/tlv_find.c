/* SPDX-License-Identifier: Apache-2.0 */
/* One TLV of an image. */
#include "ferry/image.h"

int ferry_image_tlv(const struct ferry_flash *image, const struct ferry_image_header *header,
                    uint16_t type, uint8_t *data, size_t len)
{
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    int rc = ferry_tlv_walk_begin(&walk, image, header);
    if (rc == FERRY_OK) {
        rc = ferry_tlv_walk_next(&walk, &tlv);
    }
    while (rc == 1 && tlv.type != type) {
        rc = ferry_tlv_walk_next(&walk, &tlv);
    }
    if (rc != 1) {
        return rc == 0 ? FERRY_E_NOT_FOUND : rc;
    }
    return tlv.len == len ? ferry_flash_read(image, tlv.offset, data, len) : FERRY_E_TLV;
}
