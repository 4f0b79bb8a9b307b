/* SPDX-License-Identifier: Apache-2.0 */
/* What an image says of itself, before anything is verified. */
#include "ferry/image.h"

#include <string.h>

static bool is_digest(uint16_t type)
{
    return type == FERRY_TLV_SHA256 || type == FERRY_TLV_SHA384 || type == FERRY_TLV_SHA512;
}

/* Take the digest. A second one is refused: nobody could say which of them names the image. */
static int take_digest(const struct ferry_flash *image, const struct ferry_tlv *tlv,
                       struct ferry_image_info *info)
{
    if (info->digest_len != 0 || tlv->len > sizeof info->digest) {
        return FERRY_E_TLV;
    }
    int rc = ferry_flash_read(image, tlv->offset, info->digest, tlv->len);
    if (rc == FERRY_OK) {
        info->digest_len = (uint8_t)tlv->len;
    }
    return rc;
}

/* SIG_PURE says 1, and once: what a signature is of must not be in doubt. */
static int take_pure(const struct ferry_flash *image, const struct ferry_tlv *tlv,
                     struct ferry_image_info *info)
{
    uint8_t value;
    int rc = ferry_flash_read(image, tlv->offset, &value, sizeof value);
    if (rc != FERRY_OK) {
        return rc;
    }
    if (info->pure || value != 1) {
        return FERRY_E_TLV;
    }
    info->pure = true;
    return FERRY_OK;
}

static int take(const struct ferry_flash *image, const struct ferry_tlv *tlv,
                struct ferry_image_info *info)
{
    if (tlv->type == FERRY_TLV_SIG_PURE) {
        return take_pure(image, tlv, info);
    }
    return is_digest(tlv->type) ? take_digest(image, tlv, info) : FERRY_OK;
}

int ferry_image_inspect(const struct ferry_flash *image, struct ferry_image_info *info)
{
    memset(info, 0, sizeof *info);
    int rc = ferry_image_read_header(image, &info->header);
    if (rc != FERRY_OK) {
        return rc;
    }
    struct ferry_tlv_walk walk;
    rc = ferry_tlv_walk_begin(&walk, image, &info->header);
    if (rc != FERRY_OK) {
        return rc;
    }
    info->size = walk.end;
    struct ferry_tlv tlv;
    while ((rc = ferry_tlv_walk_next(&walk, &tlv)) > 0) {
        rc = take(image, &tlv, info);
        if (rc != FERRY_OK) {
            return rc;
        }
    }
    return rc;
}

int ferry_image_size(const struct ferry_flash *image, uint32_t *size)
{
    struct ferry_image_header header;
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    int rc = ferry_image_read_header(image, &header);
    if (rc == FERRY_OK) {
        rc = ferry_tlv_walk_begin(&walk, image, &header);
    }
    if (rc != FERRY_OK) {
        return rc;
    }
    *size = walk.end;
    do {
        rc = ferry_tlv_walk_next(&walk, &tlv);
    } while (rc > 0);
    return rc;
}
