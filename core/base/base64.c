/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648 §4. */
#include "ferry/base64.h"

#include <limits.h>

/* The alphabet: runs of characters, the values of one behind those of the one before. */
static const struct run {
    uint8_t first, count;
} alphabet[] = {{'A', 26}, {'a', 26}, {'0', 10}, {'+', 1}, {'/', 1}, {0, 0}};

#define FOREIGN 64 /* the value behind the last run's */

static char to_char(uint32_t six)
{
    const struct run *run = alphabet;

    six &= 0x3f;
    while (six >= run->count) {
        six -= run->count;
        run++;
    }
    return (char)(run->first + six);
}

/* The six bits of a character, or FOREIGN. */
static uint32_t from_char(char c)
{
    uint32_t value = 0;

    for (const struct run *run = alphabet; run->count > 0; run++) {
        uint32_t at = (uint32_t)(uint8_t)c - run->first;

        if (at < run->count) {
            return value + at;
        }
        value += run->count;
    }
    return value;
}

size_t ferry_base64_encode(const uint8_t *data, size_t len, char *out)
{
    uint32_t bits = 0;
    uint32_t open = 0; /* of bits, those that no character has yet */
    size_t chars = 0;

    while (len > 0 || open > 0) {
        if (open < 6 && len > 0) {
            bits = bits << 8 | *data++;
            open += 8;
            len--;
        } else if (open < 6) {
            bits <<= 6 - open;
            open = 6;
        }
        open -= 6;
        out[chars++] = to_char(bits >> open);
    }
    while (chars % 4 != 0) {
        out[chars++] = '=';
    }
    return chars;
}

int ferry_base64_decode(const char *text, size_t len, uint8_t *out, size_t cap)
{
    size_t end = len; /* of what is no padding; a third '=' is left to be found foreign */
    uint32_t bits = 0;

    if (len % 4 != 0) {
        return FERRY_E_FORMAT;
    }
    while (end > 0 && len - end < 2 && text[end - 1] == '=') {
        end--;
    }

    size_t size = end - len / 4;

    if (size > cap || size > INT_MAX) {
        return FERRY_E_SPACE;
    }
    for (size_t i = 0; i < end; i++) {
        uint32_t six = from_char(text[i]);

        if (six == FOREIGN) {
            return FERRY_E_FORMAT;
        }
        bits = bits << 6 | six;
        /* Each but the first of four ends a byte. It is put behind what was read: out may be the
         * text's own memory. */
        if (i % 4 != 0) {
            *out++ = (uint8_t)(bits >> (6 - 2 * (i % 4)));
        }
    }
    return (int)size;
}
