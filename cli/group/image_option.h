/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of commands that ask about one of a device's images. */
#ifndef CLI_DEVICE_IMAGE_OPTION_H
#define CLI_DEVICE_IMAGE_OPTION_H

#include "cli/cli.h"

extern const char image_option_help[];

/* Read -n, --image N, 0 .. 255, and nothing else; *image is 0 without it. After a message returns
 * an enum cli_exit. */
FERRY_MUST_CHECK
int image_option_read(struct cli *cli, int argc, char **argv, uint32_t *image);

#endif
