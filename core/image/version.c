/* SPDX-License-Identifier: Apache-2.0 */
/* Image versions: their order and their text. */
#include "ferry/image.h"

static int compare(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

int ferry_version_compare(const struct ferry_version *a, const struct ferry_version *b,
                          bool with_build)
{
    int order = compare(a->major, b->major);
    if (order == 0) {
        order = compare(a->minor, b->minor);
    }
    if (order == 0) {
        order = compare(a->revision, b->revision);
    }
    if (order == 0 && with_build) {
        order = compare(a->build, b->build);
    }
    return order;
}

/* Write value in decimal at out. Returns the number of digits, at most 10. */
static size_t put_decimal(char *out, uint32_t value)
{
    char digits[10];
    size_t count = 0;
    do {
        digits[count] = (char)('0' + value % 10);
        count++;
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < count; i++) {
        out[i] = digits[count - 1 - i];
    }
    return count;
}

size_t ferry_version_text(const struct ferry_version *version, char *out)
{
    size_t len = put_decimal(out, version->major);
    out[len++] = '.';
    len += put_decimal(out + len, version->minor);
    out[len++] = '.';
    len += put_decimal(out + len, version->revision);
    if (version->build != 0) {
        out[len++] = '.';
        len += put_decimal(out + len, version->build);
    }
    out[len] = '\0';
    return len;
}
