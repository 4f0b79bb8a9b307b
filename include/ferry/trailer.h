/* SPDX-License-Identifier: Apache-2.0 */
/* The slot trailer: what a swap and its test, confirm and revert are recorded in.
 * [mcuboot-format.md §2.6; byte for byte MCUboot's at rest] */
#ifndef FERRY_TRAILER_H
#define FERRY_TRAILER_H

#include "ferry/flash.h"

#define FERRY_TRAILER_MAGIC_SIZE 16

/* What the trailer's geometry depends on. */
struct ferry_trailer_format {
    uint32_t max_align;     /* 8, 16 or 32; at least the write size of both slots */
    uint32_t write_size;    /* the larger of both slots */
    uint32_t max_sectors;   /* N: sectors the status area provides for */
    uint32_t sector_states; /* S: status entries a sector: 3, 2 or 0 by strategy */
    bool tlv_sizes;         /* swap-offset's extra field */
    uint32_t enc_tlv;       /* bytes of an ENC TLV that is kept for each of both images; 0 = none */
};

/* Longest ENC TLV that a trailer keeps, and what is said of it, bytes. */
#define FERRY_TRAILER_ENC_TLV_MAX 256
#define FERRY_TRAILER_KEPT        20

/* Where the fields are, as distances from the end of the slot: offset = slot size - distance. */
struct ferry_trailer_layout {
    uint32_t magic;
    uint32_t image_ok;
    uint32_t copy_done;
    uint32_t swap_info;
    uint32_t swap_size;
    uint32_t tlv_sizes; /* 0 when the format has none */
    uint32_t enc_tlv;   /* bytes of the place of an ENC TLV: image k's, 0 the primary's and 1 the
                           secondary's, begins at swap_size + (k + 1) * enc_tlv; 0 = none */
    uint32_t kept;      /* and of what Ferry says of it: image k's begins (k + 1) * kept before
                           those; 0 = none */
    uint32_t keys;      /* where all that begins and the status area ends; else it is swap_size */
    uint32_t size;      /* of the whole trailer: the status area begins here */
};

/* Returns FERRY_OK, or FERRY_E_CONFIG for a format that cannot be. */
FERRY_MUST_CHECK
int ferry_trailer_layout(const struct ferry_trailer_format *format,
                         struct ferry_trailer_layout *layout);

/* The fields that are in the same place whatever the format has else. */
enum ferry_trailer_place {
    FERRY_TRAILER_IMAGE_OK = 1,
    FERRY_TRAILER_COPY_DONE = 2,
    FERRY_TRAILER_SWAP_INFO = 3
};

/* The distance of one of them, for who needs no more of the layout. max_align: 8, 16 or 32. */
uint32_t ferry_trailer_distance(uint32_t max_align, enum ferry_trailer_place place);

/* The 16 magic bytes for a maximum alignment. */
void ferry_trailer_magic(uint32_t max_align, uint8_t magic[FERRY_TRAILER_MAGIC_SIZE]);

/* A field's state; magic: SET means good. Bits that flipped at rest are read as the nearest state.
 * BAD is what cannot be read, or reads differently each time, as after a write that was cut; and
 * a magic that is near to neither of its states. */
enum ferry_trailer_field { FERRY_UNSET, FERRY_SET, FERRY_BAD };

enum ferry_swap_type {
    FERRY_SWAP_NONE = 1,
    FERRY_SWAP_TEST = 2,
    FERRY_SWAP_PERM = 3,
    FERRY_SWAP_REVERT = 4
};

struct ferry_trailer {
    enum ferry_trailer_field magic;
    enum ferry_trailer_field image_ok;
    enum ferry_trailer_field copy_done;
    uint8_t swap_type;  /* enum ferry_swap_type; FERRY_SWAP_NONE when erased or damaged */
    uint8_t swap_image; /* image number in swap_info */
};

/* Read the trailer at the end of a slot. A field that cannot be read is BAD.
 * Returns FERRY_OK; FERRY_E_FLASH when none can be read; or FERRY_E_BOUNDS, FERRY_E_POWER
 * (trailer is then untouched). */
FERRY_MUST_CHECK
int ferry_trailer_read(const struct ferry_flash *slot, uint32_t max_align,
                       struct ferry_trailer *trailer);

/* Read a byte at an offset of a slot, so many times. Returns 1; 0 when it cannot be read or does
 * not read the same each time; or FERRY_E_BOUNDS, FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_trailer_read_steadily(const struct ferry_flash *slot, uint32_t offset, int looks,
                                uint8_t *byte);

/* Read swap_size from the trailer at the end of a slot: 0 when it cannot be read.
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_trailer_read_size(const struct ferry_flash *slot,
                            const struct ferry_trailer_layout *layout, uint32_t *size);

/* Whether the magic reads as exactly the right one, at every one of many looks: a write of it that
 * was cut may read right now and not later. Returns 1, 0 or FERRY_E_POWER. */
FERRY_MUST_CHECK
int ferry_trailer_magic_is_firm(const struct ferry_flash *slot, uint32_t max_align);

/* Write one field, one program operation each, padded as MCUboot pads it. The field is erased.
 * Returns FERRY_OK or a flash error. */
FERRY_MUST_CHECK
int ferry_trailer_write_magic(const struct ferry_flash *slot, uint32_t max_align);
FERRY_MUST_CHECK
int ferry_trailer_write_field(const struct ferry_flash *slot, uint32_t max_align,
                              enum ferry_trailer_place place, uint8_t byte);

/* The byte of image_ok and of copy_done when they are set. */
#define FERRY_TRAILER_FLAG 0x01

FERRY_MUST_CHECK
static inline int ferry_trailer_write_image_ok(const struct ferry_flash *slot, uint32_t max_align)
{
    return ferry_trailer_write_field(slot, max_align, FERRY_TRAILER_IMAGE_OK, FERRY_TRAILER_FLAG);
}

FERRY_MUST_CHECK
static inline int ferry_trailer_write_copy_done(const struct ferry_flash *slot, uint32_t max_align)
{
    return ferry_trailer_write_field(slot, max_align, FERRY_TRAILER_COPY_DONE, FERRY_TRAILER_FLAG);
}

FERRY_MUST_CHECK
static inline int ferry_trailer_write_swap_info(const struct ferry_flash *slot, uint32_t max_align,
                                                uint8_t image, enum ferry_swap_type type)
{
    return ferry_trailer_write_field(slot, max_align, FERRY_TRAILER_SWAP_INFO,
                                     (uint8_t)(image << 4 | (uint8_t)type));
}

/* The next boot's swap, by the table of mcuboot-format.md §2.6, row for row.
 *
 * offset_rows  whether the row for swap-offset counts */
enum ferry_swap_type ferry_swap_type_of(const struct ferry_trailer *primary,
                                        const struct ferry_trailer *secondary, bool offset_rows);

/* "none", "test", "perm", "revert"; "unknown" for any other value. */
const char *ferry_swap_type_name(enum ferry_swap_type type);

#endif
