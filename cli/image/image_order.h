/* SPDX-License-Identifier: Apache-2.0 */
/* The byte order of an image's numbers: little-endian as every MCUboot has it that is known of, or
 * big-endian as `imgtool sign --endian big` writes them. [mcuboot-format.md §2.1–2.2, §3] */
#ifndef CLI_IMAGE_IMAGE_ORDER_H
#define CLI_IMAGE_IMAGE_ORDER_H

#include "ferry/image.h"

/* Store a number in little-endian order, or else in big-endian order. */
void image_store16(uint8_t *p, bool big, uint16_t value);
void image_store32(uint8_t *p, bool big, uint32_t value);

/* Type and length in front of a TLV. imgtool writes a known type as one byte and a zero behind it,
 * in either order; a vendor's type is one number. */
#define IMAGE_TLV_HEAD 4
void image_store_tlv_head(uint8_t head[IMAGE_TLV_HEAD], bool big, uint16_t type, uint16_t len);

void image_store_header(uint8_t raw[FERRY_IMAGE_HEADER_SIZE], bool big,
                        const struct ferry_image_header *header);

#endif
