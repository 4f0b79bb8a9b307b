/* SPDX-License-Identifier: Apache-2.0 */
/* Whether image files can be installed in a layout: what the device would refuse later. */
#ifndef CLI_LAYOUT_LAYOUT_CHECK_H
#define CLI_LAYOUT_LAYOUT_CHECK_H

#include "cli/cli.h"
#include "layout/layout.h"

/* Check count image files for an image of the layout, and say of each that it fits. Signatures are
 * not looked at. After a message returns an enum cli_exit: CLI_VERIFY for the first that does not.
 */
FERRY_MUST_CHECK
int layout_check(const struct cli *cli, const struct layout *layout, uint32_t image, char **paths,
                 int count);

#endif
