/* SPDX-License-Identifier: Apache-2.0 */
/* What a list of images needs to know of one, in few bytes. [mcuboot-format.md §2.1, §2.2] */
#include "ferry/slots_small.h"

/* An area begins with {magic, total}, an entry with {type, length}; both are two u16. */
#define PREFIX_SIZE 4

static int read_prefix(const struct ferry_flash *slot, uint32_t at, uint16_t pair[2])
{
    uint8_t raw[PREFIX_SIZE];
    int rc = ferry_flash_read(slot, at, raw, sizeof raw);
    pair[0] = ferry_load_le16(raw);
    pair[1] = ferry_load_le16(raw + 2);
    return rc;
}

/* Look for the digest between next and end. Each entry takes PREFIX_SIZE at least: it ends. */
static int find_digest(const struct ferry_flash *slot, uint32_t next, uint32_t end, uint8_t *digest)
{
    while (next < end) {
        uint16_t entry[2];
        int rc = read_prefix(slot, next, entry);
        if (rc != FERRY_OK) {
            return rc;
        }
        next += PREFIX_SIZE;
        if (entry[0] == FERRY_TLV_SHA256 && entry[1] == FERRY_SHA256_SIZE) {
            return ferry_flash_read(slot, next, digest, FERRY_SHA256_SIZE);
        }
        next += entry[1];
    }
    return FERRY_E_NOT_FOUND;
}

int ferry_image_glance(const struct ferry_flash *slot, uint32_t at, struct ferry_image_info *info)
{
    const struct ferry_image_header *header = &info->header;
    uint8_t raw[FERRY_IMAGE_HEADER_SIZE];
    uint16_t area[2];
    int rc = ferry_flash_read(slot, at, raw, sizeof raw);
    if (rc == FERRY_OK) {
        rc = ferry_image_header_parse(raw, &info->header);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    uint32_t tlvs = at + header->header_size + header->payload_size + header->protected_size;
    rc = read_prefix(slot, tlvs, area);
    if (rc != FERRY_OK || area[0] != FERRY_TLV_MAGIC) {
        return rc != FERRY_OK ? rc : FERRY_E_TLV;
    }
    info->size = tlvs + area[1] - at;
    info->digest_len = FERRY_SHA256_SIZE;
    return find_digest(slot, tlvs + PREFIX_SIZE, tlvs + area[1], info->digest);
}
