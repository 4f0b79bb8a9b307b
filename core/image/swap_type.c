/* SPDX-License-Identifier: Apache-2.0 */
/* The one table from the states of both trailers to what the next boot does. It stands here row
 * for row as in the format's description. [mcuboot-format.md §2.6 "Swap type"] */
#include "ferry/trailer.h"

enum { ANY = 0xff, UNSET = FERRY_UNSET, SET = FERRY_SET };

struct row {
    uint8_t primary_magic;
    uint8_t secondary_magic;
    uint8_t primary_image_ok;
    uint8_t secondary_image_ok;
    uint8_t primary_copy_done;
    uint8_t secondary_copy_done;
    uint8_t offset_only; /* counts for swap-offset only */
    uint8_t type;
};

/* The first row that matches wins. A damaged field matches ANY alone. */
static const struct row rows[] = {
    /* pri magic, sec magic, pri ok, sec ok, pri done, sec done */
    {ANY, SET, ANY, UNSET, ANY, SET, true, FERRY_SWAP_REVERT},
    {ANY, SET, ANY, UNSET, ANY, ANY, false, FERRY_SWAP_TEST},
    {ANY, SET, ANY, SET, ANY, ANY, false, FERRY_SWAP_PERM},
    {SET, ANY, UNSET, ANY, SET, ANY, false, FERRY_SWAP_REVERT},
};

static bool matches(uint8_t wanted, enum ferry_trailer_field found)
{
    return wanted == ANY || wanted == (uint8_t)found;
}

static bool row_matches(const struct row *row, const struct ferry_trailer *primary,
                        const struct ferry_trailer *secondary)
{
    return matches(row->primary_magic, primary->magic) &&
           matches(row->secondary_magic, secondary->magic) &&
           matches(row->primary_image_ok, primary->image_ok) &&
           matches(row->secondary_image_ok, secondary->image_ok) &&
           matches(row->primary_copy_done, primary->copy_done) &&
           matches(row->secondary_copy_done, secondary->copy_done);
}

enum ferry_swap_type ferry_swap_type_of(const struct ferry_trailer *primary,
                                        const struct ferry_trailer *secondary, bool offset_rows)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((offset_rows || !rows[i].offset_only) && row_matches(&rows[i], primary, secondary)) {
            return (enum ferry_swap_type)rows[i].type;
        }
    }
    return FERRY_SWAP_NONE;
}

const char *ferry_swap_type_name(enum ferry_swap_type type)
{
    switch (type) {
    case FERRY_SWAP_NONE:
        return "none";
    case FERRY_SWAP_TEST:
        return "test";
    case FERRY_SWAP_PERM:
        return "perm";
    case FERRY_SWAP_REVERT:
        return "revert";
    }
    return "unknown";
}
