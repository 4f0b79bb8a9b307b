/* SPDX-License-Identifier: Apache-2.0 */
#include "model_image.h"

#include <stdlib.h>
#include <string.h>

/* The area's own 4 bytes, and the digest's TLV. */
#define TLV_SIZE (4U + 4U + FERRY_SHA256_SIZE)
/* The same of the protected one, with the security counter. */
#define COUNTER_SIZE (4U + 4U + 4U)

static struct ferry_version version_of(uint32_t number)
{
    return (struct ferry_version){.major = (uint8_t)(number >> 24),
                                  .minor = (uint8_t)(number >> 16),
                                  .revision = (uint16_t)number};
}

static void fill(uint8_t *bytes, size_t len, uint32_t seed)
{
    uint32_t x = seed * 2654435761U + 1;
    for (size_t i = 0; i < len; i++) {
        x = x * 1664525U + 1013904223U;
        bytes[i] = (uint8_t)(x >> 24);
    }
}

static void put_area(uint8_t *at, uint16_t magic, uint32_t size, uint16_t type, uint32_t len)
{
    ferry_store_le16(at, magic);
    ferry_store_le16(at + 2, (uint16_t)size);
    ferry_store_le16(at + 4, type);
    ferry_store_le16(at + 6, (uint16_t)len);
}

/* The digest of what is in front of the TLVs. */
static void put_digest(struct model_image *image)
{
    uint32_t at = image->size - TLV_SIZE;
    struct ferry_sha256 sha;

    ferry_crypto_sha256_init(&sha);
    ferry_crypto_sha256_update(&sha, image->bytes, at);
    ferry_crypto_sha256_final(&sha, image->digest);
    memcpy(image->bytes + at + 8, image->digest, FERRY_SHA256_SIZE);
}

/* Protected area, digest and TLVs, behind the payload. */
static void seal(const struct model_image_spec *spec, uint32_t protected_size,
                 struct model_image *image)
{
    uint32_t at = image->size - TLV_SIZE;

    if (protected_size > 0) {
        uint8_t *area = image->bytes + at - protected_size;
        put_area(area, FERRY_TLV_PROTECTED_MAGIC, protected_size, FERRY_TLV_SEC_CNT, 4);
        ferry_store_le32(area + 8, spec->number);
    }
    put_area(image->bytes + at, FERRY_TLV_MAGIC, TLV_SIZE, FERRY_TLV_SHA256, FERRY_SHA256_SIZE);
    put_digest(image);
}

int model_image_make(const struct model_image_spec *spec, struct model_image *image)
{
    uint32_t header_size = spec->first != NULL ? FERRY_VCHIP_FIRST_HEADER : FERRY_IMAGE_HEADER_SIZE;
    uint32_t protected_size = spec->counter ? COUNTER_SIZE : 0;
    uint32_t around = header_size + protected_size + TLV_SIZE;
    int rc = FERRY_OK;

    *image = (struct model_image){.size = spec->size};
    if (spec->size < MODEL_IMAGE_MIN || spec->size < around) {
        return FERRY_E_IMAGE_SIZE;
    }
    image->bytes = malloc(spec->size);
    if (image->bytes == NULL) {
        return FERRY_E_SPACE;
    }
    const struct ferry_image_header header = {.load_address = spec->load_address,
                                              .header_size = (uint16_t)header_size,
                                              .protected_size = (uint16_t)protected_size,
                                              .payload_size = spec->size - around,
                                              .flags = spec->flags,
                                              .version = version_of(spec->number)};
    memset(image->bytes, 0, header_size);
    ferry_image_header_write(&header, image->bytes);
    fill(image->bytes + header_size, header.payload_size, spec->seed);
    if (spec->first != NULL) {
        rc = model_first_fill(spec->first, spec->number, image->bytes + header_size,
                              header.payload_size);
    }
    seal(spec, protected_size, image);
    return rc;
}

int model_image_change(const struct model_image *image, uint32_t offset,
                       struct model_image *changed)
{
    if (offset < FERRY_IMAGE_HEADER_SIZE || offset >= image->size - TLV_SIZE) {
        return FERRY_E_RANGE;
    }
    *changed = *image;
    changed->bytes = malloc(image->size);
    if (changed->bytes == NULL) {
        return FERRY_E_SPACE;
    }
    memcpy(changed->bytes, image->bytes, image->size);
    changed->bytes[offset] ^= 0x5a;
    put_digest(changed);
    return FERRY_OK;
}

void model_image_free(struct model_image *image)
{
    free(image->bytes);
    *image = (struct model_image){NULL, 0, {0}};
}
