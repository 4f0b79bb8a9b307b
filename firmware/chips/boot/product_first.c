/* SPDX-License-Identifier: Apache-2.0 */
/* A bootloader that is the second stage of an immutable first one and installs its own successor.
 * Image 0 is swapped into the primary and runs there; image 1 is the bootloader. PRODUCT_STAGE: the
 * slot it is linked for. */
#include "firmware/chips/boot/product.h"

#include "firmware/chips/boot/key.h"
#include "firmware/chips/common/print.h"
#include "firmware/chips/first/stages.h"
#include "port/chip/chip.h"

#define BOOTLOADER 1 /* the image */

static struct ferry_first first;

static const struct ferry_boot_image images[] = {
    {
        .slots = {.primary = &chip_primary,
                  .secondary = &chip_secondary,
                  .strategy = &ferry_traits_swap_shift,
                  .state = &ferry_slots_by_swap_no_store,
                  .max_align = 8,
                  .max_sectors = 128},
        .strategy = &ferry_boot_swap_shift,
    },
    {
        .slots = {.primary = &chip_stages[PRODUCT_STAGE],
                  .secondary = &chip_staging,
                  .strategy = &ferry_traits_first_stage,
                  .state = &ferry_slots_first_stage,
                  .max_align = 8,
                  .max_sectors = 128,
                  .number = BOOTLOADER},
        .strategy = &ferry_boot_first_stage,
        .first = &first,
    },
};

static const struct ferry_image_verifier *const verifiers[] = {&ferry_verify_ecdsa_p256};
static const struct ferry_image_digest_kind *const digests[] = {&ferry_digest_sha256};

static const struct ferry_boot_hooks hooks = {.feed = chip_feed};
static uint8_t buf[1024];

const struct ferry_boot_config product_boot = {
    .images = images,
    .image_count = 2,
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

const struct recovery_kind *const product_recovery = &recovery_whole;

void product_begin(void)
{
    stages_read(&first, PRODUCT_STAGE);
}

/* Another bootloader is installed: the first stage's turn. */
void product_settle(const struct ferry_boot_report *report, uint8_t boot_mode)
{
    const struct ferry_boot_image_report *bootloader = &report->images[BOOTLOADER];

    if (bootloader->restart) {
        print("boot: another bootloader is installed\n");
        chip_keep_boot_mode(boot_mode);
        chip_reset();
    }
    if (bootloader->action == FERRY_BOOT_REFUSED) {
        print("boot: the other bootloader is refused: ");
        print(ferry_error_text(bootloader->reason));
        print("\n");
    }
}

_Noreturn void product_start(const struct ferry_boot_report *report)
{
    chip_start(chip_primary_address + report->images[0].info.header.header_size);
}
