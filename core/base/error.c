/* SPDX-License-Identifier: Apache-2.0 */
/* Errors in words: the one list of ferry/error.h as a table. */
#include "ferry/error.h"

#include <stddef.h>

struct words {
    const char *name;
    const char *text;
    const char *remedy;
};

#define WORDS(name, number, text, remedy) [-(number)] = {"FERRY_E_" #name, text, remedy},

/* Indexed by the negated number. */
static const struct words list[] = {[0] = {"FERRY_OK", "no error", ""}, FERRY_ERRORS(WORDS)};

#define LAST ((int)(sizeof(list) / sizeof(list[0])) - 1)

static const struct words unknown = {"FERRY_E_?", "unknown error", ""};

static const struct words *find(int error)
{
    if (error >= 0) {
        return &list[0];
    }
    /* Compared before it is negated: -INT_MIN does not exist. */
    if (error < -LAST || list[-error].name == NULL) {
        return &unknown;
    }
    return &list[-error];
}

const char *ferry_error_name(int error)
{
    return find(error)->name;
}

const char *ferry_error_text(int error)
{
    return find(error)->text;
}

const char *ferry_error_remedy(int error)
{
    return find(error)->remedy;
}
