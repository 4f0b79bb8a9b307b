/* SPDX-License-Identifier: Apache-2.0 */
#include "needs.h"

/* The images, and whose needs are looked at. */
struct needs {
    const struct needs_image *images;
    size_t count;
    const struct needs_image *who;
    struct findings *findings;
};

/* All files of the image that is needed: of a pair each may be the one that is installed. */
static void check_need(const struct needs *needs, uint32_t image, const struct ferry_version *least)
{
    char wanted[FERRY_VERSION_TEXT_MAX];
    char there[FERRY_VERSION_TEXT_MAX];
    bool found = false;
    ferry_version_text(least, wanted);
    for (size_t i = 0; i < needs->count; i++) {
        const struct needs_image *other = &needs->images[i];
        if (other->image != image || other->file == NULL) {
            continue;
        }
        found = true;
        const struct ferry_version *version = &other->file->info.header.version;
        if (ferry_version_compare(version, least, false) < 0) {
            ferry_version_text(version, there);
            findings_problem(needs->findings, "%s needs image %u in version %s, and %s is %s",
                             needs->who->name, (unsigned)image, wanted, other->name, there);
        }
    }
    if (!found) {
        findings_note(needs->findings, "%s needs image %u in version %s: the device must have it",
                      needs->who->name, (unsigned)image, wanted);
    }
}

static void check_image(const struct needs *needs)
{
    const struct image_file *file = needs->who->file;
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    if (ferry_tlv_walk_begin(&walk, &file->rom.flash, &file->info.header) != FERRY_OK) {
        return;
    }
    while (ferry_tlv_walk_next(&walk, &tlv) > 0) {
        if (tlv.type == FERRY_TLV_DEPENDENCY) { /* of 12 bytes: the walk looked at that */
            const uint8_t *at = file->bytes.data + file->offset + tlv.offset;
            const struct ferry_version least = {at[4], at[5], ferry_load_le16(at + 6),
                                                ferry_load_le32(at + 8)};
            check_need(needs, at[0], &least);
        }
    }
}

void needs_check(const struct needs_image *images, size_t count, struct findings *findings)
{
    for (size_t i = 0; i < count; i++) {
        if (images[i].file != NULL) {
            check_image(&(struct needs){images, count, &images[i], findings});
        }
    }
}
