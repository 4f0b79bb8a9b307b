/* SPDX-License-Identifier: Apache-2.0 */
/* ferry fs download and fs upload. */
#ifndef CLI_GROUP_FS_TRANSFER_H
#define CLI_GROUP_FS_TRANSFER_H

#include "cli/cli.h"

int fs_run_download(struct cli *cli, int argc, char **argv);
int fs_run_upload(struct cli *cli, int argc, char **argv);

#endif
