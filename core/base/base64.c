/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648 §4. */
#include "ferry/base64.h"

#include <limits.h>

#define FOREIGN 0xff

static char to_char(uint32_t six)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    return alphabet[six & 0x3f];
}

/* The six bits of a character, or FOREIGN. */
static uint32_t from_char(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (uint32_t)(c - 'A');
    }
    if (c >= 'a' && c <= 'z') {
        return (uint32_t)(c - 'a') + 26;
    }
    if (c >= '0' && c <= '9') {
        return (uint32_t)(c - '0') + 52;
    }
    if (c == '+') {
        return 62;
    }
    return c == '/' ? 63 : FOREIGN;
}

size_t ferry_base64_encode(const uint8_t *data, size_t len, char *out)
{
    size_t chars = 0;

    while (len > 0) {
        size_t taken = len < 3 ? len : 3;
        uint32_t bits = (uint32_t)data[0] << 16;

        bits |= taken > 1 ? (uint32_t)data[1] << 8 : 0;
        bits |= taken > 2 ? data[2] : 0;
        out[chars] = to_char(bits >> 18);
        out[chars + 1] = to_char(bits >> 12);
        out[chars + 2] = taken > 1 ? to_char(bits >> 6) : '=';
        out[chars + 3] = taken > 2 ? to_char(bits) : '=';
        chars += 4;
        data += taken;
        len -= taken;
    }
    return chars;
}

/* Four characters, of which the last `padding` are '=' and count as no bits. */
static int decode_group(const char *text, size_t padding, uint32_t *bits)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < 4; i++) {
        uint32_t six = i < 4 - padding ? from_char(text[i]) : 0;

        if (six == FOREIGN) {
            return FERRY_E_FORMAT;
        }
        sum = sum << 6 | six;
    }
    *bits = sum;
    return FERRY_OK;
}

/* How many '=' end the text: 0, 1 or 2. A third one is left to be found foreign. */
static size_t count_padding(const char *text, size_t len)
{
    if (len == 0 || text[len - 1] != '=') {
        return 0;
    }
    return text[len - 2] == '=' ? 2 : 1;
}

int ferry_base64_decode(const char *text, size_t len, uint8_t *out, size_t cap)
{
    if (len % 4 != 0) {
        return FERRY_E_FORMAT;
    }

    size_t padding = count_padding(text, len);
    size_t size = len / 4 * 3 - padding;

    if (size > cap || size > INT_MAX) {
        return FERRY_E_SPACE;
    }
    for (size_t in = 0, at = 0; in < len; in += 4, at += 3) {
        uint32_t bits;
        int rc = decode_group(text + in, in + 4 == len ? padding : 0, &bits);

        if (rc != FERRY_OK) {
            return rc;
        }
        /* Only now, after the four characters were read: out may be the text's own memory. */
        for (size_t i = 0; i < 3 && at + i < size; i++) {
            out[at + i] = (uint8_t)(bits >> (16 - 8 * i));
        }
    }
    return (int)size;
}
