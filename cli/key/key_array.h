/* SPDX-License-Identifier: Apache-2.0 */
/* Keys as source text: arrays to compile into a bootloader. */
#ifndef CLI_KEY_KEY_ARRAY_H
#define CLI_KEY_KEY_ARRAY_H

#include "cli/cli.h"

/* What becomes an array. */
struct key_array {
    const char *name;   /* "ecdsa_pub_key" */
    const char *suffix; /* behind the name, or "" */
    bool rust;          /* a Rust slice with its name in capitals; else a C array and its length */
    const uint8_t *bytes;
    size_t len;
};

/* The text, as imgtool lays it out; only the comment at its top names Ferry. Free the buffer.
 * Returns CLI_OK, or CLI_FAILED after a message. */
FERRY_MUST_CHECK
int key_array_write(const struct cli *cli, const struct key_array *array,
                    struct cli_buffer *buffer);

/* Whether a suffix makes an identifier no worse: at most 64 letters, digits and '_'. */
bool key_array_suffix_ok(const char *suffix);

#endif
