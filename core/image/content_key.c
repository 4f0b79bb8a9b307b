/* SPDX-License-Identifier: Apache-2.0 */
/* The content key of an encrypted image, by its ENC TLV. [mcuboot-format.md §2.2, §2.5] */
#include "ferry/encrypted.h"

_Static_assert(FERRY_IMAGE_WRAPPED_MAX >= FERRY_RSA2048_SIZE, "the longest ENC TLV fits");

size_t ferry_image_encrypted(const struct ferry_image_header *header)
{
    if ((header->flags & FERRY_IMAGE_ENCRYPTED_AES128) != 0) {
        return 16;
    }
    return (header->flags & FERRY_IMAGE_ENCRYPTED_AES256) != 0 ? 32 : 0;
}

bool ferry_tlv_is_wrapped_key(uint16_t type)
{
    return type >= FERRY_TLV_ENC_RSA2048 && type <= FERRY_TLV_ENC_X25519_SHA512;
}

/* Try one way with every secret that is of its kind. */
static int unwrap_by(const struct ferry_image_unwrapper *unwrapper,
                     const struct ferry_image_secrets *secrets, const uint8_t *wrapped, size_t len,
                     struct ferry_content_key *key)
{
    for (size_t i = 0; i < secrets->secret_count; i++) {
        const struct ferry_image_secret *secret = &secrets->secrets[i];

        if (unwrapper->fits(secret) && unwrapper->unwrap(secret, wrapped, len, key) == FERRY_OK) {
            return FERRY_OK;
        }
    }
    return FERRY_E_SECRET;
}

int ferry_image_unwrap(const struct ferry_image_secrets *secrets, uint16_t tlv,
                       const uint8_t *wrapped, size_t len, struct ferry_content_key *key)
{
    for (size_t i = 0; i < secrets->unwrapper_count; i++) {
        const struct ferry_image_unwrapper *unwrapper = secrets->unwrappers[i];

        if (unwrapper->tlv == tlv && unwrap_by(unwrapper, secrets, wrapped, len, key) == FERRY_OK) {
            return FERRY_OK;
        }
    }
    ferry_wipe(key, sizeof *key);
    return FERRY_E_SECRET;
}

/* Read one ENC TLV and open it. Returns FERRY_OK, FERRY_E_SECRET, or a flash error. */
static int try_tlv(const struct ferry_flash *image, const struct ferry_tlv *tlv,
                   const struct ferry_image_secrets *secrets, size_t key_len,
                   struct ferry_wrapped_key *wrapped, struct ferry_content_key *key)
{
    if (tlv->len > sizeof wrapped->bytes) {
        return FERRY_E_SECRET;
    }

    int rc = ferry_flash_read(image, tlv->offset, wrapped->bytes, tlv->len);

    wrapped->tlv = tlv->type;
    wrapped->len = tlv->len;
    if (rc == FERRY_OK) {
        rc = ferry_image_unwrap(secrets, tlv->type, wrapped->bytes, tlv->len, key);
    }
    return rc == FERRY_OK && key->len != key_len ? FERRY_E_SECRET : rc;
}

/* The first ENC TLV that opens. Returns FERRY_OK, FERRY_E_SECRET, TLV and flash errors. */
static int search(const struct ferry_flash *image, const struct ferry_image_header *header,
                  const struct ferry_image_secrets *secrets, struct ferry_wrapped_key *wrapped,
                  struct ferry_content_key *key)
{
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    unsigned tries = 0;
    int rc = ferry_tlv_walk_begin(&walk, image, header);

    if (rc != FERRY_OK) {
        return rc;
    }
    while ((rc = ferry_tlv_walk_next(&walk, &tlv)) > 0) {
        if (!ferry_tlv_is_wrapped_key(tlv.type)) {
            continue;
        }
        if (tries++ == FERRY_IMAGE_UNWRAPS_MAX) {
            return FERRY_E_SECRET;
        }
        rc = try_tlv(image, &tlv, secrets, ferry_image_encrypted(header), wrapped, key);
        if (rc != FERRY_E_SECRET) {
            return rc;
        }
    }
    return rc < 0 ? rc : FERRY_E_SECRET;
}

int ferry_image_find_key(const struct ferry_flash *image, const struct ferry_image_header *header,
                         const struct ferry_image_secrets *secrets,
                         struct ferry_wrapped_key *wrapped, struct ferry_content_key *key)
{
    ferry_wipe(key, sizeof *key);
    wrapped->len = 0;
    if (ferry_image_encrypted(header) == 0) {
        return FERRY_OK;
    }

    int rc = search(image, header, secrets, wrapped, key);

    if (rc != FERRY_OK) {
        ferry_wipe(key, sizeof *key);
        wrapped->len = 0;
    }
    return rc;
}

int ferry_image_content_key(const struct ferry_flash *image,
                            const struct ferry_image_header *header,
                            const struct ferry_image_secrets *secrets,
                            struct ferry_content_key *key)
{
    struct ferry_wrapped_key wrapped;

    return ferry_image_find_key(image, header, secrets, &wrapped, key);
}
