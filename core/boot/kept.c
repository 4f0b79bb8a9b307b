/* SPDX-License-Identifier: Apache-2.0 */
/* What the trailers keep of encrypted images, so that a swap goes on when the images are in pieces:
 * their ENC TLVs, never keys.
 *
 * The ENC TLVs stand where MCUboot keeps them, and before them a record for each image: what the
 * TLV is, where the payload is and how large the image. It has a CRC of its own and one of the TLV,
 * by which a bit that flipped is put right. All of it stands in the primary's trailer, which rules;
 * the same in the secondary's is for the day on which that cannot be read. While the scratch area
 * has the records it is there instead. docs/BOOT.md tells why it survives.
 *
 * The secondary may be a part that anyone can write: what it says counts only where the primary
 * says nothing, so that nobody has an image put away in the clear or for another key. */
#include "core/boot/encrypted.h"
#include "core/image/journal.h"

#include "ferry/crc.h"

#include <string.h>

/* ---- What is said of an image ------------------------------------------------------------------
 */

/* 'K', image u8, ENC TLV type u16, its bytes u16 (0: not encrypted), header_size u16,
 * payload_size u32, bytes of the image u32, CRC-16 of the ENC TLV, CRC-16 of all that. */
#define RECORD FERRY_TRAILER_KEPT
#define TAG    0x4b
#define CRC    18

static uint16_t sum_of(const struct ferry_wrapped_key *wrapped)
{
    return ferry_crc16(0, wrapped->bytes, wrapped->len);
}

static void write_record(const struct ferry_boot_kept *kept, uint32_t image, uint8_t record[RECORD])
{
    record[0] = TAG;
    record[1] = (uint8_t)image;
    ferry_store_le16(record + 2, kept->wrapped.tlv);
    ferry_store_le16(record + 4, kept->wrapped.len);
    ferry_store_le16(record + 6, (uint16_t)kept->header_size);
    ferry_store_le32(record + 8, kept->payload_size);
    ferry_store_le32(record + 12, kept->size);
    ferry_store_le16(record + 16, sum_of(&kept->wrapped));
    ferry_store_le16(record + CRC, ferry_crc16(0, record, CRC));
}

static bool is_record(const uint8_t record[RECORD], uint32_t image)
{
    return record[0] == TAG && record[1] == image &&
           ferry_load_le16(record + CRC) == ferry_crc16(0, record, CRC);
}

/* Put the one bit right that makes it a record. Returns whether it is one now. */
static bool heal_record(uint8_t record[RECORD], uint32_t image)
{
    bool good = is_record(record, image);

    for (uint32_t bit = 0; !good && bit < 8U * RECORD; bit++) {
        uint8_t mask = (uint8_t)(1U << (bit % 8));

        record[bit / 8] ^= mask;
        good = is_record(record, image);
        record[bit / 8] ^= good ? 0 : mask;
    }
    return good;
}

/* Put the one bit right by which the ENC TLV has its CRC. Returns whether it has it now. */
static bool heal_tlv(struct ferry_wrapped_key *wrapped, uint16_t sum)
{
    bool good = sum_of(wrapped) == sum;

    for (uint32_t bit = 0; !good && bit < 8U * wrapped->len; bit++) {
        uint8_t mask = (uint8_t)(1U << (bit % 8));

        wrapped->bytes[bit / 8] ^= mask;
        good = sum_of(wrapped) == sum;
        wrapped->bytes[bit / 8] ^= good ? 0 : mask;
    }
    return good;
}

/* ---- Where it stands ----------------------------------------------------------------------------
 */

static uint32_t tlv_at(const struct ferry_boot_swap *swap, const struct ferry_flash *area,
                       uint32_t image)
{
    return area->size - swap->layout.swap_size - (image + 1) * swap->layout.enc_tlv;
}

static uint32_t record_at(const struct ferry_boot_swap *swap, const struct ferry_flash *area,
                          uint32_t image)
{
    return area->size - swap->layout.swap_size - 2 * swap->layout.enc_tlv -
           (image + 1) * swap->layout.kept;
}

/* ---- Keeping ----------------------------------------------------------------------------------
 */

/* Program bytes, in as many units as it takes. */
static int write(const struct ferry_boot_swap *swap, const struct ferry_flash *area, uint32_t at,
                 const uint8_t *bytes, uint32_t len)
{
    int rc = FERRY_OK;

    for (uint32_t done = 0; rc == FERRY_OK && done < len; done += FERRY_FLASH_WRITE_MAX) {
        rc = ferry_flash_program_padded(area, at + done, bytes + done,
                                        ferry_min32(FERRY_FLASH_WRITE_MAX, len - done));
        rc = ferry_boot_noted(swap, area, at + done, rc);
    }
    return rc;
}

/* The ENC TLV of an image, then its record. */
static int keep_image(const struct ferry_boot_swap *swap, const struct ferry_flash *area,
                      uint32_t image)
{
    const struct ferry_boot_kept *kept = &swap->views->kept[image];
    uint8_t record[RECORD];
    int rc = write(swap, area, tlv_at(swap, area, image), kept->wrapped.bytes, kept->wrapped.len);

    write_record(kept, image, record);
    return rc != FERRY_OK ? rc
                          : write(swap, area, record_at(swap, area, image), record, sizeof(record));
}

