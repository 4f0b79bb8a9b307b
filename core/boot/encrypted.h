/* SPDX-License-Identifier: Apache-2.0 */
/* How the two images of a swap are encrypted in the secondary, while a boot lasts. Internal to
 * core/boot: encrypted.c sets the views, kept.c has them outlive a cut. */
#ifndef FERRY_CORE_BOOT_ENCRYPTED_H
#define FERRY_CORE_BOOT_ENCRYPTED_H

#include "core/boot/swap.h"

/* The images, by the slot that they leave: also the number of their place in a trailer. */
enum { FERRY_BOOT_OUTGOING = 0, FERRY_BOOT_INCOMING = 1 };

/* Set the views of an image by what is kept of it; key has len 0 where it is not encrypted. */
void ferry_boot_set_views(const struct ferry_boot_swap *swap, uint32_t image,
                          const struct ferry_content_key *key);

/* Parts of struct ferry_boot_encryption (kept.c). */
FERRY_MUST_CHECK
int ferry_boot_keep(const struct ferry_boot_swap *swap, const struct ferry_flash *area);
FERRY_MUST_CHECK
int ferry_boot_keep_twice(const struct ferry_boot_swap *swap);
FERRY_MUST_CHECK
int ferry_boot_resume_kept(struct ferry_boot_swap *swap);
FERRY_MUST_CHECK
int ferry_boot_resume_kept_scratch(struct ferry_boot_swap *swap);

#endif
