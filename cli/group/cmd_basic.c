/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

const struct cli_command cli_basic_commands[] = {{0}};
