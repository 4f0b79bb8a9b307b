/* SPDX-License-Identifier: Apache-2.0 */
/* Values of settings on the command line and on the screen. */
#ifndef CLI_GROUP_SETTING_VALUE_H
#define CLI_GROUP_SETTING_VALUE_H

#include "cli/cli.h"

/* Make the bytes that VALUE means.
 *
 * type  NULL: a file's bytes for @FILE, bytes in hexadecimal for 0x…, else the text itself; "text";
 *       "hex"; "u8" … "u64", "i8" … "i64", little-endian; "bool", one byte
 *
 * The caller frees value with cli_buffer_free(). After a message returns an enum cli_exit. */
FERRY_MUST_CHECK
int setting_value_read(struct cli *cli, const char *type, const char *text,
                       struct cli_buffer *value);

/* Print a value: as text when it is one, in hexadecimal, and as a number where its length is that
 * of one. */
void setting_value_print(struct ferry_bytes value);

#endif
