/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords of key files: from a file, the environment or the terminal; never from the command
 * line, which everybody on the machine can read. */
#ifndef CLI_KEY_PASSWORD_H
#define CLI_KEY_PASSWORD_H

#include "cli/cli.h"

#define PASSWORD_MAX 1023 /* bytes; OpenSSL takes no longer ones */

struct password {
    char text[PASSWORD_MAX + 1];
    size_t len; /* above 0 once there is one */
};

/* Get the password of a key file: the first line of --password-file; else FERRY_KEY_PASSWORD; else
 * it is asked for on the terminal, unless cli->unattended.
 *
 * path  of the key, for the prompt and the messages
 * new   the password of a key to be made: on the terminal it is asked for twice
 *
 * Wipe password with password_wipe(). Returns CLI_OK; after a message CLI_USAGE when nobody gives
 * one, CLI_FAILED when the file or the prompt fails. */
FERRY_MUST_CHECK
int password_get(const struct cli *cli, const char *path, bool new, struct password *password);

void password_wipe(struct password *password);

#endif
