/* SPDX-License-Identifier: Apache-2.0 */
#include "remedy.h"

#include <string.h>

const char *remedy_cut(char *why)
{
    char *last = NULL;

    for (char *at = strstr(why, "; "); at != NULL; at = strstr(at + 2, "; ")) {
        last = at;
    }
    if (last == NULL) {
        return "";
    }
    *last = '\0';
    return last + 2;
}
