/* SPDX-License-Identifier: Apache-2.0 */
/* Erasing ahead of an upload, a sector at a time. A file of its own, so that a server that erases
 * all at the first chunk carries none of it.
 *
 * What is not reached yet holds what was there before: the trailer and an old header go first, as
 * with any upload, and so does what would be the new image's TLVs: without them no list shows the
 * half of it as an image. */
#include "core/server/image_group.h"

/* Erase the sector in which the TLVs of an image begin. What is no header has none. */
static int erase_tlvs(const struct ferry_image_group *group, const struct ferry_flash *view,
                      const uint8_t raw[FERRY_IMAGE_HEADER_SIZE])
{
    struct ferry_image_header header;
    uint32_t at;

    if (ferry_image_header_parse(raw, &header) != FERRY_OK ||
        !ferry_add32(header.header_size, header.payload_size, &at) || at >= group->size) {
        return FERRY_OK;
    }
    return ferry_image_erase_range(group, view, at, at + 1);
}

static int begin(struct ferry_image_group *group, const struct ferry_image_place *place,
                 const struct ferry_flash *view, const uint8_t raw[FERRY_IMAGE_HEADER_SIZE])
{
    int rc = ferry_image_prepare(group, place, 1);

    group->erased = 0;
    return rc == FERRY_OK ? erase_tlvs(group, view, raw) : rc;
}

static int reach(struct ferry_image_group *group, const struct ferry_flash *view, uint32_t end)
{
    while (group->erased < end) {
        struct ferry_flash_sector sector;
        int rc = ferry_flash_sector_at(view, group->erased, &sector);

        if (rc == FERRY_OK) {
            rc = ferry_image_erase_range(group, view, sector.offset, sector.offset + sector.size);
        }
        if (rc != FERRY_OK) {
            return rc;
        }
        group->erased = sector.offset + sector.size;
    }
    return FERRY_OK;
}

const struct ferry_image_ahead ferry_image_erase_ahead = {.begin = begin, .reach = reach};

bool ferry_image_group_erase_next(struct ferry_image_group *group)
{
    const struct ferry_image_place place = {group->image, group->slot};
    struct ferry_flash_sector sector;
    struct ferry_flash_slice view;

    /* What a reset left is touched when the client goes on, not before. */
    if (!group->open || group->doubtful || group->config->ahead == NULL ||
        group->erased >= group->size || ferry_image_upload_view(group, &place, &view) != FERRY_OK ||
        ferry_flash_sector_at(&view.flash, group->offset, &sector) != FERRY_OK) {
        return false;
    }
    /* One sector and no more: what an upload that ends early did not need stays as it was. */
    return group->erased <= sector.offset + sector.size &&
           ferry_image_reach(group, &view.flash, group->erased + 1) == FERRY_OK;
}
