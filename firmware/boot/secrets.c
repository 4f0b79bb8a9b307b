/* SPDX-License-Identifier: Apache-2.0 */
/* What this board decrypts images with. */
#include "secrets.h"

static const struct ferry_image_unwrapper *const unwrappers[] = {
    &ferry_unwrap_ec256, &ferry_unwrap_x25519, &ferry_unwrap_x25519_sha512, &ferry_unwrap_rsa2048,
    &ferry_unwrap_kw};

/* Take the secret at *offset. Returns false behind the last one. */
static bool read_secret(struct secrets *secrets, const struct ferry_flash *area, uint32_t *offset)
{
    uint8_t head[FERRY_VCHIP_KEY_HEAD];
    uint8_t *bytes = secrets->bytes[secrets->all.secret_count];

    if (ferry_flash_read(area, *offset, head, sizeof(head)) != FERRY_OK ||
        ferry_load_le32(head) != FERRY_VCHIP_SECRET_MAGIC) {
        return false;
    }
    uint32_t len = ferry_load_le32(head + 4);
    if (len > FERRY_VCHIP_SECRET_MAX ||
        ferry_flash_read(area, *offset + (uint32_t)sizeof(head), bytes, len) != FERRY_OK) {
        return false;
    }
    secrets->list[secrets->all.secret_count++] = (struct ferry_image_secret){bytes, len};
    *offset += ferry_align_up(len + (uint32_t)sizeof(head), FERRY_VCHIP_KEY_ALIGN);
    return true;
}

bool secrets_read(struct secrets *secrets, const struct vchip *chip)
{
    struct ferry_flash_slice area;
    uint32_t offset = 0;
    int number = vchip_find(chip, "secrets");

    secrets->all = (struct ferry_image_secrets){
        .secrets = secrets->list,
        .unwrappers = unwrappers,
        .unwrapper_count = sizeof(unwrappers) / sizeof(unwrappers[0]),
    };
    if (number < 0 || vchip_area(chip, (uint32_t)number, &area) != FERRY_OK) {
        return false;
    }
    while (secrets->all.secret_count < SECRETS_MAX && read_secret(secrets, &area.flash, &offset)) {
    }
    return true;
}

void secrets_wipe(struct secrets *secrets)
{
    ferry_wipe(secrets, sizeof(*secrets));
}
