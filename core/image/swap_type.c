/* SPDX-License-Identifier: Apache-2.0 */
/* From the states of both trailers to what the next boot does: the table of the format's
 * description, row for row. [mcuboot-format.md §2.6 "Swap type"] */
#include "ferry/trailer.h"

/* The first row that matches wins. A damaged field matches "any" alone. */
enum ferry_swap_type ferry_swap_type_of(const struct ferry_trailer *primary,
                                        const struct ferry_trailer *secondary, bool offset_rows)
{
    bool requested = secondary->magic == FERRY_SET;

    if (requested && secondary->image_ok == FERRY_UNSET) {
        return offset_rows && secondary->copy_done == FERRY_SET ? FERRY_SWAP_REVERT
                                                                : FERRY_SWAP_TEST;
    }
    if (requested && secondary->image_ok == FERRY_SET) {
        return FERRY_SWAP_PERM;
    }
    if (primary->magic == FERRY_SET && primary->image_ok == FERRY_UNSET &&
        primary->copy_done == FERRY_SET) {
        return FERRY_SWAP_REVERT;
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
