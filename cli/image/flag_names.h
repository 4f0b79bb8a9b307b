/* SPDX-License-Identifier: Apache-2.0 */
/* The flags of an image header by name. [mcuboot-format.md §2.1] */
#ifndef CLI_IMAGE_FLAG_NAMES_H
#define CLI_IMAGE_FLAG_NAMES_H

#include <stdint.h>

struct flag_name {
    uint32_t flag;
    const char *name; /* imgtool's */
};

/* Ends with a row whose name is NULL. */
extern const struct flag_name flag_names[];

#endif
