/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over both TLV areas, with one list of what may stand where. [mcuboot-format.md §2.2] */
#include "ferry/image.h"

/* An area begins with {magic, total}, an entry with {type, length}; both are two u16. */
#define PREFIX_SIZE 4

/* MCUboot's iterators take this type for "any"; no entry can have it. */
#define TYPE_ANY 0xffff

/* The number of a type tells its area: what is protected begins here. */
#define PROTECTED_FIRST 0x40

/* Four bytes. */
struct rule {
    uint32_t type : 7;
    uint32_t shortest : 9;
    uint32_t longest : 16;
};

static const struct rule rules[] = {
#define FERRY_TLV_RULE(name, type, area, shortest, longest) {type, shortest, longest},
    FERRY_TLVS(FERRY_TLV_RULE)
#undef FERRY_TLV_RULE
};

#define FERRY_TLV_FITS(name, type, area, shortest, longest)                                        \
    _Static_assert((type) < 0x80 && (shortest) < 0x200 && (longest) <= 0xffff &&                   \
                       (FERRY_TLV_##area == FERRY_TLV_PROTECTED) == ((type) >= PROTECTED_FIRST),   \
                   "type, lengths and area of " #name " fit a rule");
FERRY_TLVS(FERRY_TLV_FITS)
#undef FERRY_TLV_FITS

static const struct rule vendor_rule = {0, 0, 0xffff};

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
    if ((tlv->type >= PROTECTED_FIRST) != (tlv->area == FERRY_TLV_PROTECTED)) {
        return FERRY_E_TLV_AREA;
    }
    return tlv->len < rule->shortest || tlv->len > rule->longest ? FERRY_E_TLV : FERRY_OK;
}

/* Read two u16 at offset, the first in the lower half. */
static int read_prefix(const struct ferry_flash *image, uint32_t offset, uint32_t *both)
{
    uint8_t raw[PREFIX_SIZE];
    int rc = ferry_flash_read(image, offset, raw, sizeof raw);
    if (rc == FERRY_OK) {
        *both = ferry_load_le32(raw);
    }
    return rc;
}

/* Read and check the info of the area at offset. Returns the size of the area, which counts the
 * info too and lies in the image, or an error. */
static int read_info(const struct ferry_flash *image, uint32_t offset, uint16_t magic)
{
    uint32_t info;
    if (!ferry_inside(offset, PREFIX_SIZE, image->size)) {
        return FERRY_E_TLV;
    }
    int rc = read_prefix(image, offset, &info);
    if (rc != FERRY_OK) {
        return rc;
    }
    uint32_t total = info >> 16;
    if ((uint16_t)info != magic || total < PREFIX_SIZE ||
        !ferry_inside(offset, total, image->size)) {
        return FERRY_E_TLV;
    }
    return (int)total;
}

int ferry_tlv_walk_begin(struct ferry_tlv_walk *walk, const struct ferry_flash *image,
                         const struct ferry_image_header *header)
{
    /* The parse of the header proved that these sums fit. */
    uint32_t start = header->header_size + header->payload_size;
    uint32_t unprotected = start + header->protected_size;
    walk->image = image;
    walk->area = FERRY_TLV_PROTECTED;
    walk->next = unprotected;
    walk->area_end = unprotected;
    walk->unprotected = unprotected + PREFIX_SIZE;
    if (header->protected_size != 0) {
        int size = read_info(image, start, FERRY_TLV_PROTECTED_MAGIC);
        if (size != header->protected_size) {
            return size < 0 ? size : FERRY_E_TLV;
        }
        walk->next = start + PREFIX_SIZE;
    }
    int size = read_info(image, unprotected, FERRY_TLV_MAGIC);
    if (size < 0) {
        return size;
    }
    walk->end = unprotected + (uint32_t)size;
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
    uint32_t prefix;
    int rc = read_prefix(walk->image, walk->next, &prefix);
    if (rc != FERRY_OK) {
        return rc;
    }
    tlv->type = (uint16_t)prefix;
    tlv->len = (uint16_t)(prefix >> 16);
    if (tlv->len > left - PREFIX_SIZE) {
        return FERRY_E_TLV;
    }
    tlv->area = walk->area;
    tlv->offset = walk->next + PREFIX_SIZE;
    walk->next = tlv->offset + tlv->len;
    rc = check_rule(tlv);
    return rc == FERRY_OK ? 1 : rc;
}