int ferry_boot_keep(const struct ferry_boot_swap *swap, const struct ferry_flash *area)
{
    if (swap->layout.enc_tlv == 0) {
        return FERRY_OK;
    }

    int rc = keep_image(swap, area, FERRY_BOOT_OUTGOING);

    return rc != FERRY_OK ? rc : keep_image(swap, area, FERRY_BOOT_INCOMING);
}

int ferry_boot_keep_twice(const struct ferry_boot_swap *swap)
{
    const struct ferry_flash *secondary = swap->secondary;
    struct ferry_boot_swap trial = *swap;
    uint32_t start = secondary->size - swap->layout.keys;
    uint32_t len = swap->layout.keys - swap->layout.swap_size;
    /* An earlier try may have left its own there. */
    int rc = ferry_flash_is_erased(secondary, start, len);

    if (rc == 1) {
        rc = ferry_boot_keep(swap, secondary);
    }
    /* What does not take is one copy less; but a swap that could not be resumed is not begun. */
    return rc == FERRY_E_POWER ? rc : ferry_boot_resume_kept(&trial);
}

/* ---- Resuming ---------------------------------------------------------------------------------
 */

/* Read the record of an image in an area. Returns FERRY_OK, FERRY_E_SECRET when it says nothing
 * that can be, or FERRY_E_POWER. */
static int read_record(const struct ferry_boot_swap *swap, const struct ferry_flash *area,
                       uint32_t image, struct ferry_boot_kept *kept, uint16_t *sum)
{
    uint32_t room = ferry_slots_max_image(swap->slots);
    uint8_t record[RECORD];
    int rc = ferry_flash_read(area, record_at(swap, area, image), record, sizeof(record));

    if (rc != FERRY_OK || !heal_record(record, image)) {
        return rc == FERRY_E_POWER ? rc : FERRY_E_SECRET;
    }
    kept->wrapped.tlv = ferry_load_le16(record + 2);
    kept->wrapped.len = ferry_load_le16(record + 4);
    kept->header_size = ferry_load_le16(record + 6);
    kept->payload_size = ferry_load_le32(record + 8);
    kept->size = ferry_load_le32(record + 12);
    *sum = ferry_load_le16(record + 16);
    return kept->wrapped.len <= swap->slots->enc_tlv && kept->header_size <= room &&
                   kept->payload_size <= room - kept->header_size
               ? FERRY_OK
               : FERRY_E_SECRET;
}

/* Take what an area keeps of an image, and its content key. Returns FERRY_OK, FERRY_E_SECRET or
 * FERRY_E_POWER. */
static int take(const struct ferry_boot_swap *swap, const struct ferry_flash *area, uint32_t image,
                struct ferry_boot_kept *kept, struct ferry_content_key *key)
{
    struct ferry_wrapped_key *wrapped = &kept->wrapped;
    uint16_t sum = 0;
    int rc = read_record(swap, area, image, kept, &sum);

    if (rc != FERRY_OK || wrapped->len == 0) {
        return rc;
    }
    rc = ferry_flash_read(area, tlv_at(swap, area, image), wrapped->bytes, wrapped->len);
    if (rc != FERRY_OK || !heal_tlv(wrapped, sum)) {
        return rc == FERRY_E_POWER ? rc : FERRY_E_SECRET;
    }
    return ferry_image_unwrap(swap->config->secrets, wrapped->tlv, wrapped->bytes, wrapped->len,
                              key);
}

/* The first of some areas that keeps an image sets its views. */
static int resume_image(struct ferry_boot_swap *swap, const struct ferry_flash *const *areas,
                        uint32_t count, uint32_t image)
{
    struct ferry_boot_kept *kept = &swap->views->kept[image];
    struct ferry_content_key key = {.len = 0};
    int rc = FERRY_E_SECRET;

    for (uint32_t i = 0; rc == FERRY_E_SECRET && i < count; i++) {
        memset(kept, 0, sizeof(*kept));
        rc = take(swap, areas[i], image, kept, &key);
    }
    if (rc == FERRY_OK) {
        ferry_boot_set_views(swap, image, &key);
    }
    ferry_wipe(&key, sizeof(key));
    return rc;
}

/* The size is exact, as it was at the begin: what lies behind the old image in the primary is for
 * nobody to read. */
static int resume_from(struct ferry_boot_swap *swap, const struct ferry_flash *const *areas,
                       uint32_t count)
{
    if (swap->layout.enc_tlv == 0) {
        return FERRY_OK; /* no encrypted image can have come */
    }

    int rc = resume_image(swap, areas, count, FERRY_BOOT_OUTGOING);

    if (rc == FERRY_OK) {
        swap->primary_size = ferry_min32(swap->views->kept[FERRY_BOOT_OUTGOING].size, swap->size);
        rc = resume_image(swap, areas, count, FERRY_BOOT_INCOMING);
    }
    return rc;
}

int ferry_boot_resume_kept(struct ferry_boot_swap *swap)
{
    const struct ferry_flash *const areas[] = {swap->primary, swap->secondary};

    return resume_from(swap, areas, 2);
}

int ferry_boot_resume_kept_scratch(struct ferry_boot_swap *swap)
{
    const struct ferry_flash *const areas[] = {swap->slots->scratch};

    return resume_from(swap, areas, 1);
}
