/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles: Nordic's dfu_application.zip, images with a manifest. [bundle-format.md] */
#ifndef CLI_BUNDLE_BUNDLE_H
#define CLI_BUNDLE_BUNDLE_H

#include "archive.h"
#include "manifest.h"
#include "cli/cli.h"

struct bundle_item {
    const struct manifest_file *what;
    struct archive_file *stored; /* NULL: the archive has no such file */
};

/* A bundle in memory. It may not be moved. */
struct bundle {
    struct archive archive;
    struct manifest manifest;
    struct bundle_item items[MANIFEST_FILES]; /* in install order: the manifest's */
    size_t count;
};

/* Whether bytes begin as those of a bundle, or of any other zip archive. */
bool bundle_looks_like(const uint8_t *data, size_t len);

/* Read a bundle: archive and manifest. Files may still be missing or damaged.
 * Free it when it was read. After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int bundle_open(const struct cli *cli, const char *path, struct bundle *bundle);

/* The same of bytes in memory, which are not kept; path is for messages. */
FERRY_MUST_CHECK
int bundle_open_bytes(const struct cli *cli, const char *path, const struct cli_buffer *bytes,
                      struct bundle *bundle);

/* As bundle_open(), and refuse one of which a file is missing, is damaged, or has another size than
 * the manifest says: every item has its bytes then. What they are is not looked at. */
FERRY_MUST_CHECK
int bundle_read(const struct cli *cli, const char *path, struct bundle *bundle);

/* What is wrong with the bytes of an item; NULL when they are there and whole. text is used for
 * the answer. */
#define BUNDLE_TEXT_MAX 320
const char *bundle_item_fault(const struct bundle_item *item, char text[BUNDLE_TEXT_MAX]);

void bundle_free(struct bundle *bundle);

#endif
