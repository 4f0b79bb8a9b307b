/* SPDX-License-Identifier: Apache-2.0 */
#include "create_names.h"

#include "cli/cli.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Room that the end and what stands in front may take. */
#define BASE_MAX 90

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash != NULL ? slash + 1 : path;
    return cli_is_stream(path) || base[0] == '\0' ? "image.bin" : base;
}

static bool ends_with(const char *text, size_t len, const char *end)
{
    size_t n = strlen(end);
    return len >= n && memcmp(text + len - n, end, n) == 0;
}

/* Letters, digits, dot, dash and underscore, no dot in front; with .bin at the end, since what is
 * in it is binary, and Android's app looks at no other. */
static void make_base(const char *path, char out[BASE_MAX + 8])
{
    const char *base = base_of(path);
    size_t len = strlen(base);
    for (size_t i = 0; i < 2; i++) {
        static const char *const ends[] = {".hex", ".bin"};
        len -= ends_with(base, len, ends[i]) && len > 4 ? 4 : 0;
    }
    len = len < BASE_MAX ? len : BASE_MAX;
    for (size_t i = 0; i < len; i++) {
        char c = base[i];
        bool kept = isalnum((unsigned char)c) || c == '_' || c == '-' || (c == '.' && i > 0);
        out[i] = '_';
        if (kept) {
            out[i] = c;
        }
    }
    memcpy(out + len, ".bin", sizeof ".bin");
}

/* iOS' app takes the first file whose address contains the name. */
static bool any_contained(const struct create_name *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            if (i != j && strstr(names[i].name, names[j].name) != NULL) {
                return true;
            }
        }
    }
    return false;
}

bool create_names(struct create_name *names, size_t count)
{
    char base[BASE_MAX + 8];
    for (size_t i = 0; i < count; i++) {
        make_base(names[i].path, base);
        snprintf(names[i].name, sizeof names[i].name, "%s", base);
    }
    if (!any_contained(names, count)) {
        return true;
    }
    for (size_t i = 0; i < count; i++) {
        char slot[sizeof "slot-255-"] = "";
        if (names[i].has_slot) {
            snprintf(slot, sizeof slot, "slot-%u-", names[i].slot);
        }
        make_base(names[i].path, base);
        snprintf(names[i].name, sizeof names[i].name, "image-%u-%s%s", names[i].image, slot, base);
    }
    return !any_contained(names, count);
}
