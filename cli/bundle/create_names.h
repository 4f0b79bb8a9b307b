/* SPDX-License-Identifier: Apache-2.0 */
/* The names of files in a bundle. [bundle-format.md §3] */
#ifndef CLI_BUNDLE_CREATE_NAMES_H
#define CLI_BUNDLE_CREATE_NAMES_H

#include "archive.h"

/* One that is to get a name. */
struct create_name {
    const char *path;
    uint8_t image;
    bool has_slot;
    uint8_t slot;
    char name[ARCHIVE_NAME_MAX]; /* the result */
};

/* Name all files after theirs: what the phone apps cannot find by name is replaced, and where one
 * name would contain another, or be it, all of them get "image-N-" in front. Returns whether that
 * made them differ. */
bool create_names(struct create_name *names, size_t count);

#endif
