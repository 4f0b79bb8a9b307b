/* SPDX-License-Identifier: Apache-2.0 */
#include "dumpinfo.h"
#include "tlv_scan.h"

#include "ferry/trailer.h"

#include <string.h>

#define MAGIC_SIZE FERRY_TRAILER_MAGIC_SIZE

/* imgtool's names where they differ from the format's. */
static const char *name_of(uint16_t type)
{
    static const struct {
        uint16_t type;
        const char *name;
    } rows[] = {
        {FERRY_TLV_RSA2048_PSS, "RSA2048"},
        {FERRY_TLV_ECDSA224, "UNKNOWN"},
        {FERRY_TLV_ECDSA_SIG, "ECDSASIG"},
        {FERRY_TLV_RSA3072_PSS, "RSA3072"},
        {FERRY_TLV_ENC_RSA2048, "ENCRSA2048"},
        {FERRY_TLV_ENC_KW, "ENCKW"},
        {FERRY_TLV_ENC_EC256, "ENCEC256"},
        {FERRY_TLV_ENC_X25519, "ENCX25519"},
        {FERRY_TLV_ENC_X25519_SHA512, "ENCX25519_SHA512"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].type == type) {
            return rows[i].name;
        }
    }
    return type >= FERRY_TLV_VENDOR_FIRST ? "UNKNOWN" : ferry_tlv_name(type);
}

static void add_bytes(cJSON *object, const char *key, const uint8_t *data, size_t len)
{
    char *hex = cJSON_malloc(2 * len + 1);
    if (hex != NULL) {
        cli_hex(data, len, hex);
        cJSON_AddRawToObject(object, key, hex);
        cJSON_free(hex);
    }
}

static void add_header(cJSON *info, const struct ferry_image_header *h)
{
    char version[FERRY_VERSION_TEXT_MAX];
    cJSON *header = cJSON_AddObjectToObject(info, "header");
    snprintf(version, sizeof version, "%u.%u.%u+%u", h->version.major, h->version.minor,
             h->version.revision, (unsigned)h->version.build);
    cJSON_AddNumberToObject(header, "magic", FERRY_IMAGE_MAGIC);
    cJSON_AddNumberToObject(header, "load_addr", h->load_address);
    cJSON_AddNumberToObject(header, "hdr_size", h->header_size);
    cJSON_AddNumberToObject(header, "protected_tlv_size", h->protected_size);
    cJSON_AddNumberToObject(header, "img_size", h->payload_size);
    cJSON_AddNumberToObject(header, "flags", h->flags);
    cJSON_AddStringToObject(header, "version", version);
}

/* ---- TLVs ------------------------------------------------------------------------------------ */

static void add_area(cJSON *areas, const char *key, const struct tlv_scan_area *area)
{
    cJSON *object = cJSON_AddObjectToObject(areas, key);
    if (area != NULL) {
        cJSON_AddNumberToObject(object, "magic", area->magic);
        cJSON_AddNumberToObject(object, "tlv_tot", area->total);
    }
}

static void add_entries(cJSON *areas, const char *key, enum ferry_tlv_area which,
                        const uint8_t *image, size_t len, const struct ferry_image_header *header)
{
    struct tlv_scan scan;
    struct ferry_tlv tlv;
    cJSON *list = cJSON_AddArrayToObject(areas, key);
    tlv_scan_begin(&scan, image, len, header);
    while (tlv_scan_next(&scan, &tlv)) {
        if (tlv.area == which) {
            cJSON *row = cJSON_CreateObject();
            cJSON_AddNumberToObject(row, "type", tlv.type);
            cJSON_AddStringToObject(row, "type_name", name_of(tlv.type));
            cJSON_AddNumberToObject(row, "len", tlv.len);
            add_bytes(row, "data", image + tlv.offset, tlv.len);
            cJSON_AddItemToArray(list, row);
        }
    }
}

