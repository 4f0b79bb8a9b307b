/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a signed MCUboot image of a firmware binary. [mcuboot-format.md §2.1–2.4, §3] */
#ifndef CLI_IMAGE_BUILD_H
#define CLI_IMAGE_BUILD_H

#include "key.h"

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
    bool overwrite_only;   /* the slot has no status area */
    bool pad;              /* fill the slot and write the trailer's magic */
    bool confirm;          /* and image_ok */
    const struct key *key; /* NULL: not signed */
};

/* Build the image. out is on the heap; free it. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int image_build(const struct cli *cli, const struct image_build *build,
                const struct cli_buffer *firmware, struct cli_buffer *out);

/* Largest image a slot takes beside its trailer, bytes; 0 when nothing fits. */
uint32_t image_build_limit(const struct image_build *build);

#endif
