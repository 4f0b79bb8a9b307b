/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over both TLV areas, with one list of what may stand where. [mcuboot-format.md §2.2] */
#include "ferry/image.h"

/* An area begins with {magic, total}, an entry with {type, length}; both are two u16. */
#define PREFIX_SIZE 4

/* MCUboot's iterators take this type for "any"; no entry can have it. */
#define TYPE_ANY 0xffff

struct rule {
    uint8_t type; /* all that are listed are below 256 */
    uint8_t area; /* enum ferry_tlv_area */
    uint16_t shortest;
    uint16_t longest;
};

static const struct rule rules[] = {
#define FERRY_TLV_RULE(name, type, area, shortest, longest)                                        \
    {type, FERRY_TLV_##area, shortest, longest},
    FERRY_TLVS(FERRY_TLV_RULE)
#undef FERRY_TLV_RULE
};

static const struct rule vendor_rule = {FERRY_TLV_VENDOR_FIRST, FERRY_TLV_PROTECTED, 0, 0xffff};

/* The rule for a type, or NULL for an unknown one. */
static const struct rule *find_rule(uint16_t type)
{
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].type == type) {
            return &rules[i];
        }
    }
    return type >= FERRY_TLV_VENDOR_FIRST && type != TYPE_ANY ? &vendor_rule : NULL;
}

static int check_rule(const struct ferry_tlv *tlv)
{
    const struct rule *rule = find_rule(tlv->type);
    if (rule == NULL) {
        return tlv->area == FERRY_TLV_PROTECTED ? FERRY_E_TLV_UNKNOWN : FERRY_OK;
    }
    if (rule->area != tlv->area) {
        return FERRY_E_TLV_AREA;
    }
    return tlv->len < rule->shortest || tlv->len > rule->longest ? FERRY_E_TLV : FERRY_OK;
}

/* Read two u16 at offset. */
static int read_prefix(const struct ferry_flash *image, uint32_t offset, uint16_t *first,
                       uint16_t *second)
{
    uint8_t raw[PREFIX_SIZE];
    int rc = ferry_flash_read(image, offset, raw, sizeof raw);
    if (rc != FERRY_OK) {
        return rc;
    }
    *first = ferry_load_le16(raw);
    *second = ferry_load_le16(raw + 2);
    return FERRY_OK;
}

/* Read and check the info of the area at offset; *total counts it too and lies in the image. */
static int read_info(const struct ferry_flash *image, uint32_t offset, uint16_t magic,
                     uint16_t *total)
{
    if (!ferry_inside(offset, PREFIX_SIZE, image->size)) {
        return FERRY_E_TLV;
    }
    uint16_t found;
    int rc = read_prefix(image, offset, &found, total);
    if (rc != FERRY_OK) {
        return rc;
    }
    if (found != magic || *total < PREFIX_SIZE || !ferry_inside(offset, *total, image->size)) {
        return FERRY_E_TLV;
    }
    return FERRY_OK;
}

int ferry_tlv_walk_begin(struct ferry_tlv_walk *walk, const struct ferry_flash *image,
                         const struct ferry_image_header *header)
{
    /* The parse of the header proved that these sums fit. */
    uint32_t start = header->header_size + header->payload_size;
    uint32_t unprotected = start + header->protected_size;
    uint16_t total;
    int rc;
    if (header->protected_size != 0) {
        rc = read_info(image, start, FERRY_TLV_PROTECTED_MAGIC, &total);
        if (rc != FERRY_OK) {
            return rc;
        }
        if (total != header->protected_size) {
            return FERRY_E_TLV;
        }
    }
    rc = read_info(image, unprotected, FERRY_TLV_MAGIC, &total);
    if (rc != FERRY_OK) {
        return rc;
    }
    walk->image = image;
    walk->area = FERRY_TLV_PROTECTED;
    walk->next = header->protected_size != 0 ? start + PREFIX_SIZE : unprotected;
    walk->area_end = unprotected;
    walk->unprotected = unprotected + PREFIX_SIZE;
    walk->end = unprotected + total;
    return FERRY_OK;
}

int ferry_tlv_walk_next(struct ferry_tlv_walk *walk, struct ferry_tlv *tlv)
{
    if (walk->next == walk->area_end && walk->area == FERRY_TLV_PROTECTED) {
        walk->area = FERRY_TLV_UNPROTECTED;
        walk->next = walk->unprotected;
        walk->area_end = walk->end;
    }
    uint32_t left = walk->area_end - walk->next;
    if (left == 0) {
        return 0;
    }
    if (left < PREFIX_SIZE) {
        return FERRY_E_TLV;
    }
    int rc = read_prefix(walk->image, walk->next, &tlv->type, &tlv->len);
    if (rc != FERRY_OK) {
        return rc;
    }
    if (tlv->len > left - PREFIX_SIZE) {
        return FERRY_E_TLV;
    }
    tlv->area = walk->area;
    tlv->offset = walk->next + PREFIX_SIZE;
    walk->next = tlv->offset + tlv->len;
    rc = check_rule(tlv);
    return rc == FERRY_OK ? 1 : rc;
}