/* Whether an area is whole. */
static bool read_area(const uint8_t *image, size_t len, const struct ferry_image_header *header,
                      enum ferry_tlv_area which, struct tlv_scan_area *area)
{
    tlv_scan_area(image, len, header, which, area);
    return area->there && area->total <= len - area->offset &&
           area->magic ==
               (which == FERRY_TLV_PROTECTED ? FERRY_TLV_PROTECTED_MAGIC : FERRY_TLV_MAGIC);
}

/* Returns where the image ends, or 0 when an area is damaged. */
static size_t add_tlvs(cJSON *info, const uint8_t *image, size_t len,
                       const struct ferry_image_header *header)
{
    struct tlv_scan_area protected;
    struct tlv_scan_area area;
    bool has_protected = header->protected_size != 0;
    if ((has_protected && (!read_area(image, len, header, FERRY_TLV_PROTECTED, &protected) ||
                           protected.total != header->protected_size)) ||
        !read_area(image, len, header, FERRY_TLV_UNPROTECTED, &area)) {
        return 0;
    }
    cJSON *areas = cJSON_AddObjectToObject(info, "tlv_area");
    add_area(areas, "tlv_hdr_prot", has_protected ? &protected : NULL);
    add_entries(areas, "tlvs_prot", FERRY_TLV_PROTECTED, image, len, header);
    add_area(areas, "tlv_hdr", &area);
    add_entries(areas, "tlvs", FERRY_TLV_UNPROTECTED, image, len, header);
    return area.offset + area.total;
}

/* ---- Trailer --------------------------------------------------------------------------------- */

/* The alignment by the magic at the end; 0 for none. */
static uint32_t find_align(const uint8_t *bytes, size_t len)
{
    uint8_t magic[MAGIC_SIZE];
    for (uint32_t align = 8; align <= 32; align *= 2) {
        ferry_trailer_magic(align, magic);
        if (len >= 8 * (size_t)align && memcmp(bytes + len - MAGIC_SIZE, magic, MAGIC_SIZE) == 0) {
            return align;
        }
    }
    return 0;
}

/* Of a file that was padded to its slot. Returns false when it does not end in a trailer. */
static bool add_trailer(cJSON *info, const uint8_t *bytes, size_t len, size_t end,
                        const struct ferry_image_header *header)
{
    cJSON *trailer = cJSON_AddObjectToObject(info, "trailer");
    if (len == end) {
        return true;
    }
    uint32_t align = find_align(bytes, len);
    add_bytes(trailer, "magic", bytes + len - MAGIC_SIZE, MAGIC_SIZE);
    if (align == 0) {
        return false;
    }
    const uint8_t *at = bytes + len - (align > MAGIC_SIZE ? align : MAGIC_SIZE);
    cJSON_AddNumberToObject(trailer, "image_ok", *(at - align));
    cJSON_AddNumberToObject(trailer, "copy_done", *(at - 2 * (size_t)align));
    cJSON_AddNumberToObject(trailer, "swap_info", *(at - 3 * (size_t)align));
    cJSON_AddNumberToObject(trailer, "swap_size", ferry_load_le32(at - 4 * (size_t)align));
    if (ferry_image_encrypted(header) != 0) {
        /* imgtool's estimate: two keys of 16 bytes. */
        cJSON_AddNumberToObject(trailer, "key_field_len", 2 * (align > 16 ? align : 16));
    }
    return true;
}

cJSON *dumpinfo_read(const struct image_file *file, const char *name, bool *trailer)
{
    const uint8_t *bytes = file->bytes.data;
    const struct ferry_image_header *header = &file->info.header;
    cJSON *info = cJSON_CreateObject();
    cJSON_AddStringToObject(info, "filename", name);
    add_header(info, header);
    size_t end = add_tlvs(info, bytes, file->bytes.len, header);
    if (end == 0) {
        cJSON_Delete(info);
        return NULL;
    }
    *trailer = add_trailer(info, bytes, file->bytes.len, end, header);
    return info;
}
