/* SPDX-License-Identifier: Apache-2.0 */
/* Measured boot: boot records and facts. [mcuboot-format.md §2.8] */
#include "ferry/measure.h"

#include <string.h>

/* The end of a boot record is a place for so many bytes of the digest. */
#define RECORD_DIGEST 32

/* Longest record taken, bytes: imgtool's have about 100. */
#define RECORD_MAX 256

/* The numbers of images in a boot record's type have 6 bits. */
#define MODULE_SHIFT 6

/* ---- Images --------------------------------------------------------------------------------- */

/* Where an image runs: in its slot, or in RAM, where what was verified is. */
static int find_image(const struct ferry_boot_image *image,
                      const struct ferry_boot_image_report *report, struct ferry_flash_ram *ram,
                      const struct ferry_flash **flash)
{
    const struct ferry_image_info *info = &report->info;
    uint32_t offset;

    *flash = ferry_slots_slot(&image->slots, report->slot);
    if (image->slots.strategy->mode != FERRY_MODE_RAM_LOAD) {
        return FERRY_OK;
    }
    offset = info->header.load_address - image->ram->address;
    if (!ferry_inside(offset, info->size, image->ram->size)) {
        return FERRY_E_BOUNDS;
    }
    *flash = &ram->flash;
    return ferry_flash_rom_init(ram, image->ram->memory + offset, info->size);
}

/* Copy a boot record, with the digest in its place. */
static int add_record(const struct ferry_flash *flash, uint32_t number, const struct ferry_tlv *tlv,
                      const struct ferry_image_info *info, struct ferry_shared_data *shared)
{
    uint8_t record[RECORD_MAX];
    int rc;

    if (tlv->len < RECORD_DIGEST || tlv->len > sizeof(record) || info->digest_len < RECORD_DIGEST) {
        return FERRY_E_TLV;
    }
    rc = ferry_flash_read(flash, tlv->offset, record, tlv->len);
    if (rc != FERRY_OK) {
        return rc;
    }
    memcpy(record + tlv->len - RECORD_DIGEST, info->digest, RECORD_DIGEST);
    return ferry_shared_data_add(shared, FERRY_SHARED_IAS,
                                 number << MODULE_SHIFT | FERRY_SHARED_BOOT_RECORD, record,
                                 tlv->len);
}

static int measure_image(const struct ferry_boot_image *image, uint32_t number,
                         const struct ferry_boot_image_report *report,
                         struct ferry_shared_data *shared)
{
    const struct ferry_flash *flash = NULL;
    struct ferry_flash_ram ram;
    struct ferry_tlv_walk walk;
    struct ferry_tlv tlv;
    int rc = find_image(image, report, &ram, &flash);

    if (rc == FERRY_OK) {
        rc = ferry_tlv_walk_begin(&walk, flash, &report->info.header);
    }
    if (rc == FERRY_OK) {
        rc = ferry_tlv_walk_next(&walk, &tlv);
    }
    while (rc == 1 && tlv.type != FERRY_TLV_BOOT_RECORD) {
        rc = ferry_tlv_walk_next(&walk, &tlv);
    }
    return rc == 1 ? add_record(flash, number, &tlv, &report->info, shared) : rc;
}

/* The security counter of what runs; an image without one has none to tell. */
static int add_counter(const struct ferry_boot_image *image, uint32_t number,
                       const struct ferry_boot_image_report *report,
                       struct ferry_shared_data *shared)
{
    const struct ferry_flash *flash = NULL;
    struct ferry_flash_ram ram;
    uint8_t counter[4];
    int rc = find_image(image, report, &ram, &flash);

    if (rc == FERRY_OK) {
        rc = ferry_image_tlv(flash, &report->info.header, FERRY_TLV_SEC_CNT, counter,
                             sizeof(counter));
    }
    if (rc != FERRY_OK) {
        return rc == FERRY_E_NOT_FOUND ? FERRY_OK : rc;
    }
    return ferry_shared_data_add(shared, FERRY_SHARED_BLINFO, FERRY_BLINFO_COUNTER + number,
                                 counter, sizeof(counter));
}

/* ---- The bootloader --------------------------------------------------------------------------
 */

static int add_u8(struct ferry_shared_data *shared, uint32_t minor, uint32_t value)
{
    const uint8_t byte = (uint8_t)value;

    return ferry_shared_data_add(shared, FERRY_SHARED_BLINFO, minor, &byte, 1);
}

static int add_version(struct ferry_shared_data *shared, const struct ferry_version *version)
{
    uint8_t raw[8] = {version->major, version->minor};

    ferry_store_le16(raw + 2, version->revision);
    ferry_store_le32(raw + 4, version->build);
    return ferry_shared_data_add(shared, FERRY_SHARED_BLINFO, FERRY_BLINFO_VERSION, raw,
                                 sizeof(raw));
}

static int add_max_image(struct ferry_shared_data *shared, uint32_t number,
                         const struct ferry_slots *slots)
{
    uint8_t raw[4];

    ferry_store_le32(raw, ferry_slots_max_image(slots));
    return ferry_shared_data_add(shared, FERRY_SHARED_BLINFO, FERRY_BLINFO_MAX_IMAGE + number, raw,
                                 sizeof(raw));
}

/* The first error is kept; the rest goes on. */
static void keep(int *result, int rc)
{
    *result = *result == FERRY_OK ? rc : *result;
}

int ferry_boot_measure(const struct ferry_boot_config *config,
                       const struct ferry_boot_report *report, const struct ferry_boot_facts *facts,
                       uint8_t *area, size_t cap)
{
    const struct ferry_boot_image *images = config->images;
    struct ferry_shared_data shared;
    int result = ferry_shared_data_begin(&shared, area, cap);

    if (result != FERRY_OK) {
        return result;
    }
    for (uint32_t i = 0; i < report->image_count; i++) {
        keep(&result, measure_image(&images[i], i, &report->images[i], &shared));
    }
    keep(&result, add_u8(&shared, FERRY_BLINFO_MODE, images[0].slots.strategy->mode));
    keep(&result, add_u8(&shared, FERRY_BLINFO_SIGNATURE, facts->signature));
    keep(&result, add_u8(&shared, FERRY_BLINFO_RECOVERY, facts->recovery));
    keep(&result, add_u8(&shared, FERRY_BLINFO_SLOT, report->images[0].slot));
    keep(&result, add_version(&shared, &facts->version));
    for (uint32_t i = 0; i < report->image_count; i++) {
        keep(&result, add_max_image(&shared, i, &images[i].slots));
    }
    for (uint32_t i = 0; i < report->image_count; i++) {
        keep(&result, add_counter(&images[i], i, &report->images[i], &shared));
    }
    return result;
}
