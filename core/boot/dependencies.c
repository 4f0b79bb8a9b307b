/* SPDX-License-Identifier: Apache-2.0 */
/* Dependencies between images: a TLV names another image and the lowest version of it. What counts
 * is what the other image will be after this boot. [mcuboot-format.md §2.2 DEPENDENCY] */
#include "core/boot/group.h"

/* The payload: the image's number, 3 bytes of padding, and a version as in the header. */
#define SIZE       12
#define AT_VERSION 4

/* The image that will be there: the one that comes or goes back, or the one that stays. */
static int view_of(const struct ferry_boot_group *group, uint32_t number,
                   struct ferry_flash_slice *view)
{
    const struct ferry_boot_swap *swap = &group->swaps[number];
    const struct ferry_slots *slots = swap->slots;

    if (swap->type == FERRY_SWAP_NONE) {
        return ferry_flash_slice_init(view, slots->primary, 0, slots->primary->size);
    }
    return ferry_slots_secondary_at(
        slots, swap->backwards ? ferry_slots_old_offset(slots) : ferry_slots_upload_offset(slots),
        view);
}

/* Whether an image will be there in a version at least. Returns 1, 0 or FERRY_E_POWER. */
static int is_there(const struct ferry_boot_group *group, const struct ferry_boot_need *need)
{
    struct ferry_flash_slice view;
    struct ferry_image_header header;
    int rc = need->image < group->count ? view_of(group, need->image, &view) : FERRY_E_NOT_FOUND;

    if (rc == FERRY_OK) {
        rc = ferry_image_read_header(&view.flash, &header);
    }
    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : 0;
    }
    return ferry_version_compare(&header.version, &need->version, false) >= 0;
}

static int read_need(const struct ferry_flash *image, const struct ferry_tlv *tlv,
                     struct ferry_boot_need *need)
{
    uint8_t raw[SIZE];
    int rc = tlv->len == SIZE ? ferry_flash_read(image, tlv->offset, raw, SIZE) : FERRY_E_TLV;

    if (rc == FERRY_OK) {
        const uint8_t *at = raw + AT_VERSION;

        need->image = raw[0];
        need->version =
            (struct ferry_version){at[0], at[1], ferry_load_le16(at + 2), ferry_load_le32(at + 4)};
    }
    return rc;
}

/* Check one dependency; one that cannot be read is not met. Returns 1, 0 or FERRY_E_POWER. */
static int check(const struct ferry_boot_group *group, const struct ferry_flash *image,
                 const struct ferry_tlv *tlv, struct ferry_boot_need *need)
{
    int rc = read_need(image, tlv, need);

    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : 0;
    }
    return is_there(group, need);
}

/* Look through the TLVs of an image for what will not be there. Returns 1 = need is such a thing;
 * 0 = there is none, also of an image that cannot be read: others judge that; FERRY_E_POWER. */
static int find_unmet(const struct ferry_boot_group *group, uint32_t number,
                      struct ferry_boot_need *need)
{
    struct ferry_flash_slice view;
    struct ferry_image_header header;
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    int rc = view_of(group, number, &view);

    if (rc == FERRY_OK) {
        rc = ferry_image_read_header(&view.flash, &header);
    }
    if (rc == FERRY_OK) {
        rc = ferry_tlv_walk_begin(&walk, &view.flash, &header);
    }
    if (rc != FERRY_OK) {
        return rc == FERRY_E_POWER ? rc : 0;
    }
    while ((rc = ferry_tlv_walk_next(&walk, &tlv)) == 1) {
        rc = tlv.type == FERRY_TLV_DEPENDENCY ? check(group, &view.flash, &tlv, need) : 1;
        if (rc != 1) {
            return rc < 0 ? rc : 1;
        }
    }
    return rc == FERRY_E_POWER ? rc : 0;
}

/* Say who is at fault: the image that has the need, if it comes; else the one that comes in place
 * of what is needed; else all that come. */
static void blame(struct ferry_boot_group *group, uint32_t number,
                  const struct ferry_boot_need *need)
{
    uint32_t at_fault = group->coming;

    if (ferry_boot_in(group->coming, number)) {
        at_fault = 1U << number;
    } else if (need->image < group->count && ferry_boot_in(group->coming, need->image)) {
        at_fault = 1U << need->image;
    }
    for (uint32_t i = 0; i < group->count; i++) {
        if (ferry_boot_in(at_fault, i)) {
            group->why[i] = FERRY_E_DEPENDENCY;
            group->reports[i].need = *need;
        }
    }
}

int ferry_boot_group_depend(struct ferry_boot_group *group)
{
    int result = FERRY_OK;

    for (uint32_t i = 0; i < group->count; i++) {
        struct ferry_boot_need need = {.known = true};
        int rc = find_unmet(group, i, &need);

        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (rc == 1) {
            blame(group, i, &need);
            result = FERRY_E_DEPENDENCY;
        }
    }
    return result;
}
