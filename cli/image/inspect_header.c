/* SPDX-License-Identifier: Apache-2.0 */
/* The header of an image, where it stands in its slot, and what state its payload is in. */
#include "flag_names.h"
#include "inspect.h"

#include <inttypes.h>

void inspect_header(cJSON *object, const struct ferry_image_info *info)
{
    char version[FERRY_VERSION_TEXT_MAX];
    const struct ferry_image_header *h = &info->header;
    char magic[16];
    snprintf(magic, sizeof magic, "0x%08x", FERRY_IMAGE_MAGIC);
    ferry_version_text(&h->version, version);
    cJSON_AddStringToObject(object, "magic", magic);
    cJSON_AddStringToObject(object, "version", version);
    cJSON_AddNumberToObject(object, "header_size", h->header_size);
    cJSON_AddNumberToObject(object, "image_size", h->payload_size);
    cJSON_AddNumberToObject(object, "protected_tlv_size", h->protected_size);
    cJSON_AddNumberToObject(object, "load_addr", h->load_address);
    uint32_t unknown = h->flags;
    cJSON *flags = cJSON_AddArrayToObject(object, "flags");
    for (const struct flag_name *row = flag_names; row->name != NULL; row++) {
        if ((h->flags & row->flag) != 0) {
            cJSON_AddItemToArray(flags, cJSON_CreateString(row->name));
        }
        unknown &= ~row->flag;
    }
    if (unknown != 0) {
        char name[16];
        snprintf(name, sizeof name, "0x%08" PRIx32, unknown);
        cJSON_AddItemToArray(flags, cJSON_CreateString(name));
    }
    if (info->size != 0) {
        cJSON_AddNumberToObject(object, "size", info->size);
    }
}

void inspect_place(cJSON *object, const struct image_file *file,
                   const struct ferry_strategy_traits *strategy)
{
    bool up = file->offset > 0;
    const char *place = NULL;
    if (strategy == NULL) {
        place =
            up ? "one sector up: an upload of swap-offset, or the old image of swap-shift" : NULL;
    } else if (up == (strategy->upload_sector > 0)) {
        place = "where uploads are";
    } else if (up == (strategy->old_sector > 0)) {
        place = "where the old image is kept for the way back";
    } else {
        place = "where this strategy keeps no image";
    }
    if (place != NULL) {
        cJSON_AddNumberToObject(object, "image_at", file->offset);
        cJSON_AddStringToObject(object, "place", place);
    }
}

void inspect_encryption(cJSON *object, const struct image_file *file)
{
    char scheme[IMAGE_FILE_SCHEME_MAX];
    if (file->payload != IMAGE_PLAIN) {
        image_file_scheme(file, scheme);
        cJSON_AddStringToObject(object, "encryption", scheme);
        cJSON_AddStringToObject(object, "payload", image_file_payload_name(file));
    }
}
