/* SPDX-License-Identifier: Apache-2.0 */
/* Names for devices: profiles of our own file, and those of mcumgr's; and the ways in which other
 * tools are told of a device on the command line. */
#ifndef CLI_TOOL_PROFILE_H
#define CLI_TOOL_PROFILE_H

#include "cli/cli.h"

/* Take the device of a profile, if none was given with -d before; its timeout as well.
 * After a message returns false. */
bool profile_use(struct cli *cli, const char *name);

/* Take the device of --conntype and --connstring, once both are there. After a message returns
 * false. */
bool profile_use_mcumgr(struct cli *cli);

/* Take serial port or host of --port and --ip. Returns true. */
bool profile_use_smpmgr(struct cli *cli, const char *kind, const char *where);

/* The URI of a device that mcumgr knows as this, on the heap; NULL when it is of a type that is not
 * one of ferry's, or cannot be read: *why tells then. */
char *profile_of_mcumgr(const char *type, const char *connstring, const char **why);

/* All profiles: an array of {"name", "device", "timeout"?, "dtls"?, "file"}, ours first; each name
 * once. Free with cJSON_Delete(). NULL after a message: a file cannot be read; *exit_code says what
 * to return. */
cJSON *profile_list(const struct cli *cli, int *exit_code);

/* The file of our own, on the heap; NULL where there is no home. */
char *profile_path(void);

#endif
