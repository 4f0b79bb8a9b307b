/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

const struct cli_command cli_replay_commands[] = {{0}};
