/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a signed MCUboot image of a firmware binary. [mcuboot-format.md §2.1–2.4, §3] */
#ifndef CLI_IMAGE_IMAGE_BUILD_H
#define CLI_IMAGE_IMAGE_BUILD_H

#include "compress.h"
#include "encrypt.h"
#include "image_claims.h"

/* Signatures in one image: no more than a bootloader looks at. */
#define IMAGE_KEYS FERRY_IMAGE_SIGNATURES_MAX

struct image_build {
    struct ferry_version version;
    uint32_t header_size; /* 32 .. 0xffff */
    bool pad_header;      /* put the header in front; else the input has room for it */
    uint32_t slot_size;
    uint32_t align;     /* write size: 1, 2, 4, 8, 16, 32 */
    uint32_t max_align; /* 8, 16 or 32 */
    uint32_t max_sectors;
    uint8_t erased_value;
    uint32_t address_flag; /* FERRY_IMAGE_RAM_LOAD, FERRY_IMAGE_ROM_FIXED, or 0 = no address */
    uint32_t address;
    bool overwrite_only; /* the slot has no status area */
    bool pad;            /* fill the slot and write the trailer's magic */
    bool confirm;        /* and image_ok */
    bool non_bootable;
    struct key keys[IMAGE_KEYS]; /* each signs; the first one decides where nothing is asked for */
    size_t key_count;            /* 0: not signed */
    const struct ferry_image_digest_kind *digest; /* NULL: what the first key takes by itself */
    bool full_keys;                               /* PUBKEY in place of KEYHASH */
    bool pure;                                    /* sign the image itself: Ed25519 alone */
    struct image_claims claims;
    struct encryption encryption; /* its key NULL: not encrypted */
    enum compression compression; /* before it is encrypted */
};

/* The digest it is built with. */
const struct ferry_image_digest_kind *image_build_digest(const struct image_build *build);

/* Build the image. out is on the heap; free it. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int image_build(const struct cli *cli, const struct image_build *build,
                const struct cli_buffer *firmware, struct cli_buffer *out);

/* Largest image a slot takes beside its trailer, bytes; 0 when nothing fits. */
uint32_t image_build_limit(const struct image_build *build);

#endif
