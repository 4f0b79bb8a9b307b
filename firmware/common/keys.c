/* SPDX-License-Identifier: Apache-2.0 */
/* The key area of the board. A product lists only what it uses; the linker leaves out the rest. */
#include "keys.h"

static const struct ferry_image_verifier *const verifiers[] = {
    &ferry_verify_ecdsa_p256,   &ferry_verify_ecdsa_p384,  &ferry_verify_ed25519,
    &ferry_verify_ed25519_pure, &ferry_verify_rsa2048_pss, &ferry_verify_rsa3072_pss};

static const struct ferry_image_digest_kind *const digests[] = {
    &ferry_digest_sha256, &ferry_digest_sha384, &ferry_digest_sha512};

/* Take the key at *offset. Returns false behind the last one. */
static bool read_key(struct board_keys *keys, const struct ferry_flash *area, uint32_t *offset)
{
    uint8_t head[FERRY_VCHIP_KEY_HEAD];
    size_t *count = &keys->product.key_count;

    if (*count == FERRY_KEYS_PRODUCT ||
        ferry_flash_read(area, *offset, head, sizeof(head)) != FERRY_OK ||
        ferry_load_le32(head) != FERRY_VCHIP_KEY_MAGIC) {
        return false;
    }
    uint8_t *der = keys->ders[*count];
    uint32_t len = ferry_load_le32(head + 4);
    if (len > FERRY_VCHIP_KEY_MAX ||
        ferry_flash_read(area, *offset + (uint32_t)sizeof(head), der, len) != FERRY_OK) {
        return false;
    }
    keys->keys[*count] = (struct ferry_image_key){der, len};
    (*count)++;
    *offset += ferry_align_up(len + (uint32_t)sizeof(head), FERRY_VCHIP_KEY_ALIGN);
    return true;
}

/* A board without keys trusts nobody; that is said when an image is refused. */
static void read_area(struct board_keys *keys, const struct vchip *chip)
{
    struct ferry_flash_slice area;
    uint32_t offset = 0;
    int number = vchip_find(chip, "keys");

    if (number < 0 || vchip_area(chip, (uint32_t)number, &area) != FERRY_OK) {
        return;
    }
    while (read_key(keys, &area.flash, &offset)) {
    }
}

void keys_read(struct board_keys *keys, const struct vchip *chip, const struct ferry_store *store)
{
    bool production = (chip->start.flags & FERRY_VCHIP_PRODUCTION) != 0;

    keys->product = (struct ferry_image_trust){
        .keys = keys->keys,
        .verifiers = verifiers,
        .verifier_count = sizeof(verifiers) / sizeof(verifiers[0]),
        .digests = digests,
        .digest_count = sizeof(digests) / sizeof(digests[0]),
        .refused = production ? &ferry_development_keys : NULL,
    };
    read_area(keys, chip);
    keys->result = ferry_keys_load(store, &keys->product, &keys->all);
}

bool keys_are_published(const struct board_keys *keys)
{
    const struct ferry_key_list *refused = keys->product.refused;
    bool found = false;

    for (size_t i = 0; refused != NULL && i < keys->product.key_count; i++) {
        found = found || refused->has(refused, &keys->keys[i]);
    }
    return found;
}
