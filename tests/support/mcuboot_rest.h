/* SPDX-License-Identifier: Apache-2.0 */
/* What MCUboot leaves on flash between updates, put together here from the description of the
 * format and not by core/image. [mcuboot-format.md §2.6]
 *
 * Only the fields are compared, from the lowest one to the end of the slot. The status area below
 * them is exempt: while a swap runs Ferry keeps its own records there, and MCUboot looks at it
 * only when its magic stands without a copy_done. */
#ifndef MCUBOOT_REST_H
#define MCUBOOT_REST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rest_status {
    REST_STATUS_NONE,    /* the strategy keeps no status entries */
    REST_STATUS_SCRATCH, /* 3 a region */
    REST_STATUS_MOVE,    /* 1 a sector moved, 2 a sector swapped */
    REST_STATUS_OFFSET   /* 2 a sector */
};

struct rest_format {
    uint32_t max_align;
    uint32_t write_size;
    uint32_t max_sectors; /* N */
    uint8_t erased;
    enum rest_status status;
    bool tlv_sizes; /* the build is for swap-offset */
};

/* The fields of one trailer; 0 and false: erased. */
struct rest_fields {
    bool magic, image_ok, copy_done;
    uint8_t swap_info;
    uint32_t swap_size;
    uint32_t tlv_sizes;
};

/* Bytes from the lowest field to the end of the slot; from swap_info to it; of the whole trailer.
 */
uint32_t rest_fields_size(const struct rest_format *format);
uint32_t rest_fields_size_no_swap(const struct rest_format *format);
uint32_t rest_trailer_size(const struct rest_format *format);

/* The last bytes of a slot, size of them: erased but for the fields. */
void rest_write(const struct rest_format *format, const struct rest_fields *fields, uint8_t *out,
                uint32_t size);

/* The status entries of a finished swap of so many sectors. trailer: rest_trailer_size() bytes,
 * its status area erased. */
void rest_write_status(const struct rest_format *format, uint32_t sectors, uint8_t *trailer);

enum rest_type { REST_NONE = 1, REST_TEST = 2, REST_PERM = 3, REST_REVERT = 4 };

/* The table of swap types, its rows in order. */
enum rest_type rest_type_of(const struct rest_fields *primary, const struct rest_fields *secondary,
                            bool offset);

#endif
