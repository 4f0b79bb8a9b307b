/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with bytes that should be an image, with the place and the numbers. */
#ifndef CLI_IMAGE_INSPECT_DAMAGE_H
#define CLI_IMAGE_INSPECT_DAMAGE_H

#include "ferry/image.h"

/* The header's magic before MCUboot's present format. */
#define INSPECT_LEGACY_MAGIC 0x96f3b83cU

#define INSPECT_DAMAGE_MAX 160

/* "truncated: header and TLVs say 5320 bytes, there are 4096".
 *
 * bytes  len of them, from where the image begins or should
 * error  what ferry_image_inspect() said of them, not FERRY_OK
 * text   gets a NUL; printable whatever the bytes are */
void inspect_damage(const uint8_t *bytes, size_t len, int error, char text[INSPECT_DAMAGE_MAX]);

#endif
