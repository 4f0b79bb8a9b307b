/* SPDX-License-Identifier: Apache-2.0 */
/* One image that is swapped into the primary and runs there: PRODUCT_STRATEGY is swap_shift,
 * swap_move or swap_offset. Signed with ECDSA P-256 by the key in the build's key.c. */
#include "firmware/chips/boot/product.h"

#include "firmware/chips/boot/key.h"
#include "port/chip/chip.h"

#define TABLE(family, strategy)  TABLE_(family, strategy)
#define TABLE_(family, strategy) ferry_##family##_##strategy

/* MCUboot's BOOT_MAX_ALIGN and BOOT_MAX_IMG_SECTORS. */
#define MAX_ALIGN   8
#define MAX_SECTORS 128

static const struct ferry_boot_image image = {
    .slots = {.primary = &chip_primary,
              .secondary = &chip_secondary,
              .strategy = &TABLE(traits, PRODUCT_STRATEGY),
              .max_align = MAX_ALIGN,
              .max_sectors = MAX_SECTORS},
    .strategy = &TABLE(boot, PRODUCT_STRATEGY),
};

static const struct ferry_image_verifier *const verifiers[] = {&ferry_verify_ecdsa_p256};
static const struct ferry_image_digest_kind *const digests[] = {&ferry_digest_sha256};

static const struct ferry_boot_hooks hooks = {.feed = chip_feed};
static uint8_t buf[1024];

const struct ferry_boot_config product_boot = {
    .images = &image,
    .image_count = 1,
    .trust = {.keys = &product_key,
              .key_count = 1,
              .verifiers = verifiers,
              .verifier_count = 1,
              .digests = digests,
              .digest_count = 1},
    .hooks = &hooks,
    .buf = buf,
    .buf_size = sizeof(buf),
};

const struct recovery_kind *const product_recovery = &recovery_small;

void product_begin(void)
{
}

void product_settle(const struct ferry_boot_report *report, uint8_t boot_mode)
{
    (void)report;
    (void)boot_mode;
}

_Noreturn void product_start(const struct ferry_boot_report *report)
{
    chip_start(chip_primary_address + report->images[0].info.header.header_size);
}
