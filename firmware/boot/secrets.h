/* SPDX-License-Identifier: Apache-2.0 */
/* What this board decrypts images with: the area "secrets". */
#ifndef FIRMWARE_BOOT_SECRETS_H
#define FIRMWARE_BOOT_SECRETS_H

#include "ferry/boot.h"
#include "port/vchip/vchip.h"

#define SECRETS_MAX 4

struct secrets {
    struct ferry_image_secret list[SECRETS_MAX];
    uint8_t bytes[SECRETS_MAX][FERRY_VCHIP_SECRET_MAX];
    struct ferry_image_secrets all;
    struct ferry_boot_views views[FERRY_BOOT_IMAGES];
};

/* Read the area. Returns whether the board has one: without it images are not encrypted. secrets
 * stays where it is until secrets_wipe(). */
bool secrets_read(struct secrets *secrets, const struct vchip *chip);
void secrets_wipe(struct secrets *secrets);

#endif
