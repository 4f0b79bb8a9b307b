/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypted images in recovery: verified through a view that decrypts, as the boot does it. A file
 * of its own, so that a device that takes none carries none of it. [mcuboot-format.md §2.5] */
#include "core/recovery/recovery.h"

static int verify(const struct ferry_recovery *recovery, const struct ferry_flash *image,
                  const struct ferry_image_header *header, struct ferry_image_info *info)
{
    struct ferry_flash_cipher cipher;
    struct ferry_content_key key = {.len = 0};
    int rc = ferry_image_content_key(image, header, recovery->config->secrets, &key);

    if (rc == FERRY_OK) {
        ferry_flash_cipher_init(&cipher, image, header->header_size,
                                header->header_size + header->payload_size, &key);
        rc = ferry_recovery_verify(recovery, &cipher.flash, info);
        ferry_flash_cipher_wipe(&cipher);
    }
    ferry_wipe(&key, sizeof(key));
    return rc;
}

const struct ferry_recovery_encryption ferry_recovery_encrypted = {.verify = verify};
