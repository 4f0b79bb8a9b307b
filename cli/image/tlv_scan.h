/* SPDX-License-Identifier: Apache-2.0 */
/* The TLVs of an image that may be damaged or cut off: as many as can be read, whatever they are.
 * Who decides by them uses ferry_tlv_walk_next(), which refuses such an image. */
#ifndef CLI_IMAGE_TLV_SCAN_H
#define CLI_IMAGE_TLV_SCAN_H

#include "ferry/image.h"

/* A scan over both areas, protected first. Do not rely on the contents. */
struct tlv_scan {
    const uint8_t *bytes;
    size_t len;
    enum ferry_tlv_area area;
    uint64_t next; /* offset of the next entry */
    uint64_t end;  /* of the present area */
    struct ferry_image_header header;
};

/* What one area says of itself. */
struct tlv_scan_area {
    uint64_t offset; /* in the image */
    bool there;      /* its first four bytes could be read */
    uint16_t magic;
    uint16_t total; /* bytes, these four included */
};

/* Read the beginning of an area; unread fields are 0.
 *
 * bytes   len of them, from the header of the image on
 * header  of the same image: magic and sizes need not be right */
void tlv_scan_area(const uint8_t *bytes, size_t len, const struct ferry_image_header *header,
                   enum ferry_tlv_area which, struct tlv_scan_area *area);

/* Begin a scan; bytes and header as above, and bytes must stay. An area whose magic is wrong has no
 * entries. */
void tlv_scan_begin(struct tlv_scan *scan, const uint8_t *bytes, size_t len,
                    const struct ferry_image_header *header);

/* The next entry that lies in its area and wholly in the bytes; its type, length and area are not
 * judged. Returns false behind the last one. */
bool tlv_scan_next(struct tlv_scan *scan, struct ferry_tlv *tlv);

#endif
