/* SPDX-License-Identifier: Apache-2.0 */
#include "image_order.h"

void image_store16(uint8_t *p, bool big, uint16_t value)
{
    if (big) {
        ferry_store_be16(p, value);
    } else {
        ferry_store_le16(p, value);
    }
}

void image_store32(uint8_t *p, bool big, uint32_t value)
{
    if (big) {
        ferry_store_be32(p, value);
    } else {
        ferry_store_le32(p, value);
    }
}

void image_store_tlv_head(uint8_t head[IMAGE_TLV_HEAD], bool big, uint16_t type, uint16_t len)
{
    image_store16(head, big && type >= FERRY_TLV_VENDOR_FIRST, type);
    image_store16(head + 2, big, len);
}

void image_store_header(uint8_t raw[FERRY_IMAGE_HEADER_SIZE], bool big,
                        const struct ferry_image_header *header)
{
    /* The bytes of each number; major and minor are one each. */
    static const uint8_t fields[] = {4, 4, 2, 2, 4, 4, 1, 1, 2, 4};

    ferry_image_header_write(header, raw);
    for (size_t i = 0; big && i < sizeof fields; i++) {
        if (fields[i] == 4) {
            ferry_store_be32(raw, ferry_load_le32(raw));
        } else if (fields[i] == 2) {
            ferry_store_be16(raw, ferry_load_le16(raw));
        }
        raw += fields[i];
    }
}
