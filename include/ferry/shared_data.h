/* SPDX-License-Identifier: Apache-2.0 */
/* Measured boot: the area of memory in which the bootloader leaves, for whatever it starts, what it
 * found: the boot record of each image and facts about itself. Byte for byte MCUboot's.
 * [mcuboot-format.md §2.8]
 *
 * The area begins with a header of 4 bytes, magic and total length; behind it stand entries of a
 * type, a length and data, without padding; all integers are u16 little-endian. The type is the
 * major number in the upper 4 bits and the minor one in the lower 12. */
#ifndef FERRY_SHARED_DATA_H
#define FERRY_SHARED_DATA_H

#include "ferry/bytes.h"
#include "ferry/error.h"

#define FERRY_SHARED_MAGIC  0x2016
#define FERRY_SHARED_HEADER 4

/* Major numbers. */
#define FERRY_SHARED_IAS    1 /* initial attestation: minor is the image's number << 6 | claim */
#define FERRY_SHARED_BLINFO 2 /* about the bootloader */

#define FERRY_SHARED_BOOT_RECORD 0x3f /* the claim that is a whole boot record, CBOR */

/* Minor numbers of BLINFO. */
#define FERRY_BLINFO_MODE      0x00 /* u8: enum ferry_boot_mode of image 0 */
#define FERRY_BLINFO_SIGNATURE 0x01 /* u8: enum ferry_blinfo_signature */
#define FERRY_BLINFO_RECOVERY  0x02 /* u8: enum ferry_blinfo_recovery */
#define FERRY_BLINFO_SLOT      0x03 /* u8: the slot that image 0 runs from */
#define FERRY_BLINFO_VERSION                                                                       \
    0x04 /* the bootloader's: u8 major, u8 minor, u16 revision, u32 build */
#define FERRY_BLINFO_MAX_IMAGE 0x05 /* + number: u32, bytes the largest image may have */
#define FERRY_BLINFO_COUNTER   0x10 /* + number: u32, security counter of the image that runs */

enum ferry_blinfo_signature {
    FERRY_BLINFO_UNSIGNED = 0,
    FERRY_BLINFO_RSA = 1,
    FERRY_BLINFO_ECDSA_P256 = 2,
    FERRY_BLINFO_ED25519 = 3
};

enum ferry_blinfo_recovery {
    FERRY_BLINFO_NO_RECOVERY = 0,
    FERRY_BLINFO_SERIAL_RECOVERY = 1,
    FERRY_BLINFO_DFU = 2
};

/* An area that is being written. */
struct ferry_shared_data {
    uint8_t *area;
    size_t cap;
    size_t len; /* header and entries so far */
};

/* Begin an area: empty, whatever was in it. area has cap bytes and stays the caller's.
 * Returns FERRY_OK, or FERRY_E_FULL when not even the header fits. */
FERRY_MUST_CHECK
int ferry_shared_data_begin(struct ferry_shared_data *shared, uint8_t *area, size_t cap);

/* Append an entry. The header always speaks of whole entries.
 *
 * data  len bytes
 *
 * Returns FERRY_OK; FERRY_E_FULL; FERRY_E_STATE for a type that is there already; or FERRY_E_RANGE
 * for numbers above 15 and 0xfff. */
FERRY_MUST_CHECK
int ferry_shared_data_add(struct ferry_shared_data *shared, uint32_t major, uint32_t minor,
                          const void *data, uint16_t len);

/* Find an entry in an area of cap bytes, of which nothing is trusted. found lies in it.
 * Returns FERRY_OK; FERRY_E_NOT_FOUND; FERRY_E_MAGIC when there is no such area; FERRY_E_FORMAT
 * when its lengths cannot be. */
FERRY_MUST_CHECK
int ferry_shared_data_find(const uint8_t *area, size_t cap, uint32_t major, uint32_t minor,
                           struct ferry_bytes *found);

/* The same for an entry of exactly 1 or 4 bytes. Returns as that; FERRY_E_FORMAT for another
 * length. */
FERRY_MUST_CHECK
int ferry_shared_data_u8(const uint8_t *area, size_t cap, uint32_t minor, uint8_t *value);
FERRY_MUST_CHECK
int ferry_shared_data_u32(const uint8_t *area, size_t cap, uint32_t minor, uint32_t *value);

#endif
