/* SPDX-License-Identifier: Apache-2.0 */
/* The layout file, for the commands that know a device by it. */
#ifndef CLI_LAYOUT_LAYOUT_FILE_H
#define CLI_LAYOUT_LAYOUT_FILE_H

#include "cli/cli.h"
#include "layout/layout.h"

/* Read and check a layout file. After a message returns an enum cli_exit: CLI_FAILED for a file
 * that cannot be read, CLI_USAGE for one that is wrong. */
FERRY_MUST_CHECK
int layout_file_read(const struct cli *cli, const char *path, struct layout *layout);

#endif
