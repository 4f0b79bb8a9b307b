/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a signed MCUboot image of a firmware binary. [mcuboot-format.md §2.1–2.4, §3] */
#ifndef CLI_IMAGE_IMAGE_BUILD_H
#define CLI_IMAGE_IMAGE_BUILD_H

#include "compress.h"
#include "encrypt.h"
#include "image_claims.h"
#include "cli/layout/room.h"

/* Signatures in one image: no more than a bootloader looks at. */
#define IMAGE_KEYS FERRY_IMAGE_SIGNATURES_MAX

/* What is made: the image, or what is to be signed of it outside. */
enum image_vector { IMAGE_WHOLE, IMAGE_PAYLOAD, IMAGE_DIGEST };

struct image_build {
    struct ferry_version version;
    uint32_t header_size;    /* 32 .. 0xffff */
    bool pad_header;         /* put the header in front; else the input has room for it */
    const struct room *room; /* what the device's layout has room for; NULL: no layout is known */
    uint32_t slot_size;      /* 0: not said, and the size is not checked */
    uint32_t align;          /* write size: 1, 2, 4, 8, 16, 32 */
    uint32_t max_align;      /* 8, 16 or 32 */
    uint32_t max_sectors;
    uint8_t erased_value;
    uint32_t address_flag; /* FERRY_IMAGE_RAM_LOAD, FERRY_IMAGE_ROM_FIXED, or 0 = no address */
    uint32_t address;
    bool overwrite_only; /* the slot has no status area */
    bool pad;            /* fill the slot and write the trailer's magic */
    bool confirm;        /* and image_ok */
    bool test;           /* image_ok stays erased, and is in a HEX file */
    bool non_bootable;
    struct key keys[IMAGE_KEYS]; /* each signs; the first one decides where nothing is asked for */
    size_t key_count;            /* 0: not signed */
    const struct ferry_image_digest_kind *digest; /* NULL: what the first key takes by itself */
    bool full_keys;                               /* PUBKEY in place of KEYHASH */
    bool pure;                                    /* sign the image itself: Ed25519 alone */
    bool pad_signature;                           /* ECDSA: zeros behind, to the full size */
    enum image_vector vector;
    struct cli_buffer
        outside_signature; /* of the one key, a public one; data NULL: the keys sign */
    struct image_claims claims;
    struct encryption encryption; /* its key NULL: not encrypted */
    enum compression compression; /* before it is encrypted */
};

/* The digest it is built with. */
const struct ferry_image_digest_kind *image_build_digest(const struct image_build *build);

/* The digest of an image and the signatures over it. */
struct image_proof {
    const struct ferry_image_digest_kind *kind;
    uint8_t digest[FERRY_IMAGE_DIGEST_MAX];
    struct {
        uint8_t bytes[FERRY_IMAGE_SIGNATURE_MAX];
        size_t len;
    } signatures[IMAGE_KEYS]; /* one for each key of the build */
};

struct image_made {
    struct cli_buffer bytes; /* on the heap; free them */
    size_t size;             /* without what fills the slot */
    size_t firmware_size;    /* behind the place of the header */
    size_t payload_size;     /* the same; less when it was compressed */
    uint32_t compression;    /* the header's flags for it */
    struct image_proof proof;
};

/* Build the image, or what is to be signed of it. After a message returns an enum cli_exit, and
 * made->bytes need not be freed. */
FERRY_MUST_CHECK
int image_build(const struct cli *cli, const struct image_build *build,
                const struct cli_buffer *firmware, struct image_made *made);

/* Largest image a slot takes beside its trailer, bytes; 0 when nothing fits, or when no slot is
 * said. */
uint32_t image_build_limit(const struct image_build *build);

#endif
