/* SPDX-License-Identifier: Apache-2.0 */
/* A zip archive of a few files, all of it in memory: minizip does the work. What is read is taken
 * for hostile. */
#ifndef CLI_BUNDLE_ARCHIVE_H
#define CLI_BUNDLE_ARCHIVE_H

#include "ferry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARCHIVE_FILES    64
#define ARCHIVE_NAME_MAX 128 /* with its NUL */
#define ARCHIVE_FILE_MAX (64U << 20)
#define ARCHIVE_MAX      (128U << 20) /* all files together */

struct archive_file {
    char name[ARCHIVE_NAME_MAX]; /* printable ASCII without folders */
    uint8_t *data;               /* on the heap */
    size_t len;
    bool damaged; /* its checksum is wrong, or it ends early: data is what came */
};

struct archive {
    struct archive_file files[ARCHIVE_FILES]; /* in the order of its directory, names differ */
    size_t count;
};

#define ARCHIVE_WHY_MAX 256

/* Read an archive. Files are stored or deflated, and not encrypted; there are at most
 * ARCHIVE_FILES, none is larger than ARCHIVE_FILE_MAX, and all of them are not above ARCHIVE_MAX.
 *
 * archive  free it with archive_free() when it was read
 * why      of a refusal, printable
 *
 * Returns FERRY_OK; FERRY_E_MAGIC for what is no zip archive; FERRY_E_FORMAT, FERRY_E_UNSUPPORTED
 * or FERRY_E_TOO_LARGE for one that is not taken; FERRY_E_SPACE without memory. */
FERRY_MUST_CHECK
int archive_read(const uint8_t *data, size_t len, struct archive *archive,
                 char why[ARCHIVE_WHY_MAX]);

/* The file with a name, or NULL. */
struct archive_file *archive_find(struct archive *archive, const char *name);

void archive_free(struct archive *archive);

/* What is to be written. */
struct archive_entry {
    const char *name;
    const uint8_t *data;
    size_t len;
};

/* Write an archive of deflated files, in their order. The same entries and the same second give
 * the same bytes.
 *
 * seconds  what they are dated, since 1970, UTC; a zip's dates go from 1980 to 2107
 * out      on the heap, out_len bytes; free it
 *
 * Returns FERRY_OK, or FERRY_E_SPACE without memory. */
FERRY_MUST_CHECK
int archive_write(const struct archive_entry *entries, size_t count, int64_t seconds, uint8_t **out,
                  size_t *out_len);

#endif
