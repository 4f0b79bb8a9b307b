/* SPDX-License-Identifier: Apache-2.0 */
/* One image in two slots, of which the newest that was asked for is loaded to RAM, verified there
 * and run from there: ram-load-revert. Signed with ECDSA P-256 by the key in the build's key.c. The
 * image learns from the shared data which slot it comes from. */
#include "firmware/chips/boot/product.h"

#include "firmware/chips/boot/key.h"

#include "ferry/measure.h"
#include "port/chip/chip.h"

/* MCUboot's BOOT_MAX_ALIGN and BOOT_MAX_IMG_SECTORS. */
#define MAX_ALIGN   8
#define MAX_SECTORS 128

static const struct ferry_boot_image image = {
    .slots = {.primary = &chip_primary,
              .secondary = &chip_secondary,
              .strategy = &ferry_traits_ram_load_revert,
              .state = &ferry_slots_in_place,
              .max_align = MAX_ALIGN,
              .max_sectors = MAX_SECTORS},
    .strategy = &ferry_boot_ram_load_revert,
    .ram = &chip_load,
};

static const struct ferry_image_verifier *const verifiers[] = {&ferry_verify_ecdsa_p256};
static const struct ferry_image_digest_kind *const digests[] = {&ferry_digest_sha256};

static const struct ferry_boot_hooks hooks = {.feed = chip_feed};
static uint8_t buf[4096];

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

const struct recovery_kind *const product_recovery = &recovery_whole;

static const struct ferry_boot_facts facts = {
    .signature = FERRY_BLINFO_ECDSA_P256,
    .recovery = FERRY_BLINFO_SERIAL_RECOVERY,
    .version = {.major = 1},
};

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
    const struct ferry_image_header *header = &report->images[0].info.header;
    int rc = ferry_boot_measure(&product_boot, report, &facts, chip_shared, CHIP_SHARED_SIZE);

    (void)rc; /* what was left out is what the image does not find */
    chip_start(header->load_address + header->header_size);
}
