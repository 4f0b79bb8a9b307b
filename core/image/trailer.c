/* SPDX-License-Identifier: Apache-2.0 */
/* The slot trailer: where its fields are, and how they are read and written. It ends with the
 * slot; every offset is a distance from there. [mcuboot-format.md §2.6] */
#include "ferry/trailer.h"

#include <string.h>

/* More sectors than any part has; keeps the size of the status area inside 32 bits. */
#define MAX_SECTORS 0xffff

/* ---- Layout ----------------------------------------------------------------------------- */

static bool is_max_align(uint32_t align)
{
    return align == 8 || align == 16 || align == 32;
}

static bool is_power_of_two(uint32_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* The magic takes whole units of max_align; each field before it takes one. field 1 is the
 * nearest to the magic. */
static uint32_t field_distance(uint32_t max_align, uint32_t field)
{
    return ferry_max32(FERRY_TRAILER_MAGIC_SIZE, max_align) + field * max_align;
}

uint32_t ferry_trailer_distance(uint32_t max_align, enum ferry_trailer_place place)
{
    return field_distance(max_align, (uint32_t)place);
}

int ferry_trailer_layout(const struct ferry_trailer_format *format,
                         struct ferry_trailer_layout *layout)
{
    uint32_t align = format->max_align;
    if (!is_max_align(align) || !is_power_of_two(format->write_size) ||
        format->write_size > align || format->max_sectors > MAX_SECTORS ||
        format->sector_states > 3 || format->enc_tlv > FERRY_TRAILER_ENC_TLV_MAX) {
        return FERRY_E_CONFIG;
    }
    layout->magic = FERRY_TRAILER_MAGIC_SIZE;
    layout->image_ok = ferry_trailer_distance(align, FERRY_TRAILER_IMAGE_OK);
    layout->copy_done = ferry_trailer_distance(align, FERRY_TRAILER_COPY_DONE);
    layout->swap_info = ferry_trailer_distance(align, FERRY_TRAILER_SWAP_INFO);
    layout->tlv_sizes = format->tlv_sizes ? field_distance(align, 4) : 0;
    layout->swap_size = field_distance(align, format->tlv_sizes ? 5 : 4);
    layout->enc_tlv = ferry_align_up(format->enc_tlv, align);
    layout->kept = format->enc_tlv != 0 ? ferry_align_up(FERRY_TRAILER_KEPT, align) : 0;
    layout->keys = layout->swap_size + 2 * (layout->enc_tlv + layout->kept);
    layout->size = layout->keys + format->max_sectors * format->sector_states * format->write_size;
    return FERRY_OK;
}

void ferry_trailer_magic(uint32_t max_align, uint8_t magic[FERRY_TRAILER_MAGIC_SIZE])
{
    static const uint8_t align_8[FERRY_TRAILER_MAGIC_SIZE] = {0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2,
                                                              0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f,
                                                              0x2c, 0xb6, 0x79, 0x80};
    /* Behind the alignment as u16. */
    static const uint8_t larger[FERRY_TRAILER_MAGIC_SIZE - 2] = {
        0x2d, 0xe1, 0x5d, 0x29, 0x41, 0x0b, 0x8d, 0x77, 0x67, 0x9c, 0x11, 0x0f, 0x1f, 0x8a};
    if (max_align == 8) {
        memcpy(magic, align_8, sizeof align_8);
        return;
    }
    ferry_store_le16(magic, (uint16_t)max_align);
    memcpy(magic + 2, larger, sizeof larger);
}

/* ---- Reading ---------------------------------------------------------------------------- */

/* A unit that the power left half written may read now so and now so. Of a flag only one bit may
 * tell: it takes more looks. */
#define LOOKS      3
#define FLAG_LOOKS 24

/* Bits of the magic that may have flipped at rest. A magic that is half written is further away
 * from both of its states. */
#define MAGIC_FLIPS 4

/* Read the magic once. Of a slot that is smaller the offset is out of bounds as well. */
static int read_once(const struct ferry_flash *slot, uint8_t magic[FERRY_TRAILER_MAGIC_SIZE])
{
    return ferry_flash_read(slot, slot->size - FERRY_TRAILER_MAGIC_SIZE, magic,
                            FERRY_TRAILER_MAGIC_SIZE);
}

int ferry_trailer_read_steadily(const struct ferry_flash *slot, uint32_t offset, int looks,
                                uint8_t *byte)
{
    for (int look = 0; look < looks; look++) {
        uint8_t again;
        int rc = ferry_flash_read(slot, offset, &again, 1);
        if (rc == FERRY_E_POWER || rc == FERRY_E_BOUNDS) {
            return rc;
        }
        if (rc != FERRY_OK || (look > 0 && *byte != again)) {
            return 0;
        }
        *byte = again;
    }
    return 1;
}

static uint32_t bits_set(uint8_t byte)
{
    uint32_t count = 0;
    for (; byte != 0; byte &= (uint8_t)(byte - 1)) {
        count++;
    }
    return count;
}

/* What one look at the magic says. */
static enum ferry_trailer_field magic_state(const struct ferry_flash *slot, uint32_t max_align,
                                            const uint8_t found[FERRY_TRAILER_MAGIC_SIZE])
{
    uint8_t magic[FERRY_TRAILER_MAGIC_SIZE];
    uint32_t from_set = 0;
    uint32_t from_erased = 0;
    ferry_trailer_magic(max_align, magic);
    for (size_t i = 0; i < sizeof magic; i++) {
        from_set += bits_set(found[i] ^ magic[i]);
        from_erased += bits_set(found[i] ^ slot->erased_value);
    }
    if (from_set <= MAGIC_FLIPS) {
        return FERRY_SET;
    }
    return from_erased <= MAGIC_FLIPS ? FERRY_UNSET : FERRY_BAD;
}

/* Looks that differ in few bits still say the same. Returns 1, 0 or an error, as
 * ferry_trailer_read_steadily(). */
static int read_magic(const struct ferry_flash *slot, uint32_t max_align,
                      enum ferry_trailer_field *field)
{
    enum ferry_trailer_field first = FERRY_BAD;
    *field = FERRY_BAD;
    for (int look = 0; look < LOOKS; look++) {
        uint8_t found[FERRY_TRAILER_MAGIC_SIZE];
        int rc = read_once(slot, found);
        if (rc != FERRY_OK) {
            return rc == FERRY_E_FLASH ? 0 : rc;
        }
        enum ferry_trailer_field state = magic_state(slot, max_align, found);
        if (look > 0 && state != first) {
            return 1;
        }
        first = state;
    }
    *field = first;
    return 1;
}

int ferry_trailer_magic_is_firm(const struct ferry_flash *slot, uint32_t max_align)
{
    uint8_t found[FERRY_TRAILER_MAGIC_SIZE];
    uint8_t magic[FERRY_TRAILER_MAGIC_SIZE];
    ferry_trailer_magic(max_align, magic);
    for (int look = 0; look < FLAG_LOOKS; look++) {
        int rc = read_once(slot, found);
        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (rc != FERRY_OK || memcmp(found, magic, sizeof magic) != 0) {
            return 0;
        }
    }
    return 1;
}

/* What a flag's first byte says, where it was read steadily; the rest of its field is padding
 * nobody looks at. What is neither set nor erased is the nearer of both: they are an odd number of
 * bits apart. */
static enum ferry_trailer_field flag_of(const struct ferry_flash *slot, int steady, uint8_t byte)
{
    if (steady != 1) {
        return FERRY_BAD;
    }
    return bits_set(byte ^ FERRY_TRAILER_FLAG) < bits_set(byte ^ slot->erased_value) ? FERRY_SET
                                                                                     : FERRY_UNSET;
}

/* image << 4 | type; erased or not one of the four types means none. */
static void take_swap_info(const struct ferry_flash *slot, int steady, uint8_t byte,
                           struct ferry_trailer *trailer)
{
    uint8_t type = byte & 0x0f;
    bool known = steady == 1 && byte != slot->erased_value && type >= FERRY_SWAP_NONE &&
                 type <= FERRY_SWAP_REVERT;
    trailer->swap_type = known ? type : (uint8_t)FERRY_SWAP_NONE;
    trailer->swap_image = known ? (uint8_t)(byte >> 4) : 0;
}

int ferry_trailer_read(const struct ferry_flash *slot, uint32_t max_align,
                       struct ferry_trailer *trailer)
{
    enum ferry_trailer_field magic = FERRY_BAD;
    uint8_t bytes[3] = {0, 0, 0};
    int steady[3] = {0, 0, 0};
    int fields = read_magic(slot, max_align, &magic);
    for (uint32_t i = 0; fields >= 0 && i < 3; i++) {
        uint32_t offset =
            slot->size - ferry_trailer_distance(max_align, FERRY_TRAILER_IMAGE_OK + i);
        steady[i] = ferry_trailer_read_steadily(slot, offset, FLAG_LOOKS, &bytes[i]);
        fields = steady[i] < 0 ? steady[i] : fields + steady[i];
    }
    if (fields <= 0) {
        return fields < 0 ? fields : FERRY_E_FLASH;
    }
    trailer->magic = magic;
    trailer->image_ok = flag_of(slot, steady[0], bytes[0]);
    trailer->copy_done = flag_of(slot, steady[1], bytes[1]);
    take_swap_info(slot, steady[2], bytes[2], trailer);
    return FERRY_OK;
}

int ferry_trailer_read_size(const struct ferry_flash *slot,
                            const struct ferry_trailer_layout *layout, uint32_t *size)
{
    uint8_t raw[4];
    int rc = ferry_flash_read(slot, slot->size - layout->swap_size, raw, sizeof raw);
    *size = rc == FERRY_OK ? ferry_load_le32(raw) : 0;
    return rc;
}

/* ---- Writing ---------------------------------------------------------------------------- */

/* The magic is the last 16 bytes of the slot: where the write size is larger, the padding stands
 * in front of it. */
int ferry_trailer_write_magic(const struct ferry_flash *slot, uint32_t max_align)
{
    uint8_t data[FERRY_FLASH_WRITE_MAX];
    uint32_t len = ferry_align_up(FERRY_TRAILER_MAGIC_SIZE, slot->write_size);
    if (len > sizeof data) {
        return FERRY_E_ALIGN;
    }
    memset(data, slot->erased_value, sizeof data);
    ferry_trailer_magic(max_align, data + len - FERRY_TRAILER_MAGIC_SIZE);
    return ferry_flash_program(slot, slot->size - len, data, len);
}

int ferry_trailer_write_field(const struct ferry_flash *slot, uint32_t max_align,
                              enum ferry_trailer_place place, uint8_t byte)
{
    uint32_t offset = slot->size - ferry_trailer_distance(max_align, place);
    return ferry_flash_program_padded(slot, offset, &byte, 1);
}
