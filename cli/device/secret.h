/* SPDX-License-Identifier: Apache-2.0 */
/* Files with a secret in them: a key, a passkey. */
#ifndef CLI_DEVICE_SECRET_H
#define CLI_DEVICE_SECRET_H

#include <stdio.h>

/* Open such a file, which is its owner's alone. Returns it, unbuffered, so that no copy is left
 * behind; or NULL, with what is wrong with it in words that live until the next call. */
FILE *secret_open(const char *path, const char **wrong);

#endif
