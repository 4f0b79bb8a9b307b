/* SPDX-License-Identifier: Apache-2.0 */
/* What images that are installed together need of each other: their dependency TLVs.
 * [mcuboot-format.md §2.2 DEPENDENCY] */
#ifndef CLI_BUNDLE_NEEDS_H
#define CLI_BUNDLE_NEEDS_H

#include "findings.h"
#include "cli/image/image_file.h"

/* One of them. */
struct needs_image {
    const char *name;
    uint32_t image;
    const struct image_file *file; /* NULL: could not be read, and needs nothing */
};

/* Compare what each needs with the others: a problem where another is too old, as a bootloader
 * would see it (without the build number); a note where the device must have it already. */
void needs_check(const struct needs_image *images, size_t count, struct findings *findings);

#endif
