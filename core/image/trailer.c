/* SPDX-License-Identifier: Apache-2.0 */
/* The slot trailer: where its fields are, and how they are read and written. It ends with the
 * slot; every offset is a distance from there. [mcuboot-format.md §2.6] */
#include "ferry/trailer.h"

#include <string.h>

/* More sectors than any part has; keeps the size of the status area inside 32 bits. */
#define MAX_SECTORS 0xffff

#define FLAG_SET 0x01

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

/* Read len bytes that begin distance bytes before the end of the slot. */
static int read_once(const struct ferry_flash *slot, uint32_t distance, uint8_t *data, size_t len)
{
    if (distance > slot->size) {
        return FERRY_E_BOUNDS;
    }
    return ferry_flash_read(slot, slot->size - distance, data, len);
}

/* Read the first byte of a field. Returns 1; 0 when it cannot be read or does not read the same
 * twice; or FERRY_E_BOUNDS, FERRY_E_POWER. */
static int read_steadily(const struct ferry_flash *slot, uint32_t distance, uint8_t *byte)
{
    for (int look = 0; look < FLAG_LOOKS; look++) {
        uint8_t again;
        int rc = read_once(slot, distance, &again, 1);
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

/* Bits in which found differs from wanted. */
static uint32_t distance_to(const uint8_t *found, const uint8_t *wanted, size_t len)
{
    uint32_t count = 0;
    for (size_t i = 0; i < len; i++) {
        count += bits_set(found[i] ^ wanted[i]);
    }
    return count;
}

/* What one look at the magic says. */
static enum ferry_trailer_field magic_state(const struct ferry_flash *slot, uint32_t max_align,
                                            const uint8_t found[FERRY_TRAILER_MAGIC_SIZE])
{
    uint8_t state[FERRY_TRAILER_MAGIC_SIZE];
    ferry_trailer_magic(max_align, state);
    if (distance_to(found, state, sizeof state) <= MAGIC_FLIPS) {
        return FERRY_SET;
    }
    memset(state, slot->erased_value, sizeof state);
    return distance_to(found, state, sizeof state) <= MAGIC_FLIPS ? FERRY_UNSET : FERRY_BAD;
}

/* Looks that differ in few bits still say the same. Returns 1, 0 or an error, as read_steadily().
 */
static int read_magic(const struct ferry_flash *slot, uint32_t max_align,
                      enum ferry_trailer_field *field)
{
    enum ferry_trailer_field first = FERRY_BAD;
    *field = FERRY_BAD;
    for (int look = 0; look < LOOKS; look++) {
        uint8_t found[FERRY_TRAILER_MAGIC_SIZE];
        int rc = read_once(slot, FERRY_TRAILER_MAGIC_SIZE, found, sizeof found);
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
        int rc = read_once(slot, FERRY_TRAILER_MAGIC_SIZE, found, sizeof found);
        if (rc == FERRY_E_POWER) {
            return rc;
        }
        if (rc != FERRY_OK || memcmp(found, magic, sizeof magic) != 0) {
            return 0;
        }
    }
    return 1;
}

/* A flag is its first byte; the rest of its field is padding nobody looks at. What is neither set
 * nor erased is the nearer of both: they are an odd number of bits apart. */
static int read_flag(const struct ferry_flash *slot, uint32_t distance,
                     enum ferry_trailer_field *field)
{
    uint8_t byte;
    int rc = read_steadily(slot, distance, &byte);
    *field = FERRY_BAD;
    if (rc == 1) {
        *field = bits_set(byte ^ FLAG_SET) < bits_set(byte ^ slot->erased_value) ? FERRY_SET
                                                                                 : FERRY_UNSET;
    }
    return rc;
}

/* image << 4 | type; erased or not one of the four types means none. */
static int read_swap_info(const struct ferry_flash *slot, uint32_t max_align,
                          struct ferry_trailer *trailer)
{
    uint8_t byte;
    int rc = read_steadily(slot, ferry_trailer_distance(max_align, FERRY_TRAILER_SWAP_INFO), &byte);
    uint8_t type = rc == 1 ? byte & 0x0f : 0;
    bool known = rc == 1 && byte != slot->erased_value && type >= FERRY_SWAP_NONE &&
                 type <= FERRY_SWAP_REVERT;
    trailer->swap_type = known ? type : (uint8_t)FERRY_SWAP_NONE;
    trailer->swap_image = known ? (uint8_t)(byte >> 4) : 0;
    return rc;
}

int ferry_trailer_read(const struct ferry_flash *slot, uint32_t max_align,
                       struct ferry_trailer *trailer)
{
    struct ferry_trailer found;
    int fields = 0;
    int rc = read_magic(slot, max_align, &found.magic);
    if (rc >= 0) {
        fields += rc;
        rc = read_flag(slot, ferry_trailer_distance(max_align, FERRY_TRAILER_IMAGE_OK),
                       &found.image_ok);
    }
    if (rc >= 0) {
        fields += rc;
        rc = read_flag(slot, ferry_trailer_distance(max_align, FERRY_TRAILER_COPY_DONE),
                       &found.copy_done);
    }
    if (rc >= 0) {
        fields += rc;
        rc = read_swap_info(slot, max_align, &found);
    }
    if (rc < 0) {
        return rc;
    }
    if (fields + rc == 0) {
        return FERRY_E_FLASH;
    }
    *trailer = found;
    return FERRY_OK;
}

/* ---- Writing ---------------------------------------------------------------------------- */

static int write_at(const struct ferry_flash *slot, uint32_t distance, const uint8_t *data,
                    size_t len)
{
    if (distance > slot->size) {
        return FERRY_E_BOUNDS;
    }
    return ferry_flash_program_padded(slot, slot->size - distance, data, len);
}

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
    return write_at(slot, len, data, len);
}

int ferry_trailer_write_image_ok(const struct ferry_flash *slot, uint32_t max_align)
{
    const uint8_t flag = FLAG_SET;
    return write_at(slot, ferry_trailer_distance(max_align, FERRY_TRAILER_IMAGE_OK), &flag, 1);
}

int ferry_trailer_write_copy_done(const struct ferry_flash *slot, uint32_t max_align)
{
    const uint8_t flag = FLAG_SET;
    return write_at(slot, ferry_trailer_distance(max_align, FERRY_TRAILER_COPY_DONE), &flag, 1);
}

int ferry_trailer_write_swap_info(const struct ferry_flash *slot, uint32_t max_align, uint8_t image,
                                  enum ferry_swap_type type)
{
    const uint8_t info = (uint8_t)(image << 4 | (uint8_t)type);
    return write_at(slot, ferry_trailer_distance(max_align, FERRY_TRAILER_SWAP_INFO), &info, 1);
}
