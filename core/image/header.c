/* SPDX-License-Identifier: Apache-2.0 */
/* The 32 bytes every image begins with. [mcuboot-format.md §2.1] */
#include "ferry/image.h"

#include <string.h>

/* Offsets of the fields; the last four bytes are padding and 0. */
enum {
    AT_MAGIC = 0,
    AT_LOAD_ADDRESS = 4,
    AT_HEADER_SIZE = 8,
    AT_PROTECTED_SIZE = 10,
    AT_PAYLOAD_SIZE = 12,
    AT_FLAGS = 16,
    AT_MAJOR = 20,
    AT_MINOR = 21,
    AT_REVISION = 22,
    AT_BUILD = 24
};

#define ENCRYPTED_BOTH  (FERRY_IMAGE_ENCRYPTED_AES128 | FERRY_IMAGE_ENCRYPTED_AES256)
#define COMPRESSED_BOTH (FERRY_IMAGE_LZMA1 | FERRY_IMAGE_LZMA2)

/* *size = header, payload and protected area. Returns false when that needs more than 32 bits. */
static bool signed_size(const struct ferry_image_header *header, uint32_t *size)
{
    uint32_t sum;
    return ferry_add32(header->header_size, header->payload_size, &sum) &&
           ferry_add32(sum, header->protected_size, size);
}

int ferry_image_header_parse(const uint8_t raw[FERRY_IMAGE_HEADER_SIZE],
                             struct ferry_image_header *header)
{
    uint32_t words[FERRY_IMAGE_HEADER_SIZE / 4];
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        words[i] = ferry_load_le32(raw + 4 * i);
    }
    if (words[AT_MAGIC / 4] != FERRY_IMAGE_MAGIC) {
        return FERRY_E_MAGIC;
    }
    header->load_address = words[AT_LOAD_ADDRESS / 4];
    header->header_size = (uint16_t)words[AT_HEADER_SIZE / 4];
    header->protected_size = (uint16_t)(words[AT_PROTECTED_SIZE / 4] >> 16);
    header->payload_size = words[AT_PAYLOAD_SIZE / 4];
    header->flags = words[AT_FLAGS / 4];
    header->version.major = raw[AT_MAJOR];
    header->version.minor = raw[AT_MINOR];
    header->version.revision = (uint16_t)(words[AT_REVISION / 4] >> 16);
    header->version.build = words[AT_BUILD / 4];

    uint32_t size;
    if (header->header_size < FERRY_IMAGE_HEADER_SIZE || !signed_size(header, &size)) {
        return FERRY_E_IMAGE_SIZE;
    }
    if ((header->flags & ENCRYPTED_BOTH) == ENCRYPTED_BOTH ||
        (header->flags & COMPRESSED_BOTH) == COMPRESSED_BOTH) {
        return FERRY_E_UNSUPPORTED;
    }
    return FERRY_OK;
}

void ferry_image_header_write(const struct ferry_image_header *header,
                              uint8_t raw[FERRY_IMAGE_HEADER_SIZE])
{
    memset(raw, 0, FERRY_IMAGE_HEADER_SIZE);
    ferry_store_le32(raw + AT_MAGIC, FERRY_IMAGE_MAGIC);
    ferry_store_le32(raw + AT_LOAD_ADDRESS, header->load_address);
    ferry_store_le16(raw + AT_HEADER_SIZE, header->header_size);
    ferry_store_le16(raw + AT_PROTECTED_SIZE, header->protected_size);
    ferry_store_le32(raw + AT_PAYLOAD_SIZE, header->payload_size);
    ferry_store_le32(raw + AT_FLAGS, header->flags);
    raw[AT_MAJOR] = header->version.major;
    raw[AT_MINOR] = header->version.minor;
    ferry_store_le16(raw + AT_REVISION, header->version.revision);
    ferry_store_le32(raw + AT_BUILD, header->version.build);
}

int ferry_image_read_header(const struct ferry_flash *image, struct ferry_image_header *header)
{
    if (image->size < FERRY_IMAGE_HEADER_SIZE) {
        return FERRY_E_IMAGE_SIZE;
    }
    uint8_t raw[FERRY_IMAGE_HEADER_SIZE];
    int rc = ferry_flash_read(image, 0, raw, sizeof raw);
    if (rc != FERRY_OK) {
        return rc;
    }
    rc = ferry_image_header_parse(raw, header);
    if (rc != FERRY_OK) {
        return rc;
    }
    /* The parse proved that this sum fits. */
    uint32_t size = header->header_size + header->payload_size + header->protected_size;
    return size > image->size ? FERRY_E_IMAGE_SIZE : FERRY_OK;
}
