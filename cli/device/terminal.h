/* SPDX-License-Identifier: Apache-2.0 */
/* A question to whoever sits at the terminal. */
#ifndef CLI_DEVICE_TERMINAL_H
#define CLI_DEVICE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum terminal_end {
    TERMINAL_ANSWERED,
    TERMINAL_NONE, /* there is no terminal, or it ended */
    TERMINAL_LATE  /* nobody answered in time */
};

/* Ask on the process's terminal, and wait for a line, at most timeout_ms.
 *
 * line  filled with the line, without its end; room for cap characters, what is more is cut off */
enum terminal_end terminal_ask(const char *question, char *line, size_t cap, uint32_t timeout_ms);

/* The same where fd is the terminal. */
enum terminal_end terminal_ask_at(int fd, const char *question, char *line, size_t cap,
                                  uint32_t timeout_ms);

#endif
