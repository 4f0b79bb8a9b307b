/* SPDX-License-Identifier: Apache-2.0 */
/* What the help of a command says of its options, taken apart again: completion and manual pages
 * come from that one text. */
#ifndef CLI_TOOL_OPTION_TEXT_H
#define CLI_TOOL_OPTION_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* One line of options: "  -n, --image N        number of the image", and the lines without options
 * that follow it. Words are within the text. */
struct option_text {
    const char *names; /* "-n, --image N", names_len bytes */
    size_t names_len;
    const char *help; /* help_len bytes, lines and their indentation among them */
    size_t help_len;
};

/* Take the next option off a text; *text moves on. Lines before the first option are skipped.
 * Returns false at the end. */
bool option_text_next(const char **text, struct option_text *option);

/* Take the next name off names: "-n" or "--image". *names and *len move on. Returns false when
 * there is none. */
bool option_text_name(const char **names, size_t *len, const char **name, size_t *name_len);

/* Whether the option takes a value. */
bool option_text_has_value(const struct option_text *option);

#endif
