/* SPDX-License-Identifier: Apache-2.0 */
/* `ferry sign --layout`: what a device's layout says that was not given, and what it refuses. */
#ifndef CLI_LAYOUT_SIGN_LAYOUT_H
#define CLI_LAYOUT_SIGN_LAYOUT_H

#include "cli/image/sign_options.h"

/* Read a->layout_path into a->layout (on the heap; free it), and fill in what was not given: slot
 * size, alignments, sectors, erased value, load address, how wrapped keys are kept. What was given
 * and is not the layout's is an error. Does nothing without a path. After a message returns an enum
 * cli_exit. */
FERRY_MUST_CHECK
int sign_layout_apply(const struct cli *cli, struct sign_arguments *a);

/* Refuse an image that the layout's device could not install. After a message returns an enum
 * cli_exit. */
FERRY_MUST_CHECK
int sign_layout_check(const struct cli *cli, const struct sign_arguments *a,
                      const struct image_made *made, const char *out_path);

#endif
