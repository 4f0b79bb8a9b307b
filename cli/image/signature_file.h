/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures in files of their own, in base64, as imgtool's --fix-sig and --sig-out have them. */
#ifndef CLI_IMAGE_SIGNATURE_FILE_H
#define CLI_IMAGE_SIGNATURE_FILE_H

#include "cli/cli.h"

/* Read one; blanks and line feeds in it do not count. Free the signature. After a message returns
 * an enum cli_exit. */
FERRY_MUST_CHECK
int signature_read(const struct cli *cli, const char *path, struct cli_buffer *signature);

/* A file that was written, and what it had before. */
struct signature_file {
    const char *path; /* borrowed */
    bool existed;
    struct cli_buffer before;
};

/* Write one, len bytes. signature_settle() must follow. After a message returns an enum cli_exit,
 * and file needs nothing more. */
FERRY_MUST_CHECK
int signature_put(const struct cli *cli, const char *path, const uint8_t *data, size_t len,
                  struct signature_file *file);

/* Keep what was written, or put back what was there before. */
void signature_settle(const struct cli *cli, struct signature_file *file, bool keep);

#endif
