/* SPDX-License-Identifier: Apache-2.0 */
#include "option_text.h"

#include <ctype.h>
#include <string.h>

static bool begins_option(const char *line)
{
    line += strspn(line, " ");
    return line[0] == '-' && line[1] != '\0' && line[1] != ' ';
}

/* The names end where two blanks stand, or with the line. */
static size_t names_end(const char *line, size_t len)
{
    for (size_t i = 0; i + 1 < len; i++) {
        if (line[i] == ' ' && line[i + 1] == ' ') {
            return i;
        }
    }
    return len;
}

bool option_text_next(const char **text, struct option_text *option)
{
    const char *line = *text;

    while (*line != '\0' && !begins_option(line)) {
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    if (*line == '\0') {
        *text = line;
        return false;
    }
    line += strspn(line, " ");
    size_t len = strcspn(line, "\n");
    option->names = line;
    option->names_len = names_end(line, len);
    option->help = line + option->names_len;
    line += len + (line[len] == '\n');
    while (*line != '\0' && !begins_option(line)) {
        line += strcspn(line, "\n");
        line += *line == '\n';
    }
    option->help_len = (size_t)(line - option->help);
    *text = line;
    return true;
}

bool option_text_name(const char **names, size_t *len, const char **name, size_t *name_len)
{
    const char *p = *names;
    const char *end = p + *len;

    while (p < end && *p != '-') {
        const char *blank = memchr(p, ' ', (size_t)(end - p));
        p = blank != NULL ? blank + 1 : end;
    }
    *name = p;
    while (p < end && (isalnum((unsigned char)*p) || *p == '-')) {
        p++;
    }
    *name_len = (size_t)(p - *name);
    *names = p;
    *len = (size_t)(end - p);
    return *name_len > 0;
}

bool option_text_has_value(const struct option_text *option)
{
    const char *names = option->names;
    size_t len = option->names_len;
    const char *name;
    size_t name_len;
    const char *last = names;

    while (option_text_name(&names, &len, &name, &name_len)) {
        last = name + name_len;
    }
    return last < option->names + option->names_len && last[0] == ' ';
}
