/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest.json of a bundle. [bundle-format.md §2] What is read is taken for hostile. */
#ifndef CLI_BUNDLE_MANIFEST_H
#define CLI_BUNDLE_MANIFEST_H

#include "ferry/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MANIFEST_NAME     "manifest.json"
#define MANIFEST_MAX      (256U << 10) /* bytes of it */
#define MANIFEST_FILES    16
#define MANIFEST_SLOTS    2
#define MANIFEST_NAME_LEN 127 /* bytes of a file's name */

/* What a manifest says of one file. Texts are UTF-8 without control characters, and "" where it
 * says nothing. They belong to the manifest. */
struct manifest_file {
    const char *file;
    const char *type; /* "application", "mcuboot", … */
    const char *board;
    const char *soc;
    const char *version_mcuboot; /* of the image's header: "1.2.3+4" */
    const char *version;         /* anything: of what is in the image */
    bool has_size, has_address, has_slot;
    uint64_t size;
    uint32_t load_address;
    uint8_t image; /* 0 where it says nothing */
    uint8_t slot;  /* the one of the image it was linked for: 0 or 1 */
};

struct manifest {
    cJSON *root; /* holds the texts */
    const char *name;
    bool has_format, has_time;
    uint64_t format;
    uint64_t time; /* seconds since 1970 */
    struct manifest_file files[MANIFEST_FILES];
    size_t count;
};

#define MANIFEST_WHY_MAX 256

/* Read a manifest as tolerantly as others write it: unknown keys are passed over; numbers may be
 * texts, and addresses hexadecimal; only the name of each file must be there.
 *
 * manifest  free it with manifest_free() when it was read
 * why       of a refusal, printable
 *
 * Returns FERRY_OK; FERRY_E_FORMAT; FERRY_E_TOO_LARGE for more than MANIFEST_MAX bytes or
 * MANIFEST_FILES files; FERRY_E_SPACE without memory. */
FERRY_MUST_CHECK
int manifest_read(const uint8_t *data, size_t len, struct manifest *manifest,
                  char why[MANIFEST_WHY_MAX]);

void manifest_free(struct manifest *manifest);

/* Whether two files may be for the same image: for its two slots, or a bootloader built for two
 * addresses. */
bool manifest_is_pair(const struct manifest_file *a, const struct manifest_file *b);

/* Write one, with all that the phone apps demand. Texts that are NULL are written as "".
 *
 * Returns text on the heap, to be freed with cJSON_free(); NULL without memory. */
char *manifest_write(const struct manifest *manifest);

#endif
