/* SPDX-License-Identifier: Apache-2.0 */
#include "tlv_scan.h"

/* An area begins with {magic, total}, an entry with {type, length}; both are two u16. */
#define PREFIX_SIZE 4

void tlv_scan_area(const uint8_t *bytes, size_t len, const struct ferry_image_header *header,
                   enum ferry_tlv_area which, struct tlv_scan_area *area)
{
    *area = (struct tlv_scan_area){.offset = (uint64_t)header->header_size + header->payload_size};
    if (which == FERRY_TLV_UNPROTECTED) {
        area->offset += header->protected_size;
    }
    area->there = area->offset <= len && PREFIX_SIZE <= len - area->offset;
    if (area->there) {
        area->magic = ferry_load_le16(bytes + area->offset);
        area->total = ferry_load_le16(bytes + area->offset + 2);
    }
}

/* Go to an area; one that is not there is empty. */
static void enter(struct tlv_scan *scan, enum ferry_tlv_area which)
{
    uint16_t magic = which == FERRY_TLV_PROTECTED ? FERRY_TLV_PROTECTED_MAGIC : FERRY_TLV_MAGIC;
    struct tlv_scan_area area;
    tlv_scan_area(scan->bytes, scan->len, &scan->header, which, &area);
    bool is_one = area.there && area.magic == magic && area.total >= PREFIX_SIZE;
    uint32_t total = is_one ? area.total : 0;
    if (which == FERRY_TLV_PROTECTED && total > scan->header.protected_size) {
        total = scan->header.protected_size; /* behind it is the other area */
    }
    scan->area = which;
    scan->next = area.offset + (is_one ? PREFIX_SIZE : 0);
    scan->end = area.offset + total;
}

void tlv_scan_begin(struct tlv_scan *scan, const uint8_t *bytes, size_t len,
                    const struct ferry_image_header *header)
{
    *scan = (struct tlv_scan){.bytes = bytes, .len = len, .header = *header};
    enter(scan, header->protected_size != 0 ? FERRY_TLV_PROTECTED : FERRY_TLV_UNPROTECTED);
}

/* The entry at scan->next. Returns false when it does not lie in area and bytes. */
static bool take(struct tlv_scan *scan, struct ferry_tlv *tlv)
{
    uint64_t end = scan->end < scan->len ? scan->end : scan->len;
    if (scan->next > end || end - scan->next < PREFIX_SIZE) {
        return false;
    }
    const uint8_t *prefix = scan->bytes + scan->next;
    uint64_t payload = scan->next + PREFIX_SIZE;
    *tlv = (struct ferry_tlv){.area = scan->area,
                              .type = ferry_load_le16(prefix),
                              .len = ferry_load_le16(prefix + 2),
                              .offset = (uint32_t)payload};
    scan->next = payload + tlv->len;
    return tlv->len <= end - payload;
}

bool tlv_scan_next(struct tlv_scan *scan, struct ferry_tlv *tlv)
{
    if (take(scan, tlv)) {
        return true;
    }
    if (scan->area == FERRY_TLV_UNPROTECTED) {
        return false;
    }
    enter(scan, FERRY_TLV_UNPROTECTED);
    return take(scan, tlv);
}
