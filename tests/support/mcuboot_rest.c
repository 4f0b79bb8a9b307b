/* SPDX-License-Identifier: Apache-2.0 */
/* What MCUboot leaves on flash between updates. */
#include "mcuboot_rest.h"

#include <string.h>

/* The rows of the format's table: distances from the end of the slot. */
struct row {
    uint32_t max_align, image_ok, copy_done, swap_info, tlv_sizes, swap_size, offset_swap_size;
    uint8_t magic[16];
};

#define LARGER_MAGIC(align)                                                                        \
    {                                                                                              \
        align, 0x00, 0x2d, 0xe1, 0x5d, 0x29, 0x41, 0x0b, 0x8d, 0x77, 0x67, 0x9c, 0x11, 0x0f, 0x1f, \
            0x8a                                                                                   \
    }

static const struct row rows[] = {
    {8,
     24,
     32,
     40,
     48,
     48,
     56,
     {0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f, 0x2c, 0xb6, 0x79,
      0x80}},
    {16, 32, 48, 64, 80, 80, 96, LARGER_MAGIC(0x10)},
    {32, 64, 96, 128, 160, 160, 192, LARGER_MAGIC(0x20)},
};

static const struct row *row_of(const struct rest_format *format)
{
    size_t i = 0;

    while (rows[i].max_align != format->max_align) {
        i++;
    }
    return &rows[i];
}

uint32_t rest_fields_size(const struct rest_format *format)
{
    const struct row *row = row_of(format);

    return format->tlv_sizes ? row->offset_swap_size : row->swap_size;
}

uint32_t rest_fields_size_no_swap(const struct rest_format *format)
{
    return row_of(format)->swap_info;
}

/* S of the description. */
static uint32_t states(const struct rest_format *format)
{
    return format->status == REST_STATUS_OFFSET ? 2 : 3;
}

uint32_t rest_trailer_size(const struct rest_format *format)
{
    return format->max_sectors * states(format) * format->write_size + rest_fields_size(format);
}

static void put(uint8_t *end, uint32_t distance, uint32_t value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        end[(ptrdiff_t)i - (ptrdiff_t)distance] = (uint8_t)(value >> (8 * i));
    }
}

void rest_write(const struct rest_format *format, const struct rest_fields *fields, uint8_t *out,
                uint32_t size)
{
    const struct row *row = row_of(format);
    uint8_t *end = out + size;

    memset(out, format->erased, size);
    if (fields->magic) {
        memcpy(end - 16, row->magic, 16);
    }
    if (fields->image_ok) {
        put(end, row->image_ok, 1, 1);
    }
    if (fields->copy_done) {
        put(end, row->copy_done, 1, 1);
    }
    if (fields->swap_info != 0) {
        put(end, row->swap_info, fields->swap_info, 1);
    }
    if (fields->swap_size != 0) {
        put(end, rest_fields_size(format), fields->swap_size, 4);
    }
    if (fields->tlv_sizes != 0) {
        put(end, row->tlv_sizes, fields->tlv_sizes, 4);
    }
}

void rest_write_status(const struct rest_format *format, uint32_t sectors, uint8_t *trailer)
{
    uint32_t w = format->write_size;

    for (uint32_t k = 0; k < sectors; k++) {
        switch (format->status) {
        case REST_STATUS_SCRATCH: /* a region is a sector, with a scratch of one sector */
            trailer[(3 * k) * w] = 1;
            trailer[(3 * k + 1) * w] = 2;
            trailer[(3 * k + 2) * w] = 3;
            break;
        case REST_STATUS_MOVE:
            trailer[k * w] = 1;
            trailer[(format->max_sectors + 2 * k) * w] = 1;
            trailer[(format->max_sectors + 2 * k + 1) * w] = 2;
            break;
        case REST_STATUS_OFFSET:
            trailer[(2 * k) * w] = 1;
            trailer[(2 * k + 1) * w] = 2;
            break;
        case REST_STATUS_NONE:
            break;
        }
    }
}

/* -1: any. */
struct type_row {
    int pri_magic, sec_magic, pri_ok, sec_ok, pri_done, sec_done;
    bool offset_only;
    enum rest_type type;
};

static const struct type_row types[] = {
    {-1, 1, -1, 0, -1, 1, true, REST_REVERT},   {-1, 1, -1, 0, -1, -1, false, REST_TEST},
    {-1, 1, -1, 1, -1, -1, false, REST_PERM},   {1, -1, 0, -1, 1, -1, false, REST_REVERT},
    {-1, -1, -1, -1, -1, -1, false, REST_NONE},
};

static bool fits(int wanted, bool found)
{
    return wanted < 0 || (wanted == 1) == found;
}

enum rest_type rest_type_of(const struct rest_fields *primary, const struct rest_fields *secondary,
                            bool offset)
{
    const struct type_row *row = types;

    while (!fits(row->pri_magic, primary->magic) || !fits(row->sec_magic, secondary->magic) ||
           !fits(row->pri_ok, primary->image_ok) || !fits(row->sec_ok, secondary->image_ok) ||
           !fits(row->pri_done, primary->copy_done) || !fits(row->sec_done, secondary->copy_done) ||
           (row->offset_only && !offset)) {
        row++;
    }
    return row->type;
}
