/* SPDX-License-Identifier: Apache-2.0 */
/* SMP group 9, shell: one line of text in, its output back. Off until a product lists it: whoever
 * reaches it can do what the product's commands can.                            [smp.md §3.7] */
#ifndef FERRY_GROUP_SHELL_H
#define FERRY_GROUP_SHELL_H

#include "ferry/server.h"

/* Errors of the group on the wire. */
enum ferry_shell_error {
    FERRY_SHELL_ERR_UNKNOWN = 1,
    FERRY_SHELL_ERR_COMMAND_TOO_LONG = 2,
    FERRY_SHELL_ERR_EMPTY_COMMAND = 3
};

/* Results of a line that clients know; others are the product's own. */
enum ferry_shell_result {
    FERRY_SHELL_DONE = 0,
    FERRY_SHELL_NO_COMMAND = -8, /* there is no such command */
    FERRY_SHELL_USAGE = -22      /* the command does not take these words */
};

/* Where a line's output goes. */
struct ferry_shell_output {
    /* Take len characters of UTF-8; they are not kept. Never fails: what does not fit is cut. */
    void (*write)(const struct ferry_shell_output *output, const char *text, size_t len);
    void *context; /* write's own */
};

/* Set up once; must outlive the server. It is the context of its mount. */
struct ferry_shell_group_config {
    /* Run one line to its end, and write what it says to output. The watchdog is the product's to
     * feed meanwhile.
     *
     * line  len characters, at least one that is no blank, and a NUL behind them; not kept. They
     *       came from the client: any bytes
     *
     * Returns what clients get as "ret": an enum ferry_shell_result, or a negative errno. */
    int (*run)(void *context, const char *line, size_t len,
               const struct ferry_shell_output *output);
    void *context;
    char *line;       /* line_size bytes to put lines together in, this group's alone */
    size_t line_size; /* longest line and its NUL; Zephyr has 256 (SHELL_CMD_BUFF_SIZE) */
    bool legacy_rc;   /* the result is called "rc", as in Mynewt and Zephyr before 3.0 */
};

extern const struct ferry_group ferry_shell_group_table;

#endif
